//! `pmdev why`.

mod crash;
mod paths;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    cli::{
        args::WatchArgs,
        host, print,
        reach::{ReachArgs, Reached},
    },
    config::{self, Request},
    control::{AppWhy, DecisionView, PathWhy, Reply, Request as Asked},
    model::Error,
    ui::clean::clean,
};

use paths::Told;

/// How many of the last decisions are shown with an app.
const LAST: usize = 5;

/// Decisions that leave a crash capsule, where an app keeps them.
const FAILURES: [&str; 4] = ["crashed", "errored", "launch_failed", "backoff"];

/// Tell why apps are as they are, or which rule watches or ignores a path; nothing is started
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Why {
    /// Apps by name, or files and folders, which need not exist; ./NAME is the file where an app is called so [default: the last decisions of the runner]
    #[arg(value_name = "PATH|APP")]
    pub paths: Vec<PathBuf>,
    /// What `pmdev start` would be given, instead of what runs; repeatable [default: what the folder is made to run]
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// Folder the apps would run in
    #[arg(long, value_name = "FOLDER")]
    pub cwd: Option<PathBuf>,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  pmdev why                                       what has the runner decided lately?
  pmdev why api                                   why is this app as it is, and why did it last restart, or fail?
  pmdev why src/app.log                           is this file watched, and which rule says so?
  pmdev why dist/main.js --target dist/main.js    the same for an app that would run from dist
  pmdev why notes.md --ext js,json                with the options of a start";

/// What is shown of paths: from where they count.
struct Place<'a> {
    cwd: &'a Path,
    json: bool,
}

impl Why {
    /// Prints a line for each path and app that might watch it, a paragraph for each app that is asked about, or the last decisions.
    pub fn run(self) -> Result<u8, Error> {
        if self.paths.is_empty() {
            return self.decisions();
        }
        let host = host::host(false)?;
        let place = Place { cwd: &host.cwd, json: self.json };
        let mut request = Request { targets: self.targets, cwd: self.cwd, ..Request::default() };
        self.watch.apply(&mut request);
        // Options of a start ask about one that is still to come.
        let is_start = request != Request::default();
        let runner = if is_start { None } else { runner(&self.reach)? };
        let mut shown = String::new();
        let mut paths = Vec::new();
        for asked in &self.paths {
            let exists = config::absolute(&host.cwd, asked).exists();
            let (word, now) = (asked.to_str(), Timestamp::now());
            let mut apps = word.zip(runner.as_ref()).map(|(word, runner)| apps(word, runner)).unwrap_or_default();
            // Apps are often called as their folder is; of what is there, only a name is taken for one.
            apps.retain(|(app, _)| !exists || word == Some(&app.app));
            let name = word.filter(|_| !exists);
            for (app, decisions) in &apps {
                let failed = decisions.iter().any(|decision| FAILURES.contains(&decision.action.as_str()));
                let none = || (failed && !self.json).then(|| crash::none(&app.app, &host));
                let crash = crash::kept(&app.app, &host, now, self.json).or_else(none);
                shown.push_str(&place.app(app, decisions, crash));
            }
            if apps.is_empty() {
                match name.and_then(|name| crash::answer(name, &request, &host, self.json, now)) {
                    Some(answer) => shown.push_str(&answer),
                    None => paths.push(asked),
                }
            }
        }
        if !paths.is_empty() {
            let told = paths::ask(&paths, runner.as_ref(), self.reach.runner.is_some(), &request, &host)?;
            told.iter().for_each(|told| shown.push_str(&place.path(told)));
        }
        print(shown.as_bytes());
        Ok(0)
    }

    /// What the runner has decided lately.
    fn decisions(&self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let place = Place { cwd: &std::env::current_dir().unwrap_or_default(), json: self.json };
        if let Reply::Why { decisions, .. } = runner.answer(Asked::Why { targets: Vec::new(), paths: Vec::new() })? {
            let lines: String = decisions.iter().map(|decision| place.decision(decision)).collect();
            let text = if lines.is_empty() && !self.json { "Nothing has been decided yet\n".to_owned() } else { lines };
            print(text.as_bytes());
        }
        Ok(0)
    }
}

/// The runner that is meant, where there is one: questions are answered without one as well, so several are none.
fn runner(reach: &ReachArgs) -> Result<Option<Reached>, Error> {
    if reach.runner.is_some() { reach.find() } else { Ok(reach.find().unwrap_or_default()) }
}

/// Why the apps of the runner that a word names are as they are, and what was decided about each lately.
fn apps(word: &str, runner: &Reached) -> Vec<(AppWhy, Vec<DecisionView>)> {
    let Ok(Reply::Why { apps, decisions, .. }) = runner.answer(Asked::Why { targets: vec![word.to_owned()], paths: Vec::new() }) else {
        return Vec::new();
    };
    let about = |app: &AppWhy| decisions.iter().filter(|decision| decision.app.as_deref() == Some(&app.app)).cloned().collect();
    apps.iter().map(|app| (app.clone(), about(app))).collect()
}

impl Place<'_> {
    fn path(&self, told: &Told) -> String {
        if self.json {
            return told.objects().iter().map(object).collect();
        }
        let last = |answer: &PathWhy| answer.last.as_ref().map(|last| format!("  last: {}", self.decision(last))).unwrap_or_default();
        told.sentences(self.cwd, last)
    }

    fn app(&self, app: &AppWhy, decisions: &[DecisionView], crash: Option<String>) -> String {
        let decisions = &decisions[decisions.len().saturating_sub(LAST)..];
        if self.json {
            let crash = crash.and_then(|crash| serde_json::from_str::<serde_json::Value>(&crash).ok());
            let AppWhy { app, states, starts, waits } = app;
            return object(&serde_json::json!({
                "app": app, "states": states, "starts": starts, "waits": waits, "decisions": decisions, "crash": crash
            }));
        }
        let sentences = app.states.iter().chain(&app.starts).chain(&app.waits).map(|sentence| format!("{}\n", clean(sentence)));
        let lines = decisions.iter().map(|decision| format!("  {}", self.decision(decision)));
        sentences.chain(lines).collect::<String>() + &crash.unwrap_or_default()
    }

    /// `18:37:09 api  src/api.js changed: api restarts`.
    fn decision(&self, decision: &DecisionView) -> String {
        if self.json {
            return object(decision);
        }
        let time = Timestamp::from_millisecond(decision.at).unwrap_or(Timestamp::UNIX_EPOCH);
        let format =
            if Timestamp::now().duration_since(time) < jiff::SignedDuration::from_hours(24) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        let generation = decision.generation.map(|generation| format!(", generation {generation}")).unwrap_or_default();
        format!("{} {}{generation}\n", time.to_zoned(TimeZone::system()).strftime(format), clean(&decision.text))
    }
}

fn object(answer: &impl serde::Serialize) -> String {
    serde_json::to_string(answer).expect("texts and numbers always serialize") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_a_line() {
        let decision = DecisionView {
            at: 1_764_100_000_000,
            app: Some("api".into()),
            generation: Some(3),
            action: "restart".into(),
            rule: None,
            files: vec!["/p/a.js".into()],
            text: "a.js changed: api restarts".into(),
        };
        let line = Place { cwd: Path::new("/p"), json: false }.decision(&decision);
        assert!(line.starts_with("2025-11-2") && line.ends_with(" a.js changed: api restarts, generation 3\n"), "{line}");
    }
}
