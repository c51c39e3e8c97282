//! Listing a folder: names and kinds straight from getdents64(2), no lstat and no allocation per file.

use std::{
    ffi::OsStr,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir},
    io::Errno,
};

use super::api::{FileKind, Stat, WatchError};

/// Enough for some 700 names a call.
const BUFFER: usize = 32 * 1024;

/// One folder's entries, in buffers that are used again for the next.
pub struct Listing {
    buffer: Box<[MaybeUninit<u8>]>,
    names: Vec<u8>,
    entries: Vec<Entry>,
    fd: Option<OwnedFd>,
}

/// A name in [`Listing::names`] and what it is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    end: usize,
    kind: FileKind,
}

impl Listing {
    /// Empty buffers.
    pub fn new() -> Self {
        Self { buffer: vec![MaybeUninit::uninit(); BUFFER].into(), names: Vec::new(), entries: Vec::new(), fd: None }
    }

    /// Lists a folder in place of the one before.
    pub fn read(&mut self, dir: &Path) -> Result<(), WatchError> {
        self.names.clear();
        self.entries.clear();
        let fd = rustix::fs::openat(CWD, dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(failure)?;
        let mut unknown = Vec::new();
        let mut raw = RawDir::new(&fd, &mut self.buffer);
        while let Some(entry) = raw.next() {
            let entry = entry.map_err(failure)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let start = self.names.len();
            self.names.extend_from_slice(name);
            if entry.file_type() == FileType::Unknown {
                unknown.push(self.entries.len());
            }
            self.entries.push(Entry { start, end: self.names.len(), kind: kind_of(entry.file_type()) });
        }
        // Some file systems leave the kind out (readdir(3)).
        for index in unknown {
            let Entry { start, end, .. } = self.entries[index];
            if let Ok(stat) = rustix::fs::statat(&fd, OsStr::from_bytes(&self.names[start..end]), AtFlags::SYMLINK_NOFOLLOW) {
                self.entries[index].kind = kind_of(FileType::from_raw_mode(stat.st_mode));
            }
        }
        self.fd = Some(fd);
        Ok(())
    }

    /// The entries, without `.` and `..`, in the file system's order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], FileKind)> {
        self.entries.iter().map(|entry| (&self.names[entry.start..entry.end], entry.kind))
    }

    /// lstat(2) of a name in the folder listed last.
    pub fn lstat(&self, name: &[u8]) -> Option<Stat> {
        let stat = rustix::fs::statat(self.fd.as_ref()?, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(stat_of(&stat))
    }
}

/// lstat(2) of a path.
pub fn lstat(path: &Path) -> Option<Stat> {
    rustix::fs::lstat(path).ok().map(|stat| stat_of(&stat))
}

/// The present on the clock that the kernel stamps files with: it steps by ticks, so it may lag behind the usual one by 10 ms.
/// What changes from now on has this time or a later one.
pub fn now() -> SystemTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    time_of(now.tv_sec, u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// Whether there is a folder; a link to one is none.
pub fn is_dir(path: &Path) -> bool {
    lstat(path).is_some_and(|stat| stat.kind == FileKind::Dir)
}

/// The system's numbers as the rest of the room knows them.
#[expect(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the fields of struct stat differ between architectures")]
fn stat_of(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        len: u64::try_from(stat.st_size).unwrap_or(0),
        mtime: time_of(i64::from(stat.st_mtime), stat.st_mtime_nsec as u64),
        ctime: time_of(i64::from(stat.st_ctime), stat.st_ctime_nsec as u64),
        id: (u64::from(stat.st_dev), u64::from(stat.st_ino)),
        links: u64::from(stat.st_nlink),
    }
}

fn time_of(seconds: i64, nanos: u64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 { SystemTime::UNIX_EPOCH.checked_sub(whole) } else { SystemTime::UNIX_EPOCH.checked_add(whole) };
    second.and_then(|at| at.checked_add(Duration::from_nanos(nanos))).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn kind_of(file_type: FileType) -> FileKind {
    match file_type {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}

fn failure(errno: Errno) -> WatchError {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::STALE => WatchError::Gone,
        Errno::ACCESS | Errno::PERM => WatchError::Denied,
        other => WatchError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn lists_names_and_kinds_and_stats() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "12345").unwrap();
        std::fs::create_dir(dir.path().join("dir")).unwrap();
        symlink("nowhere", dir.path().join("link")).unwrap();
        let mut listing = Listing::new();
        listing.read(dir.path()).unwrap();
        let mut seen: Vec<_> = listing.iter().map(|(name, kind)| (String::from_utf8_lossy(name).into_owned(), kind)).collect();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(seen, [("dir".into(), FileKind::Dir), ("file".into(), FileKind::File), ("link".into(), FileKind::Link)]);
        let stat = listing.lstat(b"file").unwrap();
        assert_eq!((stat.kind, stat.len, stat.links), (FileKind::File, 5, 1));
        assert_eq!(stat.mtime, dir.path().join("file").metadata().unwrap().modified().unwrap());
        assert_eq!(Some(stat), lstat(&dir.path().join("file")));
        assert_eq!(listing.lstat(b"none"), None);
        assert_eq!(listing.read(&dir.path().join("none")), Err(WatchError::Gone));
        assert_eq!(listing.read(&dir.path().join("file")), Err(WatchError::Gone));
    }

    #[test]
    fn no_file_is_stamped_earlier_than_now() {
        let dir = tempfile::tempdir().unwrap();
        for trial in 0..100 {
            let (path, before) = (dir.path().join(trial.to_string()), now());
            std::fs::write(&path, "x").unwrap();
            let stamp = lstat(&path).unwrap().ctime;
            assert!(stamp >= before, "{:?} too early", before.duration_since(stamp));
        }
    }

    #[test]
    fn lists_more_than_a_buffer_holds() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(200);
        for index in 0..400 {
            std::fs::write(dir.path().join(format!("{long}{index}")), "").unwrap();
        }
        let mut listing = Listing::new();
        listing.read(dir.path()).unwrap();
        assert_eq!(listing.iter().count(), 400);
    }
}
