//! What shall run, fully resolved: no defaults left to fill in, no profile, no relative path.

use std::{path::PathBuf, time::Duration};

use super::{
    Launch, Signal,
    declared::{Account, ActionRule, Dependency, ExecMode, Health, Hooks, Limits, Listen, Logs, PidFile, Probe, Ready},
};

/// One app, fully resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpec {
    /// Its name, unique in a runner.
    pub name: String,
    /// The program of a run.
    pub launch: Launch,
    /// The script that the program runs, absolute, where there is one.
    pub script: Option<PathBuf>,
    /// What must succeed before a new version runs; the old one serves meanwhile.
    pub build: Option<Launch>,
    /// How many instances, at least 1.
    pub instances: u16,
    /// What is watched; `None`: nothing.
    pub watch: Option<WatchSpec>,
    /// What would be watched where nothing is, should that be asked for while it runs (PM2's `restart --watch`).
    pub unwatched: Option<WatchSpec>,
    /// What happens when a run ends by itself.
    pub restart: RestartPolicy,
    /// How a run is stopped.
    pub stop: StopSpec,
    /// The port people say it listens on (`PORT`), asked about only after a failure.
    pub port: Option<u16>,
    /// Shown when `launch.argv[0]` is missing: what was looked for, and how to set another.
    pub missing_hint: Option<String>,
    /// The group that commands can name instead of its members; PM2's is `default`.
    pub namespace: String,
    /// Whether it is started with the runner, or registered stopped.
    pub autostart: bool,
    /// How its instances share the work.
    pub exec_mode: ExecMode,
    /// What saves below given paths do instead of a restart, in the order declared; where none matches, a restart.
    pub rules: Vec<ActionRule>,
    /// What must be up, or done, before it starts.
    pub depends_on: Vec<Dependency>,
    /// What makes a run count as ready.
    pub ready: Ready,
    /// What tells that a run hangs; `None`: nothing is asked.
    pub health: Option<Health>,
    /// What the runner binds for it.
    pub listen: Vec<Listen>,
    /// Where its lines go.
    pub logs: Logs,
    /// What it may use, and as what it runs.
    pub limits: Limits,
    /// Who it runs as.
    pub account: Account,
    /// Commands around its life.
    pub hooks: Hooks,
    /// Whether each failure leaves a crash capsule.
    pub capsules: bool,
    /// When it is restarted by the clock, as written; `None`: never.
    pub cron: Option<String>,
    /// Where its pid is written; `None`: nowhere.
    pub pid_file: Option<PidFile>,
    /// Whether its runs get a terminal of their own instead of pipes.
    pub tty: bool,
}

impl AppSpec {
    /// One instance of a program that is started with the runner and has nothing else declared; struct update syntax adds the rest.
    pub fn new(name: impl Into<String>, launch: Launch, restart: RestartPolicy, stop: StopSpec) -> Self {
        Self {
            name: name.into(),
            launch,
            script: None,
            build: None,
            instances: 1,
            watch: None,
            unwatched: None,
            restart,
            stop,
            port: None,
            missing_hint: None,
            namespace: "default".to_owned(),
            autostart: true,
            exec_mode: ExecMode::Fork,
            rules: Vec::new(),
            depends_on: Vec::new(),
            ready: Ready::default(),
            health: None,
            listen: Vec::new(),
            logs: Logs::default(),
            limits: Limits::default(),
            account: Account::default(),
            hooks: Hooks::default(),
            capsules: false,
            cron: None,
            pid_file: None,
            tty: false,
        }
    }

    /// What is watched, or would be.
    pub fn watching_mut(&mut self) -> Option<&mut WatchSpec> {
        self.watch.as_mut().or(self.unwatched.as_mut())
    }

    /// Watches what was not watched, or no more what was; whether it is watched then.
    pub fn toggle_watch(&mut self) -> bool {
        std::mem::swap(&mut self.watch, &mut self.unwatched);
        self.watch.is_some()
    }

    /// Whether its runs speak systemd's protocol, sd_notify(3).
    pub fn is_notified(&self) -> bool {
        self.ready.by == Probe::Notify || self.health.as_ref().is_some_and(|health| health.probe == Probe::Notify)
    }

    /// Whether its instances share their ports, and old and new ones can serve side by side.
    pub fn shares_ports(&self) -> bool {
        self.exec_mode == ExecMode::Cluster
    }

    /// Whether messages go to or come from its runs over Node's channel.
    pub fn is_messaged(&self) -> bool {
        self.ready.by == Probe::Message || self.stop.message
    }
}

