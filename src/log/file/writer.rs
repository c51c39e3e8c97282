//! A log file being written: opened where it is wanted, in whole lines, put away when it is full.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    os::{
        fd::AsFd as _,
        unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    path::Path,
};

use jiff::{Timestamp, Zoned, tz::TimeZone};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, Mode, OFlags, Stat},
    io::Errno,
};

use super::{
    Position, Settings,
    archive::{self, Compressor},
    place::{self, Place, Spot},
    rotate,
    times::{self, Times},
};

/// After a file could not be put away it grows by so much before that is tried again.
const GROWTH: u64 = 1 << 20;

/// How long one look at a file that takes nothing right now, a pipe, may last.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How often others may put a file away between two steps of opening it.
const AT_ONCE: usize = 100;

/// Why lines were not written.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be written.
    Failed(io::Error),
    /// It took nothing, and nobody waits for it any longer.
    GivenUp,
}

/// A log file, open or not.
#[derive(Debug, Default)]
pub struct Writer {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Where it really is; `None`: it is never put away.
    place: Option<Spot>,
    size: u64,
    written: Zoned,
    /// It ends within a line.
    torn: bool,
    /// Its file system counts names, so that a file without any is one that was removed.
    counted: bool,
    /// It could not be put away, so it is not tried again below this size.
    grows_to: u64,
    /// When its lines came, where that is kept.
    times: Option<Times>,
}

fn is_file(about: &Stat) -> bool {
    FileType::from_raw_mode(about.st_mode) == FileType::RegularFile
}

impl Writer {
    /// Opens the file anew; folders are made where they are missing. What an earlier runner left to be done with those put away is done.
    pub fn reopen(&mut self, path: &Path, settings: &Settings, compressor: &Compressor) -> io::Result<()> {
        self.open = None;
        if let Some(place) = &self.opened(path, settings)?.place {
            compressor.add(archive::rotate(place, &settings.together, &settings.rotation, None)?);
        }
        Ok(())
    }

    /// Where it is; `None`: it is no file that is read again, but a device or a pipe.
    pub fn position(&self, path: &Path) -> Option<Position> {
        let (place, inode, length) = match &self.open {
            Some(open) => (open.place.clone()?, open.file.metadata().ok()?.ino(), open.size),
            None => {
                let Ok(Place::Spot(place)) = place::find(path, None) else { return None };
                let about = place.about().ok();
                if about.is_some_and(|about| !is_file(&about)) {
                    return None;
                }
                (place, about.map_or(0, |about| about.st_ino), about.map_or(0, |about| u64::try_from(about.st_size).unwrap_or(0)))
            }
        };
        Some(Position { put_away: archive::stamps(&place).pop(), inode, length })
    }

