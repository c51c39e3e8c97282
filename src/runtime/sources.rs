//! The files that say what shall run, and those that they load.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use crate::{
    config::Files,
    model::{Cause, ChangeSet},
    watch::Wanted,
};

/// The files of the last reading, absolute.
#[derive(Debug, Default)]
pub struct Sources {
    /// Project files and env files.
    pub files: Vec<PathBuf>,
    /// What project files load: apps may load it too.
    modules: Vec<PathBuf>,
    /// The same without links, as changes name them.
    real_modules: HashSet<PathBuf>,
}

impl Sources {
    /// Of a reading that was good.
    pub fn new(files: Vec<PathBuf>, modules: Vec<PathBuf>) -> Self {
        let real_modules = modules.iter().map(|module| module.canonicalize().unwrap_or_else(|_| module.clone())).collect();
        Self { files, modules, real_modules }
    }

    /// These as well, as far as a reading came that was not.
    pub fn join(&mut self, seen: Files) {
        let add = |mut known: Vec<PathBuf>, more: BTreeSet<PathBuf>| {
            let new: Vec<PathBuf> = more.into_iter().filter(|path| !known.contains(path)).collect();
            known.extend(new);
            known
        };
        let Self { files, modules, .. } = std::mem::take(self);
        *self = Self::new(add(files, seen.own), add(modules, seen.modules));
    }

    /// Has them watched, those once that others name as well.
    pub fn add_to(&self, wanted: &mut Wanted) {
        let add = |known: &mut Vec<PathBuf>, more: &[PathBuf]| {
            let new: Vec<PathBuf> = more.iter().filter(|path| !known.contains(path)).cloned().collect();
            known.extend(new);
        };
        add(&mut wanted.files, &self.files);
        add(&mut wanted.modules, &self.modules);
    }

    /// Whether one of these paths is one of them, by whatever name, or a folder that one lies in.
    pub fn name_one_of(&self, paths: &[PathBuf]) -> bool {
        let real: Vec<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let is_below = |known: &Path, paths: &[PathBuf]| paths.iter().any(|path| known.starts_with(path));
        let is_one = |known: &PathBuf| is_below(known, paths) || known.canonicalize().is_ok_and(|known| is_below(&known, &real));
        self.files.iter().chain(&self.modules).any(is_one)
    }

    /// Whether a save was one of files that project files load, and of nothing else.
    pub fn are_all_of(&self, changes: &ChangeSet) -> bool {
        changes.cause == Cause::Files
            && changes.total == changes.paths.len()
            && changes.paths.iter().all(|(path, _)| self.real_modules.contains(path))
    }
}
