//! `pmdev start`.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::Path,
};

use clap::{Args, CommandFactory as _};

use crate::{
    boot::Manager,
    cli::{
        Cli,
        args::{self, OutputArgs, RunArgs},
        background,
        change::ChangeArgs,
        commands::{act::Act, background::show_lines, second},
        host,
        reach::{ReachArgs, Reached},
        tell,
    },
    config,
    control::{Action, Folders, How, InstanceView, Reply, Request, endpoint::Turn},
    model::{AppSpec, Error, Level, Notice, NoticeKind, timestamp},
    process::guard,
    runtime::{self, Options, Output},
    ui::Style,
    watch,
};

/// Run apps in this terminal, and restart them the moment a save settles
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "pmdev start [TARGET]... [OPTIONS] [-- ARGS]\n       pmdev [TARGET]... [OPTIONS] [-- ARGS]")]
pub struct Start {
    /// Project files, scripts, programs, folders, apps of the project, command lines in quotes
    #[arg(value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// Arguments for the apps, after `--`
    #[arg(value_name = "ARGS", last = true)]
    pub script_args: Vec<OsString>,
    /// In the background: by the one runner of $PMDEV_HOME, which is started where it is not there, and stays
    #[arg(short = 'd', long)]
    pub detach: bool,
    /// In the background: answer at once, not when all are online
    #[arg(long)]
    pub no_wait: bool,
    /// In the background: show what the apps say from then on, until Ctrl-C, which leaves them running
    #[arg(long)]
    pub attach: bool,
    /// What is named again gets the environment of this shell; what is new has it anyway
    #[arg(short = 'a', long, hide = true)]
    pub update_env: bool,
    #[command(flatten)]
    pub options: RunArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub reach: ReachArgs,
}

const EXAMPLES: &str = "\
A TARGET is a project file, a script (run by its #! line, else by its extension), a program, a folder, an app of the folder's project file, or \
a command line in quotes. Without one, the folder's project file (pmdev.toml, ecosystem.config.js, Procfile, ...) tells what to run, else \
package.json, Cargo.toml, go.mod, manage.py, main.py, app.py, config.ru, mix.exs or deno.json.
Where a runner has apps of these names (ids, namespaces, /regexes/) already, what of them is down is started, and what runs is restarted.
Ctrl-C stops everything, a second one kills it; `rs` and Enter restarts everything, `h` and Enter lists the other keys.

Examples:
  pmdev app.js                              run app.js, restart it on every save below this folder
  pmdev                                     run what the folder is made to run
  pmdev api/index.js web/index.js           two apps, named api-index and web-index
  pmdev \"npm run dev\" worker.py             a command line beside a script
  pmdev app.js --watch src,views --ext js   watch two folders, and in them JavaScript alone
  pmdev app.js --env-file .env -- --port 3  variables from a file, and arguments for app.js
  pmdev start -d app.js                     in the background; pmdev list shows it, pmdev logs its lines
  pmdev server.ts --interpreter bun         another program than the table's
  pmdev --prod app.js                       no watching, restart with backoff";

/// What `startOrRestart --help` ends with.
pub const OR_RESTART: &str = "\
What runs of the TARGETs is restarted, with the environment of this shell; the rest is started.

Examples:
  pmdev startOrRestart ecosystem.config.js                    all apps of the file
  pmdev startOrRestart ecosystem.config.js --only api         one of them
  pmdev startOrRestart ecosystem.config.js --env production   with its env_production";

/// What `startOrReload --help` ends with.
pub const OR_RELOAD: &str = "\
What runs of the TARGETs is reloaded, instance by instance, with the environment of this shell; the rest is started.

Examples:
  pmdev startOrReload ecosystem.config.js                     all apps of the file
  pmdev startOrReload ecosystem.config.js --only api          one of them
  pmdev startOrReload ecosystem.config.js --env production    with its env_production";

impl Start {
    /// Runs the apps to their end; the runner's exit code comes back.
    pub fn run(self) -> Result<u8, Error> {
        if let Some(code) = self.in_runner()? {
            return Ok(code);
        }
        if self.detach {
            return self.hand_over(How::Start);
        }
        // Before any thread and any child exists: from here on this is the runner, and the process that was started guards it, and what a
        // project file in JavaScript starts.
        let ended = |runner, exit| background::killed(runner, exit).iter().for_each(tell);
        let place =
            guard::enter(ended).map_err(|error| Error::failed("The process that guards the runner could not be made").because(error))?;
        let (request, OutputArgs { stdin, raw, timestamp, json, quiet, no_color, explain }) = self.request();
        let terminal = Style::decide(no_color, |name| env::var_os(name), io::stdout().is_terminal());
        let colour = terminal.colour && !json;
        let host = host::host(colour)?;
        let read_at = watch::stamp();
        let mut resolved = config::resolve(&request, &host)?;
        let folders = Folders::find(|name| env::var_os(name));
        // Who starts the same at this moment finds us afterwards.
        let turn = folders.as_ref().map(Turn::take).transpose()?.flatten();
        second::check(&resolved, &host.cwd)?;
        let manager = Manager::of(std::process::id(), |name| env::var_os(name)).unwrap_or_else(|error| {
            resolved.notices.push(untold(&error));
            None
        });
        let stdin = stdin.map(|name| reader(&name, &resolved.apps)).transpose()?;
        let output = Output { json, raw, quiet, timestamp, colour };
        let guard_death = place.guard_death;
        runtime::run(Options {
            resolved,
            read_at,
            request,
            host,
            output,
            stdin,
            explain,
            folders,
            turn,
            guard_death,
            manager,
            background: None,
        })
    }

