//! What a supervisor wants done.

use std::{sync::Arc, time::Duration};

use crate::model::{AppId, AppSpec, Crash, Generation, Happening, InstanceId, Notice, RunId, Signal};

/// Effects in the order in which they are to be performed.
pub type Effects = Vec<Effect>;

/// What a spawned program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the app: `spec.launch`.
    App,
    /// It is the app's build: `spec.build`.
    Build,
    /// It is the command of one of the app's watch rules: `spec.rules[index].run`.
    Rule(usize),
}

/// Something to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Start a program. The answer is `Spawned` or `SpawnFailed`, later `MainExited`, then `SetEmpty`.
    Spawn {
        /// The new run's id.
        run: RunId,
        /// For which slot (slot 0 for a build).
        instance: InstanceId,
        /// At which version.
        generation: Generation,
        /// The app or its build.
        role: Role,
        /// What to start.
        spec: Arc<AppSpec>,
    },
    /// Send a signal to the whole process set of a run.
    Signal {
        /// Which run.
        run: RunId,
        /// Which signal.
        signal: Signal,
    },
    /// Send a signal to the main process of a run alone.
    SignalMain {
        /// Which run.
        run: RunId,
        /// Which signal.
        signal: Signal,
    },
    /// Tell a Node app over its channel to shut down (PM2's `shutdown_with_message`); without a channel, send the signal to the main process.
    ShutdownMessage {
        /// Which run.
        run: RunId,
        /// The signal that takes the message's place.
        signal: Signal,
    },
    /// Let a worker finish what it serves within this time and hand it nothing new; answer with `Drained` once that is so. It is asked to
    /// stop in any case, if later.
    Drain {
        /// Which run.
        run: RunId,
        /// How long what it serves may take.
        time: Duration,
    },
    /// Wait for the sign that makes a run ready, `spec.ready.by`, and answer with `Ready`. Its end, or that of the run, ends the wait;
    /// the time it has is kept by the supervisor.
    AwaitReady {
        /// Which run.
        run: RunId,
        /// Whose run it is.
        instance: InstanceId,
        /// What to wait for.
        spec: Arc<AppSpec>,
    },
    /// Ask a run whether it is well, by `spec.health`; answer with `Health` under this number. No answer in time counts as a bad one.
    CheckHealth {
        /// Which run.
        run: RunId,
        /// Whose run it is.
        instance: InstanceId,
        /// The number of the question, from 1 for each run.
        check: u32,
        /// How to ask.
        spec: Arc<AppSpec>,
    },
    /// Run a hook of the app, `spec.hooks`, for this.
    Hook {
        /// Whose.
        instance: InstanceId,
        /// What happened.
        happening: Happening,
        /// The app.
        spec: Arc<AppSpec>,
    },
    /// Keep what is known of a failure: its crash capsule.
    Record {
        /// Whose.
        instance: InstanceId,
        /// The run that failed.
        run: RunId,
        /// What is known of it.
        crash: Crash,
    },
    /// Show the last lines of an instance's standard error again: it is given up.
    ShowLastErrors {
        /// Whose.
        instance: InstanceId,
        /// The instance as people call it.
        name: String,
    },
    /// Kill the whole process set of a run, again and again until it is empty.
    Kill {
        /// Which run.
        run: RunId,
    },
    /// Name what is left of a set that outlived SIGKILL: the shell knows pids and commands and makes the notice.
    ReportStuck {
        /// Which run.
        run: RunId,
        /// The instance as people call it.
        name: String,
    },
    /// Name what is left of a set that is about to be killed: the shell knows pids and commands, and adds them to the notice.
    NameRest {
        /// Which run.
        run: RunId,
        /// What people are told.
        notice: Notice,
    },
    /// Tell people that a run was not ready in time: the shell knows what it waited for and last heard, and adds that to the notice.
    ExplainLate {
        /// Which run.
        run: RunId,
        /// What people are told.
        notice: Notice,
    },
    /// Look whether a port the app needs is held by another process, after a failure.
    LookUpPort {
        /// Which app.
        app: AppId,
        /// The run that failed.
        run: RunId,
        /// What it should run, for its declared port.
        spec: Arc<AppSpec>,
    },
    /// Tell the watch engine what an app does.
    Watch {
        /// Which app.
        app: AppId,
        /// What it does.
        note: WatchNote,
    },
    /// Tell people.
    Notice(Notice),
    /// Everything is over: the runner ends with this code.
    Exit {
        /// The exit code.
        code: u8,
    },
}

/// What the watch engine needs to know of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchNote {
    /// A run's program executes. `by_files`: a change set caused this start.
    Started {
        /// Whether files caused it.
        by_files: bool,
    },
    /// Its stop signal is being sent.
    Stopping,
    /// Its process set is empty.
    Exited,
    /// A person restarted it: suspicions of a restart loop are void.
    Manual,
    /// It is down after a failure (crashed, errored, build failed): any save starts it, the content gate is open.
    Down,
}
