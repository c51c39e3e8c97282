//! Finds the files of a log, while they may be put away, compressed and removed.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{Lines, Part, unpack};
use crate::log::file::{
    Position, archive,
    place::{self, Place},
    rotate::{self, COMPRESSED},
};

/// How often files are looked for again that moved while they were looked for.
const TRIES: usize = 50;

/// Opens a log, so that what is read is what was there at one moment.
pub fn open(path: &Path, until: Option<&Position>) -> io::Result<Lines> {
    let none = |path: &Path| Lines { path: path.to_owned(), older: Vec::new(), part: Part::None, written: Timestamp::UNIX_EPOCH };
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
            let (part, written) = current.unwrap_or((Part::None, Timestamp::UNIX_EPOCH));
            return Ok(Lines { path, older, part, written });
        }
        if !found && archive::stamps(&spot) == stamps {
            // Somebody else has put the file away, or removed it.
            return Ok(Lines { path, older, part: Part::None, written: Timestamp::UNIX_EPOCH });
        }
    }
    Ok(none(&path))
}

/// Opens a file that was put away; `None`: it is no longer kept.
pub fn put_away(path: &Path, stamp: &str) -> io::Result<Option<(Part, Timestamp)>> {
    open_put_away(path, stamp, None)
}

fn open_put_away(path: &Path, stamp: &str, length: Option<u64>) -> io::Result<Option<(Part, Timestamp)>> {
    let time = DateTime::strptime(rotate::STAMP, stamp).and_then(|time| time.to_zoned(TimeZone::UTC)).map(|time| time.timestamp());
    let time = time.unwrap_or(Timestamp::UNIX_EPOCH);
    // It is there in the one form, in the other, or in both.
    for _ in 0..2 {
        if let Some((part, _)) = plain(&rotate::archive(path, stamp, ""), length, None)? {
            return Ok(Some((part, time)));
        }
        match File::open(rotate::archive(path, stamp, COMPRESSED)) {
            Ok(file) => return Ok(Some((Part::Unpacked(unpack(file, length)?), time))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A file as it is. `inode`: it must be this one.
fn plain(path: &Path, length: Option<u64>, inode: Option<u64>) -> io::Result<Option<(Part, Timestamp)>> {
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
    let about = file.metadata()?;
    if inode.is_some_and(|inode| inode != about.ino()) {
        return Ok(None);
    }
    let left = length.unwrap_or(u64::MAX).min(about.len());
    let written = Timestamp::new(about.mtime(), i32::try_from(about.mtime_nsec()).unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Some((Part::Plain { file, left, tail: Vec::new() }, written)))
}
