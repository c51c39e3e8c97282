//! One set for all groups: a folder that several of them watch costs one watch. What the kernel cannot watch is polled.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Pace, native, polling};
use crate::{
    model::{Notice, PollMode, WatchRoot, WatchSpec},
    watch::{
        api::{WatchError, WatchSet},
        feed::Feed,
        limits::{self, Limit},
        mounts::Silent,
    },
};

/// How long a notice waits for the first scan, to tell the interval.
const PATIENCE: Duration = Duration::from_millis(300);

/// Makes the sets; tests have others.
pub trait Backends {
    /// What the kernel watches, whose end is told by this number.
    fn native(&mut self, source: u64) -> Result<Box<dyn WatchSet>, WatchError>;
    /// What is polled.
    fn polling(&mut self, interval: Option<Duration>) -> (Box<dyn WatchSet>, Pace);
}

impl Backends for Feed {
    fn native(&mut self, source: u64) -> Result<Box<dyn WatchSet>, WatchError> {
        native(self.source(source))
    }

    fn polling(&mut self, interval: Option<Duration>) -> (Box<dyn WatchSet>, Pace) {
        polling(interval, self.clone())
    }
}

/// All watched folders of all groups.
pub struct Shared {
    backends: Box<dyn Backends>,
    native: Native,
    /// The number of the native watcher in use, for `Message::SourceEnded`.
    source: u64,
    poll: Option<(Box<dyn WatchSet>, Pace)>,
    modes: Vec<PollMode>,
    silent: Silent,
    folders: HashMap<PathBuf, Folder>,
    /// How many folders the limit left unwatched, because polling is forbidden.
    refused: usize,
    told: BTreeSet<String>,
}

/// The native watcher.
enum Native {
    /// Not needed so far.
    Closed,
    Open {
        set: Box<dyn WatchSet>,
        full: bool,
    },
    /// It cannot be had; polled instead.
    Failed(WatchError),
}

#[derive(Default)]
struct Folder {
    groups: Vec<usize>,
    native: bool,
    polled: bool,
}

/// The set as one group sees it.
pub struct Group<'a> {
    shared: &'a mut Shared,
    number: usize,
}

impl Shared {
    /// An empty set whose events go to `feed`.
    pub fn new(feed: Feed) -> Self {
        Self::with(Box::new(feed))
    }

    /// The same with sets of another make.
    pub fn with(backends: Box<dyn Backends>) -> Self {
        Self {
            backends,
            native: Native::Closed,
            source: 0,
            poll: None,
            modes: Vec::new(),
            silent: Silent::default(),
            folders: HashMap::new(),
            refused: 0,
            told: BTreeSet::new(),
        }
    }

    /// Takes a group in; its number is for [`Shared::group`].
    pub fn join(&mut self, spec: &WatchSpec) -> usize {
        if spec.poll == PollMode::Auto {
            let roots: Vec<_> = spec.roots.iter().map(root_path).collect();
            self.silent.extend(Silent::find(&roots));
        }
        self.modes.push(spec.poll);
        self.modes.len() - 1
    }

    /// A group is gone; its number is never used again.
    pub fn leave(&mut self, number: usize) {
        self.modes[number] = PollMode::Never;
    }