/// How a run is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSpec {
    /// The first signal.
    pub signal: Signal,
    /// How long the set has before SIGKILL.
    pub timeout: Duration,
    /// How long what it serves may take once another run has taken its place.
    pub drain: Duration,
    /// Whether the signal goes to the whole set, or to the main process alone (PM2's `treekill: false`).
    pub tree: bool,
    /// Whether a `shutdown` message goes to a Node app before any signal.
    pub message: bool,
}

impl StopSpec {
    /// A signal to the whole set, and no message.
    pub fn new(signal: Signal, timeout: Duration) -> Self {
        Self { signal, timeout, drain: Duration::ZERO, tree: true, message: false }
    }
}

/// What happens when the main process of a run ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The next step.
    pub after_exit: AfterExit,
    /// Runs shorter than this count as unstable.
    pub min_uptime: Duration,
    /// Unstable exits in a row, or automatic restarts within `window`, before an app is given up; `None`: no limit.
    pub max_restarts: Option<u32>,
    /// The sliding window of the second rule.
    pub window: Duration,
    /// Exit codes after which an app stays stopped.
    pub stop_exit_codes: Vec<i32>,
    /// Whether a set that outlives SIGKILL blocks the next start (prod) or not (dev).
    pub stuck_blocks: bool,
}

/// The next step after an exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterExit {
    /// Wait: for a save where files are watched, else for ever.
    Wait,
    /// Start again after a delay.
    Restart(Backoff),
}

/// The delay before an automatic restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backoff {
    /// Always the same.
    Fixed(Duration),
    /// `initial`, then ×1.5 to 15 s as PM2's exp_backoff_restart_delay, each with a seeded jitter of ±10 %.
    Exponential {
        /// The first delay.
        initial: Duration,
    },
}

/// What is watched for an app, and how. Two apps whose values are equal share one group of the watch engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WatchSpec {
    /// What is watched, each absolute; at least one.
    pub roots: Vec<WatchRoot>,
    /// The folder that `ignore` and shown paths are relative to: the app's cwd, absolute.
    pub base: PathBuf,
    /// The user's own ignore patterns, in the order given and as written: PM2's globs relative to `base`, a regex
    /// where one looks like it, `!pattern` takes back.
    pub ignore: Vec<String>,
    /// Suffixes of file names that count, without a leading dot (`js`, `d.ts`); empty: all.
    pub ext: Vec<String>,
    /// Whether `.gitignore`, `.git/info/exclude` and git's global excludes apply.
    pub gitignore: bool,
    /// Whether the built-in patterns apply.
    pub defaults: bool,
    /// Whether a save that leaves the bytes as they were is no change.
    pub gate: bool,
    /// The settle time, where the user set one.
    pub delay: Option<Duration>,
    /// Native events or polling.
    pub poll: PollMode,
    /// Whether links to folders outside every root are followed.
    pub follow_symlinks: bool,
    /// The running script, absolute, where there is one: its folder is watched even where ignore files would prune it.
    pub script: Option<PathBuf>,
    /// What pmdev itself or its builds write, absolute: never watched.
    pub own: Vec<PathBuf>,
    /// Whether the old run may begin to stop at the first confirmed change (never with a build).
    pub early_stop: bool,
}

impl WatchSpec {
    /// These roots by the rules that hold where nobody says otherwise.
    pub fn new(roots: Vec<WatchRoot>, base: PathBuf) -> Self {
        Self {
            roots,
            base,
            ignore: Vec::new(),
            ext: Vec::new(),
            gitignore: true,
            defaults: true,
            gate: true,
            delay: None,
            poll: PollMode::Auto,
            follow_symlinks: true,
            script: None,
            own: Vec::new(),
            early_stop: true,
        }
    }
}

/// One watched thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WatchRoot {
    /// A folder and what the rules keep below it. `explicit`: named by the user, so never pruned itself.
    Tree {
        /// The folder, absolute.
        path: PathBuf,
        /// Whether the user named it.
        explicit: bool,
    },
    /// A single file, named by the user: no rule applies to it.
    File(PathBuf),
    /// A glob as the user wrote it, made absolute: its fixed prefix is watched.
    Glob(String),
}

/// Native events or polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PollMode {
    /// Events; polling where they cannot come.
    Auto,
    /// Polling alone, at this interval (`None`: chosen from what a scan costs).
    Always(Option<Duration>),
    /// Never polling, not even where events cannot come.
    Never,
}
