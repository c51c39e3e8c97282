//! What happens to apps, as hooks and crash capsules are told.

use std::{fmt, path::PathBuf, time::Duration};

use super::Exit;

/// What a hook can be called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// A run is ready.
    Ready,
    /// The main process of a run has ended.
    Exit,
    /// A run failed.
    Crash,
    /// An app is given up.
    Errored,
    /// A reload is over.
    Reload,
}

impl fmt::Display for HookKind {
    /// As the key of its hook: `on_crash`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "on_ready",
            Self::Exit => "on_exit",
            Self::Crash => "on_crash",
            Self::Errored => "on_errored",
            Self::Reload => "on_reload",
        })
    }
}

/// Something that happened to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What it was.
    pub kind: HookKind,
    /// The app's name.
    pub app: String,
    /// The instance as people call it: `api`, or `api:2`.
    pub instance: String,
    /// The pid of its main process, where it has or had one.
    pub pid: Option<i32>,
    /// How its main process ended, where it did.
    pub exit: Option<Exit>,
    /// Why, as a clause: `it crashed (exit code 1)`.
    pub reason: String,
    /// How often it was started again so far.
    pub restarts: u64,
    /// How long its program was there.
    pub uptime: Duration,
}

/// A failure of a run, for its crash capsule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// What happened.
    pub happening: Happening,
    /// Which version of the app it was.
    pub generation: u64,
    /// The files that changed since a run last stayed up for `min_uptime`, absolute; at most 100.
    pub changed: Vec<PathBuf>,
    /// What follows, as a clause: `starting again in 100 ms`.
    pub follows: String,
}
