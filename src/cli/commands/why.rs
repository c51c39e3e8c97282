//! `pmdev why`.

mod crash;

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
    config::{self, Host, Request, Watching},
    control::{ActionView, AppWhy, DecisionView, PathWhy, Reply, Request as Asked},
    model::Error,
    runtime::why,
    ui::clean::clean,
};

/// How many of the last decisions are shown with an app.
const LAST: usize = 5;

/// Decisions that leave a crash capsule, where an app keeps them.
const FAILURES: [&str; 4] = ["crashed", "errored", "launch_failed", "backoff"];

/// Tell why apps are as they are, or which rule watches or ignores a path; nothing is started
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Why {
    /// Files and folders to ask about, which need not exist; or apps by name [default: the last decisions of the runner]
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
            let name = asked.to_str().filter(|_| !config::absolute(&host.cwd, asked).exists());
            let now = Timestamp::now();
            let apps = name.zip(runner.as_ref()).map(|(name, runner)| apps(name, runner)).unwrap_or_default();
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
            // Only a runner that belongs to this folder knows about its files.
            let here = runner.as_ref().filter(|runner| self.reach.runner.is_some() || is_of(runner, &host.cwd));
            let answers = match here {
                Some(runner) => running(&paths, runner, &host)?,
                None => watched(&paths, &request, &host)?,
            };
            answers.iter().for_each(|answer| shown.push_str(&place.path(answer)));
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

/// Whether a runner was started in this folder or above it.
fn is_of(runner: &Reached, cwd: &Path) -> bool {
    !runner.hello.background && cwd.starts_with(&runner.hello.cwd)
}

/// Why the apps of the runner that a word names are as they are, and what was decided about each lately.
fn apps(word: &str, runner: &Reached) -> Vec<(AppWhy, Vec<DecisionView>)> {
    let Ok(Reply::Why { apps, decisions, .. }) = runner.answer(Asked::Why { targets: vec![word.to_owned()], paths: Vec::new() }) else {
        return Vec::new();
    };
    let about = |app: &AppWhy| decisions.iter().filter(|decision| decision.app.as_deref() == Some(&app.app)).cloned().collect();
    apps.iter().map(|app| (app.clone(), about(app))).collect()
}

/// An answer of the runner for each path and app.
fn running(paths: &[&PathBuf], runner: &Reached, host: &Host) -> Result<Vec<PathWhy>, Error> {
    let asked: Vec<String> = paths.iter().map(|path| config::absolute(&host.cwd, path).to_string_lossy().into_owned()).collect();
    let Reply::Why { paths: answers, .. } = runner.answer(Asked::Why { targets: Vec::new(), paths: asked.clone() })? else {
        return Err(Error::failed("The runner answered something that was not asked for"));
    };
    if answers.is_empty() {
        return Err(Error::failed("The runner watches no files").hint("start it with --watch"));
    }
    let typed = |answer: &PathWhy| {
        let at = asked.iter().position(|path| *path == answer.path)?;
        Some(paths[at].to_string_lossy().into_owned())
    };
    Ok(answers.into_iter().map(|answer| PathWhy { path: typed(&answer).unwrap_or_else(|| answer.path.clone()), ..answer }).collect())
}

/// The same by what a start would watch.
fn watched(paths: &[&PathBuf], request: &Request, host: &Host) -> Result<Vec<PathWhy>, Error> {
    let specs = config::resolve_watch(request, host)?;
    if specs.is_empty() {
        return Err(
            Error::usage("Nothing would be watched here: this folder is never watched as a whole").hint("name what to watch: --watch=PATH")
        );
    }
    let pairs = paths.iter().flat_map(|path| specs.iter().map(move |spec| (path, spec)));
    let answer = |(path, Watching { name, spec, rules }): (&&PathBuf, &Watching)| {
        let answer = why::path(name, spec, rules, &config::absolute(&host.cwd, path))?;
        Ok(PathWhy { path: path.to_string_lossy().into_owned(), ..answer })
    };
    pairs.map(answer).collect()
}

impl Place<'_> {
    fn path(&self, answer: &PathWhy) -> String {
        if self.json {
            return object(answer);
        }
        let last = answer.last.as_ref().map(|last| format!("  last: {}", self.decision(last))).unwrap_or_default();
        format!("{}\n{last}", clean(&sentence(answer, self.cwd)))
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

/// `src/a.log is ignored by app: .gitignore:3: *.log`, `views/a.html is watched by web: the rule views/** reloads it`.
fn sentence(answer: &PathWhy, cwd: &Path) -> String {
    let PathWhy { path, app, watched, rule, decided_at, actions, last: _ } = answer;
    let shown = |path: &str| Path::new(path).strip_prefix(cwd).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    let does = |rule: &ActionView| format!("the rule {} {}", rule.paths.join(", "), deed(rule));
    let rule = if actions.is_empty() {
        shown(rule)
    } else {
        let strongest = if actions.len() > 1 { "; the strongest of them counts" } else { "" };
        format!("{}{strongest}", actions.iter().map(does).collect::<Vec<_>>().join(", "))
    };
    let verdict = if *watched { "watched" } else { "ignored" };
    let place = decided_at.as_deref().map(|folder| format!(" (as all of {})", shown(folder))).unwrap_or_default();
    format!("{path} is {verdict} by {app}: {rule}{place}")
}

/// What a rule does to the app: `reloads it`, `runs "make" and then restarts it`.
fn deed(rule: &ActionView) -> String {
    let action = match rule.action.as_str() {
        "none" => None,
        "reload" => Some("reloads it".to_owned()),
        "restart" => Some("restarts it".to_owned()),
        signal => Some(format!("sends it {signal}")),
    };
    match (&rule.run, action) {
        (Some(line), Some(action)) => format!("runs {line:?} and then {action}"),
        (Some(line), None) => format!("runs {line:?}"),
        (None, Some(action)) => action,
        (None, None) => "does nothing to it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(path: &str, app: &str, watched: bool, rule: &str) -> PathWhy {
        PathWhy { path: path.into(), app: app.into(), watched, rule: rule.into(), decided_at: None, actions: Vec::new(), last: None }
    }

    #[test]
    fn answers_are_sentences() {
        let ignored = answer("src/a.log", "app", false, "/p/.gitignore:3: *.log");
        let pruned = PathWhy {
            decided_at: Some("/p/node_modules".into()),
            ..answer("node_modules/x", "app", false, "the built-in pattern \"node_modules/\"")
        };
        let say = |answer: &PathWhy| sentence(answer, Path::new("/p"));
        insta::assert_snapshot!(say(&ignored), @"src/a.log is ignored by app: .gitignore:3: *.log");
        insta::assert_snapshot!(say(&pruned), @r#"node_modules/x is ignored by app: the built-in pattern "node_modules/" (as all of node_modules)"#);
        insta::assert_snapshot!(say(&answer("src/a.js", "app", true, "no rule ignores it")), @"src/a.js is watched by app: no rule ignores it");
        insta::assert_snapshot!(object(&pruned).trim(), @r#"{"path":"node_modules/x","app":"app","watched":false,"rule":"the built-in pattern \"node_modules/\"","decided_at":"/p/node_modules"}"#);
    }

    #[test]
    fn rules_with_an_action_are_told() {
        let rule = |path: &str, run: Option<&str>, action: &str| ActionView {
            paths: vec![path.into()],
            run: run.map(str::to_owned),
            action: action.into(),
        };
        let with = |rules: &[ActionView]| PathWhy { actions: rules.to_vec(), ..answer("a.html", "web", true, "no rule ignores it") };
        let say = |rules: &[ActionView]| sentence(&with(rules), Path::new("/p"));
        let reload = rule("templates/**", None, "reload");
        insta::assert_snapshot!(say(std::slice::from_ref(&reload)), @"a.html is watched by web: the rule templates/** reloads it");
        insta::assert_snapshot!(say(&[rule("*", None, "SIGHUP"), rule("a*", None, "none")]), @"a.html is watched by web: the rule * sends it SIGHUP, the rule a* does nothing to it; the strongest of them counts");
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), "restart")]), @r#"a.html is watched by web: the rule * runs "make x" and then restarts it"#);
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), "none")]), @r#"a.html is watched by web: the rule * runs "make x""#);
        insta::assert_snapshot!(object(&with(&[reload])).trim(), @r#"{"path":"a.html","app":"web","watched":true,"rule":"no rule ignores it","actions":[{"paths":["templates/**"],"run":null,"action":"reload"}]}"#);
    }

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
