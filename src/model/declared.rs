//! The parts of a spec that say what an app is beside its program: readiness, health, order, listeners, logs, limits, hooks.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{HookKind, Signal, TimestampFormat};

/// How instances share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecMode {
    /// Processes that know nothing of each other.
    Fork,
    /// Node processes that share their ports.
    Cluster,
}

/// What a save below given paths does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRule {
    /// Paths and globs, relative to the watch base or absolute.
    pub paths: Vec<String>,
    /// A command line that runs first; what it writes is part of the same change.
    pub run: Option<String>,
    /// What follows.
    pub action: SaveAction,
}

/// What follows a save; the strongest of a change set wins, and the order is from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveAction {
    /// Nothing but the rule's command.
    Nothing,
    /// A signal to the run.
    Signal(Signal),
    /// New instances one by one, the old ones drained.
    Reload,
    /// Stop, then start.
    Restart,
}

impl SaveAction {
    /// Its place in the order from weak to strong.
    pub fn strength(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Signal(_) => 1,
            Self::Reload => 2,
            Self::Restart => 3,
        }
    }
}

/// An app that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The needed app's name.
    pub app: String,
    /// How far it must be.
    pub condition: Condition,
}

/// How far a needed app must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Its program runs.
    Started,
    /// It is ready.
    Ready,
    /// It ended with code 0.
    Completed,
}

/// What makes a run count as ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The sign.
    pub by: Probe,
    /// How long it has; a run that is not ready then has failed.
    pub timeout: Duration,
}

impl Default for Ready {
    /// Ready once started; PM2's `listen_timeout` of 3 s.
    fn default() -> Self {
        Self { by: Probe::Started, timeout: Duration::from_secs(3) }
    }
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The program runs.
    Started,
    /// A worker listens; one that listens on nothing within the time counts as ready as well.
    Listening,
    /// Something listens at one of these addresses: both of this machine's own where no other was named.
    Tcp(Vec<SocketAddr>),
    /// This URL answers with a status below 400.
    Http(HttpUrl),
    /// A line of its output matches this regex.
    Log(String),
    /// This command line ends with code 0.
    Command(String),
    /// sd_notify(3) says `READY=1`; for health, `WATCHDOG=1`.
    Notify,
    /// A Node app says `process.send('ready')`.
    Message,
}

/// What is asked without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query as they are sent: `/healthz?full`.
    pub target: String,
}

impl HttpUrl {
    /// What stands between `http://` and the path: `localhost:3000`, `[::1]`.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.target)
    }
}

/// What tells that a run hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is asked.
    pub probe: Probe,
    /// How often.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Failures in a row before the app is restarted; at least 1.
    pub failures: u32,
    /// From the start of the program: so long failures do not count before the first good answer.
    pub start_period: Duration,
    /// A signal that makes the app tell where it hangs, sent before it is stopped.
    pub dump: Option<Signal>,
}

/// What the runner binds once and hands to every run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address of TCP.
    Tcp(SocketAddr),
    /// A unix socket, absolute.
    Unix(PathBuf),
}

/// Where the lines of an app go besides the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// Standard output.
    pub out: LogFile,
    /// Standard error.
    pub error: LogFile,
    /// Both.
    pub combined: LogFile,
    /// Whether the instances share their files.
    pub merge: bool,
    /// Whether a line is a JSON object.
    pub json: bool,
    /// The time before each line; `None`: none.
    pub timestamp: Option<TimestampFormat>,
    /// Whether nothing is kept or shown at all.
    pub disabled: bool,
    /// The size at which a file is rotated, in bytes; `None`: never.
    pub max_size: Option<u64>,
    /// How often a file is rotated whatever its size, by the local calendar; `None`: never.
    pub rotate_every: Option<RotateEvery>,
    /// How many rotated files are kept of each file.
    pub keep: u32,
    /// Whether rotated files are compressed.
    pub compress: bool,
    /// What all files of an app may take together, in bytes; `None`: no limit.
    pub total_size: Option<u64>,
}

