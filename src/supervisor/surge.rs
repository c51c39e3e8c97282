//! Runs of one instance that overlap: workers share their ports, so a new one takes the place of the old once it is ready, and the old one
//! serves what it has begun. A new one that is never ready changes nothing.
//!
//! At most one new run of an app is coming at a time, and none while old ones are still leaving.

use std::time::{Duration, Instant};

use crate::model::{AppId, InstanceId, Probe, RunId};

use super::{
    Effect, Supervisor,
    app::{App, Gate},
    build::expire,
    instance::{Hold, Instance, Outcome, State},
    news::told,
    restart::Verdict,
    run::{Phase, Run, StopCause},
    step::Step,
    version::Strategy,
    wording,
};

/// A run whose place is taken, until nothing of it is alive.
#[derive(Debug, Clone)]
pub(super) struct Leaving {
    pub instance: InstanceId,
    /// The instance as people call it.
    pub name: String,
    pub run: Run,
}

impl Leaving {
    pub fn shift(&mut self, by: Duration) {
        self.run.shift(by);
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.run.deadline()
    }
}

impl Supervisor {
    /// Whether an app is to have no run until somebody starts it, and has none: nothing needs to be bound for it.
    pub fn needs_no_socket(&self, id: AppId) -> bool {
        let rests = |app: &App, instance: &Instance| match &instance.state {
            State::Up(_) => false,
            State::Down { hold: Hold::None | Hold::Backoff { .. }, .. } => !app.wanted || instance.rests(),
            State::Down { hold: Hold::Crashed | Hold::Exited | Hold::Errored, .. } => true,
        };
        let app = self.apps.iter().find(|app| app.id == id);
        let of_cluster = |run: &Run| run.spec.shares_ports();
        let shares = |app: &App| app.spec.shares_ports() || app.sets().any(of_cluster);
        app.is_none_or(|app| {
            !shares(app) || app.leaving.is_empty() && app.instances.iter().all(|instance| instance.coming.is_none() && rests(app, instance))
        })
    }

    /// A run serves nothing any more.
    pub(super) fn drained(&mut self, id: RunId, step: &mut Step) {
        let leaving = self.apps.iter_mut().flat_map(|app| &mut app.leaving).find(|leaving| leaving.run.id == id);
        if let Some(Leaving { run, .. }) = leaving
            && let Phase::Draining { cause, next, .. } = run.phase
        {
            run.stop_towards(cause, next, step);
        }
    }
}

impl App {
    /// Whether the run of a slot is replaced by one that comes while it serves.
    pub fn surges(&self, slot: usize) -> bool {
        let instance = &self.instances[slot];
        let Gate::Open(current) = self.gate() else { return false };
        let both = instance.run().is_some_and(Run::can_overlap) && self.runnable().is_some_and(|new| new.spec.shares_ports());
        let rolling = match instance.redo {
            Some(strategy) => strategy == Strategy::Rolling,
            None => self.rolls(current),
        };
        both && rolling && !self.is_surplus(slot) && !instance.rests()
    }

    /// Starts the run that takes the place of a slot's; false: one is coming already, or others are still leaving.
    pub fn surge(&mut self, slot: usize, step: &mut Step) -> bool {
        if !self.leaving.is_empty() || self.instances.iter().any(|instance| instance.coming.is_some()) {
            return false;
        }
        let (run, start) = self.begin_run(slot, step).unzip();
        let instance = &mut self.instances[slot];
        (instance.coming, instance.coming_start) = (run, start);
        instance.coming.is_some()
    }

    /// Moves a slot's coming run a step; false: there is none, or nothing to do now.
    pub fn advance_coming(&mut self, slot: usize, step: &mut Step) -> bool {
        let Some(coming) = &self.instances[slot].coming else { return false };
        if !self.awaits(slot, coming) {
            self.retire_coming(slot, step);
            return true;
        }
        if self.instances[slot].run().is_none() {
            self.take_place(slot, step);
            return true;
        }
        let Phase::Warming { ready_by } = coming.phase else { return false };
        if ready_by > step.now {
            return false;
        }
        let signed = self.instances[slot].run().is_some_and(|run| run.signed);
        if self.spec.ready.by == Probe::Listening && !signed {
            // The one before listened on nothing either.
            self.comes_up(slot, step);
        } else {
            let timeout = self.spec.ready.timeout;
            self.coming_failed(slot, &Outcome::NotReady(timeout), step);
            self.retire_coming_for(slot, StopCause::NotReady, step);
        }
        true
    }

    /// Whether a coming run is still what its slot is to have.
    fn awaits(&self, slot: usize, coming: &Run) -> bool {
        let instance = &self.instances[slot];
        let newest = || self.runnable().is_some_and(|version| version.generation == coming.generation);
        let meant = match self.gate() {
            Gate::Open(_) | Gate::Building | Gate::Unbuilt => newest(),
            Gate::Preparing | Gate::Waiting => true,
            Gate::Unwanted | Gate::Resting | Gate::Removed | Gate::Preceded | Gate::Probing | Gate::Settling => false,
        };
        meant && !self.is_surplus(slot) && !instance.rests() && instance.redo != Some(Strategy::Recreate)
    }

    /// A run of a slot is there until nothing of it is alive, and has no place any more.
    fn sees_off(&mut self, slot: usize, run: Run) {
        let Instance { id, name, .. } = &self.instances[slot];
        self.leaving.push(Leaving { instance: *id, name: name.clone(), run });
    }

    /// A coming run is not wanted any more.
    pub fn retire_coming(&mut self, slot: usize, step: &mut Step) {
        self.retire_coming_for(slot, StopCause::Replaced, step);
    }

