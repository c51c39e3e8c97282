//! `pmdev why`.

mod crash;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::{args::WatchArgs, host, print},
    config::{self, Host, Request, Watching, plan},
    model::{ActionRule, Decision, Error, Rule, SaveAction},
    watch::why,
};

/// Tell which rule watches or ignores a path, or why an app failed last; nothing is started
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Why {
    /// Files and folders to ask about, which need not exist; or apps by name
    #[arg(value_name = "PATH|APP", required = true)]
    pub paths: Vec<PathBuf>,
    /// What `pmdev start` would be given; repeatable [default: what the folder is made to run]
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// Folder the apps run in
    #[arg(long, value_name = "FOLDER")]
    pub cwd: Option<PathBuf>,
    #[command(flatten)]
    pub watch: WatchArgs,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  pmdev why src/app.log                           is this file watched, and which rule says so?
  pmdev why dist/main.js --target dist/main.js    the same for an app that runs from dist
  pmdev why notes.md --ext js,json                with the options of a start
  pmdev why api                                   why did this app fail last? (from its crash capsule)";

/// An answer as an object.
#[derive(Debug, serde::Serialize)]
struct Answer<'a> {
    path: &'a Path,
    app: &'a str,
    watched: bool,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<&'a Path>,
    /// The rules with an action that it matches; none: a save restarts the app.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
}

#[derive(Debug, serde::Serialize)]
struct Action<'a> {
    paths: &'a [String],
    run: Option<&'a str>,
    action: String,
}

impl Why {
    /// Prints a line for each path and app that might watch it, and a paragraph for each app that is asked about.
    pub fn run(self) -> Result<u8, Error> {
        let host = host::host(false)?;
        let mut request = Request { targets: self.targets, cwd: self.cwd, ..Request::default() };
        self.watch.apply(&mut request);
        let mut shown = String::new();
        let mut paths = Vec::new();
        for asked in &self.paths {
            let name = asked.to_str().filter(|_| !config::absolute(&host.cwd, asked).exists());
            let now = jiff::Timestamp::now();
            match name.and_then(|name| crash::answer(name, &request, &host, self.json, now)) {
                Some(answer) => shown.push_str(&answer),
                None => paths.push(asked),
            }
        }
        if !paths.is_empty() {
            shown.push_str(&watched(&paths, &request, &host, self.json)?);
        }
        print(shown.as_bytes());
        Ok(0)
    }
}

/// A line for each path and app.
fn watched(paths: &[&PathBuf], request: &Request, host: &Host, as_json: bool) -> Result<String, Error> {
    let specs = config::resolve_watch(request, host)?;
    if specs.is_empty() {
        return Err(
            Error::usage("Nothing would be watched here: this folder is never watched as a whole").hint("name what to watch: --watch=PATH")
        );
    }
    let mut shown = String::new();
    for path in paths {
        for Watching { name, spec, rules } in &specs {
            let absolute = config::absolute(&host.cwd, path);
            let decision = why::decide(spec, &absolute)?;
            let rules = if decision.watched { why::actions(spec, rules, &absolute)? } else { Vec::new() };
            let line = if as_json { json(path, name, &decision, &rules) } else { sentence(path, name, &decision, &rules, &host.cwd) };
            shown.push_str(&line);
            shown.push('\n');
        }
    }
    Ok(shown)
}

fn json(path: &Path, app: &str, decision: &Decision, rules: &[ActionRule]) -> String {
    let Decision { watched, rule, pruned_at } = decision;
    fn action(rule: &ActionRule) -> Action<'_> {
        Action { paths: &rule.paths, run: rule.run.as_deref(), action: plan::action(rule.action) }
    }
    let actions = rules.iter().map(action).collect();
    let answer = Answer { path, app, watched: *watched, rule: rule.to_string(), decided_at: pruned_at.as_deref(), actions };
    // A path that is not UTF-8 is the only thing that JSON cannot say.
    serde_json::to_string(&answer).unwrap_or_else(|_| {
        serde_json::json!({ "path": path.to_string_lossy(), "app": app, "watched": watched, "rule": rule.to_string() }).to_string()
    })
}

