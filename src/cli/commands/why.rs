//! `pmdev why`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::{args::WatchArgs, host, print},
    config::{self, Request},
    model::{Decision, Error, Rule},
    watch::why,
};

/// Tell which rule watches or ignores a path; nothing is started
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Why {
    /// Files and folders to ask about; they need not exist
    #[arg(value_name = "PATH", required = true)]
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
  pmdev why notes.md --ext js,json                with the options of a start";

/// An answer as an object.
#[derive(Debug, serde::Serialize)]
struct Answer<'a> {
    path: &'a Path,
    app: &'a str,
    watched: bool,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<&'a Path>,
}

impl Why {
    /// Prints a line for each path and app.
    pub fn run(self) -> Result<u8, Error> {
        let host = host::host(false)?;
        let mut request = Request { targets: self.targets, cwd: self.cwd, ..Request::default() };
        self.watch.apply(&mut request);
        let specs = config::resolve_watch(&request, &host)?;
        if specs.is_empty() {
            return Err(Error::usage("Nothing would be watched here: this folder is never watched as a whole")
                .hint("name what to watch: --watch=PATH"));
        }
        let mut shown = String::new();
        for path in &self.paths {
            for (app, spec) in &specs {
                let decision = why::decide(spec, &config::absolute(&host.cwd, path))?;
                let line = if self.json { json(path, app, &decision) } else { sentence(path, app, &decision, &host.cwd) };
                shown.push_str(&line);
                shown.push('\n');
            }
        }
        print(shown.as_bytes());
        Ok(0)
    }
}

fn json(path: &Path, app: &str, decision: &Decision) -> String {
    let Decision { watched, rule, pruned_at } = decision;
    let answer = Answer { path, app, watched: *watched, rule: rule.to_string(), decided_at: pruned_at.as_deref() };
    // A path that is not UTF-8 is the only thing that JSON cannot say.
    serde_json::to_string(&answer).unwrap_or_else(|_| {
        serde_json::json!({ "path": path.to_string_lossy(), "app": app, "watched": watched, "rule": rule.to_string() }).to_string()
    })
}

/// `src/a.log is ignored by app: .gitignore:3: *.log`.
fn sentence(path: &Path, app: &str, decision: &Decision, cwd: &Path) -> String {
    let shown = |path: &Path| path.strip_prefix(cwd).unwrap_or(path).display().to_string();
    let rule = match &decision.rule {
        Rule::IgnoreFile { file, line, pattern } => format!("{}:{line}: {pattern}", shown(file)),
        other => other.to_string(),
    };
    let verdict = if decision.watched { "watched" } else { "ignored" };
    let place = decision.pruned_at.as_deref().map(|folder| format!(" (as all of {})", shown(folder))).unwrap_or_default();
    format!("{} is {verdict} by {app}: {rule}{place}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sentences() {
        let file = Rule::IgnoreFile { file: "/p/.gitignore".into(), line: 3, pattern: "*.log".into() };
        let ignored = Decision { watched: false, rule: file, pruned_at: None };
        let pruned = Decision { watched: false, rule: Rule::BuiltIn("node_modules/".into()), pruned_at: Some("/p/node_modules".into()) };
        let watched = Decision { watched: true, rule: Rule::Default, pruned_at: None };
        let say = |path: &str, decision: &Decision| sentence(Path::new(path), "app", decision, Path::new("/p"));
        insta::assert_snapshot!(say("src/a.log", &ignored), @"src/a.log is ignored by app: .gitignore:3: *.log");
        insta::assert_snapshot!(say("node_modules/x/y.js", &pruned), @r#"node_modules/x/y.js is ignored by app: the built-in pattern "node_modules/" (as all of node_modules)"#);
        insta::assert_snapshot!(say("src/a.js", &watched), @"src/a.js is watched by app: no rule ignores it");
        insta::assert_snapshot!(json(Path::new("node_modules/x"), "app", &pruned), @r#"{"path":"node_modules/x","app":"app","watched":false,"rule":"the built-in pattern \"node_modules/\"","decided_at":"/p/node_modules"}"#);
    }
}
