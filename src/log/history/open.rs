//! Finds the files of a log, while they may be put away, compressed and removed.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{Dating, Lines, Part, unpack};
use crate::log::file::{
    Position, archive,
    place::{self, Place},
    rotate::{self, COMPRESSED},
    times,
};

/// How often files are looked for again that moved while they were looked for.
const TRIES: usize = 50;

/// Opens a log, so that what is read is what was there at one moment.
pub fn open(path: &Path, until: Option<&Position>) -> io::Result<Lines> {
    let none = |path: &Path| Lines { path: path.to_owned(), older: Vec::new(), part: Part::None, dating: Dating::by(0), at: 0 };
    let spot = match place::find(path, None) {
        Ok(Place::Spot(spot)) => spot,
        Ok(Place::Device(_)) => return Ok(none(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(none(path)),
        Err(error) => return Err(error),
    };
    let path = spot.path().to_owned();
    for _ in 0..TRIES {
        let stamps = archive::stamps(&spot);
        let newest = until.map_or(stamps.last(), |until| until.put_away.as_ref()).cloned();
        let (older, newer): (Vec<String>, Vec<String>) =
            stamps.iter().cloned().partition(|stamp| newest.as_ref().is_some_and(|newest| stamp <= newest));
        let length = until.map(|until| until.length);
        let current = match newer.first() {
            Some(stamp) => open_put_away(&path, stamp, length)?,
            None => plain(&path, length, until.map(|until| until.inode))?,
        };
        let found = current.is_some() || until.is_some_and(|until| until.inode == 0) || until.is_none();
        // Nothing was put away meanwhile, so the file is the one that follows those.
        if found && (current.is_none() || !newer.is_empty() || archive::stamps(&spot) == stamps) {
            let (part, dating) = current.unwrap_or((Part::None, Dating::by(0)));
            return Ok(Lines { path, older, part, dating, at: 0 });
        }
        if !found && archive::stamps(&spot) == stamps {
            // Somebody else has put the file away, or removed it.
            return Ok(Lines { path, older, part: Part::None, dating: Dating::by(0), at: 0 });
        }
    }
    Ok(none(&path))
}

/// Opens a file that was put away; `None`: it is no longer kept.
pub fn put_away(path: &Path, stamp: &str) -> io::Result<Option<(Part, Dating)>> {
    open_put_away(path, stamp, None)
}

fn open_put_away(path: &Path, stamp: &str, length: Option<u64>) -> io::Result<Option<(Part, Dating)>> {
    let time = DateTime::strptime(rotate::STAMP, stamp).and_then(|time| time.to_zoned(TimeZone::UTC)).map(|time| time.timestamp());
    let time = time.map_or(0, Timestamp::as_millisecond);
    // It is there in the one form, in the other, or in both.
    for _ in 0..2 {
        if let Some((part, dating)) = plain(&rotate::archive(path, stamp, ""), length, None)? {
            return Ok(Some((part, dating.not_after(time))));
        }
        match File::open(rotate::archive(path, stamp, COMPRESSED)) {
            Ok(file) => {
                let written = times::milliseconds(&file.metadata()?);
                let text = unpack(file, length)?;
                // Only a part may be wanted of it.
                let size = if length.is_some() { u64::MAX } else { text.len() as u64 };
                let dating = Dating::open(&rotate::archive(path, stamp, ""), None).of(written, size).not_after(time);
                return Ok(Some((Part::Unpacked(text), dating)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A file as it is. `inode`: it must be this one.
fn plain(path: &Path, length: Option<u64>, inode: Option<u64>) -> io::Result<Option<(Part, Dating)>> {
    let file = match fs::metadata(path) {
        // A pipe would be waited for.
        Ok(about) if about.is_file() => File::open(path),
        Ok(_) => return Ok(None),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let inode_of = file.metadata()?.ino();
    if inode.is_some_and(|inode| inode != inode_of) {
        return Ok(None);
    }
    let dating = Dating::open(path, Some(inode_of));
    // After that: what is written of times was written of the file before.
    let about = file.metadata()?;
    let left = length.unwrap_or(u64::MAX).min(about.len());
    let dating = dating.of(times::milliseconds(&about), about.len());
    Ok(Some((Part::Plain { file, left, tail: Vec::new() }, dating)))
}
