//! Ignore files: one scope per folder that has any, linked to the next such folder above.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder, Glob},
};

use super::exclude;
use crate::model::{Level, Notice, NoticeKind};

/// The kinds of ignore files; a kind beats all later ones however near those lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `.pmdevignore`.
    Pmdev,
    /// `.ignore`, which ripgrep, fd and others share.
    Ignore,
    /// `.gitignore`.
    Git,
    /// `.git/info/exclude`.
    Exclude,
    /// Git's `core.excludesFile`.
    Global,
}

/// How many kinds there are.
const KINDS: usize = Kind::Global as usize + 1;

/// One ignore file.
#[derive(Debug)]
pub struct IgnoreFile {
    /// Where it is.
    pub path: PathBuf,
    kind: Kind,
    matcher: Gitignore,
    text: String,
}

/// The ignore files of a folder, and through `parent` those above it.
#[derive(Debug, Default)]
pub struct Scope {
    /// The folder.
    pub dir: PathBuf,
    /// The next folder above that has ignore files.
    pub parent: Option<Arc<Scope>>,
    files: Vec<IgnoreFile>,
    repository: bool,
}

/// What a folder holds of interest here.
#[derive(Debug, Default, Clone, Copy)]
pub struct Found {
    pmdev: bool,
    ignore: bool,
    git: bool,
    repository: bool,
}

/// Which of git's files apply.
#[derive(Debug, Default)]
pub struct GitFiles {
    /// Whether any does.
    pub used: bool,
    /// `core.excludesFile`, where it is set or where git looks for it anyway.
    pub global: Option<PathBuf>,
}

impl Found {
    /// Takes note of a name in the folder.
    pub fn see(&mut self, name: &[u8]) {
        match name {
            b".pmdevignore" => self.pmdev = true,
            b".ignore" => self.ignore = true,
            b".gitignore" => self.git = true,
            b".git" => self.repository = true,
            _ => {}
        }
    }

    /// Looks for the names in a folder that is not listed.
    pub fn probe(dir: &Path) -> Self {
        let mut found = Self::default();
        for name in [".pmdevignore", ".ignore", ".gitignore", ".git"] {
            if dir.join(name).symlink_metadata().is_ok() {
                found.see(name.as_bytes());
            }
        }
        found
    }
}

impl Scope {
    /// The scope of a folder below `parent`; the parent's own where the folder has no ignore files.
    pub fn load(dir: &Path, parent: &Arc<Self>, found: Found, git: &GitFiles, notices: &mut Vec<Notice>) -> Arc<Self> {
        let repository = found.repository && git.used;
        let mut files = Vec::new();
        let mut read = |kind, path: PathBuf| files.extend(IgnoreFile::read(kind, path, dir, notices));
        if found.pmdev {
            read(Kind::Pmdev, dir.join(".pmdevignore"));
        }
        if found.ignore {
            read(Kind::Ignore, dir.join(".ignore"));
        }
        if found.git && git.used {
            read(Kind::Git, dir.join(".gitignore"));
        }
        if repository {
            if let Some(path) = exclude::exclude_file(dir) {
                read(Kind::Exclude, path);
            }
            if let Some(path) = &git.global {
                read(Kind::Global, path.clone());
            }
        }
        if files.is_empty() && !repository {
            return parent.clone();
        }
        Arc::new(Self { dir: dir.to_owned(), parent: Some(parent.clone()), files, repository })
    }

    /// What lies above a root that nobody named: the `.gitignore` files up to the root of its repository, or git's global file alone
    /// where there is no repository.
    pub fn above(root: &Path, git: &GitFiles, notices: &mut Vec<Notice>) -> Arc<Self> {
        let mut scope = Arc::new(Self::default());
        if !git.used {
            return scope;
        }
        if exclude::repository(root).is_none() {
            if let Some(global) = &git.global {
                let files = IgnoreFile::read(Kind::Global, global.clone(), root, notices).into_iter().collect();
                scope = Arc::new(Self { files, ..Self::default() });
            }
            return scope;
        }
        let mut above: Vec<_> = Self::dirs_above(root).collect();
        while let Some(dir) = above.pop() {
            let found = Found { pmdev: false, ignore: false, ..Found::probe(dir) };
            scope = Self::load(dir, &scope, found, git, notices);
        }
        scope
    }

    /// The folders above a root, up to that of its repository; none outside of one.
    pub fn dirs_above(root: &Path) -> impl Iterator<Item = &Path> {
        let top = exclude::repository(root);
        root.ancestors().skip(1).take_while(move |dir| top.is_some_and(|top| dir.starts_with(top)))
    }

    /// The ignore file that decides about a path, the line's glob, and whether it ignores.
    pub fn matching(&self, path: &Path, is_dir: bool) -> Option<(&IgnoreFile, &Glob, bool)> {
        let mut best: [Option<(&IgnoreFile, &Glob, bool)>; KINDS] = [None; KINDS];
        let mut same_repository = true;
        let mut next = Some(self);
        while let Some(scope) = next {
            for file in &scope.files {
                let slot = &mut best[file.kind as usize];
                if slot.is_none() && (same_repository || file.kind < Kind::Git) {
                    *slot = match file.matcher.matched(path, is_dir) {
                        Match::None => None,
                        Match::Ignore(glob) => Some((file, glob, true)),
                        Match::Whitelist(glob) => Some((file, glob, false)),
                    };
                }
            }
            same_repository &= !scope.repository;
            next = scope.parent.as_deref();
        }
        best.into_iter().flatten().next()
    }

    /// The lines of this folder's own files that take something back, as (file, line number, line).
    pub fn taken_back(&self) -> impl Iterator<Item = (&IgnoreFile, usize, &str)> {
        self.files.iter().filter(|file| file.kind < Kind::Exclude).flat_map(|file| {
            file.text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.starts_with('!'))
                .map(move |(index, line)| (file, index + 1, line.trim_end()))
        })
    }
}

impl IgnoreFile {
    /// Reads a file whose patterns are relative to `dir`. A line that is no pattern is told and left out.
    fn read(kind: Kind, path: PathBuf, dir: &Path, notices: &mut Vec<Notice>) -> Option<Self> {
        let warn = |text: String| Notice::new(Level::Warning, NoticeKind::Watch, text);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory) => {
                return None;
            }
            Err(e) => {
                notices.push(warn(format!("{} cannot be read, so it ignores nothing: {e}", path.display())));
                return None;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let mut builder = GitignoreBuilder::new(dir);
        for (index, line) in text.lines().enumerate() {
            if let Err(e) = builder.add_line(None, line) {
                let reason = match &e {
                    ignore::Error::Glob { err, .. } => err.clone(),
                    other => other.to_string(),
                };
                notices.push(warn(format!(
                    "{}:{}: {} is not a pattern, so the line is left out: {reason}",
                    path.display(),
                    index + 1,
                    line.trim()
                )));
            }
        }
        match builder.build() {
            Ok(matcher) => Some(Self { path, kind, matcher, text }),
            Err(e) => {
                notices.push(warn(format!("{} is left out: {e}", path.display())));
                None
            }
        }
    }

    /// The number of the line a glob was made of, from 1. Of equal lines the last decides.
    pub fn line_of(&self, glob: &Glob) -> usize {
        let is_it = |line: &str| line == glob.original() || line.trim_end() == glob.original();
        self.text.lines().enumerate().filter(|(_, line)| is_it(line)).map(|(index, _)| index + 1).last().unwrap_or(0)
    }

    /// Whether people wrote it for git.
    pub fn is_gits(&self) -> bool {
        self.kind >= Kind::Git
    }
}