    /// The set as one group sees it.
    pub fn group(&mut self, number: usize) -> Group<'_> {
        Group { shared: self, number }
    }

    /// Forgets every folder and makes new watchers when they are needed: before all trees are walked again. Without `events`
    /// everything is polled from now on, where that is not forbidden.
    pub fn renew(&mut self, events: bool) {
        self.folders.clear();
        self.refused = 0;
        self.poll = None;
        self.native = match events {
            true => Native::Closed,
            false => Native::Failed(WatchError::Other("its watcher ended twice within a minute".to_owned())),
        };
    }

    /// The number of the native watcher in use: `Message::SourceEnded` with any other is old news.
    pub fn source(&self) -> u64 {
        self.source
    }

    /// How many folders are watched, whichever way.
    pub fn dirs(&self) -> usize {
        self.folders.len()
    }

    /// How many of them are polled.
    pub fn polled(&self) -> usize {
        self.folders.values().filter(|folder| folder.polled).count()
    }

    /// Returns when every event that the kernel has by now is in the feed.
    pub fn hand_over(&mut self) {
        if let Native::Open { set, .. } = &mut self.native {
            set.hand_over();
        }
    }

    /// What people should know by now and were not told: ask after a walk. May wait 300 ms for the first scan.
    pub fn notices(&mut self) -> Vec<Notice> {
        let interval = self.poll.as_ref().and_then(|(_, pace)| pace.interval(PATIENCE));
        let auto = |folder: &Folder| folder.groups.iter().any(|&group| self.modes[group] == PollMode::Auto);
        let replaced = self.folders.values().filter(|folder| !folder.native && auto(folder)).count();
        let lack = limits::Lack {
            folders: replaced.max(self.refused),
            total: self.folders.len() + self.refused,
            polled: self.refused == 0,
            interval,
        };
        let mut notices = Vec::new();
        match &self.native {
            Native::Open { full: true, .. } => notices.push(("watches".to_owned(), lack.of_watches(&Limit::watches()))),
            Native::Failed(WatchError::Limit) => notices.push(("instances".to_owned(), lack.of_instances(&Limit::instances()))),
            Native::Failed(WatchError::Other(why)) => notices.push(("events".to_owned(), lack.of_events(why))),
            Native::Failed(WatchError::Gone | WatchError::Denied) | Native::Open { .. } | Native::Closed => {}
        }
        let mounts: BTreeSet<_> =
            self.folders.iter().filter(|(_, folder)| folder.polled).filter_map(|(dir, _)| self.silent.covers(dir)).collect();
        for (point, kind) in mounts {
            notices.push((format!("mount {}", point.display()), limits::silent_mount(&point.display().to_string(), kind, interval)));
        }
        notices.into_iter().filter(|(key, _)| self.told.insert(key.clone())).map(|(_, notice)| notice).collect()
    }

    fn polling(&mut self) -> &mut dyn WatchSet {
        if self.poll.is_none() {
            let asked = self.modes.iter().filter_map(|mode| match mode {
                PollMode::Always(interval) => *interval,
                PollMode::Auto | PollMode::Never => None,
            });
            self.poll = Some(self.backends.polling(asked.min()));
        }
        let (set, _) = self.poll.as_mut().expect("it was made above");
        set.as_mut()
    }

    /// Adds native watches; what could not be added comes back.
    fn add_native(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        if dirs.is_empty() {
            return Vec::new();
        }
        if matches!(self.native, Native::Closed) {
            self.source += 1;
            self.native = match self.backends.native(self.source) {
                Ok(set) => Native::Open { set, full: false },
                Err(error) => {
                    // It ended before it began, which is no news.
                    self.source += 1;
                    Native::Failed(error)
                }
            };
        }
        let all = |error: &WatchError| dirs.iter().map(|dir| (dir.clone(), error.clone())).collect();
        match &mut self.native {
            Native::Open { full: true, .. } => all(&WatchError::Limit),
            Native::Open { set, full } => {
                let failed = set.add(dirs);
                // Watches that become free are not chased: the next rescan tries again.
                *full = failed.iter().any(|(_, error)| *error == WatchError::Limit);
                failed
            }
            Native::Failed(_) | Native::Closed => all(&WatchError::Limit),
        }
    }
}

impl WatchSet for Group<'_> {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        let (shared, number) = (&mut *self.shared, self.number);
        let mode = shared.modes[number];
        let by_events = !matches!(mode, PollMode::Always(_));
        let is = |shared: &Shared, dir: &PathBuf, how: fn(&Folder) -> bool| shared.folders.get(dir).is_some_and(how);
        let native: Vec<_> = dirs.iter().filter(|dir| by_events && !is(shared, dir, |folder| folder.native)).cloned().collect();
        let mut failed: HashMap<_, _> = shared.add_native(&native).into_iter().collect();
        let limited: HashSet<_> =
            failed.extract_if(|_, error| mode == PollMode::Auto && *error == WatchError::Limit).map(|(dir, _)| dir).collect();
        let polled = |dir: &&PathBuf| {
            let wanted = !by_events || limited.contains(*dir) || (mode == PollMode::Auto && shared.silent.covers(dir).is_some());
            wanted && !failed.contains_key(*dir) && !is(shared, dir, |folder| folder.polled)
        };
        let polled: Vec<_> = dirs.iter().filter(polled).cloned().collect();
        if !polled.is_empty() {
            failed.extend(shared.polling().add(&polled));
        }
        for dir in dirs.iter().filter(|dir| !failed.contains_key(*dir)) {
            let folder = shared.folders.entry(dir.clone()).or_default();
            folder.native |= by_events && !limited.contains(dir);
            if !folder.groups.contains(&number) {
                folder.groups.push(number);
            }
        }
        for dir in polled {
            shared.folders.entry(dir).or_default().polled = true;
        }
        shared.refused += failed.values().filter(|error| **error == WatchError::Limit).count();
        failed.into_iter().collect()
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        let (mut native, mut poll) = (Vec::new(), Vec::new());
        for dir in dirs {
            let Some(folder) = self.shared.folders.get_mut(dir) else { continue };
            folder.groups.retain(|group| *group != self.number);
            if folder.groups.is_empty() {
                if folder.native {
                    native.push(dir.clone());
                }
                if folder.polled {
                    poll.push(dir.clone());
                }
                self.shared.folders.remove(dir);
            }
        }
        if let Native::Open { set, .. } = &mut self.shared.native
            && !native.is_empty()
        {
            set.remove(&native);
        }
        if let Some((set, _)) = &mut self.shared.poll
            && !poll.is_empty()
        {
            set.remove(&poll);
        }
    }
}

/// A path in the file system of a root.
fn root_path(root: &WatchRoot) -> &Path {
    match root {
        WatchRoot::Tree { path, .. } | WatchRoot::File(path) => path,
        WatchRoot::Glob(text) => {
            let fixed = text.find(['*', '?', '[', '{']).map_or(text.as_str(), |at| &text[..at]);
            Path::new(fixed.rsplit_once('/').map_or("/", |(dir, _)| dir))
        }
    }
}
