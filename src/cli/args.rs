//! Options that several commands share, in the order in which help shows them.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{ArgMatches, Args};

use crate::{
    cli::keys::{RareArgs, RestartArgs},
    config::{self, Flag, LogRequest, Request, WatchArg},
    model::{HumanDuration, PollMode, Signal, TimestampFormat},
};

/// Everything about what is to run.
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub app: AppArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
    #[command(flatten)]
    pub logs: LogArgs,
    #[command(flatten)]
    pub restarts: RestartArgs,
    #[command(flatten)]
    pub rare: RareArgs,
}

/// How apps are run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Apps")]
pub struct AppArgs {
    /// Name of the app; one for each TARGET, in their order
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// Folder the apps run in [default: this folder, or the TARGET where it is a folder]
    #[arg(long, value_name = "FOLDER")]
    pub cwd: Option<PathBuf>,
    /// How many processes of each app; `max` or 0 for one a processor, negative for that many fewer
    #[arg(short = 'i', long, value_name = "COUNT", allow_hyphen_values = true, value_parser = |text: &str| config::flag("--instances", "instances", text))]
    pub instances: Option<Flag>,
    /// Program that runs the script, or `none` to execute the script itself [default: by #! line or extension]
    #[arg(long, value_name = "PROGRAM")]
    pub interpreter: Option<String>,
    /// Arguments for the interpreter; for Go and Rust, for the build
    #[arg(long, visible_alias = "node-args", value_name = "ARGS", allow_hyphen_values = true)]
    pub interpreter_args: Vec<String>,
    /// File of variables; repeatable, a later one wins over an earlier, this shell's variables over all
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<PathBuf>,
    /// Apps of the project file by name, with commas between; repeatable [default: all of them]
    #[arg(long, value_name = "NAMES")]
    pub only: Vec<String>,
    /// Lay the project file's env_NAME on top
    #[arg(long = "env", value_name = "NAME")]
    pub env_name: Option<String>,
    /// First signal of a stop [default: SIGINT]
    #[arg(long, value_name = "SIGNAL")]
    pub kill_signal: Option<Signal>,
    /// How long a stop may take before SIGKILL, in milliseconds or with a unit [default: 5s, prod: 30s]
    #[arg(short = 'k', long, value_name = "TIME", value_parser = config::milliseconds)]
    pub kill_timeout: Option<Duration>,
    /// Table of defaults: dev (watch, wait for a save after a crash) or prod (no watching, restart with backoff)
    #[arg(long, value_name = "NAME", conflicts_with = "prod")]
    pub profile: Option<String>,
    /// Short for --profile prod
    #[arg(long)]
    pub prod: bool,
}

/// What is watched.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchArgs {
    /// What to watch: folders, files, quoted globs, with commas between; repeatable [default: the app's folder]
    #[arg(long, value_name = "PATHS", num_args = 0..=1, default_missing_value = "")]
    pub watch: Vec<String>,
    /// What to ignore as well: paths, globs or regexes, with commas between; `!pattern` takes back
    #[arg(long, value_name = "PATTERNS", num_args = 0..=1, default_missing_value = "")]
    pub ignore_watch: Vec<String>,
    /// Watch nothing
    #[arg(long, conflicts_with_all = ["watch", "poll"])]
    pub no_watch: bool,
    /// Only files with these endings, such as js,json [default: all files]
    #[arg(long, value_name = "LIST")]
    pub ext: Vec<String>,
    /// How long a save has to settle, in seconds or with a unit [default: as short as is safe]
    #[arg(long, value_name = "TIME", value_parser = config::seconds)]
    pub watch_delay: Option<Duration>,
    /// Look at the files from time to time instead of waiting for events; the interval in milliseconds or with a unit
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = poll)]
    pub poll: Option<PollMode>,
    /// Wait for events alone, also where they cannot be had
    #[arg(long, conflicts_with_all = ["poll", "no_watch"])]
    pub no_poll: bool,
    /// Do not apply git's ignore files
    #[arg(long)]
    pub no_gitignore: bool,
    /// Do not apply the built-in patterns (node_modules, target, *.log, ...)
    #[arg(long)]
    pub no_default_ignore: bool,
    /// Restart for a save that changed no byte, too
    #[arg(long)]
    pub no_gate: bool,
}

/// What is kept of the apps' lines.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Log files")]
pub struct LogArgs {
    /// File for standard output, or NULL for none [default: none; prod: NAME-out.log in $PMDEV_HOME/logs]
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<String>,
    /// File for standard error, or NULL for none [default: none; prod: NAME-error.log in $PMDEV_HOME/logs]
    #[arg(short = 'e', long, value_name = "FILE")]
    pub error: Option<String>,
    /// File for both [default: none; without FILE: NAME.log in $PMDEV_HOME/logs]
    #[arg(short = 'l', long, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
    pub log: Option<String>,
    /// All instances of an app write into the same files, and have no number in their names
    #[arg(long)]
    pub merge_logs: bool,
    /// Write a line as it is (raw) or as a JSON object (json)
    #[arg(long, value_name = "TYPE", value_parser = ["raw", "json"])]
    pub log_type: Option<String>,
    /// The time before each line of a log file, in day.js tokens; --time sets it for the terminal as well
    #[arg(long, value_name = "FORMAT")]
    pub log_date_format: Option<TimestampFormat>,
    /// Keep and show nothing of what the apps print
    #[arg(long)]
    pub disable_logs: bool,
}

