//! The only place where adaptors meet. Here: what it is given.

use crate::model::{AppSpec, Error, Notice};

/// What a runner is told before it begins.
#[derive(Debug)]
pub struct Options {
    /// What shall run.
    pub apps: Vec<AppSpec>,
    /// What people should know before anything runs.
    pub notices: Vec<Notice>,
    /// How the terminal is written to.
    pub output: Output,
    /// The app, by name, that our standard input goes to.
    pub stdin: Option<String>,
    /// Whether decisions about changed files are explained.
    pub explain: bool,
}

/// How the terminal is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// One object a line.
    pub json: bool,
    /// The lines of apps as they are.
    pub raw: bool,
    /// Warnings and errors alone.
    pub quiet: bool,
    /// The format of the time before each line, in day.js tokens.
    pub timestamp: Option<String>,
    /// Whether to use colours.
    pub colour: bool,
}

/// Runs the apps to their end; the exit code of the runner comes back.
pub fn run(options: Options) -> Result<u8, Error> {
    Err(Error::failed(format!("{} cannot be run by this build", options.apps[0].name)))
}
