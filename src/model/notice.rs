//! What people are told. Every word of the runner is one of these; `ui` gives it colour, `--json` its fields.

/// How much a notice matters; `--quiet` shows warnings and errors alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something went its way.
    Info,
    /// Something to know, nothing is broken.
    Warning,
    /// Something failed.
    Error,
}

/// The event behind a notice: the stable word that `--json` prints as `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// What was chosen to run, and why.
    Detected,
    /// An app runs for the first time.
    Started,
    /// An app runs again.
    Restarted,
    /// An app is about to be stopped.
    Stopping,
    /// An app was stopped on request.
    Stopped,
    /// An app ended with code 0.
    Ended,
    /// An app died.
    Crashed,
    /// An app could not be started.
    LaunchFailed,
    /// An app will be started again after a delay.
    Backoff,
    /// An app is given up.
    Errored,
    /// An app was not ready in time.
    NotReady,
    /// An app answers badly, or not at all.
    Unhealthy,
    /// An app uses too much memory.
    Memory,
    /// When an app is restarted by the clock.
    Scheduled,
    /// A hook failed, or was left out.
    Hook,
    /// About crash capsules.
    Capsule,
    /// An app waits for another one.
    Waiting,
    /// A reload has come to its end before all instances were replaced.
    Reload,
    /// An app was sent a signal.
    Signalled,
    /// A build has begun.
    Building,
    /// A build succeeded.
    Built,
    /// A build failed.
    BuildFailed,
    /// Something did not go when told to, and was killed.
    Killed,
    /// Something is still there after it was killed.
    Stuck,
    /// A port is held by another process.
    PortHeld,
    /// What an app writes cannot be shown.
    Output,
    /// About log files: one that cannot be written, lines that are missing.
    Log,
    /// About watching: limits, polling, overflow, loops.
    Watch,
    /// Watching is ready.
    Watching,
    /// A decision about a path, with `--explain`.
    Explain,
    /// The runner itself is ending.
    Shutdown,
    /// An answer to a key.
    Answer,
    /// Anything that is wrong with the configuration but not fatal.
    Config,
    /// What an edit of the project file means for an app.
    Plan,
}

/// One thing people are told: one line, `[pmdev] text`, with continuation lines for the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// The event.
    pub kind: NoticeKind,
    /// The app (or `app:slot`) it is about.
    pub app: Option<String>,
    /// The whole sentence, app name included: `api restarted in 180 ms (src/api.js)`. No prefix, no colour, no final full stop.
    pub text: String,
    /// What to do about it, where known; may have several lines.
    pub hint: Option<String>,
}

impl Notice {
    /// A notice of the given level without an app or a hint.
    pub fn new(level: Level, kind: NoticeKind, text: impl Into<String>) -> Self {
        Self { level, kind, app: None, text: text.into(), hint: None }
    }

    /// The same, about an app.
    #[must_use]
    pub fn about(mut self, app: impl Into<String>) -> Self {
        self.app = Some(app.into());
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