/// What the terminal shows.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Give our standard input to the app (--stdin), or to one of several (--stdin=NAME)
    #[arg(long, value_name = "APP", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub stdin: Option<String>,
    /// The lines of apps as they are, without names before them
    #[arg(long)]
    pub raw: bool,
    /// The time before each line, here and in log files, in day.js tokens
    #[arg(long, visible_alias = "time", value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub timestamp: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Of our own words, warnings and errors alone
    #[arg(short = 'q', visible_short_alias = 's', long, visible_alias = "silent")]
    pub quiet: bool,
    /// No colours, and do not ask apps for any
    #[arg(long)]
    pub no_color: bool,
    /// Tell about every changed file why it did or did not restart an app
    #[arg(long)]
    pub explain: bool,
}

fn poll(text: &str) -> Result<PollMode, String> {
    if text.is_empty() {
        return Ok(PollMode::Always(None));
    }
    // As the key takes it.
    match config::milliseconds(text)? {
        interval if interval < config::LEAST_SPAN => Err(format!("it takes {} or more", HumanDuration(config::LEAST_SPAN))),
        interval => Ok(PollMode::Always(Some(interval))),
    }
}

/// What `start` is asked for, and `check` is asked about: the targets, what stood after `--`, and the options of both.
pub fn request(targets: Vec<OsString>, script_args: Vec<OsString>, options: RunArgs) -> Request {
    let mut request = Request { targets, script_args, ..Request::default() };
    let RunArgs { app, restarts, watch, logs, rare } = options;
    app.apply(&mut request);
    restarts.apply(&mut request);
    rare.apply(&mut request);
    watch.apply(&mut request);
    logs.apply(&mut request);
    request
}

impl LogArgs {
    /// Writes these options into a request.
    pub fn apply(self, request: &mut Request) {
        request.logs = LogRequest {
            out: self.output,
            error: self.error,
            combined: self.log,
            merge: self.merge_logs,
            json: self.log_type.map(|kind| kind == "json"),
            timestamp: self.log_date_format,
            disabled: self.disable_logs,
        };
    }
}

impl AppArgs {
    /// Writes these options into a request.
    pub fn apply(self, request: &mut Request) {
        request.names = self.names;
        request.cwd = self.cwd;
        request.flags.extend(self.instances);
        request.interpreter = self.interpreter;
        request.interpreter_args = self.interpreter_args;
        request.env_files = self.env_files;
        request.only = self.only;
        request.env_name = self.env_name;
        request.kill_signal = self.kill_signal;
        request.kill_timeout = self.kill_timeout;
        request.profile = if self.prod { Some("prod".to_owned()) } else { self.profile };
    }
}

impl WatchArgs {
    /// Writes these options into a request.
    pub fn apply(self, request: &mut Request) {
        let arg = |value: String| if value.is_empty() { WatchArg::Default } else { WatchArg::List(value) };
        request.watch = self.watch.into_iter().map(arg).collect();
        request.ignore_watch = self.ignore_watch.into_iter().map(arg).collect();
        request.no_watch = self.no_watch;
        request.ext = self.ext;
        request.watch_delay = self.watch_delay;
        request.poll = if self.no_poll { Some(PollMode::Never) } else { self.poll };
        request.no_gitignore = self.no_gitignore;
        request.no_default_ignore = self.no_default_ignore;
        request.no_gate = self.no_gate;
    }
}

/// `pmdev --watch app.js`: without a TARGET, the last value of an option that may stand without one was the TARGET. A value written with `=`
/// stays a value.
pub fn give_back_target(
    watch: &mut WatchArgs,
    logs: &mut LogArgs,
    has_target: bool,
    matches: &ArgMatches,
    args: &[OsString],
) -> Option<OsString> {
    if has_target {
        return None;
    }
    let free = |flags: &[&str], value: &str| {
        let written = |arg: &OsString| flags.iter().any(|flag| *arg == *format!("{flag}={value}")) || *arg == *format!("-l{value}");
        !value.is_empty() && !args.iter().any(written)
    };
    let last = |id: &str, flags: &[&str], values: &[String]| {
        let found = matches.indices_of(id)?.zip(values).enumerate();
        found.filter(|(_, (_, value))| free(flags, value)).map(|(at, (index, _))| (index, at)).max()
    };
    let log = logs.log.clone().map(|value| vec![value]).unwrap_or_default();
    let candidates = [
        (last("watch", &["--watch"], &watch.watch), 0),
        (last("ignore_watch", &["--ignore-watch"], &watch.ignore_watch), 1),
        (last("log", &["--log", "-l"], &log), 2),
    ];
    let ((_, at), which) = candidates.into_iter().filter_map(|(found, which)| Some((found?, which))).max()?;
    let value = match which {
        0 => &mut watch.watch[at],
        1 => &mut watch.ignore_watch[at],
        _ => logs.log.as_mut()?,
    };
    Some(std::mem::take(value).into())
}
