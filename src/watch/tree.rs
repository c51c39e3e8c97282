//! The folders that are watched for one group of apps, and the decision about every path in them.

use std::path::{Path, PathBuf};

use super::api::{Stat, WatchError, WatchSet};
use crate::model::{Decision, Error, Notice, WatchSpec};

/// The watched folders of one group of equal specs. All paths in and out are canonical: links in the roots' own paths are resolved.
#[derive(Debug)]
pub struct Tree;

/// What a walk brought.
#[derive(Debug, Default)]
pub struct Added {
    /// The files that count, where a change made the walk: filled by `add`, empty after `add_roots` and `ignore_file_changed`.
    pub files: Vec<PathBuf>,
    /// How many files that count were seen, listed in `files` or not.
    pub kept: usize,
    /// How many folders are newly watched.
    pub dirs: usize,
    /// Folders that could not be watched. Those that vanished meanwhile are not among them.
    pub errors: Vec<(PathBuf, WatchError)>,
    /// What people should know.
    pub notices: Vec<Notice>,
}

/// What the end of a folder took away.
#[derive(Debug, Default)]
pub struct Removed {
    /// Whether it was watched.
    pub was_watched: bool,
    /// Whether it, or a folder below it, ever held a file that counts.
    pub held_files: bool,
    /// A root that is gone has its nearest existing ancestor watched from now on; what that brought.
    pub added: Added,
}

impl Tree {
    /// Plan and rules, nothing watched yet. A bad pattern is a usage error with the line to write instead.
    pub fn new(_spec: &WatchSpec) -> Result<(Self, Vec<Notice>), Error> {
        unimplemented!()
    }
    /// Watches everything from the roots down, level by level.
    pub fn add_roots(&mut self, _set: &mut dyn WatchSet) -> Added {
        unimplemented!()
    }
    /// A folder was created or moved in. It is judged here: call this for every new folder, so that ignored ones are known as folders when they go.
    pub fn add(&mut self, _dir: &Path, _set: &mut dyn WatchSet) -> Added {
        unimplemented!()
    }
    /// A folder, or something that may have been one, is gone.
    pub fn remove(&mut self, _dir: &Path, _set: &mut dyn WatchSet) -> Removed {
        unimplemented!()
    }
    /// Whether changes of the path count, and which rule says so.
    pub fn judge(&self, _path: &Path, _is_dir: bool) -> Decision {
        unimplemented!()
    }
    /// Whether this folder is watched.
    pub fn holds(&self, _dir: &Path) -> bool {
        unimplemented!()
    }
    /// Whether the path is an ignore file in use. Ask before `judge`: such a file is re-read, and is no change itself.
    pub fn is_ignore_file(&self, _path: &Path) -> bool {
        unimplemented!()
    }
    /// Reads the ignore files of that folder again and walks it: drops what became ignored, adds what no longer is.
    pub fn ignore_file_changed(&mut self, _path: &Path, _set: &mut dyn WatchSet) -> Added {
        unimplemented!()
    }
    /// Forgets every folder and keeps rules and roots: the start of a rescan, with a new watch set.
    pub fn clear(&mut self) {}
    /// How many folders are watched.
    pub fn dirs(&self) -> usize {
        0
    }
    /// Lists the watched folders again and shows every file that counts: the sweep after the start.
    pub fn for_each_kept_file(&self, _f: &mut dyn FnMut(&Path, &Stat)) {}
}
