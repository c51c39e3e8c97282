//! Apps that use too much memory: a soft limit restarts an instance gracefully, a hard one kills it.

use crate::model::RunId;

use super::{
    Supervisor, WatchNote,
    app::App,
    instance::{Hold, Instance, Outcome, State},
    run::{Phase, Run, StopCause},
    step::Step,
    version::Strategy,
    wording,
};

impl Supervisor {
    pub(super) fn memory(&mut self, run: RunId, bytes: u64, step: &mut Step) {
        for app in &mut self.apps {
            if app.leaves_with(run, bytes, step) || app.comes_with(run, bytes, step) {
                return;
            }
        }
        if let Some((app, slot)) = self.slot_of(run) {
            app.uses_memory(slot, bytes, step);
        }
    }
}

impl App {
    fn uses_memory(&mut self, slot: usize, bytes: u64, step: &mut Step) {
        let hard = self.spec.limits.memory_hard.filter(|limit| bytes > *limit);
        let instance = &mut self.instances[slot];
        let State::Up(run) = &mut instance.state else { return };
        if !run.stays() || instance.redo.is_some() || instance.coming.is_some() {
            // It goes in any case, but its patience is over.
            if let Some(limit) = hard {
                cut_short(&instance.name, run, bytes, limit, step);
            }
            return;
        }
        let soft = self.spec.limits.memory_soft.filter(|limit| bytes > *limit);
        let (limit, hard) = match (hard, soft) {
            (Some(limit), _) => (limit, true),
            // One instance after the other: the next look comes soon.
            (None, Some(_)) if self.others_change(slot) => return,
            (None, Some(limit)) => (limit, false),
            (None, None) => return,
        };
        let next = self.failed(slot, Outcome::Memory { bytes, limit, hard }, step);
        let State::Up(run) = &mut self.instances[slot].state else { return };
        let again = matches!(next, Hold::None | Hold::Backoff { .. });
        if !hard && again && run.can_overlap() {
            self.instances[slot].redo = Some(Strategy::Rolling);
            return;
        }
        if hard {
            run.kill_towards(next, step);
        } else {
            run.stop_towards(StopCause::Memory, next, step);
        }
        self.watch(WatchNote::Stopping, step);
    }

    /// A run that is to take a place uses so much; false: it is none of this app's. Above the soft limit it is judged once it has the place.
    fn comes_with(&mut self, run: RunId, bytes: u64, step: &mut Step) -> bool {
        let is_it = |instance: &Instance| instance.coming.as_ref().is_some_and(|coming| coming.id == run);
        let Some(slot) = self.instances.iter().position(is_it) else { return false };
        if let Some(limit) = self.spec.limits.memory_hard.filter(|limit| bytes > *limit) {
            self.kill_coming(slot, &Outcome::Memory { bytes, limit, hard: true }, step);
        }
        true
    }

    /// A run whose place is taken uses so much; false: it is none of this app's.
    fn leaves_with(&mut self, run: RunId, bytes: u64, step: &mut Step) -> bool {
        let hard = self.spec.limits.memory_hard.filter(|limit| bytes > *limit);
        let Some(leaving) = self.leaving.iter_mut().find(|leaving| leaving.run.id == run) else { return false };
        if let Some(limit) = hard {
            cut_short(&leaving.name, &mut leaving.run, bytes, limit, step);
        }
        true
    }
}

/// Kills a run that is to go, where it has not been killed yet: it uses more than its hard limit.
fn cut_short(name: &str, run: &mut Run, bytes: u64, limit: u64, step: &mut Step) {
    if !matches!(run.phase, Phase::Killed { .. }) {
        step.tell(wording::cut_short(&run.spec.name, name, bytes, limit));
        run.kill(step);
    }
}
