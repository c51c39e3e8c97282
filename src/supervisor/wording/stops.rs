//! What is told of stops and kills.

use std::time::Duration;

use super::info;
use crate::{
    model::{HumanDuration, Level, Notice, NoticeKind, Signal, listed},
    supervisor::{ShutdownCause, run::Run},
};

/// Not even its main process stopped in time, as far as anybody knows. Without any patience that is what was asked for, and no news.
pub(in crate::supervisor) fn killed(name: &str, run: &Run) -> Option<Notice> {
    let patience = Some(run.spec.stop.timeout).filter(|patience| !patience.is_zero())?;
    // Where a message cannot reach it, it is a signal.
    let asked = if run.is_told_to_stop() { "being told to shut down".to_owned() } else { run.stop_signal().to_string() };
    let text = format!("{name} did not stop within {} of {asked} and was killed", HumanDuration(patience));
    Some(Notice::new(Level::Warning, NoticeKind::Killed, text).about(&run.spec.name))
}

/// The same of what its main process left behind, whose names are still to come.
pub(in crate::supervisor) fn rest_killed(name: &str, run: &Run, patience: Duration) -> Option<Notice> {
    let patience = HumanDuration(Some(patience).filter(|patience| !patience.is_zero())?);
    let text = format!("{name} left processes behind that did not stop within {patience} of {} and were killed", Signal::TERM);
    Some(Notice::new(Level::Warning, NoticeKind::Killed, text).about(&run.spec.name))
}

/// `None`: nothing is alive.
pub(in crate::supervisor) fn stopping(names: &[&str], cause: ShutdownCause) -> Option<Notice> {
    let why = match cause {
        ShutdownCause::Signal(Signal::INT) | ShutdownCause::Key => String::new(),
        ShutdownCause::Signal(signal) => format!(" ({signal})"),
        ShutdownCause::Asked => " (on request)".to_owned(),
        ShutdownCause::Terminal => " (the terminal went away)".to_owned(),
    };
    Some(Notice::new(Level::Info, NoticeKind::Shutdown, format!("{} being stopped{why}", list(names, "is", "are")?)))
}

/// A stop that somebody asked for; `None`: nothing is alive.
pub(in crate::supervisor) fn stop_asked(app: &str, names: &[&str]) -> Option<Notice> {
    Some(info(NoticeKind::Stopping, app, format!("{} being stopped on request", list(names, "is", "are")?)))
}

/// `None`: nothing is alive.
pub(in crate::supervisor) fn forced(names: &[&str]) -> Option<Notice> {
    Some(Notice::new(Level::Warning, NoticeKind::Killed, format!("{} killed", list(names, "was", "were")?)))
}

/// `api is`, `api and web are`, `api, web and db are`.
pub(super) fn list(names: &[&str], is: &str, are: &str) -> Option<String> {
    match names {
        [] => None,
        [only] => Some(format!("{only} {is}")),
        several => Some(format!("{} {are}", listed(several))),
    }
}