    /// Where every TARGET names an app of a runner that lives, it is that runner's verb: what is down is started, and what runs is
    /// restarted, as under PM2.
    fn in_runner(&self) -> Result<Option<u8>, Error> {
        let names: Option<Vec<String>> = self.targets.iter().map(|target| target.to_str().map(str::to_owned)).collect();
        let Some(targets) = names.filter(|names| !names.is_empty()) else { return Ok(None) };
        let Some(runner) = self.runner_of_names() else { return Ok(None) };
        let is_path = |target: &String| Path::new(target).exists() && (self.detach || !runner.hello.apps.contains(target));
        if targets.iter().any(is_path) {
            return Ok(None);
        }
        let list = Request::List { targets: targets.clone(), env: false, reveal: false, detail: false };
        let Ok(Reply::List { instances }) = runner.answer(list) else { return Ok(None) };
        let words = background::typed(&Cli::command())?;
        let own = [
            "--detach",
            "-d",
            "--attach",
            "--no-wait",
            "--json",
            "--quiet",
            "-q",
            "--silent",
            "-s",
            "--no-color",
            "--runner",
            "--update-env",
            "-a",
            "--force",
            "-f",
        ];
        let is_own = |word: &str| own.contains(&word.split('=').next().unwrap_or(word));
        if let Some(option) = words.iter().find(|word| word.starts_with('-') && !is_own(word)) {
            let (names, run) = (targets.join(", "), if targets.len() == 1 { "is" } else { "are" });
            return Err(Error::usage(format!(
                "{names} {run} known to the runner {}, and starting changes no options ({option})",
                runner.hello.place()
            ))
            .hint(match ChangeArgs::takes(option) {
                true if runner.hello.background => format!("a restart does: pmdev restart {} {option} ...", targets.join(" ")),
                true | false => format!("edit the file they come from, or begin anew: pmdev delete {}", targets.join(" ")),
            }));
        }
        let is_down = |view: &InstanceView| matches!(view.status.as_str(), "stopped" | "errored" | "crashed");
        let action = if instances.iter().all(is_down) && !self.update_env { Action::Start } else { Action::Restart };
        let code = Act {
            targets,
            no_wait: self.no_wait,
            json: self.output.json,
            silent: self.output.quiet,
            watch: false,
            update_env: self.update_env,
            only: Vec::new(),
            env: None,
            change: ChangeArgs::default(),
            reach: ReachArgs { runner: Some(runner.hello.pid.to_string()) },
        }
        .run(action)?;
        if self.attach { show_lines(&instances, &runner) } else { Ok(code) }.map(Some)
    }

    /// The runner that TARGETs may be names of. With `-d` a project file of this folder is read anew instead.
    fn runner_of_names(&self) -> Option<Reached> {
        let cwd = env::current_dir().ok()?;
        if self.detach {
            return if config::source::discover(&cwd).is_none() { background::find().ok()? } else { None };
        }
        self.reach.find().ok()?.filter(|runner| runner.hello.background || cwd.as_os_str() == runner.hello.cwd.as_str())
    }

    /// What is asked for, and how it shall be shown.
    pub fn request(mut self) -> (config::Request, OutputArgs) {
        let mut request = args::request(self.targets, self.script_args, self.options);
        // PM2's `--time` is about log files. What is wrong with the format is told when the runner starts.
        let (shown, kept) = match self.output.timestamp.as_deref() {
            Some("") => (Some(timestamp::DEFAULT), Some(timestamp::OF_LOG_FILES)),
            typed => (typed, typed),
        };
        request.logs.timestamp = request.logs.timestamp.take().or_else(|| kept?.parse().ok());
        self.output.timestamp = shown.map(str::to_owned);
        (request, self.output)
    }
}

/// The apps run all the same.
fn untold(error: &Error) -> Notice {
    let notice = Notice::new(Level::Warning, NoticeKind::Config, error.to_string());
    Notice { hint: error.hint.clone(), ..notice }
}

/// The app that `--stdin` means.
fn reader(name: &str, apps: &[AppSpec]) -> Result<String, Error> {
    let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    match (name, names.as_slice()) {
        ("", [one]) => Ok((*one).to_owned()),
        ("", several) => Err(Error::usage(format!("--stdin needs the name of one app; there are {}", several.join(", ")))
            .hint(format!("--stdin={}", several[0]))),
        (name, known) if known.contains(&name) => Ok(name.to_owned()),
        (name, known) => Err(Error::usage(format!("--stdin={name} names no app; there is {}", known.join(", ")))),
    }
}
