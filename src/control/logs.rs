//! What is said about logs: what a client wants to see, whose lines they are, and where their files are.

use serde::{Deserialize, Serialize};

use crate::model::Stream;

/// Which lines are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogsRequest {
    /// Whose; empty: all.
    #[serde(default)]
    pub targets: Vec<String>,
    /// How many of the last lines of each stream of each instance are told, of those that the runner holds.
    #[serde(default)]
    pub lines: usize,
    /// What is told of log files.
    #[serde(default)]
    pub history: History,
    /// One stream alone; `None`: both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// Whether what is said from now on follows.
    #[serde(default)]
    pub follow: bool,
    /// Whether the runner's own words come as well.
    #[serde(default)]
    pub notices: bool,
}

/// What is told of log files, which the client reads itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Nothing.
    #[default]
    None,
    /// Those in which there is more than the runner holds of the lines that are wanted.
    Missing,
    /// All of them.
    Files,
}

/// An instance whose lines come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSource {
    /// Its number among all of the runner's.
    pub id: usize,
    /// The app's name.
    pub name: String,
    /// Its number among the app's.
    pub instance: u16,
    /// How many the app has.
    pub instances: u16,
    /// Whether a line in its files is an object.
    pub json: bool,
    /// The time before each line of its files, in day.js' tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Its files, where they were asked for: a `position` follows for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LogFile>,
}

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Where it is; those put away lie beside it.
    pub path: String,
    /// The streams of the instance that go there.
    pub streams: Vec<Stream>,
    /// Those of them on which it has said more than the runner holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Stream>,
}
