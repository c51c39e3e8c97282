//! What is desired of an app, and what it is made of.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{AppId, AppSpec, ChangeSet, Dependency, Generation, InstanceId, called};

use super::{
    Effect, WatchNote,
    build::Build,
    instance::{End, Hold, Instance, Rest, State},
    record::Touched,
    restart::Tally,
    rules::Work,
    run::Run,
    step::Step,
    surge::Leaving,
    version::{Reason, Strategy, Version},
};

/// One app of the runner.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: AppId,
    pub spec: Arc<AppSpec>,
    /// Whether the runner wants it to run at all: not at its end, nor once it was removed.
    pub wanted: bool,
    /// What it needs and does not have yet, so that it cannot start.
    pub blocked: Option<Dependency>,
    /// At the end: apps that need it are still there, so it goes on.
    pub needed: bool,
    /// It is no app of the runner any more, and goes once nothing of it is alive.
    pub removed: bool,
    /// Apps that were going when it came: under another name they may be the same program, with the same port.
    pub after: Vec<AppId>,
    /// The newest generation.
    pub version: Version,
    /// The newest generation that was built, of an app with a build.
    pub built: Option<Version>,
    /// The newest generation whose build came to an end, and the end where it was a failure.
    pub tried: Option<(Generation, Option<End>)>,
    /// The build under way.
    pub build: Option<Build>,
    /// Sets of builds that are over: their daemons live until the runner ends.
    pub left: Vec<Run>,
    /// Runs whose place is taken.
    pub leaving: Vec<Leaving>,
    /// Files are changing, and their change set is still to come.
    pub settling: bool,
    /// The path for which the restart-loop guard holds the app.
    pub probing: Option<PathBuf>,
    /// What changed while watching was paused.
    pub pending: Option<Arc<ChangeSet>>,
    /// The newest generation whose start people were told of.
    pub announced: Option<Generation>,
    /// The newest generation of which people were told that it waits for another app.
    pub told_blocked: Option<Generation>,
    /// Why what it waits for will not come by itself, as [`Supervisor::in_vain`](super::Supervisor::in_vain) has it.
    pub vain: Option<String>,
    /// The generation whose instances take no further places, because one of them failed.
    pub aborted: Option<Generation>,
    /// The commands of watch rules that are under way.
    pub work: Option<Work>,
    /// Why a change has led to nothing: a command of a rule failed. A sentence.
    pub unworked: Option<String>,
    /// When the last of such commands ran, from and to: what it wrote meanwhile is no change of its own.
    pub worked: Option<(Instant, Instant)>,
    /// What changed since a run of it was last good.
    pub touched: Touched,
    pub instances: Vec<Instance>,
}

/// What its instances may do when they have no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// They may start at this generation.
    Open(Generation),
    /// They shall not run, because the runner ends.
    Unwanted,
    /// They are not to run until somebody starts the app.
    Resting,
    /// The app is no longer part of the runner.
    Removed,
    /// Apps that were removed, and are in its way, have to be gone first.
    Preceded,
    /// The restart-loop guard holds them.
    Probing,
    /// A change set is about to come.
    Settling,
    /// A build is under way.
    Building,
    /// No version was ever built.
    Unbuilt,
    /// A command of a watch rule runs first.
    Preparing,
    /// Another app has to be started, ready or done first.
    Waiting,
}

impl App {
    pub fn new(id: AppId, spec: Arc<AppSpec>, now: Instant) -> Self {
        let version =
            Version { generation: Generation(1), reason: Reason::Begin, strategy: Strategy::Recreate, spec: Arc::clone(&spec), asked: now };
        let mut app = Self {
            id,
            wanted: true,
            blocked: None,
            needed: false,
            removed: false,
            after: Vec::new(),
            instances: Vec::new(),
            spec,
            version,
            built: None,
            tried: None,
            build: None,
            left: Vec::new(),
            leaving: Vec::new(),
            settling: false,
            probing: None,
            pending: None,
            announced: None,
            told_blocked: None,
            vain: None,
            aborted: None,
            work: None,
            unworked: None,
            worked: None,
            touched: Touched::default(),
        };
        app.number_instances();
        app
    }

