//! The scan itself, as a notify watcher: not recursive, by mtime, ctime, size and inode, so that an older file moved here is seen as well.

use std::{
    collections::{HashMap, hash_map::Entry},
    path::{Path, PathBuf},
};

use notify::{
    Config, Event, EventHandler, EventKind, PathOp, RecursiveMode, UpdatePathsError, Watcher, WatcherKind,
    event::{CreateKind, DataChange, ModifyKind, RemoveKind},
};

use crate::watch::{
    api::{FileKind, Stat},
    paths,
    walk::Listing,
};

type Names = HashMap<Box<[u8]>, Stat>;

/// Looks at a folder whenever it is told to watch it: first to know it, then to tell what differs.
pub struct Scanner {
    handler: Box<dyn EventHandler>,
    folders: HashMap<PathBuf, Names>,
    listing: Listing,
}

impl Scanner {
    /// What is in a folder; `None`: it is not there, or cannot be read.
    fn look(&mut self, dir: &Path) -> Option<Names> {
        self.listing.read(dir).ok()?;
        Some(self.listing.iter().filter_map(|(name, _)| Some((name.into(), self.listing.lstat(name)?))).collect())
    }

    /// Looks at a folder: to know it, if it is new here, else to find what differs.
    fn differences(&mut self, dir: &Path) -> Vec<(EventKind, PathBuf)> {
        let now = self.look(dir);
        match (self.folders.entry(dir.to_owned()), now) {
            (Entry::Vacant(entry), Some(now)) => {
                entry.insert(now);
                Vec::new()
            }
            (Entry::Vacant(_), None) => Vec::new(),
            (Entry::Occupied(known), None) => {
                known.remove();
                vec![(EventKind::Remove(RemoveKind::Folder), dir.to_owned())]
            }
            (Entry::Occupied(mut known), Some(now)) => {
                let before = known.insert(now);
                compare(dir, &before, known.get())
            }
        }
    }

    fn tell(&mut self, differences: Vec<(EventKind, PathBuf)>) {
        for (kind, path) in differences {
            self.handler.handle_event(Ok(Event::new(kind).add_path(path)));
        }
    }
}

impl Watcher for Scanner {
    fn new<F: EventHandler>(handler: F, _config: Config) -> notify::Result<Self> {
        Ok(Self { handler: Box::new(handler), folders: HashMap::new(), listing: Listing::new() })
    }

    fn watch(&mut self, dir: &Path, _mode: RecursiveMode) -> notify::Result<()> {
        let differences = self.differences(dir);
        self.tell(differences);
        Ok(())
    }

    /// What a scan finds is told at its end: told one by one, a tick of the debouncer would cut one change in two.
    fn update_paths(&mut self, ops: Vec<PathOp>) -> Result<(), UpdatePathsError> {
        let mut differences = Vec::new();
        for op in ops {
            match op {
                PathOp::Watch(dir, _) => differences.extend(self.differences(&dir)),
                PathOp::Unwatch(dir) => drop(self.folders.remove(&dir)),
            }
        }
        self.tell(differences);
        Ok(())
    }

    fn unwatch(&mut self, dir: &Path) -> notify::Result<()> {
        self.folders.remove(dir);
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::PollWatcher
    }
}

fn compare(dir: &Path, before: &Names, now: &Names) -> Vec<(EventKind, PathBuf)> {
    let path = |name: &[u8]| {
        let mut path = PathBuf::new();
        paths::entry(&mut path, dir, name);
        path
    };
    let gone = before.iter().filter(|(name, _)| !now.contains_key(*name)).map(|(name, stat)| {
        let kind = if stat.kind == FileKind::Dir { RemoveKind::Folder } else { RemoveKind::File };
        (EventKind::Remove(kind), path(name))
    });
    let here = now.iter().filter_map(|(name, stat)| match before.get(name) {
        None => {
            let kind = if stat.kind == FileKind::Dir { CreateKind::Folder } else { CreateKind::File };
            Some((EventKind::Create(kind), path(name)))
        }
        Some(old) if differs(old, stat) => Some((EventKind::Modify(ModifyKind::Data(DataChange::Any)), path(name))),
        Some(_) => None,
    });
    gone.chain(here).collect()
}

/// A folder's own times change with every name in it: only another folder in its place differs.
fn differs(old: &Stat, new: &Stat) -> bool {
    if old.kind == FileKind::Dir && new.kind == FileKind::Dir { old.id != new.id } else { old != new }
}
