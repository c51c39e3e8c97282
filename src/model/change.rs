//! A settled batch of changed files.

use std::{path::PathBuf, time::Instant};

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there, with new contents (or it is new).
    Written,
    /// It was touched: same contents, newer time.
    Touched,
    /// It is gone.
    Removed,
}

/// What made a change set due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Files changed.
    Files,
    /// Events were lost and the folders were looked at again, so a change must be assumed.
    Rescan,
}

/// A settled batch of changed files: one reason to restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The first 100 paths, absolute, in the order they were first seen.
    pub paths: Vec<(PathBuf, ChangeKind)>,
    /// How many paths changed in all.
    pub total: usize,
    /// When the first event of the batch came.
    pub first: Instant,
    /// When the last one came.
    pub last: Instant,
    /// Why the set is due.
    pub cause: Cause,
    /// The app's rules, by index in order, whose paths are among the changed ones.
    pub matched: Vec<usize>,
    /// Whether a changed path is in no rule, or it is not known which paths changed.
    pub unmatched: bool,
    /// The paths as people are shown them: `src/api.js`, `src/api.js and 3 more`; empty for a rescan without paths.
    pub shown: String,
}
