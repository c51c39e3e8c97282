//! The gate before a new version: its build runs while the old version serves.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::InstanceId;

use super::{
    Effect, Role, WatchNote,
    app::App,
    instance::{End, Hold, Outcome, State},
    restart::Verdict,
    run::{Due, Phase, Run, StopCause, Why},
    step::Step,
    wording,
};

/// How long a build has run, in seconds, when people are told that it still does. After the last time nothing wakes us for it.
const STILL: [u64; 8] = [10, 30, 60, 120, 300, 600, 1200, 3600];

/// A build that is not over.
#[derive(Debug, Clone)]
pub(super) struct Build {
    pub run: Run,
    /// When people are told that it still runs, unless it was asked to stop.
    still_at: Option<Instant>,
}

impl Build {
    pub fn new(run: Run) -> Self {
        let still_at = still_at(&run, Duration::ZERO);
        Self { run, still_at }
    }

    pub fn deadline(&self) -> Option<Instant> {
        if self.run.stays() { self.still_at } else { self.run.deadline() }
    }

    pub fn shift(&mut self, by: Duration) {
        self.still_at = self.still_at.map(|at| at + by);
        self.run.shift(by);
    }

    /// Tells that it still runs, where that is due.
    pub fn remind(&mut self, step: &mut Step) {
        if !self.run.stays() || self.still_at.is_none_or(|at| at > step.now) {
            return;
        }
        let took = step.now.saturating_duration_since(self.run.spawned);
        step.tell(wording::still_running(&self.run, took));
        self.still_at = still_at(&self.run, took);
    }
}

/// The first of [`STILL`] after a build has taken so long.
fn still_at(run: &Run, took: Duration) -> Option<Instant> {
    STILL.into_iter().map(Duration::from_secs).find(|time| *time > took).map(|time| run.spawned + time)
}

impl App {
    /// Starts the build of the newest version, and cancels that of any other.
    pub fn reconcile_build(&mut self, step: &mut Step) {
        let (wanted, stop) = (self.wanted && !self.is_resting(), self.stop_cause());
        if let Some(build) = &mut self.build {
            if !wanted {
                build.run.stop(stop, step);
            } else if build.run.generation != self.version.generation {
                build.run.stop(StopCause::Replaced, step);
            }
            build.remind(step);
            if !expire(&wording::of_build(&self.spec.name), &mut build.run, step) {
                self.build = None;
            }
        }
        if self.build.is_none() && self.build_due() {
            self.start_build(step);
        }
    }

    /// Sweeps what builds left behind, once the runner ends.
    pub fn reconcile_left(&mut self, step: &mut Step) {
        let (name, wanted) = (&self.spec.name, self.wanted);
        self.left.retain_mut(|run| {
            if !wanted && run.phase == Phase::Ready {
                run.sweep(Hold::None, step);
            }
            expire(&wording::of_build(name), run, step)
        });
    }

    fn start_build(&mut self, step: &mut Step) {
        let generation = self.version.generation;
        let run = Run::new(step.mint.run(), Role::Build, generation, Arc::clone(&self.spec), Why::Version, step.now);
        let instance = InstanceId { app: self.id, slot: 0 };
        step.act(Effect::Spawn { run: run.id, instance, generation, role: Role::Build, spec: Arc::clone(&self.spec) });
        step.tell(wording::building(&self.spec));
        self.build = Some(Build::new(run));
    }

    /// A build's main process is gone, or never came to be (`launched` false: nothing of it is alive).
    pub fn build_ended(&mut self, outcome: Outcome, launched: bool, step: &mut Step) {
        let Some(Build { mut run, .. }) = self.build.take() else { return };
        // What was cancelled made something of an older version.
        if run.stays() {
            self.judge_build(&run, outcome, step);
        }
        if launched {
            run.is_over();
            self.left.push(run);
        }
    }

    fn judge_build(&mut self, run: &Run, outcome: Outcome, step: &mut Step) {
        let generation = run.generation;
        if outcome.success() {
            step.tell(wording::built(&self.spec.name, step.now.saturating_duration_since(run.spawned)));
            self.tried = Some((generation, None));
            self.built = Some(self.version.clone());
            return;
        }
        self.tried = Some((generation, Some(End { at: step.now, outcome: outcome.clone(), verdict: Verdict::Wait })));
        let next = if self.instances.iter().any(|instance| instance.run().is_some_and(Run::serves)) {
            wording::AfterBuild::Keeps
        } else if self.built.is_some()
            && self.instances.iter().any(|instance| matches!(instance.state, State::Down { hold: Hold::None, .. }))
        {
            wording::AfterBuild::Returns
        } else {
            wording::AfterBuild::Waits
        };
        step.tell(wording::build_failed(self, &outcome, next));
        self.watch(WatchNote::Down, step);
    }
}

/// Looks at the deadline of the set of a build or a command; false: it is given up.
pub(super) fn expire(name: &str, run: &mut Run, step: &mut Step) -> bool {
    match run.expire(name, step) {
        Due::Not | Due::Killed => true,
        Due::Stuck { .. } => {
            step.act(Effect::ReportStuck { run: run.id, name: name.to_owned() });
            false
        }
    }
}
