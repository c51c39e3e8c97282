//! What people are told, and how: each notice of the supervisor in one place.

mod stops;

use std::time::{Duration, Instant};

use crate::model::{
    AppSpec, ChangeSet, Condition, Dependency, HumanDuration, Launch, LaunchFailure, Level, Notice, NoticeKind, Probe, Signal, Stage,
};

use super::{
    Role,
    app::{App, Gate},
    changes,
    instance::{End, Instance, Outcome},
    restart::{GiveUp, Verdict},
    run::Run,
    version::{Reason, Version},
};
pub(super) use stops::{forced, killed, rest_killed, stop_asked, stopping};

fn info(kind: NoticeKind, app: &str, text: String) -> Notice {
    Notice::new(Level::Info, kind, text).about(app)
}

/// `serving`: one of its runs. An app that gives a sign of being ready is told to be that.
pub(super) fn started(spec: &AppSpec, instances: &[Instance], serving: &Run) -> Notice {
    let app = &spec.name;
    let what = match (instances.iter().filter(|instance| !instance.rests()).count(), serving.pid) {
        (1, Some(pid)) => format!("pid {pid}"),
        (count, _) => format!("{count} instances"),
    };
    let text = match (&spec.ready.by, serving.ready) {
        (Probe::Started, _) | (_, None) => format!("{app} started ({what})"),
        (_, Some(ready)) => {
            format!("{app} is ready after {} ({what})", HumanDuration(ready.saturating_duration_since(serving.spawned)))
        }
    };
    info(NoticeKind::Started, app, text)
}

pub(super) fn restarted(app: &str, version: &Version, now: Instant) -> Notice {
    let took = HumanDuration(now.saturating_duration_since(version.asked));
    info(NoticeKind::Restarted, app, format!("{app} restarted in {took} ({})", version.reason.shown()))
}

/// A start after an end by itself, or of the old version after a build that failed.
pub(super) fn again(app: &str, name: &str, end: Option<&End>, now: Instant) -> Notice {
    let text = match end {
        Some(end) => format!("{name} restarted {} after {}", HumanDuration(now.saturating_duration_since(end.at)), had_ended(&end.outcome)),
        None => format!("{name} restarted in its old version"),
    };
    info(NoticeKind::Restarted, app, text)
}

/// A start of one instance that somebody asked for.
pub(super) fn asked(app: &str, name: &str, pid: Option<i32>) -> Notice {
    let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
    info(NoticeKind::Restarted, app, format!("{name} started again on request{pid}"))
}

/// How something ended, as a part of a sentence.
pub(super) fn had_ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(exit) if exit.success() => format!("it ended ({exit})"),
        Outcome::Exit(exit) => format!("it crashed ({exit})"),
        Outcome::OutOfMemory(_) => "the kernel killed it when memory ran out".to_owned(),
        Outcome::NotReady(time) => format!("it was not ready within {}", HumanDuration(*time)),
        Outcome::Unhealthy { failures, why } => format!("it was unhealthy ({}: {why})", in_a_row(*failures)),
        Outcome::Memory { bytes, limit, .. } => format!("it used {} of memory, with a limit of {}", Size(*bytes), Size(*limit)),
        Outcome::Launch(failure) => format!("it could not be started ({failure})"),
        Outcome::Stuck => "processes of its last run outlived SIGKILL".to_owned(),
    }
}

/// Why a generation exists, as the end of a sentence.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Begin => "the runner began".to_owned(),
        Reason::Added => "it was added".to_owned(),
        Reason::Files(_) | Reason::Probe(_) => format!("of a change ({})", reason.shown()),
        Reason::Request => "it was asked to".to_owned(),
        Reason::Cron => "its cron_restart came".to_owned(),
        Reason::Edit(file) => format!("{file} was edited"),
    }
}

