//! A spec as a paragraph.

use std::path::Path;

use jiff::Zoned;

use super::{Difference, fields, next};
use crate::{
    config::{element::rotate_every, logs, place, schedule, secret},
    model::{
        AfterExit, AppSpec, Backoff, HookKind, HumanDuration, Identity, Launch, Limits, Probe, RestartPolicy, SaveAction, UNLIMITED,
        WatchSpec,
    },
};

/// An app: its name, and below it what it runs and how it is kept. `first_id`: the number of its first instance.
pub fn app(app: &AppSpec, env: &[Difference], first_id: usize, now: &Zoned) -> String {
    let mut text = app.name.clone();
    let mut traits = Vec::new();
    if app.instances > 1 {
        let mode = if app.shares_ports() { ", cluster" } else { "" };
        traits.push(format!("{} instances{mode}", app.instances));
    }
    if app.namespace != "default" {
        traits.push(format!("namespace {}", app.namespace));
    }
    if !app.autostart {
        traits.push("not started by itself".to_owned());
    }
    if app.tty {
        traits.push("on a terminal".to_owned());
    }
    if !traits.is_empty() {
        text.push_str(&format!(" ({})", traits.join(", ")));
    }
    text.push('\n');
    for (title, what) in rows(app, env, first_id, now) {
        text.push_str(&format!("  {title:<9} {what}\n"));
    }
    text
}

/// What it runs and how it is kept: a title, empty where it is that of the line before, and what it says.
pub fn rows(app: &AppSpec, env: &[Difference], first_id: usize, now: &Zoned) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let mut line = |title: &'static str, what: &str| rows.push((title, what.to_owned()));
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
    if let Some(cron) = &app.cron {
        let next = next(app, now).map_or_else(|| "never again".to_owned(), |next| format!("next at {}", schedule::shown(&next, now)));
        line("cron", &format!("{cron}, {next}"));
    }
    let timeout = HumanDuration(app.stop.timeout);
    line("stops", &format!("{}, and SIGKILL after {timeout}", app.stop.signal));
    if let Some(identity) = &app.launch.hardening.identity {
        line("as", &who(identity));
    }
    let limits = limits(&app.limits);
    if !limits.is_empty() {
        line("limits", &limits.join(", "));
    }
    for (at, what) in logs(app, first_id).into_iter().enumerate() {
        line(if at == 0 { "logs" } else { "" }, &what);
    }
    let kinds = [HookKind::Ready, HookKind::Exit, HookKind::Crash, HookKind::Errored, HookKind::Reload];
    for (at, (kind, command)) in kinds.into_iter().filter_map(|kind| Some((kind, app.hooks.command(kind)?))).enumerate() {
        line(if at == 0 { "hooks" } else { "" }, &format!("{kind}: {}", secret::line(command)));
    }
    if !app.depends_on.is_empty() {
        let names: Vec<_> = app.depends_on.iter().map(|needed| needed.app.as_str()).collect();
        line("needs", &names.join(", "));
    }
    rows
}

/// What makes it ready, and what tells that it is well.
pub fn signs(app: &AppSpec) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if app.ready.by != Probe::Started {
        rows.push(("ready", format!("{}, within {}", sign(&app.ready.by), HumanDuration(app.ready.timeout))));
    }
    if let Some(health) = &app.health {
        let every = HumanDuration(health.interval);
        rows.push(("health", format!("{}, asked every {every}, {} failures in a row restart it", sign(&health.probe), health.failures)));
    }
    rows
}

fn sign(probe: &Probe) -> String {
    match probe {
        Probe::Started => "once started".to_owned(),
        Probe::Listening => "it listens".to_owned(),
        Probe::Tcp(addresses) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("something listens at {}", addresses.join(" or "))
        }
        Probe::Http(url) => format!("{} answers", secret::line(&url.to_string())),
        Probe::Log(regex) => format!("a line matches {regex:?}"),
        Probe::Command(line) => format!("{} ends with code 0", secret::line(line)),
        Probe::Notify => "it says so by sd_notify".to_owned(),
        Probe::Message => "it says so with process.send".to_owned(),
    }
}