/// A span of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotateEvery {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFile {
    /// None.
    None,
    /// The one in the runner's own folder; in a completed spec it is `At` its path.
    Default,
    /// This one, absolute. Where instances do not share it, each has its number in the name.
    At(PathBuf),
}

impl Logs {
    /// The files that have a path, with what goes into each: `out`, `error`, `file` for both.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        [("out", &self.out), ("error", &self.error), ("file", &self.combined)].into_iter().filter_map(|(what, file)| match file {
            LogFile::At(path) => Some((what, path.as_path())),
            LogFile::None | LogFile::Default => None,
        })
    }
}

impl Default for Logs {
    /// No files; where some are asked for: 10 MiB each, 10 kept and compressed, 500 MiB together.
    fn default() -> Self {
        Self {
            out: LogFile::None,
            error: LogFile::None,
            combined: LogFile::None,
            merge: true,
            json: false,
            timestamp: None,
            disabled: false,
            max_size: Some(10 << 20),
            rotate_every: None,
            keep: 10,
            compress: true,
            total_size: Some(500 << 20),
        }
    }
}

/// What an app may use, and as what it runs. `None`: what the runner itself has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory of the whole set at which the app is reloaded, in bytes.
    pub memory_soft: Option<u64>,
    /// Memory of the whole set at which it is killed, in bytes.
    pub memory_hard: Option<u64>,
    /// Open files, RLIMIT_NOFILE.
    pub nofile: Option<u64>,
    /// Processes of the user, RLIMIT_NPROC.
    pub nproc: Option<u64>,
    /// Bytes of a core dump, RLIMIT_CORE.
    pub core: Option<u64>,
    /// nice(2), -20 to 19.
    pub nice: Option<i32>,
    /// /proc/pid/oom_score_adj, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// The mask of new files, umask(2).
    pub umask: Option<u32>,
    /// PR_SET_NO_NEW_PRIVS, prctl(2).
    pub no_new_privs: bool,
    /// It gets the descriptors that the runner was started with.
    pub inherit_fds: bool,
}

/// Who an app runs as: a name or a number as written, `None` for the runner's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: Option<String>,
    /// The group.
    pub group: Option<String>,
}

/// Where the pid of each run is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidFile {
    /// The file, absolute.
    pub path: PathBuf,
    /// Whether the number of the instance is put before the ending even where there is one instance alone: `api.pid` is `api-0.pid`.
    pub numbered: bool,
}

impl PidFile {
    /// The file of an instance, one of so many as there are now.
    pub fn path_of(&self, number: impl fmt::Display, instances: u16) -> PathBuf {
        if !self.numbered && instances <= 1 {
            return self.path.clone();
        }
        let mut name = self.path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        if let Some(ending) = self.path.extension() {
            name.push(".");
            name.push(ending);
        }
        self.path.with_file_name(name)
    }
}

/// Command lines that are told what happens to an app, each run in its folder with its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// A run is ready.
    pub on_ready: Option<String>,
    /// The main process of a run has ended, as asked or by itself.
    pub on_exit: Option<String>,
    /// A run failed: it died, did not become ready, hung, or used too much memory.
    pub on_crash: Option<String>,
    /// The app is given up.
    pub on_errored: Option<String>,
    /// A reload is over: every instance is of the new version.
    pub on_reload: Option<String>,
    /// How long each has before it is killed with all it has started.
    pub timeout: Duration,
}

impl Default for Hooks {
    /// None; 30 s for those that come.
    fn default() -> Self {
        Self { on_ready: None, on_exit: None, on_crash: None, on_errored: None, on_reload: None, timeout: Duration::from_secs(30) }
    }
}

impl Hooks {
    /// The command line for something that happened.
    pub fn command(&self, kind: HookKind) -> Option<&str> {
        let line = match kind {
            HookKind::Ready => &self.on_ready,
            HookKind::Exit => &self.on_exit,
            HookKind::Crash => &self.on_crash,
            HookKind::Errored => &self.on_errored,
            HookKind::Reload => &self.on_reload,
        };
        line.as_deref()
    }
}
