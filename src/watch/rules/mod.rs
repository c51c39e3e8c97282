//! Which paths count, and which rule says so: one implementation for the walk, for events and for `why`.
//! It lists no folder and watches nothing; ignore files are the only thing it reads.
//! The order of the rules is that of [`Reason`]; ignore files are in [`scope`], the fixed patterns in [`builtin`].

pub mod builtin;
mod exclude;
pub mod scope;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::gitignore::Glob;
use scope::{Found, GitFiles, IgnoreFile, Scope};

use super::{paths, pattern::Patterns, plan::Root};
use crate::model::{Decision, Error, Notice, Rule, WatchSpec};

/// The rules of one spec.
#[derive(Debug)]
pub struct Rules {
    named: Vec<PathBuf>,
    own: Vec<PathBuf>,
    user: Patterns,
    /// With their leading dots.
    ext: Vec<String>,
    git: GitFiles,
    defaults: bool,
}

/// Why a path counts or not: [`Rule`], borrowed. The first that decides wins; the order is that of the variants.
#[derive(Debug, Clone, Copy)]
pub enum Reason<'a> {
    /// Named as a file in `watch`.
    Named,
    /// No glob of `watch` fits it.
    Outside,
    /// Version control, by its name.
    VersionControl(&'static str),
    /// One of pmdev's own files.
    Own(&'a Path),
    /// A pattern of the user's list.
    User(&'a str),
    /// `.env` or `.env.*`.
    DotEnv,
    /// A line of an ignore file.
    File(&'a IgnoreFile, &'a Glob),
    /// A built-in pattern.
    BuiltIn(&'static str),
    /// The list of extensions leaves it out.
    Extension,
    /// Nothing speaks against it.
    Default,
}

/// What the rules say about a path.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// Whether it counts.
    pub watched: bool,
    /// Why.
    pub reason: Reason<'a>,
}

impl Rules {
    /// The rules of a spec. `global` is git's `core.excludesFile`.
    pub fn new(spec: &WatchSpec, base: &Path, named: &[PathBuf], global: Option<PathBuf>) -> Result<Self, Error> {
        Ok(Self {
            named: named.to_vec(),
            own: spec.own.iter().map(|path| paths::canonical_entry(path)).collect(),
            user: Patterns::new(base, &spec.ignore)?,
            ext: spec.ext.iter().map(|ext| format!(".{ext}")).collect(),
            git: GitFiles { used: spec.gitignore, global: global.filter(|_| spec.gitignore) },
            defaults: spec.defaults,
        })
    }

    /// Whether this very file is named in `watch`.
    pub fn is_named(&self, path: &Path) -> bool {
        find(&self.named, path).is_some()
    }

    /// Whether a name is that of an ignore file that applies.
    pub fn is_ignore_file(&self, name: &[u8]) -> bool {
        matches!(name, b".pmdevignore" | b".ignore") || (name == b".gitignore" && self.git.used)
    }

    /// The user's own patterns.
    pub fn user(&self) -> &Patterns {
        &self.user
    }

    /// The ignore files that apply to a root from above.
    pub fn above(&self, root: &Root, notices: &mut Vec<Notice>) -> Arc<Scope> {
        if root.explicit { Arc::default() } else { Scope::above(&root.path, &self.git, notices) }
    }

    /// The folders above a root whose `.gitignore` applies to it.
    pub fn above_dirs<'a>(&self, root: &'a Root) -> impl Iterator<Item = &'a Path> + use<'a> {
        let used = self.git.used && !root.explicit;
        Scope::dirs_above(if used { &root.path } else { Path::new("/") })
    }

    /// The ignore files that apply in a folder.
    pub fn scope(&self, dir: &Path, parent: &Arc<Scope>, found: Found, notices: &mut Vec<Notice>) -> Arc<Scope> {
        Scope::load(dir, parent, found, &self.git, notices)
    }

    /// Whether a path counts that lies in a folder which does. A folder that does not is pruned: nothing below it is asked about.
    pub fn verdict<'a>(&'a self, root: &Root, scope: &'a Scope, path: &Path, is_dir: bool) -> Verdict<'a> {
        let ignored = |reason| Verdict { watched: false, reason };
        let kept = |reason| Verdict { watched: true, reason };
        let name = paths::name(path);
        if !is_dir && self.is_named(path) {
            return kept(Reason::Named);
        }
        if !root.admits(path, is_dir) {
            return ignored(Reason::Outside);
        }
        if let Some(name) = builtin::version_control(name) {
            return ignored(Reason::VersionControl(name));
        }
        if let Some(own) = find_own(&self.own, path) {
            return ignored(Reason::Own(own));
        }
        if let Some(pattern) = self.user.matching(path, &root.path, is_dir) {
            return Verdict { watched: pattern.negated, reason: Reason::User(&pattern.text) };
        }
        let is_env = !is_dir && (name == b".env" || name.starts_with(b".env."));
        if is_env && builtin::temporary(name).is_none() {
            return kept(Reason::DotEnv);
        }
        if let Some((file, glob, ignores)) = scope.matching(path, is_dir) {
            return Verdict { watched: !ignores, reason: Reason::File(file, glob) };
        }
        if self.defaults
            && let Some(pattern) = builtin::pattern(name, is_dir)
        {
            return ignored(Reason::BuiltIn(pattern));
        }
        let named_otherwise = |ext: &String| name.len() <= ext.len() || !name.ends_with(ext.as_bytes());
        if !is_dir && !self.ext.is_empty() && self.ext.iter().all(named_otherwise) {
            return ignored(Reason::Extension);
        }
        kept(Reason::Default)
    }
}

impl Reason<'_> {
    /// The rule as the rest of the program knows it.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Named => Rule::Named,
            Self::Outside => Rule::Outside,
            Self::VersionControl(name) => Rule::Hard((*name).to_owned()),
            Self::Own(path) => Rule::Hard(path.display().to_string()),
            Self::User(pattern) => Rule::UserIgnore((*pattern).to_owned()),
            Self::DotEnv => Rule::DotEnv,
            Self::File(file, glob) => {
                Rule::IgnoreFile { file: file.path.clone(), line: file.line_of(glob), pattern: glob.original().to_owned() }
            }
            Self::BuiltIn(pattern) => Rule::BuiltIn((*pattern).to_owned()),
            Self::Extension => Rule::Extension,
            Self::Default => Rule::Default,
        }
    }
}

