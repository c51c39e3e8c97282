//! The gate before a new version: its build runs while the old version serves.

use std::sync::Arc;

use crate::model::InstanceId;

use super::{
    Effect, Role, WatchNote,
    app::App,
    instance::{End, Hold, Outcome, State},
    run::{Due, Phase, Run, StopCause, Why},
    step::Step,
    wording,
};

impl App {
    /// Starts the build of the newest version, and cancels that of any other.
    pub fn reconcile_build(&mut self, step: &mut Step) {
        let (wanted, stop) = (self.wanted, self.stop_cause());
        if let Some(run) = &mut self.build {
            match run.phase {
                Phase::Starting | Phase::Ready => {
                    let cause = if wanted { StopCause::Replaced } else { stop };
                    if !wanted || run.generation != self.version.generation {
                        run.stop(cause, step);
                    }
                }
                Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => {}
            }
            if !expire(&self.spec.name, run, step) {
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
            expire(name, run, step)
        });
    }

    fn start_build(&mut self, step: &mut Step) {
        let generation = self.version.generation;
        let run = Run {
            id: step.mint.run(),
            role: Role::Build,
            generation,
            spec: Arc::clone(&self.spec),
            why: Why::Version,
            spawned: step.now,
            started: None,
            pid: None,
            phase: Phase::Starting,
        };
        let instance = InstanceId { app: self.id, slot: 0 };
        step.act(Effect::Spawn { run: run.id, instance, generation, role: Role::Build, spec: Arc::clone(&self.spec) });
        step.tell(wording::building(&self.spec));
        self.build = Some(run);
    }

    /// A build's main process is gone, or never came to be (`launched` false: nothing of it is alive).
    pub fn build_ended(&mut self, outcome: Outcome, launched: bool, step: &mut Step) {
        let Some(mut run) = self.build.take() else { return };
        match run.phase {
            Phase::Starting | Phase::Ready => self.judge_build(&run, outcome, step),
            // Cancelled: whatever it made is of an older version.
            Phase::Stopping { .. } | Phase::Sweeping { .. } => {}
            Phase::Killed { .. } => {
                self.left.extend(launched.then_some(run));
                return;
            }
        }
        if launched {
            run.phase = Phase::Ready;
            run.pid = None;
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
        self.tried = Some((generation, Some(End { at: step.now, outcome: outcome.clone() })));
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

/// Looks at the deadline of a build's set; false: it is given up.
fn expire(name: &str, run: &mut Run, step: &mut Step) -> bool {
    let name = format!("the build of {name}");
    match run.expire(step) {
        Due::Not => true,
        Due::Killed { main, patience } => {
            step.tell(wording::killed(&name, run, main, patience));
            true
        }
        Due::Stuck { .. } => {
            step.act(Effect::ReportStuck { run: run.id, name });
            false
        }
    }
}
