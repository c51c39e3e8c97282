//! When the lines of a log file came, beside the file: `.api-out.log.times` has, at most five times a second in the long run, from which byte on what stands
//! there came when.
//!
//! A file beside instead of the time in each line, because lines stand in files as the app said them. It is no more than a hint: what cannot
//! be kept or read is done without, and a line then came at the latest when its file was written. The first 16 bytes are a mark and the inode
//! of the log file; each further 16 are an [`Entry`]. It is put away and deleted with its file, and stays as it is when that is compressed.

use std::{
    fs::{File, Metadata},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use super::{
    place::{self, Spot},
    rotate::{COMPRESSED, UNFINISHED},
};

/// Bytes of an entry, and of what is before the first.
pub const ENTRY: u64 = 16;

/// How far apart entries are in the long run, in milliseconds.
const APART: i64 = 200;

/// How many may come one upon the other after a while without any: who says little has the time of every line.
const AT_ONCE: i64 = 50;

/// A file that was written this long after its last entry, in milliseconds, was written by somebody else as well, who leaves none.
pub const OWN: i64 = 1000;

const MARK: [u8; 8] = *b"pmtimes1";

/// From which byte on what stands in a file came when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The first byte.
    pub at: u64,
    /// When.
    pub when: When,
}

/// When something came, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Then, or less than [`OWN`] after it.
    At(i64),
    /// Then at the latest.
    By(i64),
}

impl When {
    /// The latest it can have been.
    pub fn latest(self) -> i64 {
        let (Self::At(time) | Self::By(time)) = self;
        time
    }
}

impl Entry {
    /// As it is written.
    pub fn bytes(self) -> [u8; ENTRY as usize] {
        let by = i64::from(matches!(self.when, When::By(_)));
        let mut bytes = [0; ENTRY as usize];
        bytes[..8].copy_from_slice(&self.at.to_le_bytes());
        bytes[8..].copy_from_slice(&(self.when.latest() << 1 | by).to_le_bytes());
        bytes
    }

    /// As it was written.
    pub fn read(bytes: [u8; ENTRY as usize]) -> Self {
        let half = |from: usize| <[u8; 8]>::try_from(&bytes[from..from + 8]).expect("it is half of 16 bytes");
        let time = i64::from_le_bytes(half(8));
        let when = if time & 1 == 1 { When::By(time >> 1) } else { When::At(time >> 1) };
        Self { at: u64::from_le_bytes(half(0)), when }
    }
}

/// Where the times of a file are, put away or not, compressed or not.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = [UNFINISHED, COMPRESSED].into_iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    path.with_file_name(format!(".{name}.times"))
}

