//! States as users see them: PM2's words, plus `building` and `crashed`.

use std::fmt;

/// The state of an instance as users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Its program is being started.
    Launching,
    /// It runs.
    Online,
    /// It was told to stop.
    Stopping,
    /// It does not run, as asked or because it ended by itself with code 0.
    Stopped,
    /// It died and will be started again after a delay.
    WaitingRestart,
    /// It is given up.
    Errored,
    /// Its build runs, and no older version does.
    Building,
    /// It died; the next save starts it again.
    Crashed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Launching => "launching",
            Self::Online => "online",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::WaitingRestart => "waiting restart",
            Self::Errored => "errored",
            Self::Building => "building",
            Self::Crashed => "crashed",
        })
    }
}
