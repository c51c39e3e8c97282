//! News about runs. What is said of a run that is over, or twice, changes nothing.

use std::{sync::Arc, time::Instant};

use crate::model::{Exit, LaunchFailure, RunId};

use super::{
    Effect, Supervisor, WatchNote,
    app::App,
    instance::{End, Hold, Instance, Outcome, State},
    restart::Verdict,
    run::{Phase, Run, Why},
    step::Step,
    wording,
};

/// Where a run belongs.
enum Place {
    Slot(usize),
    Build,
    Left(usize),
}

impl Supervisor {
    fn find(&mut self, run: RunId) -> Option<(&mut App, Place)> {
        self.apps.iter_mut().find_map(|app| {
            let place = app.place(run)?;
            Some((app, place))
        })
    }

    pub(super) fn spawned(&mut self, run: RunId, pid: i32, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.started(slot, pid, step),
            Some((app, Place::Build)) => {
                if let Some(build) = &mut app.build {
                    build.run.executes(pid, step.now);
                }
            }
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn spawn_failed(&mut self, run: RunId, failure: LaunchFailure, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.not_started(slot, failure, step),
            Some((app, Place::Build)) => app.build_ended(Outcome::Launch(failure), false, step),
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn main_exited(&mut self, run: RunId, exit: Exit, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.main_exited(slot, exit, step),
            Some((app, Place::Build)) => app.build_ended(Outcome::Exit(exit), true, step),
            Some((_, Place::Left(_))) | None => {}
        }
    }

    pub(super) fn set_empty(&mut self, run: RunId, step: &mut Step) {
        match self.find(run) {
            Some((app, Place::Slot(slot))) => app.emptied(slot, step),
            Some((app, Place::Left(index))) => {
                app.left.remove(index);
            }
            // Its main process is part of its set, so this cannot be true.
            Some((_, Place::Build)) | None => {}
        }
    }
}

impl Run {
    /// Whether its program executes and nobody asked it to stop.
    pub fn serves(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Its program executes; true if that was waited for.
    fn executes(&mut self, pid: i32, now: Instant) -> bool {
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
            Phase::Ready | Phase::Sweeping { .. } => false,
        }
    }
}

impl Instance {
    /// Remembers how it ended by itself.
    pub fn ended(&mut self, outcome: Outcome, now: Instant) {
        self.end = Some(End { at: now, outcome });
    }
}

impl App {
    fn place(&self, id: RunId) -> Option<Place> {
        if self.build.as_ref().is_some_and(|build| build.run.id == id) {
            return Some(Place::Build);
        }
        let slot = self.instances.iter().position(|instance| instance.run().is_some_and(|run| run.id == id));
        slot.map(Place::Slot).or_else(|| self.left.iter().position(|run| run.id == id).map(Place::Left))
    }

    fn started(&mut self, slot: usize, pid: i32, step: &mut Step) {
        let instance = &mut self.instances[slot];
        let Some(run) = instance.run_mut() else { return };
        if !run.executes(pid, step.now) {
            return;
        }
        let why = run.why;
        let end = instance.end.take();
        let by_files = why == Why::Version && self.runnable().is_some_and(|version| version.reason.by_files());
        self.watch(WatchNote::Started { by_files }, step);
        match why {
            Why::Version => self.announce(step),
            Why::Again => step.tell(wording::again(&self.spec.name, &self.instances[slot].name, end.as_ref(), step.now)),
        }
    }

    /// Tells that a generation runs, once no instance of it is still to come.
    fn announce(&mut self, step: &mut Step) {
        let Some(version) = self.runnable() else { return };
        let current = version.generation;
        let to_come = self.instances.iter().take(usize::from(self.spec.instances.max(1))).any(|instance| match &instance.state {
            State::Up(run) => run.generation != current || run.phase == Phase::Starting,
            State::Down { hold, of } => *hold == Hold::None || *of != current,
        });
        let serving = self.instances.iter().filter_map(Instance::run).filter(|run| run.serves()).count();
        if to_come || serving == 0 || self.announced == Some(current) {
            return;
        }
        step.tell(match self.announced {
            None => wording::started(&self.spec.name, &self.instances),
            Some(_) => wording::restarted(&self.spec.name, version, step.now),
        });
        self.announced = Some(current);
    }

    fn not_started(&mut self, slot: usize, failure: LaunchFailure, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let of = run.generation;
        let hold = match run.phase {
            Phase::Starting => self.ended_by_itself(slot, Outcome::Launch(failure), step),
            Phase::Stopping { .. } => Hold::None,
            Phase::Killed { next, .. } => next,
            Phase::Ready | Phase::Sweeping { .. } => return,
        };
        self.instances[slot].state = State::Down { hold, of };
        self.watch(WatchNote::Exited, step);
        self.announce(step);
    }

    fn main_exited(&mut self, slot: usize, exit: Exit, step: &mut Step) {
        let Some(run) = self.instances[slot].run() else { return };
        let id = run.id;
        let (next, asked) = match run.phase {
            Phase::Starting | Phase::Ready => (self.ended_by_itself(slot, Outcome::Exit(exit), step), false),
            Phase::Stopping { .. } => (Hold::None, true),
            Phase::Sweeping { .. } | Phase::Killed { .. } => {
                self.instances[slot].run_mut().into_iter().for_each(|run| run.pid = None);
                return;
            }
        };
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
            Phase::Starting | Phase::Ready => return,
            Phase::Stopping { .. } => Hold::None,
            Phase::Sweeping { next, .. } | Phase::Killed { next, .. } => next,
        };
        self.instances[slot].state = State::Down { hold, of };
        self.watch(WatchNote::Exited, step);
    }

    /// What holds an instance that ended by itself; tells people.
    fn ended_by_itself(&mut self, slot: usize, outcome: Outcome, step: &mut Step) -> Hold {
        let instance = &mut self.instances[slot];
        let uptime =
            instance.run().and_then(|run| run.started).map_or_else(Default::default, |started| step.now.saturating_duration_since(started));
        let verdict = instance.tally.judge(&self.spec.restart, &outcome, uptime, step);
        let hold = match verdict {
            Verdict::Wait if outcome.success() => Hold::Exited,
            Verdict::Wait => Hold::Crashed,
            Verdict::StopCode => Hold::Exited,
            Verdict::Again(delay) => Hold::Backoff { until: step.now + delay },
            Verdict::GiveUp(_) => Hold::Errored,
        };
        instance.ended(outcome.clone(), step.now);
        step.tell(wording::ended(&self.instances[slot].name, self, &outcome, verdict));
        self.watch(WatchNote::Down, step);
        hold
    }
}