/// An end by itself, and what follows from it.
pub(super) fn ended(name: &str, app: &App, outcome: &Outcome, verdict: Verdict) -> Notice {
    let spec = &app.spec;
    let (what, own_kind, own_level) = match outcome {
        Outcome::Exit(exit) if exit.success() => (format!("{name} ended ({exit})"), NoticeKind::Ended, Level::Info),
        Outcome::Exit(exit) => (format!("{name} crashed ({exit})"), NoticeKind::Crashed, Level::Error),
        Outcome::OutOfMemory(exit) => {
            (format!("{name} was killed by the kernel, because memory ran out ({exit})"), NoticeKind::Crashed, Level::Error)
        }
        Outcome::NotReady(time) => (format!("{name} was not ready within {}", HumanDuration(*time)), NoticeKind::NotReady, Level::Error),
        Outcome::Unhealthy { failures, why } => {
            (format!("{name} is unhealthy ({}: {why})", in_a_row(*failures)), NoticeKind::Unhealthy, Level::Error)
        }
        Outcome::Memory { bytes, limit, hard } => {
            let (killed, which) = if *hard { (" is killed: it", "hard limit") } else { ("", "limit") };
            let text = format!("{name}{killed} uses {} of memory, above its {which} of {}", Size(*bytes), Size(*limit));
            (text, NoticeKind::Memory, Level::Warning)
        }
        Outcome::Launch(failure) => (not_started(name, failure), NoticeKind::LaunchFailed, Level::Error),
        Outcome::Stuck => (format!("{name} is not started: processes of its last run outlived SIGKILL"), NoticeKind::Errored, Level::Error),
    };
    let then = follows(app, verdict);
    let comma = if then.is_empty() { "" } else { ", " };
    let (kind, level, text) = match verdict {
        Verdict::Wait => (own_kind, own_level, format!("{what}{comma}{then}")),
        Verdict::Kept => (own_kind, Level::Error, format!("{what}, so {then}")),
        Verdict::StopCode => {
            let code = outcome.code().unwrap_or_default();
            (NoticeKind::Ended, Level::Info, format!("{name} ended (exit code {code}, one of its stop_exit_codes){comma}{then}"))
        }
        Verdict::Again(_) => match outcome {
            Outcome::Exit(_) | Outcome::OutOfMemory(_) | Outcome::Launch(_) | Outcome::Stuck => {
                (NoticeKind::Backoff, own_level, format!("{what}, {then}"))
            }
            Outcome::NotReady(_) | Outcome::Unhealthy { .. } | Outcome::Memory { .. } => (own_kind, own_level, format!("{what}, {then}")),
        },
        Verdict::GiveUp(_) => (NoticeKind::Errored, Level::Error, format!("{what} and {then}")),
    };
    let notice = Notice::new(level, kind, text).about(&spec.name);
    match (outcome, &spec.missing_hint) {
        (Outcome::Launch(failure), Some(hint)) if failure.stage == Stage::Exec && failure.errno == 2 => notice.hint(hint),
        (Outcome::Launch(failure), Some(_) | None) => Notice { hint: failure.hint(), ..notice },
        (_, Some(_) | None) => notice,
    }
}

/// What follows an end by itself, as a clause; empty where nothing does.
pub(super) fn follows(app: &App, verdict: Verdict) -> String {
    match verdict {
        Verdict::Wait | Verdict::StopCode => waits(app).trim_start_matches(", ").to_owned(),
        Verdict::Kept => "the old one goes on".to_owned(),
        Verdict::Again(Duration::ZERO) => "starting again".to_owned(),
        Verdict::Again(delay) => format!("starting again in {}", HumanDuration(delay)),
        Verdict::GiveUp(why) => format!("{}{}", given_up(why), waits(app)),
    }
}

/// Something that is to go in any case has no more time for that.
pub(super) fn cut_short(app: &str, name: &str, bytes: u64, limit: u64) -> Notice {
    let text = format!("{name} is killed at once: it uses {} of memory, above its hard limit of {}", Size(bytes), Size(limit));
    Notice::new(Level::Warning, NoticeKind::Memory, text).about(app)
}

fn in_a_row(failures: u32) -> String {
    match failures {
        1 => "1 failure".to_owned(),
        several => format!("{several} failures in a row, the last"),
    }
}