/// How many whole entries there are; `None`: these are no times, or those of another file. `inode`: of the file whose they must be.
pub fn entries(file: &File, inode: Option<u64>) -> io::Result<Option<u64>> {
    let mut head = [0; ENTRY as usize];
    match file.read_exact_at(&mut head, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let is_own = head[..8] == MARK && inode.is_none_or(|inode| head[8..] == inode.to_le_bytes());
    Ok(if is_own { Some((file.metadata()?.len() / ENTRY).saturating_sub(1)) } else { None })
}

/// When bytes came that wait to be written: one of them at a time, in the order in which they wait.
#[derive(Debug, Default)]
pub struct Came {
    /// How many bytes came ever before those, and when they did.
    marks: Vec<(u64, i64)>,
    /// When the last ones of those did.
    last: Option<i64>,
    /// When there would be none any more, if they were all as far apart as in the long run.
    even: i64,
    /// When those came that were taken last.
    taken: Option<i64>,
}

impl Came {
    /// The next bytes come.
    pub fn push(&mut self, before: u64, now: i64) {
        if self.last.is_some_and(|last| now < last) {
            // The clock was set back.
            self.even = now;
        }
        // The generic cell rate algorithm, ITU-T I.371.
        if self.last != Some(now) && now >= self.even - APART * AT_ONCE {
            self.even = self.even.max(now) + APART;
            self.last = Some(now);
            self.marks.push((before, now));
        }
    }

    /// When the bytes came that are taken now, counted from the first of these on.
    pub fn take(&mut self, from: u64, to: u64) -> Vec<(usize, i64)> {
        let count = self.marks.partition_point(|(at, _)| *at < to);
        let first = self.taken.map(|time| (0, time));
        let place = |at: u64| usize::try_from(at.saturating_sub(from)).unwrap_or(usize::MAX);
        let came: Vec<(usize, i64)> = first.into_iter().chain(self.marks.drain(..count).map(|(at, time)| (place(at), time))).collect();
        self.taken = came.last().map(|(_, time)| *time);
        came
    }
}

/// The times of a file that is written.
#[derive(Debug)]
pub struct Times {
    spot: Spot,
    inode: u64,
    /// There is none as long as there is nothing to say.
    file: Option<File>,
    /// Up to where it is known when the file's bytes came.
    end: u64,
    /// How long the file was, and when it was written, when it was opened.
    before: (u64, i64),
    last: Option<i64>,
    /// They cannot be written.
    failed: bool,
}

impl Times {
    /// Those of a file as it is before it is written.
    pub fn open(place: &Spot, about: &Metadata) -> Self {
        let spot = place.beside(&beside(place.path()));
        let written = milliseconds(about);
        let mut times = Self { spot, inode: about.ino(), file: None, end: 0, before: (about.len(), written), last: None, failed: false };
        if let Ok(Some((file, last))) = times.known(about.len()) {
            let is_own = matches!(last, Some(Entry { when: When::At(time), .. }) if written <= time + OWN);
            times.end = if is_own { about.len() } else { last.map_or(0, |last| last.at) };
            times.file = Some(file);
        } else {
            // Or it would be put away with this file.
            let _ = times.spot.remove();
        }
        times
    }

    /// What is there, with the last entry; `None`: there is nothing that fits a file of so many bytes.
    fn known(&self, length: u64) -> io::Result<Option<(File, Option<Entry>)>> {
        let file = self.spot.open(OFlags::RDWR | OFlags::APPEND, 0)?;
        let Some(count) = entries(&file, Some(self.inode))? else { return Ok(None) };
        // A full disk, or an end in the middle of it.
        file.set_len((count + 1) * ENTRY)?;
        if count == 0 {
            return Ok(Some((file, None)));
        }
        let mut bytes = [0; ENTRY as usize];
        file.read_exact_at(&mut bytes, count * ENTRY)?;
        let last = Entry::read(bytes);
        Ok((last.at <= length).then_some((file, Some(last))))
    }

    /// The file has so many bytes, of which the last was not there and says nothing.
    pub fn mended(&mut self, size: u64) {
        self.end = if self.end == self.before.0 { size } else { self.end };
        self.before.0 = size;
    }

    /// So many bytes of the file were written from one on. `came`: when, as [`Came::take`] tells of them.
    pub fn wrote(&mut self, start: u64, length: u64, came: impl Iterator<Item = (usize, i64)>, now: i64) {
        let mut bytes = Vec::new();
        if start < self.end {
            // Somebody else has emptied it.
            self.emptied();
        }
        if start > self.end {
            // Somebody else has written there, or a runner that was killed.
            let latest = if start == self.before.0 { self.before.1 } else { now };
            bytes.extend(Entry { at: self.end, when: When::By(latest) }.bytes());
        }
        for (at, time) in came {
            if self.last != Some(time) {
                bytes.extend(Entry { at: start + at as u64, when: When::At(time) }.bytes());
                self.last = Some(time);
            }
        }
        self.end = start + length;
        if !bytes.is_empty() && !self.failed {
            // Without them, lines came at the latest when the file was written.
            self.failed = self.append(&bytes).is_err();
        }
    }

    /// The file was emptied.
    pub fn emptied(&mut self) {
        (self.end, self.before, self.last) = (0, (0, 0), None);
        if let Some(file) = &self.file {
            self.failed |= file.set_len(ENTRY).is_err();
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            let mut file = self.spot.open(OFlags::RDWR | OFlags::APPEND | OFlags::CREATE, place::READABLE)?;
            file.set_len(0)?;
            file.write_all(&[MARK, self.inode.to_le_bytes()].concat())?;
            self.file = Some(file);
        }
        self.file.as_ref().expect("it was opened").write_all(bytes)
    }
}

/// When a file was written, in milliseconds since 1970.
pub fn milliseconds(about: &Metadata) -> i64 {
    about.mtime().saturating_mul(1000).saturating_add(about.mtime_nsec() / 1_000_000)
}

#[cfg(test)]
mod tests;
