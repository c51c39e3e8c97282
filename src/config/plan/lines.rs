//! A spec as a paragraph.

use super::{Difference, fields};
use crate::{
    config::place,
    model::{AfterExit, AppSpec, Backoff, ExecMode, HumanDuration, Identity, Launch, Limits, RestartPolicy, UNLIMITED, WatchSpec},
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
    if let Some(identity) = &app.launch.hardening.identity {
        line("as", &who(identity));
    }
    let limits = limits(&app.limits);
    if !limits.is_empty() {
        line("limits", &limits.join(", "));
    }
    if !app.depends_on.is_empty() {
        let names: Vec<_> = app.depends_on.iter().map(|needed| needed.app.as_str()).collect();
        line("needs", &names.join(", "));
    }
    text
}

fn who(identity: &Identity) -> String {
    let groups: Vec<String> = identity.groups.iter().filter(|group| **group != identity.group).map(u32::to_string).collect();
    let others = if groups.is_empty() { String::new() } else { format!(", also in {}", groups.join(", ")) };
    format!("{} (user {}, group {}{others})", identity.name, identity.user, identity.group)
}

/// What a process is born with.
fn limits(limits: &Limits) -> Vec<String> {
    let count = |count: u64| if count == UNLIMITED { "unlimited".to_owned() } else { count.to_string() };
    let Limits { memory_soft: _, memory_hard: _, nofile, nproc, core, nice, oom_score_adj, umask, no_new_privs } = limits;
    let named = [
        nofile.map(|limit| format!("{} open files", count(limit))),
        nproc.map(|limit| format!("{} processes of its user", count(limit))),
        core.map(|limit| if limit == 0 { "no core dumps".to_owned() } else { format!("core dumps of {} bytes", count(limit)) }),
        nice.map(|nice| format!("nice {nice}")),
        oom_score_adj.map(|score| format!("oom_score_adj {score}")),
        umask.map(|mask| format!("umask {mask:03o}")),
        no_new_privs.then(|| "no new privileges".to_owned()),
    ];
    named.into_iter().flatten().collect()
}

fn words(launch: &Launch) -> String {
    shell_words::join(launch.argv.iter().map(|word| word.to_string_lossy()))
}

fn watching(app: &AppSpec, watch: &WatchSpec) -> String {
    let shown = |path: &str| place::shown(&watch.base, std::path::Path::new(path));
    let mut parts = vec![watch.roots.iter().map(|root| shown(&fields::root(root))).collect::<Vec<_>>().join(", ")];
    for rule in &app.rules {
        let run = rule.run.as_ref().map(|line| format!("{line}, then ")).unwrap_or_default();
        parts.push(format!("{}: {run}{}", rule.paths.join(", "), fields::action(rule.action)));
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
