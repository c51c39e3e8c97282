//! How the instances of an app come to a new version: all at once, or one after the other.

use crate::model::Generation;

use super::{
    app::App,
    instance::{Hold, Instance, State},
    run::Phase,
    step::Step,
    version::Strategy,
    wording,
};

impl App {
    /// Whether the runs of an older version are replaced one after the other.
    pub fn rolls(&self, generation: Generation) -> bool {
        self.runnable().is_some_and(|version| version.generation == generation && version.strategy == Strategy::Rolling)
    }

    /// Whether the run of an older version in a slot has to go now.
    pub fn is_turn_of(&self, slot: usize, current: Generation) -> bool {
        if !self.rolls(current) {
            return true;
        }
        let old = |instance: &Instance| is_old(instance, current);
        let first = self.instances.iter().position(old);
        self.aborted != Some(current) && first == Some(slot) && !self.others_in_transit(slot)
    }

    /// Whether another instance is between two runs, or about to have another one.
    pub fn others_in_transit(&self, slot: usize) -> bool {
        self.transits(|other, _| other != slot)
    }

    /// Whether one of these instances is in transit.
    fn transits(&self, meant: impl Fn(usize, &Instance) -> bool) -> bool {
        let Some(current) = self.runnable().map(|version| version.generation) else { return false };
        let meant = self.instances.iter().enumerate().filter(|(slot, instance)| !self.is_surplus(*slot) && meant(*slot, instance));
        meant.map(|(_, instance)| instance).any(|instance| {
            instance.coming.is_some()
                || match &instance.state {
                    State::Up(run) => match run.phase {
                        Phase::Ready => false,
                        Phase::Starting | Phase::Warming { .. } => run.generation == current,
                        Phase::Dumping { .. }
                        | Phase::Draining { .. }
                        | Phase::Stopping { .. }
                        | Phase::Sweeping { .. }
                        | Phase::Killed { .. } => true,
                    },
                    // Nobody waits for what somebody stopped.
                    State::Down { .. } if instance.rests() => false,
                    State::Down { hold, of } => match hold {
                        Hold::None | Hold::Backoff { .. } => true,
                        Hold::Crashed | Hold::Exited | Hold::Errored => *of < current,
                    },
                }
        })
    }

    /// Whether another instance is between two runs, and not for a delay of its own.
    pub fn others_change(&self, slot: usize) -> bool {
        let waits = |instance: &Instance| matches!(instance.state, State::Down { hold: Hold::Backoff { .. }, .. });
        self.transits(|other, instance| other != slot && !waits(instance))
    }

    /// A run failed before it was ever ready: where others of an older version serve, they go on.
    pub fn abort_rollout(&mut self, slot: usize, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let current = run.generation;
        if run.ready.is_some() || !self.rolls(current) || self.aborted == Some(current) {
            return;
        }
        self.abort(current, slot, step);
    }

    /// Nothing further is replaced by a generation of which the run of a slot failed, where others of an older version serve.
    pub fn abort(&mut self, current: Generation, slot: usize, step: &mut Step) {
        let kept = self.instances.iter().filter(|instance| is_old(instance, current)).count();
        if kept > 0 {
            self.aborted = Some(current);
            step.tell(wording::rollout_aborted(&self.spec.name, &self.instances[slot].name, kept));
        }
    }
}

/// Whether it has a run of an older version that nobody asked to stop.
fn is_old(instance: &Instance, current: Generation) -> bool {
    instance.run().is_some_and(|run| run.generation != current && run.stays())
}
