//! What is desired against what is: each instance is moved a step at a time, until nothing is left to do now.

use std::sync::Arc;

use super::{
    Effect, Role, Supervisor, WatchNote,
    app::{App, Gate},
    instance::{End, Hold, Outcome, Start, State},
    restart::Verdict,
    run::{Due, Phase, Run, StopCause, Why},
    step::Step,
    version::Reason,
    wording,
};

impl Supervisor {
    pub(super) fn reconcile(&mut self, step: &mut Step) {
        // First what goes: what comes in its place may wait for it.
        self.apps.iter_mut().filter(|app| app.removed).for_each(|app| {
            app.reconcile(step);
        });
        self.drop_removed(step);
        // What one app comes to may be what another waits for.
        while self.order() | self.reconcile_apps(step) {}
        self.tell_blocked(step);
    }

    /// Moves every app as far as it can go now; true while that can change what others wait for.
    fn reconcile_apps(&mut self, step: &mut Step) -> bool {
        let before = step.effects.len();
        let mut moved = false;
        self.apps.iter_mut().filter(|app| !app.removed).for_each(|app| moved |= app.reconcile(step));
        moved || step.effects.len() > before
    }
}

impl App {
    /// Moves it as far as it can go now; true: an instance of it has moved, be it that nothing was to be done for that.
    fn reconcile(&mut self, step: &mut Step) -> bool {
        let mut moved = false;
        self.reconcile_work(step);
        self.reconcile_build(step);
        for slot in 0..self.instances.len() {
            while self.advance(slot, step) {
                moved = true;
            }
        }
        while self.is_surplus(self.instances.len() - 1) && self.instances.last().is_some_and(|instance| instance.run().is_none()) {
            self.instances.pop();
        }
        self.reconcile_left(step);
        self.reconcile_leaving(step);
        moved
    }

    /// Moves an instance one step towards what is desired; false: there is nothing to do now.
    fn advance(&mut self, slot: usize, step: &mut Step) -> bool {
        if self.advance_coming(slot, step) {
            return true;
        }
        let surplus = self.is_surplus(slot);
        let (gate, stop) = (self.gate(), self.stop_cause());
        let rests = self.instances[slot].rests();
        let waits = self.awaits_leaving();
        let outdated = self.instances[slot].run().is_some_and(|run| run.stays() && !self.keeps(slot, run.generation));
        let rolls = outdated && self.surges(slot);
        if rolls && self.surge(slot, step) {
            return true;
        }
        if outdated && self.lets_go(slot) {
            self.let_go(slot, step);
            return true;
        }
        match &mut self.instances[slot].state {
            State::Up(run) if outdated && !rolls => {
                // A run that is replaced for what it is comes back as what it was.
                let stop = if rests { StopCause::Rest } else { stop };
                run.stop(stop, step);
                self.watch(WatchNote::Stopping, step);
                true
            }
            State::Up(run) => match run.phase {
                Phase::Starting => false,
                Phase::Warming { ready_by } if ready_by <= step.now => self.not_ready(slot, step),
                Phase::Warming { .. } => false,
                Phase::Ready => self.check_health(slot, step),
                Phase::Dumping { until, next } if until <= step.now => {
                    run.stop_towards(StopCause::Unhealthy, next, step);
                    true
                }
                Phase::Dumping { .. } | Phase::Draining { .. } => false,
                Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => self.expire(slot, step),
            },
            State::Down { hold, of } => {
                if let Hold::Backoff { until } = *hold
                    && until <= step.now
                {
                    *hold = Hold::None;
                    return true;
                }
                let Gate::Open(generation) = gate else { return false };
                if surplus || rests || waits {
                    return false;
                }
                let free = *hold == Hold::None || *of < generation;
                if free {
                    self.start(slot, step);
                }
                free
            }
        }
    }

    /// Looks at the deadline of a run; true: it had come.
    fn expire(&mut self, slot: usize, step: &mut Step) -> bool {
        let instance = &mut self.instances[slot];
        let State::Up(run) = &mut instance.state else { return false };
        match run.expire(&instance.name, step) {
            Due::Not => return false,
            Due::Killed => {}
            Due::Stuck { next } => {
                let (id, of) = (run.id, run.generation);
                step.act(Effect::ReportStuck { run: id, name: instance.name.clone() });
                instance.state = State::Down { hold: next, of };
                if self.wanted && self.spec.restart.stuck_blocks {
                    self.give_up_stuck(slot, step);
                }
                self.watch(WatchNote::Exited, step);
            }
        }
        true
    }

    /// Holds a slot whose old set cannot be removed, whatever generation was to come.
    fn give_up_stuck(&mut self, slot: usize, step: &mut Step) {
        step.tell(wording::ended(&self.instances[slot].name, self, &Outcome::Stuck, Verdict::Wait));
        self.give_up(slot, None, wording::had_ended(&Outcome::Stuck), step);
        self.instances[slot].state = State::Down { hold: Hold::Errored, of: self.version.generation };
        self.instances[slot].ended(Outcome::Stuck, Verdict::Wait, step.now);
        self.watch(WatchNote::Down, step);
    }

    fn start(&mut self, slot: usize, step: &mut Step) {
        if let Some((run, start)) = self.begin_run(slot, step) {
            let instance = &mut self.instances[slot];
            instance.redo = None;
            instance.start = Some(start);
            let rested = std::mem::take(&mut instance.rested);
            instance.restarts += u64::from(instance.starts > 1 && !rested);
            instance.state = State::Up(run);
        }
    }

    /// A run of the newest version that can run, asked for now, for a slot.
    pub fn begin_run(&mut self, slot: usize, step: &mut Step) -> Option<(Run, Start)> {
        let version = self.runnable()?;
        let (generation, reason, spec) = (version.generation, wording::reason(&version.reason), Arc::clone(&version.spec));
        let instance = &mut self.instances[slot];
        let grown = matches!(instance.end, Some(End { outcome: Outcome::Memory { .. }, .. }));
        let why = match instance.newest {
            Some(newest) if newest == generation && !grown && (instance.redo.is_some() || instance.rested) => Why::Asked,
            Some(newest) if newest == generation => Why::Again,
            Some(_) | None => Why::Version,
        };
        let reason = match (why, &instance.end) {
            (Why::Version, _) => reason,
            (Why::Asked, _) => wording::reason(&Reason::Request),
            (Why::Again, Some(end)) => wording::had_ended(&end.outcome),
            (Why::Again, None) => "the newer version could not be built".to_owned(),
        };
        let run = Run::new(step.mint.run(), Role::App, generation, Arc::clone(&spec), why, step.now);
        step.act(Effect::Spawn { run: run.id, instance: instance.id, generation, role: Role::App, spec });
        instance.newest = Some(generation);
        instance.starts += 1;
        instance.last = Some(run.id);
        Some((run, Start { at: step.now, why: reason }))
    }

    pub fn stop_cause(&self) -> StopCause {
        match self.gate() {
            Gate::Unwanted => StopCause::Shutdown,
            Gate::Resting => StopCause::Rest,
            Gate::Removed => StopCause::Removed,
            Gate::Probing => StopCause::Probing,
            Gate::Settling => StopCause::Settling,
            Gate::Open(_) | Gate::Building | Gate::Unbuilt | Gate::Preceded | Gate::Preparing | Gate::Waiting => StopCause::Replaced,
        }
    }
}