impl Verdict<'_> {
    /// The decision about a path that was asked about itself.
    pub fn decision(&self) -> Decision {
        Decision { watched: self.watched, rule: self.reason.rule(), pruned_at: None }
    }
}

/// A path in a short list. By bytes: to compare paths by components costs more than all other rules together.
fn find<'a>(list: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    list.iter().find(|one| one.as_os_str() == path.as_os_str()).map(PathBuf::as_path)
}

/// One of our own files, or a log file that was put away, with the time behind its name: `out.log.20260304T183709.042Z.gz`.
fn find_own<'a>(list: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    // When the lines of a log file came is kept beside it.
    let name = path.file_name().and_then(|name| name.as_bytes().strip_prefix(b".")?.strip_suffix(b".times"));
    let beside = name.map(|name| path.with_file_name(OsStr::from_bytes(name)));
    let path = beside.as_deref().unwrap_or(path);
    let is_own = |own: &&PathBuf| match path.as_os_str().as_bytes().strip_prefix(own.as_os_str().as_bytes()) {
        Some([]) => true,
        Some([b'.', rest @ ..]) => rest.len() >= 20 && rest[..8].iter().all(u8::is_ascii_digit) && rest[8] == b'T' && rest[19] == b'Z',
        Some(_) | None => false,
    };
    list.iter().find(is_own).map(PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_that_was_put_away_is_our_own_and_what_only_begins_like_one_is_not() {
        let own = [PathBuf::from("/p/.env"), "/p/out.log".into()];
        let found = |path: &str| find_own(&own, Path::new(path)).is_some();
        for path in [
            "/p/.env",
            "/p/out.log",
            "/p/out.log.20260304T183709.042Z",
            "/p/out.log.20260304T183709.042Z.gz.tmp",
            "/p/.out.log.times",
            "/p/.out.log.20260304T183709.042Z.times",
        ] {
            assert!(found(path), "{path}");
        }
        for path in [
            "/p/.env.local",
            "/p/out.log.js",
            "/p/out.log.d/20260304T183709.042Z",
            "/p/out.logs",
            "/p/.out.log.tim",
            "/p/.in.log.times",
            "/p",
        ] {
            assert!(!found(path), "{path}");
        }
    }
}
