//! For tests: a folder of files, a spec for it, and a watch set that keeps book.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::Tree;
use crate::{
    model::{Notice, WatchRoot, WatchSpec},
    watch::api::{WatchError, WatchSet},
};

/// A folder of files that ends with its value.
pub struct Project {
    _dir: tempfile::TempDir,
    /// The folder, canonical.
    pub path: PathBuf,
}

impl Project {
    /// Makes the entries: `a/b` is a file, `a/` a folder, `a: text` a file with these lines (` | ` between them).
    pub fn new(entries: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let project = Self { path: dir.path().canonicalize().unwrap(), _dir: dir };
        entries.iter().for_each(|entry| project.make(entry));
        project
    }

    pub fn make(&self, entry: &str) {
        let (name, text) = entry.split_once(": ").unwrap_or((entry, "x"));
        let path = self.at(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace(" | ", "\n")).unwrap();
        }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name.trim_end_matches('/'))
    }

    /// The default spec of an app in this folder.
    pub fn spec(&self) -> WatchSpec {
        WatchSpec::new(vec![WatchRoot::Tree { path: self.path.clone(), explicit: false }], self.path.clone())
    }

    /// The roots that `watch: [...]` names: `*` makes a glob, an existing file a file.
    pub fn roots(&self, names: &[&str]) -> Vec<WatchRoot> {
        let root = |name: &&str| match self.path.join(name) {
            path if name.contains(['*', '{']) => WatchRoot::Glob(path.to_str().unwrap().to_owned()),
            path if path.is_file() => WatchRoot::File(path),
            path => WatchRoot::Tree { path, explicit: true },
        };
        names.iter().map(root).collect()
    }

    /// The tree of a spec, without anybody's global excludes, and what was said at its making.
    pub fn tree(spec: &WatchSpec) -> (Tree, Vec<String>) {
        let (tree, notices) = Tree::with_global(spec, None).unwrap();
        (tree, texts(&notices))
    }

    /// Names relative to the project, sorted; those outside whole.
    pub fn names<'a>(&self, paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
        let name = |path: &'a PathBuf| path.strip_prefix(&self.path).unwrap_or(path).display().to_string();
        paths.into_iter().map(name).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The files that count, by the sweep.
    pub fn kept(&self, tree: &Tree) -> Vec<String> {
        let mut files = Vec::new();
        tree.for_each_kept_file(&mut |path, stat| {
            assert_eq!(Some(*stat), crate::watch::walk::lstat(path), "{}", path.display());
            files.push(path.to_owned());
        });
        self.names(&files)
    }
}

/// The sentences alone.
pub fn texts(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(|notice| notice.text.clone()).collect()
}

/// What happens when a folder gets its watch.
type AtWatch<'a> = Box<dyn FnMut(&Path) + 'a>;

/// A watch set that keeps book, fails where told, and lets something happen at each new watch.
#[derive(Default)]
pub struct Fake<'a> {
    pub watched: BTreeSet<PathBuf>,
    pub batches: Vec<usize>,
    pub limit: Option<usize>,
    pub failing: Vec<(PathBuf, WatchError)>,
    pub at_watch: Option<AtWatch<'a>>,
}

impl WatchSet for Fake<'_> {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        let mut failed = Vec::new();
        self.batches.push(dirs.len());
        for dir in dirs {
            if let Some((_, error)) = self.failing.iter().find(|(path, _)| path == dir) {
                failed.push((dir.clone(), error.clone()));
            } else if self.limit.is_some_and(|limit| self.watched.len() >= limit) {
                failed.push((dir.clone(), WatchError::Limit));
            } else if !dir.is_dir() {
                failed.push((dir.clone(), WatchError::Gone));
            } else {
                assert!(self.watched.insert(dir.clone()), "{} is watched twice", dir.display());
                if let Some(happen) = &mut self.at_watch {
                    happen(dir);
                }
            }
        }
        failed
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        for dir in dirs {
            self.watched.remove(dir);
        }
    }
}
