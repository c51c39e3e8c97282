//! Where git locks the index: `.git/index.lock`, or in the folder that a `.git` file names (worktrees, submodules; gitrepository-layout(5)).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::settle::Locks;

/// How many folders are remembered.
const CAPACITY: usize = 10_000;

/// Looks the repositories of folders up, and remembers them until [`Repositories::forget`].
#[derive(Debug, Default)]
pub struct Repositories {
    locks: HashMap<PathBuf, Option<PathBuf>>,
}

impl Repositories {
    /// A repository may have been made or removed since.
    pub fn forget(&mut self) {
        self.locks.clear();
    }
}

impl Locks for Repositories {
    fn lock_of(&mut self, dir: &Path) -> Option<PathBuf> {
        if let Some(known) = self.locks.get(dir) {
            return known.clone();
        }
        let lock = match git_dir(dir) {
            Some(git) => Some(git.join("index.lock")),
            None => dir.parent().and_then(|parent| self.lock_of(parent)),
        };
        if self.locks.len() < CAPACITY {
            self.locks.insert(dir.to_path_buf(), lock.clone());
        }
        lock
    }
}

/// Git's own folder of the repository whose root is `dir`.
pub fn git_dir(dir: &Path) -> Option<PathBuf> {
    let dot = dir.join(".git");
    let kind = fs::metadata(&dot).ok()?.file_type();
    if kind.is_dir() {
        return Some(dot);
    }
    let text = fs::read_to_string(&dot).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(dir.join(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lock_of_repositories_worktrees_and_submodules() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("repo/.git")).unwrap();
        fs::create_dir_all(at("repo/src/deep")).unwrap();
        fs::create_dir_all(at("repo/sub/lib")).unwrap();
        fs::write(at("repo/sub/.git"), "gitdir: ../.git/modules/sub\n").unwrap();
        fs::create_dir_all(at("tree/src")).unwrap();
        fs::write(at("tree/.git"), format!("gitdir: {}\n", at("repo/.git/worktrees/tree").display())).unwrap();
        let mut repositories = Repositories::default();
        for (dir, lock) in [
            ("repo", "repo/.git/index.lock"),
            ("repo/src/deep", "repo/.git/index.lock"),
            ("repo/sub/lib", "repo/sub/../.git/modules/sub/index.lock"),
            ("tree/src", "repo/.git/worktrees/tree/index.lock"),
        ] {
            assert_eq!(repositories.lock_of(&at(dir)), Some(at(lock)), "{dir}");
        }
        fs::remove_dir_all(at("repo/.git")).unwrap();
        assert_eq!(repositories.lock_of(&at("repo/src")), Some(at("repo/.git/index.lock")), "remembered");
        repositories.forget();
        assert_ne!(repositories.lock_of(&at("repo/src")), Some(at("repo/.git/index.lock")));
    }
}