fn who(identity: &Identity) -> String {
    let groups: Vec<String> = identity.groups.iter().filter(|group| **group != identity.group).map(u32::to_string).collect();
    let others = if groups.is_empty() { String::new() } else { format!(", also in {}", groups.join(", ")) };
    format!("{} (user {}, group {}{others})", identity.name, identity.user, identity.group)
}

/// What it may use.
fn limits(limits: &Limits) -> Vec<String> {
    let count = |count: u64| if count == UNLIMITED { "unlimited".to_owned() } else { count.to_string() };
    let Limits { memory_soft, memory_hard, nofile, nproc, core, nice, oom_score_adj, umask, no_new_privs, inherit_fds } = limits;
    let named = [
        memory_soft.map(|limit| format!("{} of memory", bytes(limit))),
        memory_hard.map(|limit| format!("{} of memory at the most", bytes(limit))),
        nofile.map(|limit| format!("{} open files", count(limit))),
        nproc.map(|limit| format!("{} processes of its user", count(limit))),
        core.map(|limit| if limit == 0 { "no core dumps".to_owned() } else { format!("core dumps of {} bytes", count(limit)) }),
        nice.map(|nice| format!("nice {nice}")),
        oom_score_adj.map(|score| format!("oom_score_adj {score}")),
        umask.map(|mask| format!("umask {mask:03o}")),
        no_new_privs.then(|| "no new privileges".to_owned()),
        inherit_fds.then(|| "the descriptors of pmdev".to_owned()),
    ];
    named.into_iter().flatten().collect()
}

fn words(launch: &Launch) -> String {
    secret::joined(launch.argv.iter().map(|word| word.to_string_lossy()))
}

/// Where its lines go besides the terminal, and how much of them is kept.
fn logs(app: &AppSpec, first_id: usize) -> Vec<String> {
    let logs = &app.logs;
    if logs.disabled {
        return vec!["nowhere, and nothing is shown".to_owned()];
    }
    let file = |(what, path): (&str, &Path)| {
        let what = if what == "file" { "all" } else { what };
        if logs.merge || logs::of_instance(path, first_id) == path {
            return format!("{what} {}", path.display());
        }
        let more = if app.instances > 1 { " and so on" } else { "" };
        format!("{what} {}{more}", logs::of_instance(path, first_id).display())
    };
    let mut shown: Vec<String> = logs.paths().map(file).collect();
    if shown.is_empty() {
        return shown;
    }
    let mut traits = Vec::new();
    if logs.json {
        traits.push("as JSON".to_owned());
    }
    traits.extend(logs.timestamp.as_ref().map(|format| format!("with the time as {}", format.text())));
    let size = logs.max_size.map(|size| format!("at {}", bytes(size)));
    let every = logs.rotate_every.map(|every| format!("every {}", rotate_every::word(every)));
    traits.push(match (size, every) {
        (None, None) => "never rotated".to_owned(),
        (size, every) => {
            let when: Vec<String> = size.into_iter().chain(every).collect();
            let compressed = if logs.compress { ", compressed" } else { "" };
            let total = logs.total_size.map(|total| format!(", {} together", bytes(total))).unwrap_or_default();
            format!("rotated {}, {} kept of each{compressed}{total}", when.join(" and "), logs.keep)
        }
    });
    shown.push(traits.join(", "));
    shown
}

/// A size in the largest unit that it is a whole number of.
pub fn bytes(size: u64) -> String {
    [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .find(|(shift, _)| size >= 1 << shift && size.trailing_zeros() >= *shift)
        .map_or_else(|| format!("{size} bytes"), |(shift, unit)| format!("{} {unit}", size >> shift))
}

fn watching(app: &AppSpec, watch: &WatchSpec) -> String {
    let shown = |path: &str| place::shown(&watch.base, Path::new(path));
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
        Some(limit) => {
            let (least, window) = (HumanDuration(policy.min_uptime), HumanDuration(policy.window));
            match limit {
                1 => format!("given up after a run shorter than {least}, or a restart within {window}"),
                limit => format!("given up after {limit} runs shorter than {least} in a row, or {limit} restarts within {window}"),
            }
        }
    };
    let mut text = match &policy.after_exit {
        AfterExit::Wait if watched => "at the next save".to_owned(),
        AfterExit::Wait => "not by itself".to_owned(),
        AfterExit::Restart(_) if policy.max_restarts == Some(0) => "not by itself (max_restarts is 0)".to_owned(),
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
