//! Requests for apps of a background runner, as they are said over the socket and kept in a dump.

use serde::{Deserialize, Serialize};

/// What `start -d` asks for: the words of the command line and where they were typed. The runner completes them as the command would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The words after `start`.
    pub args: Vec<String>,
    /// The folder they were typed in, absolute.
    pub cwd: String,
    /// The environment they were typed in.
    pub env: Vec<(String, String)>,
    /// What becomes of apps that run already.
    #[serde(default)]
    pub how: How,
    /// A project file's text, JSON, in the place of the target `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// The names of the apps, where their own were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Apps that are only registered, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
    /// Apps with another number of instances than their file says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaled: Vec<(String, u16)>,
    /// Apps that are watched where their file says no, and not where it says yes, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<String>,
    /// Apps that are left out, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Options of `start` that were given to a restart since, each one word; they win over `args`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The ids that instances had, slot by slot, of any apps by name: they get them again where nobody has them, and nobody else does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<(String, Vec<usize>)>,
}

/// Apps that are restarted or reloaded with something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Restart or reload.
    pub how: How,
    /// To whom, whole apps.
    pub targets: Vec<String>,
    /// The environment, in the place of the one they were started from; `None`: that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<(String, String)>>,
    /// Options of `start` that hold from now on, each one word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether the answer waits until they are online.
    pub wait: bool,
}

impl Update {
    /// Lays it over the request that apps came with; of each option the last one holds.
    pub fn over(&self, mut run: Run) -> Run {
        let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        run.options.retain(|word| !self.options.iter().any(|given| name(given) == name(word)));
        run.options.extend(self.options.iter().cloned());
        run.env = self.env.clone().unwrap_or(run.env);
        run.how = self.how;
        run
    }
}

/// What becomes of apps that run already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Apps of a project file are restarted; of what was typed itself nothing starts twice.
    #[default]
    Start,
    /// All are restarted.
    Restart,
    /// All are reloaded.
    Reload,
    /// They are left alone.
    Missing,
}

/// A request of a background runner, to be made again: a [`Run`] without what must not be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The request.
    #[serde(flatten)]
    pub run: Run,
    /// The names of its apps.
    pub apps: Vec<String>,
    /// Variables that hold secrets: their values are those of whoever resurrects it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}
