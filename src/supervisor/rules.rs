//! Watch rules: what a change set does to an app, and the commands that run first.
//!
//! A command runs while the old version serves, as a build does; where it fails, nothing follows. What it writes is part of the same change:
//! a run that began after a change set's last event has seen all of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{AppSpec, Cause, ChangeSet, InstanceId, SaveAction};

use super::{
    Effect, Role, WatchNote,
    app::App,
    build::{Build, expire},
    changes,
    instance::{Instance, Outcome},
    run::{Run, Why},
    step::Step,
    version::{Reason, Strategy},
    wording,
};

/// For so long after a command no early stop: the news of what it wrote last may come after that of its end.
const AFTER_WORK: Duration = Duration::from_millis(50);

/// The commands that a change asks for, and what follows once they have succeeded.
#[derive(Debug, Clone)]
pub(super) struct Work {
    changes: Arc<ChangeSet>,
    asked: Instant,
    action: SaveAction,
    /// The rules, by index, whose commands are still to run.
    queue: Vec<usize>,
    /// Those that were asked for again while they ran. More than once they are not: what they write would keep them going for ever.
    again: Vec<usize>,
    /// The rule whose command runs, and its run.
    running: Option<(usize, Build)>,
    since: Instant,
}

impl Work {
    /// Whether what has no run waits for it.
    pub fn holds(&self) -> bool {
        match self.action {
            SaveAction::Nothing | SaveAction::Signal(_) => false,
            SaveAction::Reload | SaveAction::Restart => true,
        }
    }

    pub fn run(&self) -> Option<&Run> {
        self.running.as_ref().map(|(_, build)| &build.run)
    }

    pub fn run_mut(&mut self) -> Option<&mut Run> {
        self.running.as_mut().map(|(_, build)| &mut build.run)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.running.as_ref().and_then(|(_, build)| build.deadline())
    }

    pub fn shift(&mut self, by: Duration) {
        self.since += by;
        self.asked += by;
        self.running.iter_mut().for_each(|(_, build)| build.shift(by));
    }

    /// More changes, while commands run.
    fn add(&mut self, more: &ChangeSet, action: SaveAction, commands: Vec<usize>, spec: &AppSpec) {
        self.changes = changes::merge(&self.changes, more, spec);
        self.action = stronger(self.action, action);
        for rule in commands {
            let runs = self.running.as_ref().is_some_and(|(running, _)| *running == rule);
            if runs && self.again.contains(&rule) || self.queue.contains(&rule) {
                continue;
            }
            if runs {
                self.again.push(rule);
            }
            self.queue.push(rule);
        }
    }
}

fn stronger(one: SaveAction, other: SaveAction) -> SaveAction {
    if other.strength() > one.strength() { other } else { one }
}

impl App {
    /// What a settled change set leads to.
    /// `asked`: since when somebody waits for it.
    pub fn follow(&mut self, changes: Arc<ChangeSet>, asked: Instant, step: &mut Step) {
        self.settling = false;
        self.touched.add(&changes);
        if self.is_of_work(&changes) {
            return;
        }
        let action = self.action(&changes);
        let commands: Vec<usize> =
            changes.matched.iter().copied().filter(|rule| self.spec.rules.get(*rule).is_some_and(|rule| rule.run.is_some())).collect();
        match &mut self.work {
            Some(work) => work.add(&changes, action, commands, &self.spec),
            None if commands.is_empty() => self.act(action, changes, asked, step),
            None => {
                let (queue, since) = (commands, step.now);
                self.unworked = None;
                self.work = Some(Work { changes, asked, action, queue, again: Vec::new(), running: None, since });
            }
        }
    }

    /// Whether a command of a rule, or somebody meanwhile, wrote these files before the newest runs began.
    fn is_of_work(&self, changes: &ChangeSet) -> bool {
        let Some((from, to)) = self.worked else { return false };
        let within = changes.cause == Cause::Files && from <= changes.first && changes.last <= to;
        let current = self.version.generation;
        let saw = |run: &Run| run.generation != current || run.spawned >= changes.last;
        within && !self.is_down() && self.instances.iter().filter_map(Instance::run).all(saw)
    }

    /// The strongest action of the rules for these changes; an app that is down is started by any.
    fn action(&self, changes: &ChangeSet) -> SaveAction {
        if changes.unmatched || self.is_down() {
            return SaveAction::Restart;
        }
        let actions = changes.matched.iter().filter_map(|rule| self.spec.rules.get(*rule)).map(|rule| rule.action);
        actions.fold(SaveAction::Nothing, stronger)
    }

    fn act(&mut self, action: SaveAction, changes: Arc<ChangeSet>, asked: Instant, step: &mut Step) {
        match action {
            SaveAction::Nothing => {}
            SaveAction::Signal(signal) => {
                for run in self.instances.iter().filter_map(Instance::run).filter(|run| run.stays()) {
                    step.act(Effect::SignalMain { run: run.id, signal });
                }
                step.tell(wording::signalled(&self.spec.name, signal, &changes));
            }
            SaveAction::Reload => self.renew(Reason::Files(changes), Strategy::Rolling, asked),
            SaveAction::Restart => self.renew(Reason::Files(changes), Strategy::Recreate, asked),
        }
    }

    /// Whether files that change now may be what a command writes.
    pub fn works(&self, now: Instant) -> bool {
        self.work.is_some() || self.worked.is_some_and(|(_, to)| now < to + AFTER_WORK)
    }

    /// Runs the commands that are due, one after the other; then what follows.
    pub fn reconcile_work(&mut self, step: &mut Step) {
        let (wanted, stop) = (self.wanted && !self.is_resting(), self.stop_cause());
        let Some(work) = &mut self.work else { return };
        if let Some((_, build)) = &mut work.running {
            if wanted {
                build.remind(step);
            } else {
                build.run.stop(stop, step);
            }
            if expire(&wording::of_rule(&self.spec.name), &mut build.run, step) {
                return;
            }
            work.running = None;
        }
        if !wanted {
            self.work = None;
            return;
        }
        if work.queue.is_empty() {
            if let Some(work) = self.work.take() {
                self.worked = Some((work.since, step.now));
                self.act(work.action, work.changes, work.asked, step);
            }
            return;
        }
        let rule = work.queue.remove(0);
        self.start_command(rule, step);
    }

    fn start_command(&mut self, rule: usize, step: &mut Step) {
        let (generation, role) = (self.version.generation, Role::Rule(rule));
        let run = Run::new(step.mint.run(), role, generation, Arc::clone(&self.spec), Why::Version, step.now);
        let instance = InstanceId { app: self.id, slot: 0 };
        step.act(Effect::Spawn { run: run.id, instance, generation, role, spec: Arc::clone(&self.spec) });
        step.tell(wording::runs_command(&self.spec, rule));
        if let Some(work) = &mut self.work {
            work.running = Some((rule, Build::new(run)));
        }
    }

    /// A command's main process is gone, or never came to be (`launched` false: nothing of it is alive).
    pub fn command_ended(&mut self, outcome: &Outcome, launched: bool, step: &mut Step) {
        let Some(work) = &mut self.work else { return };
        let Some((rule, Build { mut run, .. })) = work.running.take() else { return };
        if run.stays() && !outcome.success() {
            let notice = wording::command_failed(self, rule, outcome);
            self.unworked = self.work.take().map(|work| wording::unworked(self, &work.changes, rule, outcome));
            step.tell(notice);
            if self.is_down() {
                self.watch(WatchNote::Down, step);
            }
        }
        if launched {
            run.is_over();
            self.left.push(run);
        }
    }
}
