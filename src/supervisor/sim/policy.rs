//! What is promised of restarts and of the order of apps, seen from outside: from events, effects, children and what is declared.
//!
//! Nothing here knows how a decision is made, so each rule asks for no more than can be seen: an end is counted when a run stops by itself or
//! is stopped without anybody's wish, and everything that may begin a budget afresh does.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::child::Child;
use crate::{
    model::{AppId, AppSpec, Condition, Generation, InstanceId, Level, Notice, NoticeKind, Probe, RunId},
    supervisor::{Edit, Effect, Event, Request, Role, Target},
};

/// How often each rule was asked, so that a test sees that it was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Automatic restarts within a budget.
    pub restarts: u64,
    /// Apps that were given up.
    pub given_up: u64,
    /// First starts of apps that need others.
    pub starts: u64,
    /// Stops of apps that others need, once the runner ends.
    pub stops: u64,
}

impl std::ops::AddAssign for Asked {
    fn add_assign(&mut self, other: Self) {
        self.restarts += other.restarts;
        self.given_up += other.given_up;
        self.starts += other.starts;
        self.stops += other.stops;
    }
}

/// What it remembers.
#[derive(Debug, Default)]
pub struct Policy {
    apps: HashMap<AppId, Known>,
    slots: HashMap<InstanceId, Slot>,
    /// Whose each run is, and as what.
    runs: HashMap<RunId, (InstanceId, Role)>,
    /// Those that said that they are ready, and those of which nobody expects that.
    ready: HashSet<RunId>,
    /// Those that ended with code 0.
    done: HashSet<RunId>,
    /// Those that have been asked to stop, or killed.
    asked: HashSet<RunId>,
    ending: bool,
    forced: bool,
    /// The event under way is one by which a run can be found bad.
    judging: bool,
    pub asked_rules: Asked,
}

#[derive(Debug)]
struct Known {
    spec: Arc<AppSpec>,
    removed: bool,
    started: bool,
}

/// What became of the runs of a slot since its budget began afresh, as far as can be seen.
#[derive(Debug, Default)]
struct Slot {
    generation: Option<Generation>,
    /// The run, and when it was spawned.
    run: Option<(RunId, Instant)>,
    /// When that run ended, or was ended.
    ended: Option<Instant>,
    /// Something happened since that run was spawned by which a budget may begin afresh.
    fresh: bool,
    /// When the runs ended that were followed by an automatic restart.
    restarts: Vec<Instant>,
    /// Runs in a row that did not live for `min_uptime`.
    short: u32,
    /// Somebody looked at the memory of that run: where it is restarted for that, it ran well.
    grown: bool,
    /// All ends so far, and those before the first event that may have made this generation.
    ends: u32,
    before: u32,
    /// All ends before the first event that may make the next one.
    next: Option<u32>,
}

impl Policy {
    pub fn before(&mut self, event: &Event, now: Instant) {
        self.judging = matches!(event, Event::Deadline | Event::Memory { .. } | Event::Health { .. });
        match event {
            Event::Begin { apps } => {
                for (id, spec) in (0..).zip(apps) {
                    self.know(AppId(id), spec);
                }
            }
            Event::Apply { edits, .. } => {
                for edit in edits {
                    match edit {
                        Edit::Add { app, spec } | Edit::Change { app, spec, .. } => self.know(*app, spec),
                        Edit::Remove { app } => self.apps.get_mut(app).into_iter().for_each(|known| known.removed = true),
                    }
                }
                self.refresh(|_| true);
            }
            Event::Request(Request::TogglePause) => self.refresh(|_| true),
            Event::Request(
                Request::Restart(target)
                | Request::Reload(target)
                | Request::Start(target)
                | Request::Stop(target)
                | Request::Reset(target)
                | Request::Signal(target, _),
            ) => {
                let names: HashMap<AppId, String> = self.apps.iter().map(|(id, known)| (*id, known.spec.name.clone())).collect();
                self.refresh(|id| match target {
                    Target::All => true,
                    Target::Name(name) => names.get(&id.app) == Some(name),
                    Target::Instances(ids) => ids.iter().any(|one| one.app == id.app),
                });
            }
            Event::FilesChanging { app, .. }
            | Event::FilesChanged { app, .. }
            | Event::Probe { app, .. }
            | Event::ProbeOver { app }
            | Event::Cron { app } => self.refresh(|id| id.app == *app),
            Event::MainExited { run, exit, .. } => {
                if exit.success() {
                    self.done.insert(*run);
                }
                self.ends(*run, now);
            }
            Event::SpawnFailed { run, .. } => self.ends(*run, now),
            Event::Memory { run, .. } => {
                if let Some((id, Role::App)) = self.runs.get(run) {
                    self.slots.get_mut(id).into_iter().for_each(|slot| slot.grown = true);
                }
            }
            Event::Ready { run } => drop(self.ready.insert(*run)),
            Event::Shutdown(_) => self.ending = true,
            Event::ForceShutdown { .. } => (self.ending, self.forced) = (true, true),
            Event::Continued { stopped_for } => self.shift(*stopped_for),
            Event::Spawned { run, .. } => {
                let app = self.runs.get(run).and_then(|(id, _)| self.apps.get(&id.app));
                // A worker that listens on nothing is ready after a while, without a sign.
                if app.is_some_and(|known| matches!(known.spec.ready.by, Probe::Started | Probe::Listening)) {
                    self.ready.insert(*run);
                }
            }
            Event::SetEmpty { .. } | Event::Drained { .. } | Event::Health { .. } | Event::Deadline => {}
        }
    }

