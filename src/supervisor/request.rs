//! What people ask for.

use crate::model::{AppId, Signal};

use super::{
    Effect, Request, Supervisor, Target, WatchNote,
    app::App,
    instance::{Hold, Rest, State},
    restart::Tally,
    run::Run,
    shutdown::Course,
    step::Step,
    version::{Reason, Strategy},
    wording,
};

impl Supervisor {
    pub(super) fn request(&mut self, request: Request, step: &mut Step) {
        if !matches!(self.course, Course::Running) {
            return;
        }
        match request {
            Request::Restart(target) => self.replace(&target, Strategy::Recreate, step),
            Request::Reload(target) => self.replace(&target, Strategy::Rolling, step),
            Request::Start(target) => self.each(&target, step, App::start_slots),
            Request::Stop(target) => self.each(&target, step, App::stop_slots),
            Request::Reset(target) => self.each(&target, step, |app, slots, _| app.reset_slots(slots)),
            Request::Signal(target, signal) => self.each(&target, step, |app, slots, step| app.signal_slots(slots, signal, step)),
            Request::TogglePause => self.toggle_pause(step),
        }
    }

    /// The apps that a target means.
    pub(super) fn targets(&self, target: &Target) -> Vec<usize> {
        let meant = |app: &App| match target {
            Target::All => true,
            Target::Name(name) => app.spec.name == *name,
            Target::Instances(ids) => ids.iter().any(|id| id.app == app.id),
        };
        (0..self.apps.len()).filter(|index| !self.apps[*index].removed && meant(&self.apps[*index])).collect()
    }

    /// Does something to the slots that a target means, app by app.
    fn each(&mut self, target: &Target, step: &mut Step, act: impl Fn(&mut App, &[usize], &mut Step)) {
        for index in self.targets(target) {
            let app = &mut self.apps[index];
            let slots = app.slots_of(target);
            act(app, &slots, step);
        }
    }

    fn replace(&mut self, target: &Target, strategy: Strategy, step: &mut Step) {
        let targets = self.targets(target);
        if let (true, Target::Name(name)) = (targets.is_empty(), target) {
            step.tell(wording::unknown(name, &self.apps));
        }
        // What rests is started by its name alone.
        let rests = |index: &usize| *target == Target::All && self.apps[*index].is_resting();
        for index in targets.into_iter().filter(|index| !rests(index)).collect::<Vec<_>>() {
            let app = &mut self.apps[index];
            let slots = app.slots_of(target);
            app.replace_slots(&slots, strategy, step);
        }
    }

    /// The time of an app's `cron_restart`: one that was stopped stays so, one that has ended starts again.
    pub(super) fn cron(&mut self, id: AppId, step: &mut Step) {
        let running = self.is_running();
        let app = self.apps.iter_mut().find(|app| app.id == id && running && app.wanted && !app.is_resting() && app.spec.cron.is_some());
        if let Some(app) = app {
            app.renew(Reason::Cron, Strategy::Rolling, step.now);
        }
    }

    fn toggle_pause(&mut self, step: &mut Step) {
        // A pause can be over whatever an edit has left to be watched: changes may wait for that.
        if !self.paused && self.apps.iter().all(|app| app.spec.watch.is_none()) {
            step.tell(wording::nothing_watched());
            return;
        }
        self.paused = !self.paused;
        step.tell(wording::paused(self.paused));
        if self.paused {
            return;
        }
        for app in &mut self.apps {
            if let Some(changes) = app.pending.take() {
                app.follow(changes, step.now, step);
            }
        }
    }
}

impl App {
    /// The slots of it that a target means.
    fn slots_of(&self, target: &Target) -> Vec<usize> {
        let meant = |slot: &usize| match target {
            Target::All | Target::Name(_) => true,
            Target::Instances(ids) => ids.contains(&self.instances[*slot].id),
        };
        (0..self.instances.len()).filter(|slot| !self.is_surplus(*slot)).filter(meant).collect()
    }

    fn covers(&self, slots: &[usize]) -> bool {
        slots.len() >= usize::from(self.spec.instances.max(1))
    }

    fn replace_slots(&mut self, slots: &[usize], strategy: Strategy, step: &mut Step) {
        if self.covers(slots) {
            // Everything that waits is part of what the request starts.
            (self.settling, self.probing, self.pending) = (false, None, None);
            self.wake(slots);
            self.renew(Reason::Request, strategy, step.now);
        } else {
            for slot in slots {
                // Whoever asks now means a run that begins from now on.
                self.retire_coming(*slot, step);
                self.instances[*slot].redo = self.instances[*slot].run().is_some_and(Run::stays).then_some(strategy);
            }
            self.wake(slots);
        }
        self.watch(WatchNote::Manual, step);
    }

    fn start_slots(&mut self, slots: &[usize], step: &mut Step) {
        let down: Vec<usize> = slots.iter().copied().filter(|slot| self.instances[*slot].run().is_none_or(|run| !run.stays())).collect();
        if down.is_empty() {
            return;
        }
        if self.is_down() && self.covers(&down) {
            self.replace_slots(&down, Strategy::Recreate, step);
        } else {
            self.wake(&down);
        }
    }

    /// Nothing holds these any more.
    fn wake(&mut self, slots: &[usize]) {
        for slot in slots {
            let instance = &mut self.instances[*slot];
            instance.rest = Rest::No;
            instance.tally = Tally::default();
            let hold = match &mut instance.state {
                State::Down { hold, .. } => Some(hold),
                State::Up(run) => run.next_mut(),
            };
            if let Some(hold) = hold {
                // As under PM2, only what runs can be restarted: this is a start.
                instance.rested |= *hold != Hold::None;
                *hold = Hold::None;
            }
        }
    }

    fn stop_slots(&mut self, slots: &[usize], step: &mut Step) {
        let names: Vec<_> =
            slots.iter().map(|slot| &self.instances[*slot]).filter(|one| one.run().is_some()).map(|one| one.name.as_str()).collect();
        let names = if self.covers(slots) && !names.is_empty() { vec![self.spec.name.as_str()] } else { names };
        step.tell(wording::stop_asked(&self.spec.name, &names));
        for slot in slots {
            let instance = &mut self.instances[*slot];
            (instance.rest, instance.rested, instance.redo) = (Rest::Stopped, true, None);
        }
        if self.is_resting() {
            (self.settling, self.probing, self.pending) = (false, None, None);
        }
        self.watch(WatchNote::Manual, step);
        // It may have been the last that was still to come.
        self.announce(step);
    }

    fn reset_slots(&mut self, slots: &[usize]) {
        for slot in slots {
            (self.instances[*slot].restarts, self.instances[*slot].tally) = (0, Tally::default());
        }
    }

    fn signal_slots(&self, slots: &[usize], signal: Signal, step: &mut Step) {
        for run in slots.iter().filter_map(|slot| self.instances[*slot].run()).filter(|run| run.pid.is_some()) {
            step.act(Effect::SignalMain { run: run.id, signal });
        }
    }
}
