//! Apps that use too much memory: a soft limit restarts an instance gracefully, a hard one kills it.

use crate::model::{ExecMode, RunId};

use super::{
    Supervisor, WatchNote,
    app::App,
    instance::{Hold, Outcome, State},
    run::StopCause,
    step::Step,
    version::Strategy,
};

impl Supervisor {
    pub(super) fn memory(&mut self, run: RunId, bytes: u64, step: &mut Step) {
        if let Some((app, slot)) = self.slot_of(run) {
            app.uses_memory(slot, bytes, step);
        }
    }
}

impl App {
    fn uses_memory(&mut self, slot: usize, bytes: u64, step: &mut Step) {
        let State::Up(run) = &self.instances[slot].state else { return };
        if !run.stays() || self.instances[slot].redo.is_some() || self.instances[slot].coming.is_some() {
            return;
        }
        let hard = self.spec.limits.memory_hard.filter(|limit| bytes > *limit);
        let soft = self.spec.limits.memory_soft.filter(|limit| bytes > *limit);
        let (limit, hard) = match (hard, soft) {
            (Some(limit), _) => (limit, true),
            // One instance after the other: the next look comes soon.
            (None, Some(_)) if self.others_in_transit(slot) => return,
            (None, Some(limit)) => (limit, false),
            (None, None) => return,
        };
        let next = self.failed(slot, Outcome::Memory { bytes, limit, hard }, step);
        let State::Up(run) = &mut self.instances[slot].state else { return };
        let again = matches!(next, Hold::None | Hold::Backoff { .. });
        if !hard && again && run.serves() && run.spec.exec_mode == ExecMode::Cluster {
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
}
