//! The background runner: itself, and what only it is asked.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory as _};

use crate::{
    cli::{
        Cli,
        background::{self, Telling},
        commands::{Verb, start::Start},
        failure, host, parse,
        reach::Reached,
    },
    config,
    control::{How, InstanceView, Request},
    model::Error,
    process::guard,
    runtime::{self, Options, Output, background::Background as Marks},
    watch,
};

pub use crate::cli::background::VERB;

/// Runs as the background runner; started by `start -d` and `resurrect`.
#[derive(Debug, Args)]
pub struct Background {}

impl Background {
    /// Runs until it is killed.
    pub fn run(self) -> Result<u8, Error> {
        let failed = |error: std::io::Error| Error::failed("A session of its own cannot be made").because(error);
        rustix::process::setsid().map_err(|errno| failed(errno.into()))?;
        let folders = background::folders()?;
        let ended = |runner, exit| background::killed(runner, exit).iter().for_each(|notice| runtime::note(&folders.home, notice));
        let place =
            guard::enter(ended).map_err(|error| Error::failed("The process that guards the runner could not be made").because(error))?;
        // It is started by its image, which has no name but `exe`.
        guard::name_process(c"pmdev");
        let host = host::host(false)?;
        let background = Some(Marks { read, home: folders.home.clone(), host: host.clone() });
        runtime::run(Options {
            resolved: config::Resolved::default(),
            read_at: watch::stamp(),
            request: config::Request::default(),
            host,
            output: Output::default(),
            stdin: None,
            explain: false,
            folders: Some(folders),
            turn: None,
            guard_death: place.guard_death,
            manager: None,
            background,
        })
    }
}

/// Reads the words of a request as the command line does.
fn read(words: &[String]) -> Result<config::Request, Error> {
    let args = ["pmdev", "start"].map(OsString::from).into_iter().chain(words.iter().map(OsString::from)).collect();
    match parse(args) {
        Ok(Cli { verb: Verb::Start(start) }) => Ok(start.request().0),
        Ok(_) | Err(failure::Stop::Text(_)) => Err(Error::usage(format!("{} does not say what to run", words.join(" ")))),
        Err(failure::Stop::Error(error)) => Err(error),
    }
}

impl Start {
    /// Has the background runner run it; what comes of it is told.
    pub fn hand_over(self, how: How) -> Result<u8, Error> {
        let telling = Telling { silent: self.output.quiet, json: self.output.json };
        let instances = hand_over(background::typed(&Cli::command())?, how, !self.no_wait, telling)?;
        if !self.attach || instances.is_empty() {
            return Ok(0);
        }
        show_lines(&instances, &background::need()?)
    }
}

/// Shows what these instances say from then on, until it is interrupted.
///
/// # Errors
/// As those of `logs`.
pub fn show_lines(instances: &[InstanceView], runner: &Reached) -> Result<u8, Error> {
    let mut words = vec!["pmdev".to_owned(), "logs".to_owned()];
    words.extend(instances.iter().map(|view| view.pm_id.to_string()));
    words.extend(["--runner".to_owned(), runner.socket.to_string_lossy().into_owned()]);
    match parse(words.into_iter().map(OsString::from).collect()) {
        Ok(cli) => cli.verb.run(),
        Err(failure::Stop::Error(error)) => Err(error),
        Err(failure::Stop::Text(_)) => Ok(0),
    }
}

/// Has the background runner run what these words after `start` say.
///
/// # Errors
/// It is refused, or an app did not come online.
pub fn hand_over(words: Vec<String>, how: How, wait: bool, telling: Telling) -> Result<Vec<InstanceView>, Error> {
    let run = background::run(words, how)?;
    let runner = match background::find()? {
        Some(runner) => runner,
        None => {
            // A mistake leaves no runner behind that nobody asked for.
            if run.stdin.is_none() {
                config::resolve(&config::Request { background: true, ..read(&run.args)? }, &host::host(false)?)?;
            }
            background::need()?
        }
    };
    background::ask(&runner, Request::Run { run: Box::new(run), wait }, telling)
}

/// The dump of this home, and the one before it.
pub fn dump_files() -> Result<[PathBuf; 2], Error> {
    let home = background::folders()?.home;
    Ok(["dump.pmdev", "dump.pmdev.bak"].map(|name| home.join(name)))
}