    pub fn effect(&mut self, effect: &Effect, now: Instant, children: &HashMap<RunId, Child>) {
        match effect {
            Effect::Spawn { run, instance, generation, role, spec } => {
                self.runs.insert(*run, (*instance, *role));
                if *role == Role::App {
                    self.starts_in_order(instance.app, children);
                    self.stays_within(*instance, *run, *generation, spec, now);
                }
            }
            Effect::Signal { run, .. }
            | Effect::SignalMain { run, .. }
            | Effect::ShutdownMessage { run, .. }
            | Effect::Drain { run, .. }
            | Effect::Kill { run } => {
                self.stops_in_order(*run, children);
                self.asked.insert(*run);
                self.ends(*run, now);
            }
            Effect::Notice(notice) | Effect::ExplainLate { run: _, notice } => self.is_given_up(notice, children),
            Effect::AwaitReady { .. }
            | Effect::CheckHealth { .. }
            | Effect::Hook { .. }
            | Effect::Record { .. }
            | Effect::ShowLastErrors { .. }
            | Effect::ReportStuck { .. }
            | Effect::NameRest { .. }
            | Effect::LookUpPort { .. }
            | Effect::Watch { .. }
            | Effect::Exit { .. } => {}
        }
    }

    fn know(&mut self, id: AppId, spec: &Arc<AppSpec>) {
        let started = self.apps.get(&id).is_some_and(|known| known.started);
        self.apps.insert(id, Known { spec: Arc::clone(spec), removed: false, started });
    }

    /// Budgets of these slots may begin afresh.
    fn refresh(&mut self, meant: impl Fn(&InstanceId) -> bool) {
        for (_, slot) in self.slots.iter_mut().filter(|(id, _)| meant(id)) {
            (slot.fresh, slot.short) = (true, 0);
            slot.restarts.clear();
            slot.next.get_or_insert(slot.ends);
        }
    }

    fn ends(&mut self, run: RunId, now: Instant) {
        let Some((id, role)) = self.runs.get(&run).copied() else { return };
        if role != Role::App {
            // What waited for it may be started anew.
            return self.refresh(|slot| slot.app == id.app);
        }
        let slot = self.slots.entry(id).or_default();
        if slot.run.is_none_or(|(latest, _)| latest != run) || slot.ended.is_some() {
            return;
        }
        slot.ended = Some(now);
        slot.ends += 1;
    }

    /// Automatic restarts: no more than `max_restarts` within the window, nor after so many short runs in a row.
    fn stays_within(&mut self, id: InstanceId, run: RunId, generation: Generation, spec: &AppSpec, now: Instant) {
        let policy = &self.apps.get(&id.app).map_or(spec, |known| &known.spec).restart;
        let slot = self.slots.entry(id).or_default();
        let same = slot.generation == Some(generation);
        if !same {
            slot.short = 0;
            slot.before = slot.next.take().unwrap_or(slot.before);
            slot.restarts.clear();
        }
        if let (true, false, Some((_, began)), Some(limit)) = (same, slot.fresh, slot.run, policy.max_restarts) {
            let ended = slot.ended.unwrap_or(now);
            // Of workers the end of one that never took its place is no end of the slot.
            let short = !spec.shares_ports() && !slot.grown && ended.saturating_duration_since(began) < policy.min_uptime;
            slot.short = if short { slot.short + 1 } else { 0 };
            slot.restarts.retain(|at| *at + policy.window > ended);
            slot.restarts.push(ended);
            self.asked_rules.restarts += 1;
            assert!(limit > 0, "{} is started again, with max_restarts 0", spec.name);
            assert!(
                slot.short < limit,
                "{} is started again after {} short runs in a row, with max_restarts {limit}",
                spec.name,
                slot.short
            );
            let count = slot.restarts.len();
            assert!(count <= limit as usize, "{} has {count} restarts within the window, with max_restarts {limit}", spec.name);
        }
        slot.generation = Some(generation);
        (slot.run, slot.ended, slot.fresh, slot.grown) = (Some((run, now)), None, false, false);
    }

