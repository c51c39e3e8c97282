//! What it takes to run one target, before environment, name and watching are added.

use std::{ffi::OsString, path::PathBuf};

/// How a target is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments, without those after `--`.
    pub argv: Vec<OsString>,
    /// Variables that it needs where people have not set them.
    pub env: Vec<(&'static str, OsString)>,
    /// Variables that must have these values, whatever people have set.
    pub fixed: Vec<(&'static str, OsString)>,
    /// What has to succeed before it runs, and in which folder.
    pub build: Option<Build>,
    /// A name of its own, better than the file's.
    pub name: Option<String>,
    /// Shown when the program is missing.
    pub hint: Option<String>,
}

/// What has to succeed before a program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// The folder to run in, absolute.
    pub cwd: PathBuf,
    /// Folders it writes to, absolute: never watched, or a build would cause the next.
    pub output: Vec<PathBuf>,
}