    /// As many instances as the spec says, named by it. Those beyond stay until they have stopped.
    pub fn number_instances(&mut self) {
        let generation = self.version.generation;
        // New ones are as those there are.
        let unstarted = if self.spec.autostart { Rest::No } else { Rest::Unstarted };
        let rest = self.instances.first().map_or(unstarted, |first| if self.is_resting() { first.rest } else { Rest::No });
        for slot in 0..self.spec.instances.max(1) {
            let name = called(&self.spec.name, self.spec.instances, slot);
            match self.instances.get_mut(usize::from(slot)) {
                Some(instance) => instance.name = name,
                None => self.instances.push(Instance::new(InstanceId { app: self.id, slot }, name, generation, rest)),
            }
        }
    }

    /// Whether none of its instances is to run until somebody starts it.
    pub fn is_resting(&self) -> bool {
        self.instances.iter().take(usize::from(self.spec.instances.max(1))).all(Instance::rests)
    }

    /// Whether this slot lies beyond the number of instances.
    pub fn is_surplus(&self, slot: usize) -> bool {
        slot >= usize::from(self.spec.instances.max(1))
    }

    /// The newest version that can run.
    pub fn runnable(&self) -> Option<&Version> {
        if self.spec.build.is_none() { Some(&self.version) } else { self.built.as_ref() }
    }

    /// Whether the newest version is still to be built.
    pub fn build_due(&self) -> bool {
        let tried = self.tried.as_ref().map(|(generation, _)| *generation);
        self.wanted && !self.is_resting() && self.probing.is_none() && self.spec.build.is_some() && tried != Some(self.version.generation)
    }

    pub fn gate(&self) -> Gate {
        if self.removed {
            Gate::Removed
        } else if !self.wanted {
            Gate::Unwanted
        } else if self.is_resting() {
            Gate::Resting
        } else if self.probing.is_some() {
            Gate::Probing
        } else if self.settling {
            Gate::Settling
        } else if self.work.as_ref().is_some_and(Work::holds) {
            Gate::Preparing
        } else if self.build.is_some() || self.build_due() {
            Gate::Building
        } else if !self.after.is_empty() {
            Gate::Preceded
        } else if let Some(version) = self.runnable() {
            if self.blocked.is_some() { Gate::Waiting } else { Gate::Open(version.generation) }
        } else {
            Gate::Unbuilt
        }
    }

    /// Whether a run of this generation in a slot may go on; otherwise it is to be stopped.
    pub fn keeps(&self, slot: usize, generation: Generation) -> bool {
        let instance = &self.instances[slot];
        if self.is_surplus(slot) || instance.rests() || instance.redo.is_some() {
            return self.needed;
        }
        match self.gate() {
            Gate::Open(current) => generation == current || !self.is_turn_of(slot, current),
            Gate::Building | Gate::Unbuilt => self.runnable().is_some_and(|version| version.generation == generation),
            Gate::Preparing | Gate::Waiting => true,
            Gate::Unwanted => self.needed,
            Gate::Resting | Gate::Removed | Gate::Preceded | Gate::Probing | Gate::Settling => false,
        }
    }

    /// Makes the next generation. What never ran is folded into it; budgets start afresh.
    pub fn renew(&mut self, reason: Reason, strategy: Strategy, asked: Instant) {
        let old = self.version.generation;
        let ran = self.instances.iter().any(|instance| instance.newest == Some(old));
        let tried = self.tried.as_ref().is_some_and(|(generation, _)| *generation == old);
        let fresh = ran || tried;
        let reason = if fresh { reason } else { self.version.reason.folded(reason, &self.spec) };
        let strategy = if fresh || self.version.strategy == strategy { strategy } else { Strategy::Recreate };
        self.version = Version { generation: old.next(), reason, strategy, spec: Arc::clone(&self.spec), asked };
        self.unworked = None;
        if self.version.strategy == Strategy::Recreate {
            // All of them are replaced, whatever single ones were to be replaced for, and by another way.
            self.instances.iter_mut().for_each(|instance| instance.redo = None);
        }
        self.reset();
    }

