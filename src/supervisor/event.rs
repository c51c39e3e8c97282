//! What can happen to a supervisor.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::model::{AppId, AppSpec, ChangeSet, Exit, InstanceId, LaunchFailure, RunId, Signal};

/// Something that happened. News about a run that is over is ignored, whatever it says.
#[derive(Debug, Clone)]
pub enum Event {
    /// The apps of this runner, in the order of declaration: the first event, once.
    Begin {
        /// Their specs.
        apps: Vec<Arc<AppSpec>>,
    },
    /// The program of a run (or build) executes.
    Spawned {
        /// Which run.
        run: RunId,
        /// The pid of its main process.
        pid: i32,
    },
    /// The program of a run (or build) could not be started. Nothing of it is alive.
    SpawnFailed {
        /// Which run.
        run: RunId,
        /// The stage and the reason.
        failure: LaunchFailure,
    },
    /// The main process of a run (or build) ended; the rest of its set may live on.
    MainExited {
        /// Which run.
        run: RunId,
        /// How it ended.
        exit: Exit,
        /// Whether the kernel says that it killed it because memory ran out.
        oom: bool,
    },
    /// A run gave the sign of being ready that `AwaitReady` asked for.
    Ready {
        /// Which run.
        run: RunId,
    },
    /// A run that was to `Drain` serves nothing any more.
    Drained {
        /// Which run.
        run: RunId,
    },
    /// An answer to `CheckHealth`, or, without a number, a sign of life that the app gave by itself.
    Health {
        /// Which run.
        run: RunId,
        /// The number of the question.
        check: Option<u32>,
        /// Healthy, or what is wrong, as a clause.
        answer: Result<(), String>,
    },
    /// How much memory the process set of a run uses now.
    Memory {
        /// Which run.
        run: RunId,
        /// Bytes, with shared pages counted once.
        bytes: u64,
    },
    /// The time of an app's `cron_restart` has come.
    Cron {
        /// Which app.
        app: AppId,
    },
    /// Nothing of a run's process set is alive. Always follows `MainExited` (never precedes it).
    SetEmpty {
        /// Which run.
        run: RunId,
    },
    /// The first confirmed change of a batch for an app: a `FilesChanged` for the same app follows in any case.
    FilesChanging {
        /// For which app.
        app: AppId,
        /// The changed path.
        path: PathBuf,
    },
    /// A settled change set for an app.
    FilesChanged {
        /// For which app.
        app: AppId,
        /// What changed.
        changes: Arc<ChangeSet>,
    },
    /// The restart-loop guard suspects that the app writes this path itself: stop the app and hold it until `ProbeOver`.
    Probe {
        /// Which app.
        app: AppId,
        /// The suspected path.
        path: PathBuf,
    },
    /// The guard has seen enough: start the app again.
    ProbeOver {
        /// Which app.
        app: AppId,
    },
    /// Somebody asks for something.
    Request(Request),
    /// What shall run was edited while it runs. Apps that are not named stay as they are.
    Apply {
        /// What becomes of which app; at most one edit an app.
        edits: Vec<Edit>,
        /// What was edited, as people are shown it: `pmdev.toml`.
        shown: String,
    },
    /// End the runner gracefully.
    Shutdown(ShutdownCause),
    /// End it now: kill everything (a second Ctrl-C, the guard's death).
    ForceShutdown {
        /// The runner's exit code (130 after a second Ctrl-C).
        code: u8,
    },
    /// The runner and its sets were stopped (Ctrl-Z) and go on; every deadline moves by that time.
    Continued {
        /// How long they were stopped.
        stopped_for: Duration,
    },
    /// The deadline that `next_deadline` named has come.
    Deadline,
}

/// What an edited project file means for one app. An edit of an app that does not exist, or the addition of one that does, is ignored.
#[derive(Debug, Clone)]
pub enum Edit {
    /// A new app.
    Add {
        /// Its id, never used before.
        app: AppId,
        /// Its spec.
        spec: Arc<AppSpec>,
    },
    /// The app gets another spec of the same name.
    Change {
        /// Which app.
        app: AppId,
        /// Its spec from now on.
        spec: Arc<AppSpec>,
        /// Whether its runs are replaced; otherwise they go on, and what is no property of a process takes effect.
        restart: bool,
    },
    /// The app is stopped and goes; its id is never used again.
    Remove {
        /// Which app.
        app: AppId,
    },
}

/// Why the runner ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownCause {
    /// A signal (INT, TERM, HUP or QUIT).
    Signal(Signal),
    /// The key `q`.
    Key,
    /// Somebody asked for it from another terminal.
    Asked,
    /// The terminal went away.
    Terminal,
}

/// Something asked of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Replace the runs of the target by new ones, whatever state they are in.
    Restart(Target),
    /// The same, one instance after the other.
    Reload(Target),
    /// Start what of the target does not run; what runs goes on.
    Start(Target),
    /// Stop the target until somebody starts it again.
    Stop(Target),
    /// Start the counters of the target afresh.
    Reset(Target),
    /// Send a signal to the main processes of the target.
    Signal(Target, Signal),
    /// Pause watching, or go on with it; changes seen meanwhile act when it goes on.
    TogglePause,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every app.
    All,
    /// The app of this name.
    Name(String),
    /// These instances.
    Instances(Vec<InstanceId>),
}