/// A number of bytes as people read it: `512 MiB`, `1.5 GiB`.
struct Size(u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            bytes if bytes < 10 << 20 => write!(f, "{} KiB", bytes >> 10),
            bytes if bytes < 10 << 30 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{} GiB", bytes >> 30),
        }
    }
}

pub(super) fn waits_for(app: &str, needed: &Dependency) -> Notice {
    info(NoticeKind::Waiting, app, format!("{app} waits until {}", needs(needed)))
}

pub(super) fn in_vain(app: &str, why: &str) -> Notice {
    Notice::new(Level::Warning, NoticeKind::Waiting, format!("{app} {why}")).about(app)
}

/// `db is ready`.
pub(super) fn needs(needed: &Dependency) -> String {
    let how = match needed.condition {
        Condition::Started => "is started",
        Condition::Ready => "is ready",
        Condition::Completed => "has ended with code 0",
    };
    format!("{} {how}", needed.app)
}

pub(super) fn rollout_aborted(app: &str, name: &str, kept: usize) -> Notice {
    let kept = if kept == 1 {
        "1 instance of the version before goes on".to_owned()
    } else {
        format!("{kept} instances of the version before go on")
    };
    let text = format!("{app} is not reloaded any further, because {name} failed before it was ready: {kept}");
    Notice::new(Level::Error, NoticeKind::Reload, text).about(app)
}

/// Why instances of the version before go on.
pub(super) fn rollout_over(app: &str, reason: &Reason) -> String {
    format!("{app} was not reloaded any further ({}), because a new run failed before it was ready", reason.shown())
}

pub(super) fn signalled(app: &str, signal: Signal, changes: &ChangeSet) -> Notice {
    info(NoticeKind::Signalled, app, format!("{app} was sent {signal} ({})", changes::shown(changes)))
}

/// A command of a watch rule as people call it.
pub(super) fn of_rule(app: &str) -> String {
    format!("{app} rule")
}

fn rule_command(spec: &AppSpec, rule: usize) -> &str {
    spec.rules.get(rule).and_then(|rule| rule.run.as_deref()).unwrap_or_default()
}

pub(super) fn runs_command(spec: &AppSpec, rule: usize) -> Notice {
    info(NoticeKind::Building, &spec.name, format!("{} runs {} first", spec.name, rule_command(spec, rule)))
}

pub(super) fn command_failed(app: &App, rule: usize, outcome: &Outcome) -> Notice {
    let (name, command) = (&app.spec.name, rule_command(&app.spec, rule));
    let then = if !app.is_down() {
        ", the running version stays"
    } else if app.instances.iter().any(Instance::is_free) {
        ", starting without it"
    } else {
        waits(app)
    };
    let text = format!("{name}: {command} failed ({}){then}", how(outcome));
    Notice::new(Level::Error, NoticeKind::BuildFailed, text).about(name)
}

/// Why a change has led to nothing.
pub(super) fn unworked(app: &App, changes: &ChangeSet, rule: usize, outcome: &Outcome) -> String {
    let (name, command) = (&app.spec.name, rule_command(&app.spec, rule));
    format!("{name} has not acted on {}: {command} failed ({})", changes::shown(changes), how(outcome))
}

fn how(outcome: &Outcome) -> String {
    outcome.exit().map_or_else(|| had_ended(outcome), |exit| exit.to_string())
}

pub(super) fn given_up(why: GiveUp) -> String {
    match why {
        GiveUp::Never => "is not started again (max_restarts is 0)".to_owned(),
        GiveUp::InARow { ends: 1, min_uptime } => {
            format!("is given up after a run that was up for less than {}", HumanDuration(min_uptime))
        }
        GiveUp::InARow { ends, min_uptime } => {
            format!("is given up after {ends} runs in a row that were up for less than {}", HumanDuration(min_uptime))
        }
        GiveUp::Often { restarts: 1, window } => format!("is given up after a restart within {}", HumanDuration(window)),
        GiveUp::Often { restarts, window } => format!("is given up after {restarts} restarts within {}", HumanDuration(window)),
    }
}

