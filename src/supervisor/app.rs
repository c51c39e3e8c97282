//! What is desired of an app, and what it is made of.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{AppId, AppSpec, ChangeSet, Generation, InstanceId};

use super::{
    Effect, WatchNote,
    build::Build,
    instance::{End, Hold, Instance, State},
    restart::Tally,
    run::Run,
    step::Step,
    version::{Reason, Version},
};

/// One app of the runner.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: AppId,
    pub spec: Arc<AppSpec>,
    /// Whether it shall run at all.
    pub wanted: bool,
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
    /// Files are changing, and their change set is still to come.
    pub settling: bool,
    /// The path for which the restart-loop guard holds the app.
    pub probing: Option<PathBuf>,
    /// What changed while watching was paused.
    pub pending: Option<Arc<ChangeSet>>,
    /// The newest generation whose start people were told of.
    pub announced: Option<Generation>,
    pub instances: Vec<Instance>,
}

/// What its instances may do when they have no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// They may start at this generation.
    Open(Generation),
    /// They shall not run.
    Unwanted,
    /// The app is no longer part of the runner.
    Removed,
    /// Apps that were removed have to be gone first.
    Preceded,
    /// The restart-loop guard holds them.
    Probing,
    /// A change set is about to come.
    Settling,
    /// A build is under way.
    Building,
    /// No version was ever built.
    Unbuilt,
}

impl App {
    pub fn new(id: AppId, spec: Arc<AppSpec>, now: Instant) -> Self {
        let version = Version { generation: Generation(1), reason: Reason::Begin, spec: Arc::clone(&spec), asked: now };
        let mut app = Self {
            id,
            wanted: true,
            removed: false,
            after: Vec::new(),
            instances: Vec::new(),
            spec,
            version,
            built: None,
            tried: None,
            build: None,
            left: Vec::new(),
            settling: false,
            probing: None,
            pending: None,
            announced: None,
        };
        app.number_instances();
        app
    }

    /// As many instances as the spec says, named by it. Those beyond stay until they have stopped.
    pub fn number_instances(&mut self) {
        let generation = self.version.generation;
        let wanted = usize::from(self.spec.instances.max(1));
        for slot in 0..self.spec.instances.max(1) {
            let name = if wanted == 1 { self.spec.name.clone() } else { format!("{}:{slot}", self.spec.name) };
            match self.instances.get_mut(usize::from(slot)) {
                Some(instance) => instance.name = name,
                None => self.instances.push(Instance::new(InstanceId { app: self.id, slot }, name, generation)),
            }
        }
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
        self.wanted && self.probing.is_none() && self.spec.build.is_some() && tried != Some(self.version.generation)
    }

    pub fn gate(&self) -> Gate {
        if self.removed {
            Gate::Removed
        } else if !self.wanted {
            Gate::Unwanted
        } else if self.probing.is_some() {
            Gate::Probing
        } else if self.settling {
            Gate::Settling
        } else if self.build.is_some() || self.build_due() {
            Gate::Building
        } else if !self.after.is_empty() {
            Gate::Preceded
        } else {
            self.runnable().map_or(Gate::Unbuilt, |version| Gate::Open(version.generation))
        }
    }

    /// The generation at which a run may go on; every other run is to be stopped.
    pub fn kept(&self) -> Option<Generation> {
        match self.gate() {
            Gate::Open(generation) => Some(generation),
            Gate::Building | Gate::Unbuilt => self.runnable().map(|version| version.generation),
            Gate::Unwanted | Gate::Removed | Gate::Preceded | Gate::Probing | Gate::Settling => None,
        }
    }

    /// Makes the next generation. What never ran is folded into it; budgets start afresh.
    pub fn renew(&mut self, reason: Reason, asked: Instant) {
        let old = self.version.generation;
        let ran = self.instances.iter().any(|instance| instance.newest == Some(old));
        let tried = self.tried.as_ref().is_some_and(|(generation, _)| *generation == old);
        let reason = if ran || tried { reason } else { self.version.reason.folded(reason, &self.spec) };
        self.version = Version { generation: old.next(), reason, spec: Arc::clone(&self.spec), asked };
        self.reset();
    }

    /// Budgets start afresh.
    pub fn reset(&mut self) {
        self.instances.iter_mut().for_each(|instance| instance.tally = Tally::default());
    }

    /// Whether anything of it may still come by itself: a run, a build, a delay, a save. Asked after `reconcile`, which has started
    /// whatever nothing holds.
    pub fn goes_on(&self) -> bool {
        let goes_on = |instance: &Instance| match &instance.state {
            State::Up(_) | State::Down { hold: Hold::Backoff { .. }, .. } => true,
            State::Down { hold: Hold::None | Hold::Crashed | Hold::Exited | Hold::Errored, .. } => false,
        };
        let awaited = self.wanted && (self.spec.watch.is_some() || !self.after.is_empty());
        awaited || self.build.is_some() || self.instances.iter().any(goes_on)
    }

    /// Every process set of it that may be alive.
    pub fn sets(&self) -> impl Iterator<Item = &Run> {
        self.instances.iter().filter_map(Instance::run).chain(self.build.iter().map(|build| &build.run)).chain(&self.left)
    }

    pub fn sets_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.instances
            .iter_mut()
            .filter_map(Instance::run_mut)
            .chain(self.build.iter_mut().map(|build| &mut build.run))
            .chain(&mut self.left)
    }

    pub fn deadline(&self) -> Option<Instant> {
        let held = self.instances.iter().filter_map(Instance::deadline);
        held.chain(self.build.iter().filter_map(Build::deadline)).chain(self.left.iter().filter_map(Run::deadline)).min()
    }

    pub fn shift(&mut self, by: Duration) {
        self.version.asked += by;
        self.instances.iter_mut().for_each(|instance| instance.shift(by));
        self.build.iter_mut().for_each(|build| build.shift(by));
        self.left.iter_mut().for_each(|run| run.shift(by));
    }

    pub fn watch(&self, note: WatchNote, step: &mut Step) {
        if self.spec.watch.is_some() {
            step.act(Effect::Watch { app: self.id, note });
        }
    }
}
