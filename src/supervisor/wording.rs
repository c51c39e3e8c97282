//! What people are told, and how: each notice of the supervisor in one place.

use std::time::{Duration, Instant};

use crate::model::{AppSpec, ChangeSet, HumanDuration, Launch, LaunchFailure, Level, Notice, NoticeKind, Signal, Stage};

use super::{
    ShutdownCause,
    app::{App, Gate},
    changes,
    instance::{End, Instance, Outcome},
    restart::{GiveUp, Verdict},
    run::Run,
    version::{Reason, Version},
};

fn info(kind: NoticeKind, app: &str, text: String) -> Notice {
    Notice::new(Level::Info, kind, text).about(app)
}

pub(super) fn started(app: &str, instances: &[Instance]) -> Notice {
    let mut pids = instances.iter().filter_map(Instance::run).filter_map(|run| run.pid);
    let text = match (instances.len(), pids.next()) {
        (1, Some(pid)) => format!("{app} started (pid {pid})"),
        (count, _) => format!("{app} started ({count} instances)"),
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

/// How something ended, as a part of a sentence.
pub(super) fn had_ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(exit) if exit.success() => format!("it ended ({exit})"),
        Outcome::Exit(exit) => format!("it crashed ({exit})"),
        Outcome::Launch(failure) => format!("it could not be started ({failure})"),
        Outcome::Stuck => "processes of its last run outlived SIGKILL".to_owned(),
    }
}

/// Why a generation exists, as the end of a sentence.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Begin => "the runner began".to_owned(),
        Reason::Files(_) | Reason::Probe(_) => format!("of a change ({})", reason.shown()),
        Reason::Request => "it was asked to".to_owned(),
        Reason::Edit(file) => format!("{file} was edited"),
    }
}

/// An end by itself, and what follows from it.
pub(super) fn ended(name: &str, app: &App, outcome: &Outcome, verdict: Verdict) -> Notice {
    let spec = &app.spec;
    let (what, own_kind, own_level) = match outcome {
        Outcome::Exit(exit) if exit.success() => (format!("{name} ended ({exit})"), NoticeKind::Ended, Level::Info),
        Outcome::Exit(exit) => (format!("{name} crashed ({exit})"), NoticeKind::Crashed, Level::Error),
        Outcome::Launch(failure) => (not_started(name, failure), NoticeKind::LaunchFailed, Level::Error),
        Outcome::Stuck => (format!("{name} is not started: processes of its last run outlived SIGKILL"), NoticeKind::Errored, Level::Error),
    };
    let waits = waits(app);
    let (kind, level, text) = match verdict {
        Verdict::Wait => (own_kind, own_level, format!("{what}{waits}")),
        Verdict::StopCode => {
            let code = outcome.code().unwrap_or_default();
            (NoticeKind::Ended, Level::Info, format!("{name} ended (exit code {code}, one of its stop_exit_codes){waits}"))
        }
        Verdict::Again(Duration::ZERO) => (NoticeKind::Backoff, own_level, format!("{what}, starting again")),
        Verdict::Again(delay) => (NoticeKind::Backoff, own_level, format!("{what}, starting again in {}", HumanDuration(delay))),
        Verdict::GiveUp(why) => (NoticeKind::Errored, Level::Error, format!("{what} and {}{waits}", given_up(why))),
    };
    let notice = Notice::new(level, kind, text).about(&spec.name);
    match (outcome, &spec.missing_hint) {
        (Outcome::Launch(failure), Some(hint)) if failure.stage == Stage::Exec && failure.errno == 2 => notice.hint(hint),
        (Outcome::Exit(_) | Outcome::Launch(_) | Outcome::Stuck, _) => notice,
    }
}

fn given_up(why: GiveUp) -> String {
    match why {
        GiveUp::Never => "is not started again (max_restarts is 0)".to_owned(),
        GiveUp::InARow { ends, min_uptime } => format!("is given up after {ends} runs in a row of less than {}", HumanDuration(min_uptime)),
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

/// Something did not stop in time. `main`: not even its main process had ended, as far as anybody knows. Without any patience that is
/// what was asked for, and no news.
pub(super) fn killed(name: &str, run: &Run, main: bool, patience: Duration) -> Option<Notice> {
    if patience.is_zero() {
        return None;
    }
    let patience = HumanDuration(patience);
    let text = if main {
        format!("{name} did not stop within {patience} of {} and was killed", run.stop_signal())
    } else {
        format!("{name} left processes behind that did not stop within {patience} of {} and were killed", Signal::TERM)
    };
    Some(Notice::new(Level::Warning, NoticeKind::Killed, text).about(&run.spec.name))
}

pub(super) fn building(spec: &AppSpec) -> Notice {
    let command = spec.build.as_ref().map(command).unwrap_or_default();
    info(NoticeKind::Building, &spec.name, format!("{} is being built ({command})", spec.name))
}

fn command(launch: &Launch) -> String {
    launch.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

pub(super) fn still_building(app: &str, took: Duration) -> Notice {
    info(NoticeKind::Building, app, format!("{app} is still being built ({})", HumanDuration(took)))
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
    let known = list(&names, "is", "are").map_or_else(String::new, |names| format!(", {names}"));
    Notice::new(Level::Warning, NoticeKind::Answer, format!("{name} is not an app of this runner{known}"))
}

/// `None`: nothing is alive.
pub(super) fn stopping(names: &[&str], cause: ShutdownCause) -> Option<Notice> {
    let why = match cause {
        ShutdownCause::Signal(Signal::INT) | ShutdownCause::Key => String::new(),
        ShutdownCause::Signal(signal) => format!(" ({signal})"),
        ShutdownCause::Terminal => " (the terminal went away)".to_owned(),
    };
    Some(Notice::new(Level::Info, NoticeKind::Shutdown, format!("{} being stopped{why}", list(names, "is", "are")?)))
}

/// `None`: nothing is alive.
pub(super) fn forced(names: &[&str]) -> Option<Notice> {
    Some(Notice::new(Level::Warning, NoticeKind::Killed, format!("{} killed", list(names, "was", "were")?)))
}

/// `api is`, `api and web are`, `api, web and db are`.
fn list(names: &[&str], is: &str, are: &str) -> Option<String> {
    match names {
        [] => None,
        [only] => Some(format!("{only} {is}")),
        [first @ .., last] => Some(format!("{} and {last} {are}", first.join(", "))),
    }
}
