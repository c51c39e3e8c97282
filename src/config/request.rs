//! What people asked for, typed but not yet completed, and the surroundings it is completed from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{environment, flags::Flag, logs::LogRequest, pipes::Pipes, seen::Seen};
use crate::model::{Error, Exit, Hardening, Identity, Launch, PollMode, Signal};

/// One value of `--watch` or `--ignore-watch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchArg {
    /// The flag alone.
    Default,
    /// A path, a glob, or several of them with commas between.
    List(String),
    /// A path or a glob, commas and all.
    One(String),
}

/// Everything `pmdev start` can be told by targets and flags. A field that was not given is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Scripts, programs, folders and command lines, as typed.
    pub targets: Vec<OsString>,
    /// Arguments for the apps: what stood after `--`.
    pub script_args: Vec<OsString>,
    /// Names, in the order of the targets.
    pub names: Vec<String>,
    /// The working directory of the apps, as typed.
    pub cwd: Option<PathBuf>,
    /// The interpreter to use instead of the table's, or `none`.
    pub interpreter: Option<String>,
    /// Arguments between the interpreter and the script, each a line to be split as a shell would.
    pub interpreter_args: Vec<String>,
    /// Program and arguments by extension, above the table.
    pub interpreters: Vec<(String, Vec<String>)>,
    /// Files of variables, as typed; a later one wins.
    pub env_files: Vec<PathBuf>,
    /// What to watch.
    pub watch: Vec<WatchArg>,
    /// Watch nothing.
    pub no_watch: bool,
    /// What to ignore besides the rules that apply anyway.
    pub ignore_watch: Vec<WatchArg>,
    /// Suffixes of names that count, each a list with commas or blanks between.
    pub ext: Vec<String>,
    /// The settle time.
    pub watch_delay: Option<Duration>,
    /// Polling instead of events.
    pub poll: Option<PollMode>,
    /// Git's ignore files do not apply.
    pub no_gitignore: bool,
    /// The built-in ignore patterns do not apply.
    pub no_default_ignore: bool,
    /// A save without a change of bytes restarts as well.
    pub no_gate: bool,
    /// The first signal of a stop.
    pub kill_signal: Option<Signal>,
    /// How long a stop may take before SIGKILL.
    pub kill_timeout: Option<Duration>,
    /// The profile by name.
    pub profile: Option<String>,
    /// Apps of the project file by name, each a list with commas or blanks between; empty: all.
    pub only: Vec<String>,
    /// The `env_NAME` of the project file that is laid on top.
    pub env_name: Option<String>,
    /// Keys of a project file, for all apps and above what the file says.
    pub flags: Vec<Flag>,
    /// The files that said what shall run before: a folder that had a project file is not made to run something else when that is gone.
    pub known: Vec<PathBuf>,
    /// Apps of which it was told that they run as root.
    pub told_as_root: Vec<String>,
    /// Whether Node maps stack traces to the sources; `None`: where a map lies beside the script.
    pub source_maps: Option<bool>,
    /// What is said of log files.
    pub logs: LogRequest,
    /// Whether it is for the background runner.
    pub background: bool,
    /// Whether an app is started once more, under another name, where one of its name runs.
    pub force: bool,
}

/// Runs a tool to its end and gives its standard output.
pub type Ask = dyn Fn(&Launch) -> Result<String, Error> + Send + Sync;

/// Runs a program to its end or to a limit.
pub type Run = dyn Fn(&Launch, Duration) -> Result<Output, Error> + Send + Sync;

/// The surroundings of a request.
#[derive(Clone)]
pub struct Host {
    /// The folder in which the request was typed, absolute.
    pub cwd: PathBuf,
    /// The environment in which it was typed.
    pub env: Vec<(OsString, OsString)>,
    /// The home folder of the user.
    pub home: Option<PathBuf>,
    /// Whether our output is a terminal and colours are on.
    pub colour: bool,
    /// Runs a tool to its end and gives its standard output (`node --version`, `cargo metadata`); asked only where nothing else tells.
    pub ask: Arc<Ask>,
    /// Runs a program to its end or, with all it has started, to this limit. Its input is empty; a failure is one of starting it.
    pub run: Arc<Run>,
    /// Whose rights apps run with.
    pub owner: Owner,
    /// As whom tools are asked questions, where not as ourselves: a tool of the project is as little trusted as the app it is asked for.
    pub asks_as: Option<Identity>,
    /// What was read from files that can be read only once.
    pub pipes: Pipes,
    /// Which files were looked at.
    pub seen: Seen,
}

/// The user and the group of a process, by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// The effective user.
    pub user: u32,
    /// The effective group.
    pub group: u32,
}

/// What came of a program that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub end: End,
    /// The end of what it printed, standard output and standard error as they came.
    pub said: String,
}

/// How a program that was run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Exited(Exit),
    /// It ran into the limit and was killed.
    Limit,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("cwd", &self.cwd).field("home", &self.home).finish_non_exhaustive()
    }
}

impl Host {
    /// The value of a variable; an empty value counts as given.
    pub fn var(&self, name: &str) -> Option<&OsString> {
        self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Asks a tool in a folder, with the caller's environment (version managers need it) but this PATH.
    pub(super) fn tool(&self, argv: Vec<OsString>, cwd: &Path, path: OsString) -> Result<String, Error> {
        let mut env: BTreeMap<_, _> = self.env.iter().cloned().collect();
        env.insert("PATH".into(), path);
        let identity = self.asks_as.clone();
        if let Some(identity) = &identity {
            environment::become_user(&mut env, identity);
        }
        let hardening = Hardening { identity, ..Hardening::default() };
        (self.ask)(&Launch { argv, cwd: cwd.to_owned(), env: env.into_iter().collect(), hardening })
    }

    /// The value of a variable as text; `None` where it is unset, empty or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.var(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty())
    }
}
