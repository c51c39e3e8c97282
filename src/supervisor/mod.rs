//! The decisions: it is told what happened and when, and answers with what to do.
//! Pure: no tokio, no clock, no I/O, no logging; it depends on `model` alone. The same events at the same times give the same effects.
//! Start reading with [`event`] and [`effect`], then `reconcile`: what is desired (`app`) against what is (`instance`, `run`).

mod app;
mod apply;
mod build;
mod changes;
mod dependency;
pub mod effect;
pub mod event;
mod explain;
mod health;
mod instance;
mod invariants;
mod memory;
mod news;
mod progress;
mod reconcile;
mod record;
mod request;
mod restart;
mod rollout;
mod rules;
mod run;
mod save;
mod shutdown;
#[cfg(test)]
mod sim;
mod snapshot;
mod step;
mod surge;
#[cfg(test)]
mod tests;
mod version;
mod wording;

use std::time::Instant;

pub use effect::{Effect, Effects, Role, WatchNote};
pub use event::{Edit, Event, Request, ShutdownCause, Target};
pub use explain::{AppExplanation, Explanation};
pub use progress::{Goal, Progress};

use app::App;
use shutdown::Course;
use step::{Mint, Step};

/// The decisions of one runner.
#[derive(Debug, Clone)]
pub struct Supervisor {
    apps: Vec<App>,
    course: Course,
    /// It does not end by itself.
    stays: bool,
    paused: bool,
    mint: Mint,
}

impl Supervisor {
    /// A supervisor without apps; `seed` is for the jitter of backoff delays.
    pub fn new(seed: u64) -> Self {
        Self { apps: Vec::new(), course: Course::Fresh, stays: false, paused: false, mint: Mint::new(seed) }
    }

    /// The same, which goes on when nothing of it can go on by itself: apps may come.
    pub fn staying(self) -> Self {
        Self { stays: true, ..self }
    }

    /// Takes in what happened at `now` (which never goes back) and answers with what to do, in order.
    #[must_use = "an effect that is not performed is never asked for again"]
    pub fn handle(&mut self, now: Instant, event: Event) -> Effects {
        let mut step = Step { now, mint: self.mint, effects: Vec::new() };
        self.receive(event, &mut step);
        self.reconcile(&mut step);
        self.conclude(&mut step);
        self.mint = step.mint;
        if cfg!(debug_assertions) {
            self.check(now, &step.effects);
        }
        step.effects
    }

    /// Whether its apps shall run: it has begun, and its end has not.
    pub fn is_running(&self) -> bool {
        self.course == Course::Running
    }

    /// When `Event::Deadline` is to be handled unless something else happens before. After `handle` it lies in the future.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.apps.iter().filter_map(App::deadline).min()
    }

    /// Whether a change of files may start something: not while watching is paused, and not at the end.
    pub fn heeds_files(&self) -> bool {
        match self.course {
            Course::Running => !self.paused,
            Course::Fresh | Course::Ending { .. } | Course::Over => false,
        }
    }

    fn receive(&mut self, event: Event, step: &mut Step) {
        match event {
            Event::Begin { apps } => self.begin(apps, step),
            Event::Spawned { run, pid } => self.spawned(run, pid, step),
            Event::SpawnFailed { run, failure } => self.spawn_failed(run, failure, step),
            Event::MainExited { run, exit, oom } => self.main_exited(run, exit, oom, step),
            Event::SetEmpty { run } => self.set_empty(run, step),
            Event::Ready { run } => self.ready(run, step),
            Event::Drained { run } => self.drained(run, step),
            Event::Health { run, check, answer } => self.health(run, check, answer, step),
            Event::Memory { run, bytes } => self.memory(run, bytes, step),
            Event::Cron { app } => self.cron(app, step),
            Event::FilesChanging { app, path: _ } => self.files_changing(app, step.now),
            Event::FilesChanged { app, changes } => self.files_changed(app, changes, step),
            Event::Probe { app, path } => self.probe(app, path, step),
            Event::ProbeOver { app } => self.probe_over(app, step),
            Event::Request(request) => self.request(request, step),
            Event::Apply { edits, shown } => self.apply(edits, &shown, step),
            Event::Shutdown(cause) => self.shut_down(cause, step),
            Event::ForceShutdown { code } => self.force_shutdown(code, step),
            Event::Continued { stopped_for } => self.apps.iter_mut().for_each(|app| app.shift(stopped_for)),
            // `reconcile` follows every event and looks at every deadline.
            Event::Deadline => {}
        }
    }
}
