//! What the socket tells of a runner, and of an app beside its state: what is declared of it, and why it is as it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its version of pmdev.
    pub pmdev: String,
    /// The version of the protocol it speaks.
    pub protocol: u32,
    /// Its pid.
    pub pid: i32,
    /// The folder it was started in.
    pub cwd: String,
    /// The project files it runs, absolute.
    pub files: Vec<String>,
    /// The names of its apps.
    pub apps: Vec<String>,
    /// Whether it is the background runner of its home.
    pub background: bool,
}

impl Hello {
    /// Where it is, as people are told.
    pub fn place(&self) -> String {
        if self.background { "in the background".to_owned() } else { format!("in {}", self.cwd) }
    }
}

/// What is declared of the app of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// `watch` as it may be written: a boolean, or the list of what is watched.
    pub watch: Value,
    /// `ignore_watch` as it was written.
    pub ignore_watch: Vec<String>,
    /// When the clock restarts it next, in milliseconds since 1970.
    pub next_restart: Option<i64>,
    /// Everything resolved: the object of `pmdev check --json`, without its variables.
    pub plan: Value,
    /// The same for people: a title and what it says.
    pub lines: Vec<(String, String)>,
    /// Why the app is as it is: whole sentences.
    pub why: Vec<String>,
}

/// Something that was decided about an app or a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// About which app, where it was about one.
    pub app: Option<String>,
    /// Which version of the app there was after it.
    pub generation: Option<u64>,
    /// What followed: `restart`, `reload`, `none` or a signal for files that changed; else the event's word, `crashed`, `backoff`.
    pub action: String,
    /// The paths of the rule that asked for it, where one did.
    pub rule: Option<String>,
    /// The files that caused it, absolute; at most ten.
    pub files: Vec<String>,
    /// The whole sentence.
    pub text: String,
}

/// Why an app is as it is: whole sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppWhy {
    /// Its name.
    pub app: String,
    /// Why each instance is in its state.
    pub states: Vec<String>,
    /// Why each instance last started.
    pub starts: Vec<String>,
    /// What stands in its way: who holds the port it wanted, why a change has not led to a restart.
    pub waits: Vec<String>,
}

/// Whether changes of a path count for an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathWhy {
    /// The path, as it was asked about.
    pub path: String,
    /// The app.
    pub app: String,
    /// Whether they count.
    pub watched: bool,
    /// The rule that says so, as a clause.
    pub rule: String,
    /// The folder above the path at which that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// The rules with an action that it matches; none: a save restarts the app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionView>,
    /// What was decided about it last, as far as the runner remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DecisionView>,
}

/// A rule with an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// The paths it is for, as written.
    pub paths: Vec<String>,
    /// The command that runs first.
    pub run: Option<String>,
    /// `restart`, `reload`, `none` or a signal.
    pub action: String,
}

/// What is told of instances beside their state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Their variables.
    pub env: bool,
    /// Secrets in clear.
    pub reveal: bool,
    /// What is declared of their apps.
    pub detail: bool,
}
