//! The picture of a runner that every view reads.

use std::time::Duration;

use super::{AppId, Exit, Generation, InstanceId, Status};

/// A runner at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The apps in the order of declaration.
    pub apps: Vec<AppSnapshot>,
    /// Whether watching is paused.
    pub paused: bool,
}

impl Snapshot {
    /// Whether an app has no run, and none until somebody starts it.
    pub fn rests(&self, app: AppId) -> bool {
        let mut found = self.apps.iter().filter(|known| known.id == app).flat_map(|app| &app.instances).peekable();
        found.peek().is_some() && found.all(|instance| instance.status == Status::Stopped)
    }
}

/// An app at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSnapshot {
    /// Its id.
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// Its current generation.
    pub generation: Generation,
    /// Whether its files are watched.
    pub watched: bool,
    /// Its instances by slot.
    pub instances: Vec<InstanceSnapshot>,
}

/// An instance at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSnapshot {
    /// Its id.
    pub id: InstanceId,
    /// Its state.
    pub status: Status,
    /// The pid of its run, where it has one.
    pub pid: Option<i32>,
    /// How long its run has been up.
    pub uptime: Option<Duration>,
    /// How often it was started again, since its counters were reset.
    pub restarts: u64,
    /// Ends in a row before `min_uptime`.
    pub unstable_restarts: u32,
    /// How often it ended by itself, to be started again. Nothing resets it.
    pub relapses: u64,
    /// How its main process ended, since its latest start.
    pub exit: Option<Exit>,
    /// Why it is given up, what it waits for, or else why its latest run was started, as the end of a sentence that says `because`.
    pub why: Option<String>,
}
