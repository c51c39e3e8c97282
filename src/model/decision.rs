//! Why a path is watched or ignored.

use std::{fmt, path::PathBuf};

/// The rule that decided about a path; watch.md's order is that of the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Named as a file in `watch`.
    Named,
    /// Version-control folders and pmdev's own logs, pids and sockets: never watched.
    Hard(String),
    /// A pattern of `--ignore-watch` or `ignore_watch`, as written.
    UserIgnore(String),
    /// `.env` and `.env.*` count whatever git says.
    DotEnv,
    /// A line of an ignore file.
    IgnoreFile {
        /// The file.
        file: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The line, as written.
        pattern: String,
    },
    /// A built-in pattern.
    BuiltIn(String),
    /// The list of extensions leaves it out.
    Extension,
    /// Not below any watched root.
    Outside,
    /// Nothing speaks against it.
    Default,
}

/// What was decided about a path, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether changes of the path count.
    pub watched: bool,
    /// The rule that decided.
    pub rule: Rule,
    /// The folder above the path at which it was decided, where the path itself was never asked about.
    pub pruned_at: Option<PathBuf>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => write!(f, "it is named in watch"),
            Self::Hard(what) => write!(f, "{what} is never watched"),
            Self::UserIgnore(pattern) => write!(f, "the ignore pattern {pattern:?}"),
            Self::DotEnv => write!(f, ".env files always count"),
            Self::IgnoreFile { file, line, pattern } => write!(f, "{}:{line}: {pattern}", file.display()),
            Self::BuiltIn(pattern) => write!(f, "the built-in pattern {pattern:?}"),
            Self::Extension => write!(f, "its extension is not in --ext"),
            Self::Outside => write!(f, "it lies outside every watched folder"),
            Self::Default => write!(f, "no rule ignores it"),
        }
    }
}
