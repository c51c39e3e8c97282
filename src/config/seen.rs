//! Which files were looked at to say what shall run: known also where one of them was wrong, so that its next save is not missed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The files of one reading, absolute; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Files>>);

/// Files that say what shall run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Project files and env files, also ones that were looked for where nothing is.
    pub own: BTreeSet<PathBuf>,
    /// What project files of JavaScript load; apps may load it too.
    pub modules: BTreeSet<PathBuf>,
}

impl Seen {
    /// A project file or an env file.
    pub fn own(&self, file: &Path) {
        self.with(|files| files.own.insert(file.to_owned()));
    }

    /// What a project file loaded.
    pub fn modules(&self, modules: &[PathBuf]) {
        self.with(|files| files.modules.extend(modules.iter().cloned()));
    }

    /// All of them so far.
    pub fn all(&self) -> Files {
        self.with(|files| files.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Files) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