/// What an app waits for that shall not start by itself.
fn waits(app: &App) -> &'static str {
    if app.gate() == Gate::Building {
        ", waiting for its build"
    } else if app.spec.watch.is_some() {
        ", waiting for a change"
    } else {
        ""
    }
}

fn not_started(name: &str, failure: &LaunchFailure) -> String {
    format!("{name} could not be started ({failure})")
}

pub(super) fn building(spec: &AppSpec) -> Notice {
    let command = spec.build.as_ref().map(command).unwrap_or_default();
    info(NoticeKind::Building, &spec.name, format!("{} is being built ({command})", spec.name))
}

fn command(launch: &Launch) -> String {
    launch.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A build or a command of a rule that takes long.
pub(super) fn still_running(run: &Run, took: Duration) -> Notice {
    let (app, took) = (&run.spec.name, HumanDuration(took));
    let text = match run.role {
        Role::App | Role::Build => format!("{app} is still being built ({took})"),
        Role::Rule(rule) => format!("{app} still runs {} ({took})", rule_command(&run.spec, rule)),
    };
    info(NoticeKind::Building, app, text)
}

pub(super) fn built(app: &str, took: Duration) -> Notice {
    info(NoticeKind::Built, app, format!("{app} was built in {}", HumanDuration(took)))
}

/// What a failed build leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterBuild {
    /// The old version serves.
    Keeps,
    /// The old version was stopped for another reason and comes back.
    Returns,
    /// Nothing runs.
    Waits,
}

pub(super) fn build_failed(app: &App, outcome: &Outcome, next: AfterBuild) -> Notice {
    let what = build_failure(&app.spec.name, outcome);
    let then = match next {
        AfterBuild::Keeps => ", the old version keeps running",
        AfterBuild::Returns => ", the old version runs again",
        AfterBuild::Waits => waits(app),
    };
    Notice::new(Level::Error, NoticeKind::BuildFailed, format!("{what}{then}")).about(&app.spec.name)
}

/// A build as people call it.
pub(super) fn of_build(app: &str) -> String {
    format!("{app} build")
}

/// `api build failed (exit code 101)`.
pub(super) fn build_failure(app: &str, outcome: &Outcome) -> String {
    let name = of_build(app);
    match outcome {
        Outcome::Exit(exit) => format!("{name} failed ({exit})"),
        Outcome::Launch(failure) => not_started(&name, failure),
        Outcome::OutOfMemory(_) | Outcome::NotReady(_) | Outcome::Unhealthy { .. } | Outcome::Memory { .. } => {
            format!("{name} failed: {}", had_ended(outcome))
        }
        Outcome::Stuck => format!("{name} outlived SIGKILL"),
    }
}

/// The end of an app that is no longer part of the runner.
pub(super) fn removed(app: &str) -> Notice {
    info(NoticeKind::Stopped, app, format!("{app} is stopped and gone"))
}

pub(super) fn probing(app: &str, path: &str) -> Notice {
    let text = format!("{app} is held for a moment: {path} changes soon after each of its starts, so it may write that file itself");
    info(NoticeKind::Watch, app, text)
}

pub(super) fn held_back(app: &str, changes: &ChangeSet) -> Notice {
    info(NoticeKind::Watch, app, format!("{app} restarts for {} when watching goes on", changes::shown(changes)))
}

pub(super) fn paused(paused: bool) -> Notice {
    let text = if paused { "watching is paused, changes wait until it goes on" } else { "watching goes on" };
    Notice::new(Level::Info, NoticeKind::Answer, text)
}

pub(super) fn nothing_watched() -> Notice {
    Notice::new(Level::Info, NoticeKind::Answer, "watching cannot be paused: no app is watched")
}

pub(super) fn unknown(name: &str, apps: &[App]) -> Notice {
    let names: Vec<_> = apps.iter().map(|app| app.spec.name.as_str()).collect();
    let known = stops::list(&names, "is", "are").map_or_else(String::new, |names| format!(", {names}"));
    Notice::new(Level::Warning, NoticeKind::Answer, format!("{name} is not an app of this runner{known}"))
}
