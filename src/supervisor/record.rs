//! What is kept of failures: what happened, and which files changed since a run was last good.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{ChangeSet, Crash, Exit, Happening, HookKind};

use super::{Effect, app::App, instance::Outcome, restart::Verdict, run::Run, step::Step, wording};

/// As many files as are kept.
const KEPT: usize = 100;

/// Files that changed, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Touched {
    files: VecDeque<(Instant, PathBuf)>,
}

impl Touched {
    /// Takes note of a change set.
    pub fn add(&mut self, changes: &ChangeSet) {
        for (path, _) in &changes.paths {
            self.files.retain(|(_, known)| known != path);
            self.files.push_back((changes.last, path.clone()));
        }
        let beyond = self.files.len().saturating_sub(KEPT);
        self.files.drain(..beyond);
    }

    /// A run that began then was good: what changed before is not to blame for anything.
    pub fn good(&mut self, began: Instant) {
        self.files.retain(|(at, _)| *at > began);
    }

    pub fn shift(&mut self, by: Duration) {
        self.files.iter_mut().for_each(|(at, _)| *at += by);
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(_, path)| path.clone()).collect()
    }
}

impl App {
    /// Tells the hook of a kind, where there is one.
    pub fn hook(&self, slot: usize, kind: HookKind, exit: Option<Exit>, reason: String, step: &mut Step) {
        if self.spec.hooks.command(kind).is_some() {
            let happening = self.happening(slot, self.instances[slot].run(), kind, exit, reason, step.now);
            step.act(Effect::Hook { instance: self.instances[slot].id, happening, spec: Arc::clone(&self.spec) });
        }
    }

    /// Keeps what is known of a failure, and tells the hooks.
    pub fn record(&self, slot: usize, outcome: &Outcome, verdict: Verdict, step: &mut Step) {
        if let Some(run) = self.instances[slot].run() {
            self.record_of(slot, run, outcome, verdict, step);
        }
    }

    /// The same, of a run that has no place yet.
    pub fn record_of(&self, slot: usize, run: &Run, outcome: &Outcome, verdict: Verdict, step: &mut Step) {
        let reason = wording::had_ended(outcome);
        let happening = self.happening(slot, Some(run), HookKind::Crash, outcome.exit(), reason.clone(), step.now);
        let (generation, changed, follows) = (run.generation.0, self.touched.paths(), wording::follows(self, verdict));
        let instance = self.instances[slot].id;
        let told = happening.clone();
        step.act(Effect::Record { instance, run: run.id, crash: Crash { happening, generation, changed, follows } });
        if self.spec.hooks.command(HookKind::Crash).is_some() {
            step.act(Effect::Hook { instance, happening: told, spec: Arc::clone(&self.spec) });
        }
        if let Verdict::GiveUp(_) = verdict {
            self.give_up(slot, outcome.exit(), reason, step);
        }
    }

    /// An instance is given up: its last words are shown once more.
    pub fn give_up(&self, slot: usize, exit: Option<Exit>, reason: String, step: &mut Step) {
        let instance = &self.instances[slot];
        step.act(Effect::ShowLastErrors { instance: instance.id, name: instance.name.clone() });
        self.hook(slot, HookKind::Errored, exit, reason, step);
    }

    fn happening(&self, slot: usize, run: Option<&Run>, kind: HookKind, exit: Option<Exit>, reason: String, now: Instant) -> Happening {
        let instance = &self.instances[slot];
        Happening {
            kind,
            app: self.spec.name.clone(),
            instance: instance.name.clone(),
            pid: run.and_then(|run| run.pid),
            exit,
            reason,
            restarts: instance.restarts,
            uptime: run.map_or(Duration::ZERO, |run| run.age(now)),
        }
    }
}
