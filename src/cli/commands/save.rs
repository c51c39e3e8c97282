//! `pmdev save`, `resurrect` and `cleardump`: the list of the background runner outlives it.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use clap::Args;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{act, background::dump_files};
use crate::{
    cli::{
        background::{self, Telling},
        print, warn,
    },
    control::{Reply, Request, Saved, endpoint::private_folder},
    model::Error,
};

/// The version of the file; a change that an older pmdev would misread makes the next one.
const VERSION: u32 = 1;

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Dump {
    version: u32,
    runs: Vec<Saved>,
}

/// Keep the list of the background runner, for resurrect
#[derive(Debug, Args)]
#[command(
    after_help = "The list is kept in $PMDEV_HOME/dump.pmdev, for this user alone, and the one before in dump.pmdev.bak. Values of variables that look like secrets are not \
written down; resurrect takes them from its own environment. What env files and project files say is read again."
)]
pub struct Save {
    /// Keep an empty list as well
    #[arg(long, short = 'f')]
    pub force: bool,
    /// What was kept, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Start what save has kept, and does not run yet
#[derive(Debug, Args)]
pub struct Resurrect {
    /// The instances, as JSON
    #[arg(long)]
    pub json: bool,
    /// Answer at once, not when all are online
    #[arg(long)]
    pub no_wait: bool,
}

/// Forget what save has kept
#[derive(Debug, Args)]
pub struct Cleardump {
    /// The files that were removed, as JSON
    #[arg(long)]
    pub json: bool,
}

impl Save {
    /// Writes it.
    pub fn run(self) -> Result<u8, Error> {
        let runner = background::find()?.ok_or_else(|| {
            Error::no_runner("No background runner is there, so there is no list to keep")
                .hint("start apps in the background: pmdev start -d")
        })?;
        let Reply::Saved { runs, left_out } = runner.answer(Request::Save)? else {
            return Err(Error::failed("The background runner answered something else"));
        };
        let count: usize = runs.iter().map(|saved| saved.apps.len()).sum();
        if count == 0 && !self.force {
            let error = Error::failed("The background runner has no apps to keep; the list of before stays")
                .hint("to keep an empty list: pmdev save --force");
            return Err(left_out.into_iter().fold(error, Error::because));
        }
        let [file, before] = dump_files()?;
        let dump = Dump { version: VERSION, runs };
        write(&dump, &file, &before).map_err(|error| Error::failed(format!("{} could not be written", file.display())).because(error))?;
        if self.json {
            print(format!("{:#}\n", serde_json::json!(dump.runs)).as_bytes());
        } else {
            let apps = if count == 1 { "app is" } else { "apps are" };
            print(format!("{count} {apps} kept in {}\n", file.display()).as_bytes());
            for saved in dump.runs.iter().filter(|saved| !saved.secrets.is_empty()) {
                let names = (saved.apps.join(", "), saved.secrets.join(", "));
                print(
                    format!("{}: the values of {} are not written down; resurrect takes them from its environment\n", names.0, names.1)
                        .as_bytes(),
                );
            }
        }
        let code = u8::from(!left_out.is_empty());
        left_out.into_iter().for_each(warn);
        Ok(code)
    }
}

/// Writes it beside, then renames: there is always a whole one.
fn write(dump: &Dump, file: &Path, before: &Path) -> io::Result<()> {
    private_folder(file.parent().unwrap_or(Path::new("/"))).map_err(io::Error::other)?;
    // A name of its own, since another save may be at it as well.
    let mut new = NamedTempFile::new_in(file.parent().unwrap_or(Path::new("/")))?;
    new.write_all(format!("{:#}\n", serde_json::json!(dump)).as_bytes())?;
    new.as_file().sync_all()?;
    match fs::rename(file, before) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

impl Resurrect {
    /// Starts them, one request after the other.
    pub fn run(self) -> Result<u8, Error> {
        let [file, before] = dump_files()?;
        let (dump, doubt) = match read(&file) {
            Ok(dump) => (dump, None),
            Err(error) => match read(&before) {
                Ok(dump) => (dump, Some(format!("{error}; {} is taken instead", before.display()))),
                Err(_) => return Err(error.hint("keep a list first: pmdev save")),
            },
        };
        doubt.into_iter().for_each(warn);
        let runner = background::need()?;
        let own = background::environment();
        let (mut all, mut failed, mut told) = (Vec::new(), Vec::new(), Vec::new());
        // All of them with each request: an app that an edit has made larger takes no id of a later one.
        let ids: Vec<_> = dump.runs.iter().flat_map(|saved| saved.run.ids.clone()).collect();
        let telling = Telling { silent: self.json, json: false };
        for Saved { mut run, apps, secrets } in dump.runs {
            run.ids.clone_from(&ids);
            run.env.extend(own.iter().filter(|(name, _)| secrets.contains(name)).cloned());
            let unset: Vec<&str> = secrets.iter().filter(|name| !run.env.iter().any(|(own, _)| own == *name)).map(String::as_str).collect();
            if !unset.is_empty() {
                let are = if unset.len() == 1 { "is" } else { "are" };
                warn(format!("{}: {} {are} not set here, and their values were not written down", apps.join(", "), unset.join(", ")));
            }
            match background::ask_after(&runner, Request::Run { run: Box::new(run), wait: !self.no_wait }, telling, &mut told) {
                Ok(instances) => all.extend(instances),
                Err(error) => failed.push(failure(&apps, &error)),
            }
        }
        if self.json {
            print(act::json(&all).as_bytes());
        }
        if failed.is_empty() { Ok(0) } else { Err(Error::failed(failed.join("\n"))) }
    }
}

/// What became of a request that failed. What is wrong with it has started nothing of it.
fn failure(apps: &[String], error: &Error) -> String {
    let names = apps.join(", ");
    let were = if apps.len() == 1 { "was" } else { "were" };
    let what = if error.exit_code() == 2 { format!("{names} {were} not started: {error}") } else { format!("{names}: {error}") };
    what.lines().chain(error.hint.iter().flat_map(|hint| hint.lines())).collect::<Vec<_>>().join("\n")
}

fn read(file: &Path) -> Result<Dump, Error> {
    let text = fs::read_to_string(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::failed(format!("{} is not there", file.display())),
        _ => Error::failed(format!("{} could not be read", file.display())).because(error),
    })?;
    let broken = |error: &dyn std::fmt::Display| Error::failed(format!("{} is broken", file.display())).because(error);
    let dump: Dump = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    if dump.version != VERSION {
        Err(broken(&format!("its version is {}, and this pmdev knows {VERSION}", dump.version)))
    } else {
        Ok(dump)
    }
}

impl Cleardump {
    /// Removes both.
    pub fn run(self) -> Result<u8, Error> {
        let mut removed = Vec::new();
        for file in dump_files()? {
            match fs::remove_file(&file) {
                Ok(()) => removed.push(file),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::failed(format!("{} could not be removed", file.display())).because(error)),
            }
        }
        let text = if self.json { format!("{:#}\n", serde_json::json!(removed)) } else { "nothing is kept any more\n".to_owned() };
        print(text.as_bytes());
        Ok(0)
    }
}