    /// Whether nothing of it serves, and nothing is about to.
    pub fn is_down(&self) -> bool {
        self.instances.iter().all(|instance| match &instance.state {
            State::Up(run) => !run.stays(),
            State::Down { .. } => true,
        })
    }

    /// Budgets start afresh.
    pub fn reset(&mut self) {
        self.instances.iter_mut().for_each(|instance| instance.tally = Tally::default());
    }

    /// Whether anything of it may still come by itself: a run, a build, a delay, a save. Asked after `reconcile`, which has started
    /// whatever nothing holds.
    pub fn goes_on(&self) -> bool {
        let goes_on = |instance: &Instance| match &instance.state {
            // Who stopped it may start it again.
            State::Down { .. } if self.wanted && instance.rest == Rest::Stopped => true,
            State::Up(_) | State::Down { hold: Hold::Backoff { .. }, .. } => true,
            State::Down { hold: Hold::None | Hold::Crashed | Hold::Exited | Hold::Errored, .. } => false,
        };
        let comes = self.spec.watch.is_some() || self.spec.cron.is_some() || !self.after.is_empty();
        let awaited = self.wanted && !self.is_resting() && comes;
        awaited || self.build.is_some() || !self.leaving.is_empty() || self.work.is_some() || self.instances.iter().any(goes_on)
    }

    /// Every process set of it that may be alive.
    pub fn sets(&self) -> impl Iterator<Item = &Run> {
        let builds = self.build.iter().map(|build| &build.run);
        let overlapping = self.instances.iter().filter_map(|instance| instance.coming.as_ref());
        let overlapping = overlapping.chain(self.leaving.iter().map(|leaving| &leaving.run));
        self.instances
            .iter()
            .filter_map(Instance::run)
            .chain(overlapping)
            .chain(builds)
            .chain(self.work.iter().filter_map(Work::run))
            .chain(&self.left)
    }

    pub fn sets_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.instances
            .iter_mut()
            .flat_map(Instance::runs_mut)
            .chain(self.leaving.iter_mut().map(|leaving| &mut leaving.run))
            .chain(self.build.iter_mut().map(|build| &mut build.run))
            .chain(self.work.iter_mut().filter_map(Work::run_mut))
            .chain(&mut self.left)
    }

    pub fn deadline(&self) -> Option<Instant> {
        let held = self.instances.iter().filter_map(Instance::deadline);
        let asides = self.build.iter().filter_map(Build::deadline).chain(self.work.iter().filter_map(Work::deadline));
        let leaving = self.leaving.iter().filter_map(Leaving::deadline);
        held.chain(asides).chain(leaving).chain(self.left.iter().filter_map(Run::deadline)).min()
    }

    pub fn shift(&mut self, by: Duration) {
        self.version.asked += by;
        self.instances.iter_mut().for_each(|instance| instance.shift(by));
        self.build.iter_mut().for_each(|build| build.shift(by));
        self.work.iter_mut().for_each(|work| work.shift(by));
        self.worked = self.worked.map(|(from, to)| (from + by, to + by));
        self.touched.shift(by);
        self.left.iter_mut().for_each(|run| run.shift(by));
        self.leaving.iter_mut().for_each(|leaving| leaving.shift(by));
    }

    pub fn watch(&self, note: WatchNote, step: &mut Step) {
        if self.spec.watch.is_some() {
            step.act(Effect::Watch { app: self.id, note });
        }
    }
}
