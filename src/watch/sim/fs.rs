//! A file system in memory with a clock of its own, and git locks that tests set.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use xxhash_rust::xxh3::xxh3_64;

use crate::watch::{FileKind, Fs, Stat, settle::Locks};

#[derive(Debug, Clone)]
struct Node {
    stat: Stat,
    bytes: String,
}

/// A file system in memory.
#[derive(Debug)]
pub struct FakeFs {
    nodes: BTreeMap<PathBuf, Node>,
    inodes: u64,
    /// Its clock.
    pub now: SystemTime,
    /// How often a file was read.
    pub reads: usize,
    /// Whether files are stamped by that clock.
    pub our_clock: bool,
}

impl FakeFs {
    /// An empty one, some time after 1970.
    pub fn new() -> Self {
        Self { nodes: BTreeMap::new(), inodes: 1, now: SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30), reads: 0, our_clock: true }
    }

    /// Puts something there; true: nothing was there before.
    pub fn put(&mut self, path: &Path, kind: FileKind, bytes: &str) -> bool {
        let (inode, links, new) = match self.nodes.get(path) {
            Some(node) => (node.stat.id.1, node.stat.links, false),
            None => {
                self.inodes += 1;
                (self.inodes, 1, true)
            }
        };
        let stat = Stat { kind, len: bytes.len() as u64, mtime: self.now, ctime: self.now, id: (1, inode), links };
        self.nodes.insert(path.to_path_buf(), Node { stat, bytes: bytes.to_owned() });
        new
    }

    /// What is in a file.
    pub fn bytes(&self, path: &Path) -> String {
        self.nodes.get(path).map(|node| node.bytes.clone()).unwrap_or_default()
    }

    /// Changes what lstat says.
    pub fn change(&mut self, path: &Path, change: impl FnOnce(&mut Stat)) {
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(path) {
            node.stat.ctime = now;
            change(&mut node.stat);
        }
    }

    /// Removes it; true: it was there.
    pub fn remove(&mut self, path: &Path) -> bool {
        self.nodes.remove(path).is_some()
    }

    /// Renames a file.
    pub fn rename(&mut self, from: &Path, to: &Path) {
        let mut node = self.nodes.remove(from).expect("the test renames what is there");
        node.stat.ctime = self.now;
        self.nodes.insert(to.to_path_buf(), node);
    }

    /// Another name for a file.
    pub fn link(&mut self, from: &Path, to: &Path) {
        self.change(from, |stat| stat.links += 1);
        let node = self.nodes.get(from).expect("the test links what is there").clone();
        self.nodes.insert(to.to_path_buf(), node);
    }
}

impl Fs for FakeFs {
    fn lstat(&mut self, path: &Path) -> Option<Stat> {
        self.nodes.get(path).map(|node| node.stat)
    }

    fn digest(&mut self, path: &Path) -> Option<(u64, u64)> {
        self.reads += 1;
        self.nodes.get(path).map(|node| (node.stat.len, xxh3_64(node.bytes.as_bytes())))
    }

    fn keeps_our_time(&mut self, _path: &Path, _stat: &Stat) -> bool {
        self.our_clock
    }

    fn now(&mut self) -> SystemTime {
        self.now
    }
}

/// One repository: everything in `/w`.
pub struct OneRepository;

/// Where its lock is.
pub const GIT_LOCK: &str = "/w/.git/index.lock";

impl Locks for OneRepository {
    fn lock_of(&mut self, dir: &Path) -> Option<PathBuf> {
        dir.starts_with("/w").then(|| GIT_LOCK.into())
    }
}
