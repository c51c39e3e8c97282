//! The content gate: whether a saved file has other bytes than the last time it was looked at.
//! Filled lazily: the first save of a file in a session always counts, so that no start pays for reading a whole project.

use std::{
    collections::HashMap,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use xxhash_rust::xxh3::xxh3_64;

use super::{FileKind, Fs, Stat};

/// Files above this many bytes are known by length and mtime alone.
pub const READ_MAX: u64 = 8 << 20;
/// How many files are remembered; those beyond always count.
pub const CAPACITY: usize = 200_000;
/// How old a file's last change must be for contents read after the fact to be those the app was started with; the kernel's
/// timestamps lag by up to a tick (10 ms at 100 Hz).
const LEARN_AGE: Duration = Duration::from_millis(10);

/// What is known of a file that is gone: no file is so long.
const GONE: (u64, u64) = (u64::MAX, 0);

/// What is known of files, by the hash of their path: length, and hash of the contents.
#[derive(Debug)]
pub struct Gate {
    on: bool,
    known: HashMap<u64, (u64, u64)>,
}

impl Gate {
    /// A gate that knows nothing. Not `on`: every save counts.
    pub fn new(on: bool) -> Self {
        Self { on, known: HashMap::new() }
    }

    /// Whether the file changed since it was last looked at; remembers what it is now. What cannot be read counts as changed.
    pub fn ask(&mut self, path: &Path, stat: &Stat, fs: &mut dyn Fs) -> bool {
        let key = key(path);
        if !self.on {
            self.known.remove(&key);
            return true;
        }
        let Some(now) = version(path, stat, fs) else {
            self.known.remove(&key);
            return true;
        };
        self.store(key, now) != Some(now)
    }

    /// Remembers what a file holds that nobody has told of yet, unless it is saved at this very moment: that save must count.
    pub fn know(&mut self, path: &Path, stat: &Stat, fs: &mut dyn Fs) {
        self.ask(path, stat, fs);
        if fs.lstat(path).as_ref() != Some(stat) {
            self.known.remove(&key(path));
        }
    }

    /// Remembers a file of a change set that was sent at `sent` already, unless it may have been changed since: that save must count.
    pub fn learn(&mut self, path: &Path, sent: SystemTime, fs: &mut dyn Fs) {
        let key = key(path);
        if !self.on {
            self.known.remove(&key);
            return;
        }
        let settled = |stat: &Stat| sent.duration_since(stat.ctime).is_ok_and(|age| age > LEARN_AGE);
        let learned = fs.lstat(path).filter(settled).and_then(|before| {
            if !fs.keeps_our_time(path, &before) {
                return None;
            }
            let now = version(path, &before, fs)?;
            (fs.lstat(path) == Some(before)).then_some(now)
        });
        match learned {
            Some(now) => drop(self.store(key, now)),
            None => drop(self.known.remove(&key)),
        }
    }

    /// The file is gone: whatever comes back counts, and its end is no news any more.
    pub fn forget(&mut self, path: &Path) {
        self.store(key(path), GONE);
    }

    /// Whether its end is known and nothing came back.
    pub fn is_gone(&self, path: &Path) -> bool {
        self.known.get(&key(path)) == Some(&GONE)
    }

    fn store(&mut self, key: u64, now: (u64, u64)) -> Option<(u64, u64)> {
        if self.known.len() >= CAPACITY && !self.known.contains_key(&key) {
            return None;
        }
        self.known.insert(key, now)
    }
}

fn key(path: &Path) -> u64 {
    xxh3_64(path.as_os_str().as_bytes())
}

fn version(path: &Path, stat: &Stat, fs: &mut dyn Fs) -> Option<(u64, u64)> {
    match stat.kind {
        FileKind::Dir | FileKind::Other => None,
        FileKind::File if stat.len > READ_MAX => {
            let mtime = stat.mtime.duration_since(UNIX_EPOCH).ok()?;
            Some((stat.len, xxh3_64(&mtime.as_nanos().to_le_bytes())))
        }
        FileKind::File | FileKind::Link => fs.digest(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sim::FakeFs;

    fn ask(gate: &mut Gate, fs: &mut FakeFs, path: &str) -> bool {
        let stat = fs.lstat(path.as_ref()).unwrap();
        gate.ask(path.as_ref(), &stat, fs)
    }

    #[test]
    fn big_files_are_known_by_length_and_time_and_never_read() {
        let (mut gate, mut fs) = (Gate::new(true), FakeFs::new());
        fs.put("/big".as_ref(), FileKind::File, "x");
        fs.change("/big".as_ref(), |stat| stat.len = READ_MAX + 1);
        assert!(ask(&mut gate, &mut fs, "/big"));
        assert!(!ask(&mut gate, &mut fs, "/big"));
        fs.change("/big".as_ref(), |stat| stat.mtime += Duration::from_nanos(1));
        assert!(ask(&mut gate, &mut fs, "/big"));
        assert_eq!(fs.reads, 0);
    }

    #[test]
    fn beyond_the_capacity_every_save_counts_and_what_is_known_stays_so() {
        let (mut gate, mut fs) = (Gate::new(true), FakeFs::new());
        fs.put("/known".as_ref(), FileKind::File, "x");
        assert!(ask(&mut gate, &mut fs, "/known"));
        gate.known.extend((0..CAPACITY as u64).map(|n| (n, (0, 0))));
        fs.put("/late".as_ref(), FileKind::File, "x");
        assert!(ask(&mut gate, &mut fs, "/late"));
        assert!(ask(&mut gate, &mut fs, "/late"));
        assert!(!ask(&mut gate, &mut fs, "/known"));
        assert!(gate.known.len() <= CAPACITY + 1);
    }

    #[test]
    fn what_may_have_changed_since_it_was_sent_is_not_learned() {
        let (mut gate, mut fs) = (Gate::new(true), FakeFs::new());
        fs.put("/a".as_ref(), FileKind::File, "sent");
        fs.now += Duration::from_millis(50);
        let sent = fs.now;
        gate.learn("/a".as_ref(), sent, &mut fs);
        assert!(!ask(&mut gate, &mut fs, "/a"), "it was settled when it was sent");
        fs.now += Duration::from_millis(1);
        fs.put("/a".as_ref(), FileKind::File, "newer");
        gate.learn("/a".as_ref(), sent, &mut fs);
        assert!(ask(&mut gate, &mut fs, "/a"), "the app may have read what was there before");
    }

    /// A file that is saved right after lstat has seen it.
    struct SavedMeanwhile(FakeFs);

    impl Fs for SavedMeanwhile {
        fn lstat(&mut self, path: &Path) -> Option<Stat> {
            self.0.lstat(path)
        }

        fn digest(&mut self, path: &Path) -> Option<(u64, u64)> {
            self.0.now += Duration::from_secs(1);
            self.0.put(path, FileKind::File, "new");
            self.0.digest(path)
        }

        fn keeps_our_time(&mut self, path: &Path, stat: &Stat) -> bool {
            self.0.keeps_our_time(path, stat)
        }

        fn now(&mut self) -> SystemTime {
            self.0.now()
        }
    }

    #[test]
    fn a_save_between_a_look_and_the_reading_counts() {
        let (mut gate, mut fs, path) = (Gate::new(true), FakeFs::new(), Path::new("/a"));
        fs.put(path, FileKind::File, "old");
        let before = fs.lstat(path).unwrap();
        let mut racing = SavedMeanwhile(fs);
        gate.know(path, &before, &mut racing);
        let mut fs = racing.0;
        assert_eq!(fs.bytes(path), "new");
        assert!(ask(&mut gate, &mut fs, "/a"), "nobody was told of it");
        let now = fs.lstat(path).unwrap();
        gate.know(path, &now, &mut fs);
        assert!(!ask(&mut gate, &mut fs, "/a"));
    }
}
