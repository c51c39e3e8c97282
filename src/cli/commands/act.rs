//! The verbs that act on apps of a runner: `stop`, `restart`, `reload`, `delete`, `reset`.

use std::{
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use clap::Args;

use crate::{
    cli::{
        background::{self, Telling},
        change::ChangeArgs,
        host, print,
        reach::{ReachArgs, Reached},
        warn,
    },
    config,
    control::{Action, Hello, How, InstanceView, Reply, Request, Shown, Update},
    model::{Error, HumanDuration},
    ui::list::called,
};

/// What a verb acts on, and how. Each verb hides what it has no use for, which scripts may give it all the same.
#[derive(Debug, Args)]
pub struct Act {
    /// Names, ids, `name:instance`, namespaces, scripts, project files, /regexes/, all, or - for JSON through standard input
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Answer at once, not when it is done
    #[arg(long)]
    pub no_wait: bool,
    /// The instances as they are then, as JSON
    #[arg(long)]
    pub json: bool,
    /// Say nothing where all went well, as PM2 has it
    #[arg(short, long, hide = true)]
    pub silent: bool,
    /// Watch the files from now on; where they are watched: no more
    #[arg(long)]
    pub watch: bool,
    /// In the background: with the environment of this shell
    #[arg(long)]
    pub update_env: bool,
    /// Of project files: these apps alone, with commas between; repeatable
    #[arg(long, value_name = "NAMES")]
    pub only: Vec<String>,
    /// Of project files, in the background: lay env_NAME on top
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What `stop --help` ends with.
pub const STOP: &str = "\
No save starts them any more; start and restart do, and then their files are watched as before.

Examples:
  pmdev stop api                        by name
  pmdev stop 0 2                        by id
  pmdev stop api:1                      one instance of several
  pmdev stop ecosystem.config.js        the apps of a project file
  pmdev stop /^worker-/                 a regex
  pmdev stop all --no-wait              everything, without waiting for it";

/// What `restart --help` ends with.
pub const RESTART: &str = "\
What is stopped is started. A project file in the background is read anew, and what is missing of it is started.

Examples:
  pmdev restart api                     by name
  pmdev restart 0 2                     by id
  pmdev restart backend                 a namespace
  pmdev restart api --watch             and watch its files from now on, or no more
  pmdev restart api --update-env        in the background: with the variables of this shell
  pmdev restart api --cron \"0 4 * * *\"  in the background: and every night at four from now on
  pmdev restart ecosystem.config.js --only api,web --env production";

/// What `reload --help` ends with.
pub const RELOAD: &str = "\
Workers of cluster mode overlap: each has a successor that is ready before it goes, and no connection is lost. In fork mode, where both could not have the port, it is a restart.

Examples:
  pmdev reload api                      by name
  pmdev reload api:1                    one instance of several
  pmdev reload all                      everything
  pmdev reload ecosystem.config.js      the apps of a project file; what is missing is started";

/// What `delete --help` ends with.
pub const DELETE: &str = "\
What a project file says comes back with the next start of it.

Examples:
  pmdev delete api                      by name
  pmdev delete 0 2                      by id
  pmdev delete ecosystem.config.js      the apps of a project file
  pmdev delete all                      everything; a runner in the background stays, and pmdev kill ends it";

/// What `reset --help` ends with.
pub const RESET: &str = "\
Restarts and unstable restarts are counted from 0 again. Nothing is stopped.

Examples:
  pmdev reset api                       by name
  pmdev reset all                       everything";

impl Act {
    /// Does it, and says how it went.
    pub fn run(self, action: Action) -> Result<u8, Error> {
        if let Some(code) = self.by_files(action)? {
            return Ok(code);
        }
        if let (Some(name), Some(_)) = (&self.env, replacing(action)) {
            warn(format!(
                "--env {name} changes nothing here: it is for project files in the background, as in pmdev restart ecosystem.config.js --env {name}"
            ));
        }
        let runner = self.reach.need().map_err(|error| self.with_missing(error))?;
        let targets = self.words(&runner)?;
        let options = if replacing(action).is_some() { self.change.words() } else { Vec::new() };
        if let (Some(option), false) = (options.first(), runner.hello.background) {
            let option = option.split('=').next().unwrap_or(option);
            return Err(Error::usage(format!(
                "{option} changes apps in the background, and {} {} run by the runner {}",
                self.targets.join(", "),
                if self.targets.len() == 1 { "is" } else { "are" },
                runner.hello.place()
            ))
            .hint("edit their project file, which acts at once; or end the runner, and start it with the option"));
        }
        if self.watch {
            self.toggle_watch(action, targets.clone(), &runner)?;
        }
        if let (Some(how), true) = (replacing(action), runner.hello.background)
            && (self.update_env || !options.is_empty())
        {
            return self.update(how, targets, options, &runner);
        }
        let reply = runner.answer(Request::Act { action, targets, wait: !self.no_wait }).map_err(|error| self.with_missing(error))?;
        if let (Reply::Done { instances, took_ms }, false) = (reply, self.silent && !self.json) {
            let text = if self.json { json(&instances) } else { sentence(action, &instances, &self.targets, took_ms, self.no_wait) };
            print(text.as_bytes());
        }
        Ok(0)
    }

    /// A failure that names project files which are not there.
    fn with_missing(&self, error: Error) -> Error {
        let is_missing = |word: &&String| config::is_project_file(Path::new(word)) && !Path::new(word).exists();
        let missing: Vec<&str> = self.targets.iter().filter(is_missing).map(String::as_str).collect();
        match missing.as_slice() {
            [] => error,
            [one] => error.because(format!("there is no file {one} here")),
            several => error.because(format!("there are no files {} here", several.join(", "))),
        }
    }

    /// Restart and reload of project files start what is missing, in the background.
    fn by_files(&self, action: Action) -> Result<Option<u8>, Error> {
        let Some(how) = replacing(action) else { return Ok(None) };
        let is_file = |word: &String| word == "-" || background::is_project_file(word);
        if !self.targets.iter().any(is_file) {
            return Ok(None);
        }
        // The runner of a folder has its file already; one elsewhere is not meant, nor is one of several.
        let is_of_folder = match self.reach.runner {
            Some(_) => self.reach.find()?.is_some_and(|runner| !runner.hello.background),
            None => self.reach.find().is_ok_and(|found| found.is_some_and(|runner| has_one(&runner.hello, &self.targets))),
        };
        if is_of_folder {
            return Ok(None);
        }
        if let Some(word) = self.targets.iter().find(|word| !is_file(word)) {
            return Err(Error::usage(format!("{word} is no project file, and the others are"))
                .hint("act on project files and on apps one after the other"));
        }
        let only = self.only.iter().flat_map(|names| ["--only".to_owned(), names.clone()]);
        let env = self.env.iter().flat_map(|name| ["--env".to_owned(), name.clone()]);
        let telling = Telling { silent: self.silent, json: self.json };
        let words = self.targets.iter().cloned().chain(only).chain(env).chain(self.change.words()).collect();
        super::background::hand_over(words, how, !self.no_wait, telling).map(|_| Some(0))
    }

    /// Restart and reload with the environment of this shell, or with other options.
    fn update(&self, how: How, targets: Vec<String>, options: Vec<String>, runner: &Reached) -> Result<u8, Error> {
        let env = self.update_env.then(background::environment);
        let request = Request::Update(Update { how, targets, env, options, wait: !self.no_wait });
        background::ask(runner, request, Telling { silent: self.silent, json: self.json })?;
        Ok(0)
    }

    /// The targets as the runner knows them; `-` is the apps of a project file that comes through standard input.
    fn words(&self, runner: &Reached) -> Result<Vec<String>, Error> {
        let only: Vec<&str> = self.only.iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect();
        if !only.is_empty() {
            return self.only_of_files(&only, runner);
        }
        let mut words: Vec<String> = self.targets.iter().filter(|word| *word != "-").map(|word| target_word(word)).collect();
        if words.len() < self.targets.len() {
            words.extend(names_of_standard_input()?);
        }
        Ok(words)
    }

    /// The apps of project files that `--only` picks, as far as the runner has them from those files.
    fn only_of_files(&self, only: &[&str], runner: &Reached) -> Result<Vec<String>, Error> {
        let mut known = Vec::new();
        for word in &self.targets {
            known.extend(match word.as_str() {
                "-" => names_of_standard_input()?,
                file if background::is_project_file(file) => config::app_names(Path::new(file), &host::host(false)?)?,
                other => {
                    return Err(Error::usage(format!("--only picks apps of project files, and {other} is none"))
                        .hint(format!("name the apps themselves: {}", only.join(" "))));
                }
            });
        }
        if let Some(unknown) = only.iter().find(|name| !known.iter().any(|app| app == *name)) {
            return Err(Error::failed(format!("{unknown} is no app of {}; it has {}", self.targets.join(", "), known.join(", "))));
        }
        if !self.targets.iter().any(|word| word == "-") {
            let its = runner.instances(&self.targets, Shown::default())?;
            if let Some(other) = only.iter().find(|name| !its.iter().any(|view| view.name == **name)) {
                return Err(Error::failed(format!("{other} of {} is no app of this runner", self.targets.join(", "))));
            }
        }
        Ok(only.iter().map(ToString::to_string).collect())
    }

    /// `--watch` as PM2 has it.
    fn toggle_watch(&self, action: Action, targets: Vec<String>, runner: &Reached) -> Result<(), Error> {
        let on = match action {
            Action::Restart | Action::Reload => None,
            Action::Stop => Some(false),
            Action::Start | Action::Delete | Action::Reset => return Ok(()),
        };
        let reply = runner.answer(Request::Watch { targets, on })?;
        if let (Reply::Done { instances, .. }, false) = (reply, self.json || self.silent) {
            let mut told = Vec::new();
            for view in instances.iter().filter(|view| view.instance == 0) {
                told.push(format!("{} is {} from now on\n", view.name, if view.watching { "watched" } else { "not watched" }));
            }
            print(told.concat().as_bytes());
        }
        Ok(())
    }
}

/// The apps of the project file that comes through standard input.
fn names_of_standard_input() -> Result<Vec<String>, Error> {
    let failed = |error: io::Error| Error::failed("Standard input could not be kept").because(error);
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().map_err(failed)?;
    file.write_all(background::standard_input()?.as_bytes()).map_err(failed)?;
    config::app_names(file.path(), &host::host(false)?)
}

/// Whether a runner of a folder has one of these files.
fn has_one(hello: &Hello, words: &[String]) -> bool {
    let is_its = |word: &String| hello.files.contains(&target_word(word));
    !hello.background && words.iter().any(is_its)
}

/// How apps are replaced, where an action does that.
fn replacing(action: Action) -> Option<How> {
    match action {
        Action::Restart => Some(How::Restart),
        Action::Reload => Some(How::Reload),
        Action::Start | Action::Stop | Action::Delete | Action::Reset => None,
    }
}

/// A script is named by its path, which counts from here.
pub fn target_word(word: &str) -> String {
    let path = Path::new(word);
    let is_file = !word.starts_with('/') && path.is_file();
    match std::path::absolute(path) {
        Ok(absolute) if is_file => absolute.to_string_lossy().into_owned(),
        Ok(_) | Err(_) => word.to_owned(),
    }
}

/// Instances as one JSON document.
pub fn json(instances: &[InstanceView]) -> String {
    format!("{:#}\n", serde_json::json!(instances))
}

fn sentence(action: Action, instances: &[InstanceView], targets: &[String], took_ms: u64, asked_only: bool) -> String {
    let took = HumanDuration(Duration::from_millis(took_ms));
    let (done, doing) = match action {
        Action::Start => ("online", "being started"),
        Action::Stop => ("stopped", "being stopped"),
        Action::Restart => ("online again", "being restarted"),
        Action::Reload => ("reloaded", "being reloaded"),
        Action::Delete => ("gone", "being deleted"),
        Action::Reset => ("", ""),
    };
    // What has ended meanwhile, as it should, is not online.
    let comes_up = matches!(action, Action::Start | Action::Restart | Action::Reload) && !asked_only;
    let (there, others): (Vec<_>, Vec<_>) = instances.iter().partition(|view| !comes_up || view.status == "online");
    let names = if instances.is_empty() { targets.to_vec() } else { there.into_iter().map(called).collect::<Vec<_>>() };
    if action == Action::Reset {
        return format!("the counters of {} start afresh\n", names.join(", "));
    }
    let (is, all) = (if names.len() == 1 { "is" } else { "are" }, names.join(", "));
    let first = match (names.is_empty(), asked_only) {
        (true, _) => String::new(),
        (false, true) => format!("{all} {is} {doing}\n"),
        (false, false) => format!("{all} {is} {done} (in {took})\n"),
    };
    others.into_iter().fold(first, |text, view| format!("{text}{} is {}\n", called(view), view.status))
}
