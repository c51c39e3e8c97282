//! Profiles: tables of defaults. Whoever reads a resolved spec sees values and never learns which profile they came from.

use std::time::Duration;

use crate::model::{AfterExit, Backoff, Error, Limits, LogFile, Logs, Ready, RestartPolicy, Signal, StopSpec};

use super::{Host, Request, milliseconds, near};

/// A table of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For writing code: watch, and wait for a save after a crash.
    Dev,
    /// For a server: no watching, restart with backoff.
    Prod,
    /// As PM2 does without being told: no watching, restart at once, the environment as it is. For the background runner where no profile
    /// is named; nobody can name it.
    Background,
}

/// Names people may use; the first of a profile is the one we write.
const NAMES: [(&str, Profile); 4] =
    [("dev", Profile::Dev), ("prod", Profile::Prod), ("development", Profile::Dev), ("production", Profile::Prod)];

/// Exits in a row before `min_uptime`, or automatic restarts within the window, before an app is given up: PM2's `max_restarts`.
const MAX_RESTARTS: u32 = 16;
/// PM2's `min_uptime`.
const MIN_UPTIME: Duration = Duration::from_secs(1);
/// The window in which automatic restarts are counted. Backoff from 100 ms reaches its cap of 15 s after 13 restarts and 40 s,
/// so 16 restarts fit well into a quarter of an hour and a nightly hiccup is forgotten.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The delays before automatic restarts where nothing else is said.
pub const BACKOFF: Backoff = Backoff::Exponential { initial: Duration::from_millis(100) };

impl Profile {
    /// `--profile`, else `PMDEV_PROFILE`, else dev.
    pub fn choose(request: &Request, host: &Host) -> Result<Self, Error> {
        match (&request.profile, host.text("PMDEV_PROFILE")) {
            (Some(name), _) => Self::named(name, "--profile"),
            (None, Some(name)) => Self::named(name, "PMDEV_PROFILE"),
            (None, None) if request.background => Ok(Self::Background),
            (None, None) => Ok(Self::Dev),
        }
    }

    fn named(name: &str, source: &str) -> Result<Self, Error> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, profile)| *profile).ok_or_else(|| {
            let error = Error::usage(format!("{source} {name} is not a profile; there are dev and prod"));
            match near::nearest(name, NAMES.iter().map(|(known, _)| *known)) {
                Some(known) => error.hint(format!("did you mean {known}?")),
                None => error,
            }
        })
    }

    /// Whether files are watched without being asked.
    pub fn watches(self) -> bool {
        self == Self::Dev
    }

    /// The names of the `env_NAME` that count without being asked for, the later on top.
    pub fn env_names(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &["development", "dev"],
            Self::Prod => &["production", "prod"],
            Self::Background => &[],
        }
    }

    /// Whether a variable of the caller's speaks to or of the caller alone, and is not passed on unless the file says so: the sockets of
    /// systemd, sudo's, and our own but the mark by which nested runners are told apart.
    pub fn holds_back(self, name: &str) -> bool {
        const PREFIXES: [&str; 4] = ["PMDEV_", "LISTEN_", "WATCHDOG_", "SUDO_"];
        self == Self::Prod && name != "PMDEV_RUN" && (name == "NOTIFY_SOCKET" || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    }

    /// Whether root minds who else can write the files that say what it runs, and is told when it runs apps as itself.
    pub fn distrusts_writers(self) -> bool {
        self == Self::Prod
    }

    /// Where lines go.
    pub fn logs(self) -> Logs {
        match self {
            Self::Dev => Logs::default(),
            Self::Prod | Self::Background => Logs { out: LogFile::Default, error: LogFile::Default, ..Logs::default() },
        }
    }

    /// Whether each run leaves its process id in `$PMDEV_HOME/pids`, where nothing else is said.
    pub fn pid_files(self) -> bool {
        self == Self::Background
    }

    /// Whether each failure leaves a crash capsule.
    pub fn capsules(self) -> bool {
        self == Self::Prod
    }

    /// What a run may use.
    pub fn limits(self) -> Limits {
        match self {
            Self::Dev | Self::Background => Limits::default(),
            Self::Prod => Limits { core: Some(0), umask: Some(0o027), no_new_privs: true, ..Limits::default() },
        }
    }

    /// The value of `NODE_ENV` where it is unset; `None`: it stays so.
    pub fn node_env(self) -> Option<&'static str> {
        match self {
            Self::Dev => Some("development"),
            Self::Prod => Some("production"),
            Self::Background => None,
        }
    }

    /// What happens after an exit.
    pub fn restart(self) -> RestartPolicy {
        let after_exit = match self {
            Self::Dev => AfterExit::Wait,
            Self::Prod => AfterExit::Restart(BACKOFF),
            Self::Background => AfterExit::Restart(Backoff::Fixed(Duration::ZERO)),
        };
        RestartPolicy {
            after_exit,
            min_uptime: MIN_UPTIME,
            max_restarts: Some(MAX_RESTARTS),
            window: WINDOW,
            stop_exit_codes: Vec::new(),
            stuck_blocks: self == Self::Prod,
        }
    }

    /// What makes a run ready where the file does not say: `PMDEV_GRACEFUL_LISTEN_TIMEOUT` (milliseconds), else PM2's time.
    pub fn ready(self, host: &Host) -> Result<Ready, Error> {
        let usual = Ready::default();
        let timeout = match host.text("PMDEV_GRACEFUL_LISTEN_TIMEOUT") {
            Some(text) => milliseconds(text).map_err(|why| Error::usage(format!("PMDEV_GRACEFUL_LISTEN_TIMEOUT: {why}")))?,
            None => usual.timeout,
        };
        Ok(Ready { timeout, ..usual })
    }

    /// How a run is stopped: the flags, else `PMDEV_KILL_SIGNAL`, `PMDEV_KILL_TIMEOUT` (milliseconds) and `PMDEV_KILL_USE_MESSAGE`, else the
    /// table.
    pub fn stop(self, request: &Request, host: &Host) -> Result<StopSpec, Error> {
        let signal = match (request.kill_signal, host.text("PMDEV_KILL_SIGNAL")) {
            (Some(signal), _) => signal,
            (None, Some(text)) => text.parse().map_err(|why| Error::usage(format!("PMDEV_KILL_SIGNAL: {why}")))?,
            (None, None) => Signal::INT,
        };
        let timeout = match (request.kill_timeout, host.text("PMDEV_KILL_TIMEOUT")) {
            (Some(timeout), _) => timeout,
            (None, Some(text)) => milliseconds(text).map_err(|why| Error::usage(format!("PMDEV_KILL_TIMEOUT: {why}")))?,
            (None, None) => match self {
                Self::Dev | Self::Background => Duration::from_secs(5),
                Self::Prod => Duration::from_secs(30),
            },
        };
        let message = match host.text("PMDEV_KILL_USE_MESSAGE") {
            Some("true" | "1") => true,
            Some("false" | "0") | None => false,
            Some(other) => return Err(Error::usage(format!("PMDEV_KILL_USE_MESSAGE: {other:?} is neither true nor false"))),
        };
        let drain = match self {
            Self::Dev => Duration::ZERO,
            // As long as Node keeps a connection that nobody uses.
            Self::Prod | Self::Background => Duration::from_secs(5),
        };
        Ok(StopSpec { drain, message, ..StopSpec::new(signal, timeout) })
    }
}
