//! When the lines of a log file came, as far as that is kept beside it; see [`times`].

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use crate::log::file::times::{self, ENTRY, Entry, OWN, When};

/// Entries read at a time.
const BLOCK: u64 = 4096;

/// When lines of a file came, asked for from its end on backwards.
#[derive(Debug)]
pub struct Dating {
    /// When the file was last written, in milliseconds since 1970.
    written: i64,
    file: Option<File>,
    /// Entries before those that were read.
    left: u64,
    /// What was read and is not behind, the last one last.
    read: Vec<Entry>,
    /// The entry after those.
    next: Option<Entry>,
}

impl Dating {
    /// Of lines of which it is known alone that they came before this time, in milliseconds since 1970.
    pub fn by(written: i64) -> Self {
        Self { written, file: None, left: 0, read: Vec::new(), next: None }
    }

    /// Of a file at this path. `inode`: whose it must be.
    pub fn open(path: &Path, inode: Option<u64>) -> Self {
        // Whoever may write into the folder must not have us wait for a pipe, nor read what a link leads to.
        let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(times::beside(path)).ok();
        let file = file.filter(|file| file.metadata().is_ok_and(|about| about.is_file()));
        let found = file.and_then(|file| Some((times::entries(&file, inode).ok()??, file)));
        match found {
            Some((left, file)) => Self { file: Some(file), left, ..Self::by(i64::MAX) },
            None => Self::by(i64::MAX),
        }
    }

    /// The file was written at this time, in milliseconds since 1970, and has so many bytes: its times are of no use where they are of more.
    pub fn of(mut self, written: i64, length: u64) -> Self {
        match self.last() {
            Ok(last) if last.is_none_or(|last| last.at <= length) => Self { written, ..self },
            Ok(_) | Err(_) => Self::by(written),
        }
    }

    /// The file was not written after this time either, in milliseconds since 1970.
    pub fn not_after(self, time: i64) -> Self {
        Self { written: time.min(self.written), ..self }
    }

    /// When the file was written, in milliseconds since 1970.
    pub fn written(&self) -> i64 {
        self.written
    }

    /// When the line came that begins with this byte. Those asked for before it are behind it.
    pub fn when(&mut self, at: u64) -> When {
        let found = loop {
            match self.last() {
                Ok(Some(entry)) if entry.at > at => self.next = self.read.pop(),
                Ok(found) => break found,
                Err(_) => {
                    *self = Self::by(self.next.map_or(self.written, |next| next.when.latest()));
                    break None;
                }
            }
        };
        match (found.map(|found| found.when), self.next) {
            (Some(When::At(time)), None) if self.written > time + OWN => When::By(self.written),
            (Some(when @ When::At(_)), _) | (Some(when @ When::By(_)), Some(_)) => when,
            // It stood there when the next one came.
            (None, Some(next)) => When::By(next.when.latest()),
            (None | Some(When::By(_)), None) => When::By(self.written),
        }
    }

    /// The last entry that is not behind.
    fn last(&mut self) -> io::Result<Option<Entry>> {
        if let (true, 1.., Some(file)) = (self.read.is_empty(), self.left, &self.file) {
            let count = self.left.min(BLOCK);
            self.left -= count;
            let mut bytes = vec![0; usize::try_from(count * ENTRY).expect("a block fits into memory")];
            // What is before the first entry is as long as one.
            file.read_exact_at(&mut bytes, (self.left + 1) * ENTRY)?;
            let (entries, _) = bytes.as_chunks();
            self.read = entries.iter().map(|entry| Entry::read(*entry)).collect();
        }
        Ok(self.read.last().copied())
    }
}