    /// Nobody is given up who has not used up a budget.
    fn is_given_up(&mut self, notice: &Notice, children: &HashMap<RunId, Child>) {
        if notice.kind != NoticeKind::Errored || notice.level != Level::Error {
            return;
        }
        let app = self.apps.iter().find(|(_, known)| !known.removed && Some(&known.spec.name) == notice.app.as_ref());
        let Some((id, known)) = app else { return };
        let slots = || self.slots.iter().filter(|(slot, _)| slot.app == *id);
        let is_stuck = |run: &RunId| children.get(run).is_some_and(|child| child.stuck);
        let stuck = self.runs.iter().any(|(run, (slot, _))| slot.app == *id && is_stuck(run));
        self.asked_rules.given_up += 1;
        // What is stuck is given up whatever its budget.
        if let (Some(limit @ 1..), false) = (known.spec.restart.max_restarts, stuck) {
            // The run that is judged now is told of before it is stopped.
            let most = slots().map(|(_, slot)| slot.ends - slot.before + u32::from(slot.ended.is_none())).max().unwrap_or_default();
            assert!(most >= limit, "{} is given up after {most} ends, with max_restarts {limit}", known.spec.name);
        }
    }

    /// What an app needs is there before its first start.
    fn starts_in_order(&mut self, app: AppId, children: &HashMap<RunId, Child>) {
        let Some(known) = self.apps.get_mut(&app) else { return };
        if std::mem::replace(&mut known.started, true) {
            return;
        }
        let spec = Arc::clone(&known.spec);
        for needed in &spec.depends_on {
            let Some((other, _)) = self.apps.iter().find(|(_, known)| !known.removed && known.spec.name == needed.app) else {
                continue;
            };
            let is = |(run, (id, role)): (&RunId, &(InstanceId, Role))| {
                let Some(child) = children.get(run).filter(|_| id.app == *other && *role == Role::App) else { return false };
                let up = child.main && child.executes;
                match needed.condition {
                    Condition::Started => up || self.done.contains(run),
                    Condition::Ready => up && self.ready.contains(run),
                    Condition::Completed => self.done.contains(run),
                }
            };
            self.asked_rules.starts += 1;
            assert!(self.runs.iter().any(is), "{} starts before {} is {:?}", spec.name, needed.app, needed.condition);
        }
    }

    /// At the end nothing is stopped while what needs it is alive.
    fn stops_in_order(&mut self, run: RunId, children: &HashMap<RunId, Child>) {
        let Some((id, Role::App)) = self.runs.get(&run).copied() else { return };
        let Some(known) = self.apps.get(&id.app) else { return };
        let main = children.get(&run).is_some_and(|child| child.main);
        // Workers that come or leave are not what others need; and what is bad is stopped at any time.
        let surplus = id.slot >= known.spec.instances || known.spec.shares_ports();
        if !self.ending || self.forced || self.judging || known.removed || !main || surplus || self.asked.contains(&run) {
            return;
        }
        let name = &known.spec.name;
        let needs = |app: &AppId| {
            let other = self.apps.get(app).filter(|other| !other.removed && *app != id.app);
            other.is_some_and(|other| other.spec.depends_on.iter().any(|needed| needed.app == *name))
        };
        let alive = |run: &RunId| children.get(run).is_some_and(|child| child.alive() && !child.stuck);
        let mut needed = self.apps.keys().filter(|app| needs(app)).peekable();
        self.asked_rules.stops += u64::from(needed.peek().is_some());
        let left = self.runs.iter().find(|(run, (id, role))| *role == Role::App && needs(&id.app) && alive(run));
        assert!(left.is_none(), "{name} is stopped while {left:?} needs it");
    }

    fn shift(&mut self, by: Duration) {
        for slot in self.slots.values_mut() {
            slot.run.iter_mut().for_each(|(_, at)| *at += by);
            slot.ended.iter_mut().chain(&mut slot.restarts).for_each(|at| *at += by);
        }
    }
}
