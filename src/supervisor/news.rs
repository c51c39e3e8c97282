//! News about runs. What is said of a run that is over, or twice, changes nothing.

use std::{sync::Arc, time::Instant};

use crate::model::{Exit, HookKind, LaunchFailure, Notice, Probe, RunId};

use super::{
    Effect, Supervisor, WatchNote,
    app::App,
    health::Checks,
    instance::{End, Hold, Instance, Outcome, State},
    restart::Verdict,
    rules::Work,
    run::{Phase, Run, StopCause, Why},
    step::Step,
    version::Strategy,
    wording,
};

/// Where a run belongs.
enum Place {
    Slot(usize),
    Build,
    Command,
    Left(usize),
    /// The coming run of a slot.
    Coming(usize),
    Leaving(usize),
}

impl Supervisor {
    fn find(&mut self, run: RunId) -> Option<(&mut App, Place)> {
        self.apps.iter_mut().find_map(|app| {
            let place = app.place(run)?;
            Some((app, place))
        })
    }

    /// The app and slot of a run that is one of an instance.
    pub(super) fn slot_of(&mut self, run: RunId) -> Option<(&mut App, usize)> {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => Some((app, slot)),
            Some((_, Place::Build | Place::Command | Place::Left(_) | Place::Coming(_) | Place::Leaving(_))) | None => None,
        }
    }

    pub(super) fn ready(&mut self, run: RunId, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.says_ready(slot, step),
            Some((app, Place::Coming(slot))) => app.coming_ready(slot, step),
            Some((_, Place::Build | Place::Command | Place::Left(_) | Place::Leaving(_))) | None => {}
        }
    }

    pub(super) fn spawned(&mut self, run: RunId, pid: i32, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.started(slot, pid, step),
            Some((app, Place::Coming(slot))) => app.coming_executes(slot, pid, step),
            Some((app, Place::Leaving(index))) => drop(app.leaving[index].run.executes(pid, step.now)),
            Some((app, Place::Build)) => {
                if let Some(build) = &mut app.build {
                    build.run.executes(pid, step.now);
                }
            }
            Some((app, Place::Command)) => {
                if let Some(run) = app.work.as_mut().and_then(Work::run_mut) {
                    run.executes(pid, step.now);
                }
            }
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn spawn_failed(&mut self, run: RunId, failure: LaunchFailure, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.not_started(slot, failure, step),
            Some((app, Place::Coming(slot))) => app.coming_ended(slot, &Outcome::Launch(failure), false, step),
            Some((app, Place::Leaving(index))) => drop(app.leaving.remove(index)),
            Some((app, Place::Build)) => app.build_ended(Outcome::Launch(failure), false, step),
            Some((app, Place::Command)) => app.command_ended(&Outcome::Launch(failure), false, step),
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn main_exited(&mut self, run: RunId, exit: Exit, oom: bool, step: &mut Step) {
        let outcome = if oom { Outcome::OutOfMemory(exit) } else { Outcome::Exit(exit) };
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.main_exited(slot, outcome, exit, step),
            Some((app, Place::Coming(slot))) => app.coming_ended(slot, &outcome, true, step),
            Some((app, Place::Leaving(index))) => app.leaving_ended(index, step),
            Some((app, Place::Build)) => app.build_ended(outcome, true, step),
            Some((app, Place::Command)) => app.command_ended(&outcome, true, step),
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn set_empty(&mut self, run: RunId, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.emptied(slot, step),
            Some((app, Place::Leaving(index))) => drop(app.leaving.remove(index)),
            Some((app, Place::Left(index))) => {
                app.left.remove(index);
            }
            // Its main process is part of its set, so this cannot be true.
            Some((_, Place::Build | Place::Command | Place::Coming(_))) | None => {}
        }
    }
}

/// The news of an end by itself; why a run was late, the shell knows.
pub(super) fn told(run: Option<&Run>, outcome: &Outcome, notice: Notice) -> Effect {
    if let (Some(run), Outcome::NotReady(_)) = (run, outcome) {
        Effect::ExplainLate { run: run.id, notice }
    } else {
        Effect::Notice(notice)
    }
}

impl Run {
    /// Whether its program executes and nobody asked it to stop.
    pub fn serves(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether it serves on ports that another run can have meanwhile.
    pub fn can_overlap(&self) -> bool {
        self.serves() && self.spec.shares_ports()
    }

    /// Its program executes; true if that was waited for.
    pub fn executes(&mut self, pid: i32, now: Instant) -> bool {
        if self.started.is_some() {
            return false;
        }
        match self.phase {
            Phase::Starting => {
                self.phase = Phase::Ready;
                (self.pid, self.started) = (Some(pid), Some(now));
                true
            }
            Phase::Stopping { .. } | Phase::Killed { .. } => {
                (self.pid, self.started) = (Some(pid), Some(now));
                false
            }
            Phase::Warming { .. } | Phase::Ready | Phase::Dumping { .. } | Phase::Draining { .. } | Phase::Sweeping { .. } => false,
        }
    }
}

impl Instance {
    /// Remembers how it ended by itself.
    pub fn ended(&mut self, outcome: Outcome, verdict: Verdict, now: Instant) {
        self.relapses += u64::from(matches!(verdict, Verdict::Again(_)));
        self.end = Some(End { at: now, outcome, verdict });
    }
}

impl App {
    fn place(&self, id: RunId) -> Option<Place> {
        if self.build.as_ref().is_some_and(|build| build.run.id == id) {
            return Some(Place::Build);
        }
        if self.work.as_ref().and_then(Work::run).is_some_and(|run| run.id == id) {
            return Some(Place::Command);
        }
        let slot = self.instances.iter().position(|instance| instance.run().is_some_and(|run| run.id == id));
        let coming = || self.instances.iter().position(|instance| instance.coming.as_ref().is_some_and(|run| run.id == id));
        let leaving = || self.leaving.iter().position(|leaving| leaving.run.id == id);
        let overlapping = || coming().map(Place::Coming).or_else(|| leaving().map(Place::Leaving));
        slot.map(Place::Slot).or_else(overlapping).or_else(|| self.left.iter().position(|run| run.id == id).map(Place::Left))
    }

    fn started(&mut self, slot: usize, pid: i32, step: &mut Step) {
        let ready = self.spec.ready.clone();
        let instance = &mut self.instances[slot];
        let Some(run) = instance.run_mut() else { return };
        if !run.executes(pid, step.now) {
            return;
        }
        let (why, id) = (run.why, run.id);
        let waits = ready.by != Probe::Started;
        if waits {
            run.phase = Phase::Warming { ready_by: step.now + ready.timeout };
        }
        let instance = instance.id;
        self.tell_started(why, step);
        if waits {
            step.act(Effect::AwaitReady { run: id, instance, spec: Arc::clone(&self.spec) });
        } else {
            self.is_ready(slot, step);
        }
    }

    /// The watch engine is told that a run's program executes.
    pub fn tell_started(&self, why: Why, step: &mut Step) {
        let by_files = why == Why::Version && self.runnable().is_some_and(|version| version.reason.by_files());
        self.watch(WatchNote::Started { by_files }, step);
    }

    fn says_ready(&mut self, slot: usize, step: &mut Step) {
        let Some(run) = self.instances[slot].run_mut() else { return };
        run.signed = true;
        if let Phase::Warming { .. } = run.phase {
            run.phase = Phase::Ready;
            self.is_ready(slot, step);
        }
    }

    pub fn is_ready(&mut self, slot: usize, step: &mut Step) {
        let instance = &mut self.instances[slot];
        let Some(run) = instance.run_mut() else { return };
        run.ready = Some(step.now);
        let (why, pid) = (run.why, run.pid);
        let end = instance.end.take();
        match why {
            Why::Version => self.announce(step),
            Why::Asked => {
                let name = &self.instances[slot].name;
                step.tell(wording::asked(&self.spec.name, name, pid));
            }
            Why::Again => step.tell(wording::again(&self.spec.name, &self.instances[slot].name, end.as_ref(), step.now)),
        }
        self.hook(slot, HookKind::Ready, None, "it is ready".to_owned(), step);
    }

    /// Its time to become ready is over; true: something was done about it.
    pub fn not_ready(&mut self, slot: usize, step: &mut Step) -> bool {
        let timeout = self.spec.ready.timeout;
        if self.spec.ready.by == Probe::Listening
            && let Some(run) = self.instances[slot].run_mut()
        {
            // Nobody asked for this sign, and not every worker listens.
            run.phase = Phase::Ready;
            self.is_ready(slot, step);
            return true;
        }
        let next = self.failed(slot, Outcome::NotReady(timeout), step);
        if let Some(run) = self.instances[slot].run_mut() {
            run.stop_towards(StopCause::NotReady, next, step);
        }
        self.watch(WatchNote::Stopping, step);
        true
    }

    /// Tells that a generation runs, once no instance of it is still to come.
    pub fn announce(&mut self, step: &mut Step) {
        let Some(version) = self.runnable() else { return };
        let current = version.generation;
        let coming = |run: &Run| match run.phase {
            Phase::Starting | Phase::Warming { .. } => true,
            Phase::Ready
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Stopping { .. }
            | Phase::Sweeping { .. }
            | Phase::Killed { .. } => false,
        };
        let to_come = self.instances.iter().take(usize::from(self.spec.instances.max(1))).any(|instance| match &instance.state {
            // What somebody stopped comes when somebody starts it.
            _ if instance.rests() => false,
            State::Up(run) => run.generation != current || coming(run),
            State::Down { hold, of } => *hold == Hold::None || *of != current,
        });
        let mut awake = self.instances.iter().filter(|instance| !instance.rests()).filter_map(Instance::run);
        let serving = awake.find(|run| run.serves() && run.generation == current);
        let (false, Some(serving), true) = (to_come, serving, self.announced != Some(current)) else { return };
        step.tell(match self.announced {
            None => wording::started(&self.spec, &self.instances, serving),
            Some(_) => wording::restarted(&self.spec.name, version, step.now),
        });
        let (first, rolling) = (self.announced.is_none(), version.strategy == Strategy::Rolling);
        self.announced = Some(current);
        if rolling && !first {
            self.hook(0, HookKind::Reload, None, "every instance is of the new version".to_owned(), step);
        }
    }

    fn not_started(&mut self, slot: usize, failure: LaunchFailure, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let of = run.generation;
        let hold = match run.phase {
            Phase::Starting => self.failed(slot, Outcome::Launch(failure), step),
            Phase::Stopping { next, .. } | Phase::Killed { next, .. } => next,
            Phase::Warming { .. } | Phase::Ready | Phase::Dumping { .. } | Phase::Draining { .. } | Phase::Sweeping { .. } => return,
        };
        self.instances[slot].state = State::Down { hold, of };
        self.watch(WatchNote::Exited, step);
        self.announce(step);
    }

    fn main_exited(&mut self, slot: usize, outcome: Outcome, exit: Exit, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let (id, spawned) = (run.id, run.spawned);
        // One that fails was not good, however long it took.
        let ended_well = !run.stays() || exit.success();
        if ended_well && run.uptime(step.now) >= self.spec.restart.min_uptime && run.ready.is_some() {
            self.touched.good(spawned);
        }
        let reason = if run.stays() { wording::had_ended(&outcome) } else { format!("it was stopped ({exit})") };
        let (next, asked) = match run.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => (self.failed(slot, outcome, step), false),
            Phase::Dumping { next, .. } | Phase::Draining { next, .. } | Phase::Stopping { next, .. } => (next, true),
            Phase::Sweeping { .. } | Phase::Killed { .. } => {
                self.hook(slot, HookKind::Exit, Some(exit), reason, step);
                self.instances[slot].run_mut().into_iter().for_each(|run| run.pid = None);
                return;
            }
        };
        self.hook(slot, HookKind::Exit, Some(exit), reason, step);
        self.instances[slot].run_mut().into_iter().for_each(|run| run.sweep(next, step));
        if !asked && !exit.success() && next != Hold::Exited {
            step.act(Effect::LookUpPort { app: self.id, run: id, spec: Arc::clone(&self.spec) });
        }
        self.announce(step);
    }

    fn emptied(&mut self, slot: usize, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let of = run.generation;
        let hold = match run.phase {
            // Its main process is part of its set, so this cannot be true.
            Phase::Starting | Phase::Warming { .. } | Phase::Ready | Phase::Dumping { .. } | Phase::Draining { .. } => return,
            Phase::Stopping { next, .. } | Phase::Sweeping { next, .. } | Phase::Killed { next, .. } => next,
        };
        self.instances[slot].state = State::Down { hold, of };
        self.watch(WatchNote::Exited, step);
    }

    /// What holds an instance that ended by itself, or is about to be ended for what it did; tells people.
    pub fn failed(&mut self, slot: usize, outcome: Outcome, step: &mut Step) -> Hold {
        self.abort_rollout(slot, step);
        let instance = &mut self.instances[slot];
        // What never was well never ran, however long its health could not be asked.
        let never_well = |run: &Run| matches!(outcome, Outcome::Unhealthy { .. }) && run.checks.as_ref().is_some_and(Checks::never_well);
        let uptime = instance.run().filter(|run| !never_well(run)).map_or_else(Default::default, |run| run.uptime(step.now));
        let verdict = instance.tally.judge(&self.spec.restart, &outcome, uptime, step);
        let hold = match verdict {
            Verdict::Wait if outcome.success() => Hold::Exited,
            Verdict::Wait => Hold::Crashed,
            Verdict::StopCode => Hold::Exited,
            Verdict::Again(delay) => Hold::Backoff { until: step.now + delay },
            // The old run goes on, and this one has no place that could be held.
            Verdict::Kept => Hold::None,
            Verdict::GiveUp(_) => Hold::Errored,
        };
        instance.ended(outcome.clone(), verdict, step.now);
        let (name, run) = (&self.instances[slot].name, self.instances[slot].run());
        step.act(told(run, &outcome, wording::ended(name, self, &outcome, verdict)));
        self.watch(WatchNote::Down, step);
        let well = outcome.success() || verdict == Verdict::StopCode;
        match verdict {
            Verdict::GiveUp(_) if well => self.give_up(slot, outcome.exit(), wording::had_ended(&outcome), step),
            _ if well => {}
            Verdict::Wait | Verdict::StopCode | Verdict::Kept | Verdict::Again(_) | Verdict::GiveUp(_) => {
                self.record(slot, &outcome, verdict, step)
            }
        }
        hold
    }
}
