//! A spec as a paragraph.

use super::{Difference, fields};
use crate::{
    config::{place, secret},
    model::{AfterExit, AppSpec, Backoff, ExecMode, HumanDuration, Launch, RestartPolicy, SaveAction, WatchSpec},
};

/// An app: its name, and below it what it runs and how it is kept.
pub fn app(app: &AppSpec, env: &[Difference]) -> String {
    let mut text = app.name.clone();
    let mut traits = Vec::new();
    if app.instances > 1 {
        let mode = if app.exec_mode == ExecMode::Cluster { ", cluster" } else { "" };
        traits.push(format!("{} instances{mode}", app.instances));
    }
    if app.namespace != "default" {
        traits.push(format!("namespace {}", app.namespace));
    }
    if !app.autostart {
        traits.push("not started by itself".to_owned());
    }
    if !traits.is_empty() {
        text.push_str(&format!(" ({})", traits.join(", ")));
    }
    text.push('\n');
    let mut line = |title: &str, what: &str| text.push_str(&format!("  {title:<9} {what}\n"));
    line("runs", &words(&app.launch));
    line("in", &app.launch.cwd.display().to_string());
    if let Some(build) = &app.build {
        let place = if build.cwd == app.launch.cwd { String::new() } else { format!(" (in {})", build.cwd.display()) };
        line("builds", &format!("{}{place}", words(build)));
    }
    for (at, (name, value)) in env.iter().enumerate() {
        let title = if at == 0 { "env" } else { "" };
        match value {
            Some(value) => line(title, &format!("{name}={}", shell_words::quote(value))),
            None => line(title, &format!("{name} is not passed on")),
        }
    }
    line("watches", &app.watch.as_ref().map_or_else(|| "nothing".to_owned(), |watch| watching(app, watch)));
    line("restarts", &restarts(&app.restart, app.watch.is_some()));
    let timeout = HumanDuration(app.stop.timeout);
    line("stops", &format!("{}, and SIGKILL after {timeout}", app.stop.signal));
    if !app.depends_on.is_empty() {
        let names: Vec<_> = app.depends_on.iter().map(|needed| needed.app.as_str()).collect();
        line("needs", &names.join(", "));
    }
    text
}

fn words(launch: &Launch) -> String {
    secret::joined(launch.argv.iter().map(|word| word.to_string_lossy()))
}

fn watching(app: &AppSpec, watch: &WatchSpec) -> String {
    let shown = |path: &str| place::shown(&watch.base, std::path::Path::new(path));
    let mut parts = vec![watch.roots.iter().map(|root| shown(&fields::root(root))).collect::<Vec<_>>().join(", ")];
    for rule in &app.rules {
        let what = match (&rule.run, rule.action) {
            (Some(line), SaveAction::Nothing) => format!("run {:?}", secret::line(line)),
            (Some(line), action) => format!("run {:?}, then {}", secret::line(line), fields::action(action)),
            (None, action) => fields::action(action),
        };
        parts.push(format!("{}: {what}", rule.paths.join(", ")));
    }
    if !watch.ext.is_empty() {
        parts.push(format!("only .{}", watch.ext.join(", .")));
    }
    if !watch.ignore.is_empty() {
        parts.push(format!("not {}", watch.ignore.join(", ")));
    }
    parts.join("; ")
}

fn restarts(policy: &RestartPolicy, watched: bool) -> String {
    let limit = || match policy.max_restarts {
        None => "without limit".to_owned(),
        Some(limit) => format!(
            "given up after {limit} runs shorter than {} in a row, or {limit} restarts within {}",
            HumanDuration(policy.min_uptime),
            HumanDuration(policy.window)
        ),
    };
    let mut text = match &policy.after_exit {
        AfterExit::Wait if watched => "at the next save".to_owned(),
        AfterExit::Wait => "not by itself".to_owned(),
        AfterExit::Restart(Backoff::Fixed(delay)) if delay.is_zero() => format!("at once, {}", limit()),
        AfterExit::Restart(Backoff::Fixed(delay)) => format!("after {}, {}", HumanDuration(*delay), limit()),
        AfterExit::Restart(Backoff::Exponential { initial }) => {
            format!("with growing delays from {}, {}", HumanDuration(*initial), limit())
        }
    };
    if !policy.stop_exit_codes.is_empty() {
        let codes: Vec<String> = policy.stop_exit_codes.iter().map(i32::to_string).collect();
        text.push_str(&format!("; not after exit code {}", codes.join(" or ")));
    }
    text
}
