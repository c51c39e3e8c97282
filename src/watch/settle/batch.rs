//! A batch: the paths that changed since the last quiet moment, with counters, so that no event costs a look at all of them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use super::timing::is_manifest;

/// What the events said about one path.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Its place in the order of first sight.
    pub order: usize,
    /// Nobody is known to be writing it.
    pub done: bool,
    /// Its last event was its end.
    pub gone: bool,
    /// It did not exist before this batch.
    pub born: bool,
    /// Its times were set on purpose.
    pub touch: bool,
    /// Bytes were seen written, or it was renamed here, made or listed: no mere close of an unused descriptor.
    pub real: bool,
    /// What the content gate said at a close.
    pub gate: Option<Asked>,
    /// When its first write was seen, where a close told of writing.
    pub written_since: Option<Instant>,
    /// When its last event was.
    pub at: Option<Instant>,
    /// Length at the last look, on backends without close events.
    pub len: Option<u64>,
}

/// An answer of the content gate, kept for the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The bytes were those it had.
    Same,
    /// They were others.
    Changed,
    /// They were others, and it was written again since: still a change, whatever it is now.
    ChangedBefore,
}

/// What a batch has that is not yet settled.
#[derive(Debug)]
pub struct Batch {
    /// When its first event was.
    pub first: Instant,
    /// When its last one was.
    pub last: Instant,
    /// The widest gap between two of its events.
    pub max_gap: Duration,
    /// The paths.
    pub paths: HashMap<PathBuf, Entry>,
    /// How many paths it ever had: the next one's order.
    pub seen: usize,
    /// The path of the last event.
    pub latest: PathBuf,
    /// Events were lost: it fires whatever is found.
    pub lost: bool,
    /// The folders still have to be looked at again.
    pub need_rescan: bool,
    /// The old run of an app was told to stop already: it fires whatever is found.
    pub owed: bool,
    /// It has a manifest or a lock file.
    pub manifest: bool,
    /// It opened right after a change set.
    pub hot: bool,
    /// A backend without close events took part.
    pub no_close: bool,
    /// The first path that the gate called changed.
    pub changed: Option<PathBuf>,
    /// Whether an app may begin to stop was asked already.
    pub early_asked: bool,
    /// Not to be looked at before then, while something outside (git, a growing file) is waited for.
    pub again: Option<Instant>,
    /// Since when growing files are waited for.
    pub growing_since: Option<Instant>,
    /// A git lock seen to exist.
    pub lock: Option<PathBuf>,
    /// People were told that it does not settle.
    pub told: bool,
}

impl Batch {
    /// A batch that opens now.
    pub fn new(at: Instant, hot: bool) -> Self {
        Self {
            first: at,
            last: at,
            max_gap: Duration::ZERO,
            paths: HashMap::new(),
            seen: 0,
            latest: PathBuf::new(),
            lost: false,
            need_rescan: false,
            owed: false,
            manifest: false,
            hot,
            no_close: false,
            changed: None,
            early_asked: false,
            again: None,
            growing_since: None,
            lock: None,
            told: false,
        }
    }

    /// Something happened that belongs to it.
    pub fn beat(&mut self, at: Instant) {
        let at = at.max(self.last);
        self.max_gap = self.max_gap.max(at - self.last);
        self.last = at;
    }

    /// The entry of a path, made where it is missing.
    pub fn entry(&mut self, at: Instant, path: &Path) -> &mut Entry {
        path.clone_into(&mut self.latest);
        if !self.paths.contains_key(path) {
            self.manifest |= is_manifest(path);
            self.paths.insert(path.to_path_buf(), Entry { order: self.seen, ..Entry::default() });
            self.seen += 1;
        }
        let entry = self.paths.get_mut(path).expect("it is there or was just put there");
        entry.at = Some(entry.at.map_or(at, |before| before.max(at)));
        entry
    }

    /// The only path, where there is but one.
    pub fn single(&self) -> Option<&Entry> {
        if self.paths.len() == 1 { self.paths.values().next() } else { None }
    }

    /// Whether it fires even if nothing in it turns out to be a change.
    pub fn forced(&self) -> bool {
        self.lost || self.owed
    }
}

/// What a path of a settled batch turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// New contents.
    Changed,
    /// Touched on purpose.
    Touched,
    /// It is gone.
    Removed,
    /// Saved with the bytes it had.
    Same,
    /// Opened for writing and closed unused.
    Unused,
    /// Still being written.
    Unfinished,
    /// Gone before anybody could look.
    Vanished,
    /// A folder, socket, pipe or device.
    NoFile,
}

/// A path of a settled batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The path.
    pub path: PathBuf,
    /// What it turned out to be.
    pub what: What,
    /// When its last event was.
    pub at: Instant,
    /// When its first write was seen, where that is known.
    pub written_since: Option<Instant>,
    /// Its mtime, where it was looked at.
    pub mtime: Option<SystemTime>,
    /// The gate knows what it is now.
    pub read: bool,
}

impl What {
    /// Why it is no change; `None`: it is one.
    pub fn why_not(self) -> Option<&'static str> {
        match self {
            Self::Changed | Self::Touched | Self::Removed => None,
            Self::Same => Some("was saved with the bytes it had"),
            Self::Unused => Some("was opened for writing and closed without a write"),
            Self::Unfinished => Some("is still being written"),
            Self::Vanished => Some("is gone again"),
            Self::NoFile => Some("is no file with contents"),
        }
    }
}

/// A settled batch, looked at.
#[derive(Debug)]
pub struct Settled {
    /// When its first event was.
    pub first: Instant,
    /// When its last one was.
    pub last: Instant,
    /// Its paths in the order of first sight.
    pub items: Vec<Item>,
    /// Events were lost, so a change must be assumed.
    pub lost: bool,
}