/// `src/a.log is ignored by app: .gitignore:3: *.log`, `views/a.html is watched by web: the rule views/** reloads it`.
fn sentence(path: &Path, app: &str, decision: &Decision, rules: &[ActionRule], cwd: &Path) -> String {
    let shown = |path: &Path| path.strip_prefix(cwd).unwrap_or(path).display().to_string();
    let does = |rule: &ActionRule| format!("the rule {} {}", rule.paths.join(", "), deed(rule));
    let rule = match &decision.rule {
        _ if !rules.is_empty() => {
            let strongest = if rules.len() > 1 { "; the strongest of them counts" } else { "" };
            format!("{}{strongest}", rules.iter().map(does).collect::<Vec<_>>().join(", "))
        }
        Rule::IgnoreFile { file, line, pattern } => format!("{}:{line}: {pattern}", shown(file)),
        other => other.to_string(),
    };
    let verdict = if decision.watched { "watched" } else { "ignored" };
    let place = decision.pruned_at.as_deref().map(|folder| format!(" (as all of {})", shown(folder))).unwrap_or_default();
    format!("{} is {verdict} by {app}: {rule}{place}", path.display())
}

/// What a rule does to the app: `reloads it`, `runs "make" and then restarts it`.
fn deed(rule: &ActionRule) -> String {
    let action = match rule.action {
        SaveAction::Nothing => None,
        SaveAction::Signal(signal) => Some(format!("sends it {signal}")),
        SaveAction::Reload => Some("reloads it".to_owned()),
        SaveAction::Restart => Some("restarts it".to_owned()),
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
    use crate::model::Signal;

    #[test]
    fn answers_are_sentences() {
        let file = Rule::IgnoreFile { file: "/p/.gitignore".into(), line: 3, pattern: "*.log".into() };
        let ignored = Decision { watched: false, rule: file, pruned_at: None };
        let pruned = Decision { watched: false, rule: Rule::BuiltIn("node_modules/".into()), pruned_at: Some("/p/node_modules".into()) };
        let watched = Decision { watched: true, rule: Rule::Default, pruned_at: None };
        let say = |path: &str, decision: &Decision| sentence(Path::new(path), "app", decision, &[], Path::new("/p"));
        insta::assert_snapshot!(say("src/a.log", &ignored), @"src/a.log is ignored by app: .gitignore:3: *.log");
        insta::assert_snapshot!(say("node_modules/x/y.js", &pruned), @r#"node_modules/x/y.js is ignored by app: the built-in pattern "node_modules/" (as all of node_modules)"#);
        insta::assert_snapshot!(say("src/a.js", &watched), @"src/a.js is watched by app: no rule ignores it");
        insta::assert_snapshot!(json(Path::new("node_modules/x"), "app", &pruned, &[]), @r#"{"path":"node_modules/x","app":"app","watched":false,"rule":"the built-in pattern \"node_modules/\"","decided_at":"/p/node_modules"}"#);
    }

    #[test]
    fn rules_with_an_action_are_told() {
        let watched = Decision { watched: true, rule: Rule::Default, pruned_at: None };
        let rule = |path: &str, run: Option<&str>, action| ActionRule { paths: vec![path.into()], run: run.map(str::to_owned), action };
        let say = |rules: &[ActionRule]| sentence(Path::new("a.html"), "web", &watched, rules, Path::new("/p"));
        let reload = rule("templates/**", None, SaveAction::Reload);
        insta::assert_snapshot!(say(std::slice::from_ref(&reload)), @"a.html is watched by web: the rule templates/** reloads it");
        insta::assert_snapshot!(say(&[rule("*", None, SaveAction::Signal(Signal::HUP)), rule("a*", None, SaveAction::Nothing)]), @"a.html is watched by web: the rule * sends it SIGHUP, the rule a* does nothing to it; the strongest of them counts");
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), SaveAction::Restart)]), @r#"a.html is watched by web: the rule * runs "make x" and then restarts it"#);
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), SaveAction::Nothing)]), @r#"a.html is watched by web: the rule * runs "make x""#);
        insta::assert_snapshot!(json(Path::new("a.html"), "web", &watched, &[reload]), @r#"{"path":"a.html","app":"web","watched":true,"rule":"no rule ignores it","actions":[{"paths":["templates/**"],"run":null,"action":"reload"}]}"#);
    }
}
