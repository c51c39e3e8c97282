//! The real file system behind [`Fs`].

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::time::{ClockId, clock_gettime};
use xxhash_rust::xxh3::xxh3_64;

use crate::watch::{Fs, Stat, gate, mounts, walk};

/// The buffer that is kept between two reads.
const KEPT: usize = 1 << 20;

/// The real file system. Where several groups ask about one version of a file within one turn of the engine, it is read once.
#[derive(Debug, Default)]
pub struct Disk {
    /// Several groups may ask.
    shared: bool,
    read: HashMap<PathBuf, (Stat, (u64, u64))>,
    buffer: Vec<u8>,
    /// By device.
    our_time: HashMap<u64, bool>,
}

impl Disk {
    /// Whether several groups may ask.
    pub fn share(&mut self, shared: bool) {
        self.shared = shared;
    }

    /// A turn is over: a file with the same times may be another version from now on.
    pub fn end_turn(&mut self) {
        self.read.clear();
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
    }

    fn read(&mut self, path: &Path) -> Option<(u64, u64)> {
        // A link may lead to a pipe, which must not be waited for.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).expect("the flags of open(2) are an int");
        let mut file: File = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
        let about = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        if about.len() > gate::READ_MAX {
            let mtime = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            return Some((about.len(), xxh3_64(&mtime.as_nanos().to_le_bytes())));
        }
        self.buffer.clear();
        let len = file.read_to_end(&mut self.buffer).ok()?;
        Some((u64::try_from(len).ok()?, xxh3_64(&self.buffer)))
    }
}

/// The time as the kernel stamps files with it: a file that is changed from now on has no earlier one (clock_gettime(2), CLOCK_REALTIME_COARSE).
pub fn stamp() -> SystemTime {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default());
    UNIX_EPOCH + Duration::new(seconds, nanos)
}

impl Fs for Disk {
    fn lstat(&mut self, path: &Path) -> Option<Stat> {
        walk::lstat(path)
    }

    fn digest(&mut self, path: &Path) -> Option<(u64, u64)> {
        if !self.shared {
            return self.read(path);
        }
        let before = walk::lstat(path)?;
        if let Some((version, digest)) = self.read.get(path)
            && *version == before
        {
            return Some(*digest);
        }
        let digest = self.read(path)?;
        self.read.insert(path.to_path_buf(), (before, digest));
        Some(digest)
    }

    fn keeps_our_time(&mut self, path: &Path, stat: &Stat) -> bool {
        *self.our_time.entry(stat.id.0).or_insert_with(|| mounts::keeps_our_time(path))
    }

    #[expect(clippy::disallowed_methods, reason = "the file system's clock is the system's")]
    fn now(&mut self) -> SystemTime {
        SystemTime::now()
    }
}