    fn retire_coming_for(&mut self, slot: usize, cause: StopCause, step: &mut Step) {
        if let Some(mut run) = self.instances[slot].coming.take() {
            run.stop(cause, step);
            self.sees_off(slot, run);
        }
    }

    /// Whether nothing may start yet: what is no worker cannot share a port with those that are leaving.
    pub fn awaits_leaving(&self) -> bool {
        !self.leaving.is_empty() && self.runnable().is_some_and(|version| !version.spec.shares_ports())
    }

    /// Whether a surplus run finishes what it serves before it goes.
    pub fn lets_go(&self, slot: usize) -> bool {
        let open = matches!(self.gate(), Gate::Open(_));
        open && self.is_surplus(slot) && self.instances[slot].run().is_some_and(Run::can_overlap)
    }

    /// A surplus run finishes what it serves, and its slot is free.
    pub fn let_go(&mut self, slot: usize, step: &mut Step) {
        let instance = &mut self.instances[slot];
        if let Some(of) = instance.run().map(|run| run.generation)
            && let State::Up(mut run) = std::mem::replace(&mut instance.state, State::Down { hold: Hold::None, of })
        {
            run.drain(StopCause::Replaced, step);
            self.sees_off(slot, run);
        }
    }

    /// The coming run takes its place; the old one, where it serves still, finishes what it has begun.
    fn take_place(&mut self, slot: usize, step: &mut Step) {
        let instance = &mut self.instances[slot];
        let Some(new) = instance.coming.take() else { return };
        instance.redo = None;
        instance.start = instance.coming_start.take();
        instance.restarts += 1;
        if let State::Up(mut old) = std::mem::replace(&mut instance.state, State::Up(new)) {
            old.drain(StopCause::Replaced, step);
            self.sees_off(slot, old);
        }
    }

    /// The program of a coming run executes.
    pub fn coming_executes(&mut self, slot: usize, pid: i32, step: &mut Step) {
        let ready = self.spec.ready.clone();
        let Some(run) = &mut self.instances[slot].coming else { return };
        if !run.executes(pid, step.now) {
            return;
        }
        let (id, why) = (run.id, run.why);
        self.tell_started(why, step);
        if ready.by == Probe::Started {
            self.comes_up(slot, step);
            return;
        }
        if let Some(run) = &mut self.instances[slot].coming {
            run.phase = Phase::Warming { ready_by: step.now + ready.timeout };
        }
        let instance = self.instances[slot].id;
        step.act(Effect::AwaitReady { run: id, instance, spec: std::sync::Arc::clone(&self.spec) });
    }

    /// A coming run gave the sign that it is ready.
    pub fn coming_ready(&mut self, slot: usize, step: &mut Step) {
        let Some(run) = &mut self.instances[slot].coming else { return };
        if let Phase::Warming { .. } = run.phase {
            run.signed = true;
            self.comes_up(slot, step);
        }
    }

    fn comes_up(&mut self, slot: usize, step: &mut Step) {
        if let Some(run) = &mut self.instances[slot].coming {
            run.phase = Phase::Ready;
            self.take_place(slot, step);
            self.is_ready(slot, step);
        }
    }

    /// The main process of a coming run ended, or never came to be (`launched` false: nothing of it is alive).
    pub fn coming_ended(&mut self, slot: usize, outcome: &Outcome, launched: bool, step: &mut Step) {
        self.coming_failed(slot, outcome, step);
        if let Some(mut run) = self.instances[slot].coming.take()
            && launched
        {
            run.sweep(Hold::None, step);
            self.sees_off(slot, run);
        }
    }

    /// A coming run may not live any longer, whatever it has become meanwhile.
    pub fn kill_coming(&mut self, slot: usize, outcome: &Outcome, step: &mut Step) {
        self.coming_failed(slot, outcome, step);
        if let Some(mut run) = self.instances[slot].coming.take() {
            run.kill(step);
            self.sees_off(slot, run);
        }
    }

    /// A coming run is of no use: the old one goes on, and nothing further is replaced.
    fn coming_failed(&mut self, slot: usize, outcome: &Outcome, step: &mut Step) {
        let Some(run) = self.instances[slot].coming.clone() else { return };
        let name = format!("{} (new run)", self.instances[slot].name);
        step.act(told(Some(&run), outcome, wording::ended(&name, self, outcome, Verdict::Kept)));
        self.instances[slot].ended(outcome.clone(), Verdict::Kept, step.now);
        self.instances[slot].redo = None;
        self.record_of(slot, &run, outcome, Verdict::Kept, step);
        self.abort(run.generation, slot, step);
    }

    /// The main process of a leaving run ended.
    pub fn leaving_ended(&mut self, index: usize, step: &mut Step) {
        let run = &mut self.leaving[index].run;
        match run.phase {
            Phase::Sweeping { .. } | Phase::Killed { .. } => run.pid = None,
            Phase::Starting
            | Phase::Warming { .. }
            | Phase::Ready
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Stopping { .. } => run.sweep(Hold::None, step),
        }
    }

    /// Sees leaving runs off.
    pub fn reconcile_leaving(&mut self, step: &mut Step) {
        let hurry = match self.gate() {
            Gate::Unwanted | Gate::Resting | Gate::Removed | Gate::Preceded => true,
            Gate::Probing | Gate::Settling | Gate::Building | Gate::Unbuilt | Gate::Preparing | Gate::Waiting | Gate::Open(_) => {
                self.awaits_leaving()
            }
        };
        let stop = self.stop_cause();
        self.leaving.retain_mut(|Leaving { instance: _, name, run }| {
            if let Phase::Draining { until, cause, .. } = run.phase
                && (hurry || until <= step.now)
            {
                run.stop(if hurry { stop } else { cause }, step);
            }
            expire(name, run, step)
        });
    }
}