    /// Empties it; how many bytes that were.
    ///
    /// # Errors
    /// It cannot be emptied.
    pub fn empty(&mut self, path: &Path) -> io::Result<u64> {
        if let Some(open) = &mut self.open {
            if !open.file.metadata()?.is_file() {
                return Ok(0);
            }
            let length = open.file.metadata()?.len();
            open.file.set_len(0)?;
            (open.size, open.torn) = (0, false);
            open.times.iter_mut().for_each(Times::emptied);
            return Ok(length);
        }
        let place = match place::find(path, None) {
            Ok(Place::Spot(place)) => place,
            Ok(Place::Device(_)) => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let about = match place.about() {
            Ok(about) if is_file(&about) => about,
            Ok(_) => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        place.open(OFlags::WRONLY, 0)?.set_len(0)?;
        // It may have none.
        let _ = place.beside(&times::beside(place.path())).remove();
        Ok(u64::try_from(about.st_size).unwrap_or(0))
    }

    /// Keeps when so many bytes came that were written right now, from one on of those of which this tells.
    pub fn came(&mut self, from: usize, count: usize, came: &[(usize, i64)]) {
        let Some(Open { times: Some(times), size, .. }) = &mut self.open else { return };
        let before = came.partition_point(|(at, _)| *at <= from);
        let first = came[..before].last().map(|(_, time)| (0, *time));
        let rest = came[before..].iter().take_while(|(at, _)| *at < from + count).map(|(at, time)| (at - from, *time));
        if count > 0 {
            let start = size.saturating_sub(count as u64);
            times.wrote(start, count as u64, first.into_iter().chain(rest), Timestamp::now().as_millisecond());
        }
    }

    fn opened(&mut self, path: &Path, settings: &Settings) -> io::Result<&mut Open> {
        if self.open.is_none() {
            self.open = Some(Open::new(path, settings)?);
        }
        Ok(self.open.as_mut().expect("it was opened right now"))
    }

    /// Writes the first of these whole lines; how many bytes that were. `put_away` is told when a full file was put away, or why it could
    /// not be.
    ///
    /// # Errors
    /// With the bytes of whole lines that were written before it failed; nothing of another line stays in the file.
    pub fn write(
        &mut self,
        lines: &[u8],
        path: &Path,
        settings: &Settings,
        compressor: &Compressor,
        mut put_away: impl FnMut(Result<(), &io::Error>),
        is_over: impl Fn() -> bool,
    ) -> Result<usize, (usize, Failure)> {
        let failed = |error| (0, Failure::Failed(error));
        let open = self.opened(path, settings).map_err(failed)?;
        if let Err(failure) = open.mend(&is_over) {
            self.open = None;
            return Err((0, failure));
        }
        let now = Zoned::now();
        let limit = settings.rotation.limit(settings.together.len()).filter(|_| open.place.is_some());
        let room = |open: &Open| limit.map_or(u64::MAX, |limit| limit.max(open.grows_to).saturating_sub(open.size));
        let mut count = rotate::fit(lines, room(open), open.size == 0);
        let is_over_time = open.place.is_some() && open.size > 0 && settings.rotation.is_over(&open.written, &now);
        if count == 0 || is_over_time && open.grows_to <= open.size {
            let alone = open.place.as_ref().and_then(Spot::alone);
            let moved_on = match &open.place {
                Some(place) if place.holds(&open.file) => {
                    archive::rotate(place, &settings.together, &settings.rotation, Some(now.timestamp()))
                }
                // Whoever has put another file in its place has put it away.
                Some(_) | None => Ok(Vec::new()),
            };
            drop(alone);
            match moved_on {
                Ok(plain) => {
                    put_away(Ok(()));
                    // While it is open it is not compressed.
                    self.open = None;
                    compressor.add(plain);
                    self.opened(path, settings).map_err(failed)?;
                    return Ok(0);
                }
                Err(error) => {
                    put_away(Err(&error));
                    open.grows_to = open.size + GROWTH;
                    count = rotate::fit(lines, room(open), false);
                }
            }
            if count == 0 {
                count = memchr::memchr(b'\n', lines).map_or(lines.len(), |newline| newline + 1);
            }
        }
        open.written = now;
        let result = open.append(&lines[..count], is_over);
        match result {
            // What nobody can find any more was not written.
            Ok(0) => {
                self.open = None;
                Ok(0)
            }
            Ok(_) => Ok(count),
            Err((written, failure)) => {
                // Perhaps it can be had again elsewhere: the disk was changed, the folder is another one.
                self.open = None;
                Err((written, failure))
            }
        }
    }
}

impl Open {
    fn new(path: &Path, settings: &Settings) -> io::Result<Self> {
        let is_private = settings.private.as_ref().is_some_and(|private| path.parent().is_some_and(|folder| folder.starts_with(private)));
        let mode = if is_private { Mode::RWXU } else { Mode::from_raw_mode(place::OPEN) };
        let (file, place) = match place::find(path, Some(mode))? {
            Place::Spot(spot) => claimed(spot)?,
            Place::Device(path) => {
                // A pipe that nobody reads must not stop us.
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                (OpenOptions::new().append(true).create(true).mode(place::READABLE).custom_flags(flags).open(path)?, None)
            }
        };
        let about = file.metadata()?;
        let regular = about.is_file();
        let place = place.filter(|_| regular);
        let written = Timestamp::new(about.mtime(), 0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
        let size = if regular { about.len() } else { 0 };
        // A runner that was killed may have left half a line.
        let mut last = [b'\n'];
        if let (true, Some(Ok(reader))) = (size > 0, place.as_ref().map(|place| place.open(OFlags::RDONLY, 0))) {
            let _ = reader.read_at(&mut last, size - 1);
        }
        let times = place.as_ref().filter(|_| settings.times).map(|place| Times::open(place, &about));
        Ok(Self { file, place, size, written, torn: last != [b'\n'], counted: regular && about.nlink() > 0, grows_to: 0, times })
    }

    /// Ends the line within which it ends.
    fn mend(&mut self, is_over: impl Fn() -> bool) -> Result<(), Failure> {
        if self.torn {
            self.all(b"\n", is_over).map_err(|(_, failure)| failure)?;
            self.torn = false;
            self.size += 1;
            self.times.iter_mut().for_each(|times| times.mended(self.size));
        }
        Ok(())
    }

    /// Appends whole lines; 0: the file was removed, and what was written with it.
    fn append(&mut self, lines: &[u8], is_over: impl Fn() -> bool) -> Result<usize, (usize, Failure)> {
        match self.all(lines, &is_over) {
            Ok(()) => {
                let about = self.file.metadata().map_err(|error| (lines.len(), Failure::Failed(error)))?;
                if self.counted && about.nlink() == 0 {
                    return Ok(0);
                }
                self.size = if about.is_file() { about.len() } else { 0 };
                Ok(lines.len())
            }
            Err((written, failure)) => {
                let whole = memchr::memrchr(b'\n', &lines[..written]).map_or(0, |newline| newline + 1);
                self.take_back(written, whole);
                Err((whole, failure))
            }
        }
    }

    fn all(&self, bytes: &[u8], is_over: impl Fn() -> bool) -> Result<(), (usize, Failure)> {
        let mut written = 0;
        while written < bytes.len() {
            match rustix::io::write(&self.file, &bytes[written..]) {
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if is_over() => return Err((written, Failure::GivenUp)),
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::new(&self.file.as_fd(), PollFlags::OUT)], Some(&LOOK));
                }
                Err(error) => return Err((written, Failure::Failed(error.into()))),
            }
        }
        Ok(())
    }

    /// Takes back the part of a line that was written last. Where that cannot be, because others write as well, the next open ends the line.
    fn take_back(&self, written: usize, whole: usize) {
        let is_last = |about: &Metadata| about.is_file() && about.len() == self.size + written as u64;
        if written > whole && self.file.metadata().is_ok_and(|about| is_last(&about)) {
            let _ = self.file.set_len(self.size + whole as u64);
        }
    }
}

/// Opens a file so that nobody compresses it meanwhile. Where even a file just opened is not what lies there, nothing can be put away.
fn claimed(spot: Spot) -> io::Result<(File, Option<Spot>)> {
    for _ in 0..AT_ONCE {
        let file = spot.open(OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE, place::READABLE)?;
        // Another runner may have put it away, and have begun to compress it, since.
        if archive::claim(&file, false) && spot.holds(&file) {
            return Ok((file, Some(spot)));
        }
    }
    Ok((spot.open(OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE, place::READABLE)?, None))
}

#[cfg(test)]
mod tests;
