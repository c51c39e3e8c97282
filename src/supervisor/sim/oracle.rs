//! What no event may break, seen from outside: it knows children and effects, and nothing of the supervisor's state.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use super::{
    child::Child,
    policy::{Asked, Policy},
};
use crate::{
    model::{AppId, AppSpec, InstanceId, RunId, SaveAction},
    supervisor::{Edit, Effect, Event, Request, Role, Supervisor, Target},
};

/// What it remembers.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Counts events and spawns, so that both have one order.
    clock: u64,
    /// The latest spawn of each slot and of each build.
    latest: HashMap<(InstanceId, bool), (RunId, u64)>,
    /// The latest change or request that each app has to follow.
    asked: HashMap<AppId, u64>,
    names: Vec<String>,
    /// Whose run it is.
    owners: HashMap<RunId, AppId>,
    /// The apps that the event under way edits; `None`: it edits none.
    edited: Option<Vec<AppId>>,
    /// The actions of each app's rules; a change in them alone need not restart it.
    rules: HashMap<AppId, Vec<SaveAction>>,
    /// The apps that need others.
    waits: HashSet<AppId>,
    /// When the end has to have come.
    ends_by: Option<Instant>,
    /// Of each app that was ever there: its name, the time a stop of it takes, and whom it needs.
    stops: Vec<(String, Duration, Vec<String>)>,
    exited: bool,
    policy: Policy,
}

impl Oracle {
    pub fn before(&mut self, event: &Event, now: Instant) {
        self.clock += 1;
        self.policy.before(event, now);
        self.edited = None;
        match event {
            Event::Apply { edits, .. } => self.edit(edits),
            Event::Begin { apps } => {
                self.names = apps.iter().map(|spec| spec.name.clone()).collect();
                for (id, spec) in (0..).zip(apps) {
                    self.know(AppId(id), spec);
                }
            }
            Event::FilesChanged { app, changes } => {
                let rules = self.rules.get(app).cloned().unwrap_or_default();
                let replaces = |rule: &usize| matches!(rules.get(*rule), Some(SaveAction::Restart | SaveAction::Reload));
                if changes.unmatched || changes.matched.iter().any(replaces) {
                    self.asked.insert(*app, self.clock);
                }
            }
            // Of single instances nothing is owed but that they come back.
            Event::Request(Request::Restart(Target::Instances(_)) | Request::Reload(Target::Instances(_))) => {}
            Event::Request(Request::Restart(target) | Request::Reload(target)) => {
                let meant = |name: &String| matches!(target, Target::All) || *target == Target::Name(name.clone());
                for (id, _) in (0..).zip(&self.names).filter(|(_, name)| meant(name)) {
                    self.asked.insert(AppId(id), self.clock);
                }
            }
            Event::Shutdown(_) => {
                let end = now + self.longest_stop();
                self.ends_by.get_or_insert(end);
            }
            Event::ForceShutdown { .. } => {
                let end = now + Duration::from_secs(2);
                self.ends_by = Some(self.ends_by.map_or(end, |by| by.min(end)));
            }
            Event::Request(Request::TogglePause | Request::Start(_) | Request::Stop(_) | Request::Reset(_) | Request::Signal(..))
            | Event::Spawned { .. }
            | Event::SpawnFailed { .. }
            | Event::MainExited { .. }
            | Event::SetEmpty { .. }
            | Event::Ready { .. }
            | Event::Drained { .. }
            | Event::Health { .. }
            | Event::Memory { .. }
            | Event::Cron { .. }
            | Event::FilesChanging { .. }
            | Event::Probe { .. }
            | Event::ProbeOver { .. }
            | Event::Continued { .. }
            | Event::Deadline => {}
        }
    }

    fn edit(&mut self, edits: &[Edit]) {
        for edit in edits {
            match edit {
                Edit::Add { app, spec } => {
                    self.names.push(spec.name.clone());
                    self.know(*app, spec);
                }
                Edit::Change { app, spec, restart } => {
                    self.know(*app, spec);
                    if *restart {
                        self.asked.insert(*app, self.clock);
                    }
                }
                Edit::Remove { .. } => {}
            }
        }
        let ids = edits.iter().map(|edit| match edit {
            Edit::Add { app, .. } | Edit::Change { app, .. } | Edit::Remove { app } => *app,
        });
        self.edited = Some(ids.collect());
    }

    fn know(&mut self, app: AppId, spec: &AppSpec) {
        self.rules.insert(app, spec.rules.iter().map(|rule| rule.action).collect());
        let needs: Vec<_> = spec.depends_on.iter().map(|needed| needed.app.clone()).collect();
        if !needs.is_empty() {
            self.waits.insert(app);
        }
        self.stops.push((spec.name.clone(), spec.stop.timeout, needs));
    }

    /// The kill timeouts along the longest chain of apps that need each other, each with a second for what is left and two for SIGKILL.
    fn longest_stop(&self) -> Duration {
        let time = |name: &str| self.stops.iter().filter(|(known, ..)| known == name).map(|(_, time, _)| *time).max().unwrap_or_default();
        let mut longest: HashMap<&str, Duration> = HashMap::new();
        // As many rounds as a chain can have links; an edit may have made a circle of what was none.
        for _ in 0..=self.names.len() {
            for (name, _, needs) in &self.stops {
                let before = needs.iter().filter_map(|needed| longest.get(needed.as_str())).max().copied().unwrap_or_default();
                longest.insert(name, before + time(name) + Duration::from_secs(1 + 2));
            }
        }
        longest.into_values().max().unwrap_or_default()
    }

    /// An edit leaves the apps alone that it does not name, but for those that wait for others; only daemons of builds go with the runner.
    fn concerns_the_edited(&self, app: Option<AppId>) {
        if let (Some(edited), Some(app)) = (&self.edited, app) {
            assert!(self.waits.contains(&app) || edited.contains(&app), "an edit of others acts on {app:?}");
        }
    }

    pub fn effect(&mut self, effect: &Effect, now: Instant, children: &HashMap<RunId, Child>) {
        self.policy.effect(effect, now, children);
        assert!(!self.exited, "something is done after the exit: {effect:?}");
        match effect {
            Effect::Spawn { run, instance, role, spec, .. } => {
                assert!(self.ends_by.is_none(), "{run} is spawned after the shutdown began");
                self.clock += 1;
                self.concerns_the_edited(Some(instance.app));
                if matches!(role, Role::Rule(_)) {
                    return;
                }
                if *role == Role::App {
                    self.owners.insert(*run, instance.app);
                }
                let before = self.latest.insert((*instance, *role == Role::App), (*run, self.clock));
                let before = before.and_then(|(run, _)| children.get(&run));
                match role {
                    // Workers overlap; how, the supervisor's own invariants say.
                    Role::App if spec.shares_ports() => {}
                    Role::App => assert!(before.is_none_or(|child| !child.alive() || child.stuck), "a slot has two live runs"),
                    Role::Rule(_) => {}
                    Role::Build => assert!(before.is_none_or(|child| !child.main || child.stuck), "an app has two builds"),
                }
            }
            Effect::Signal { run, .. }
            | Effect::SignalMain { run, .. }
            | Effect::ShutdownMessage { run, .. }
            | Effect::Drain { run, .. }
            | Effect::AwaitReady { run, .. }
            | Effect::CheckHealth { run, .. }
            | Effect::Record { run, .. }
            | Effect::Kill { run }
            | Effect::ReportStuck { run, .. }
            | Effect::NameRest { run, .. }
            | Effect::ExplainLate { run, .. }
            | Effect::LookUpPort { run, .. } => {
                assert!(children.contains_key(run), "{run} was never spawned");
                self.concerns_the_edited(self.owners.get(run).copied());
            }
            Effect::Watch { .. } | Effect::Hook { .. } | Effect::ShowLastErrors { .. } | Effect::Notice(_) => {}
            Effect::Exit { .. } => {
                let left = children.values().filter(|child| child.alive() && !child.stuck).map(|child| &child.name);
                assert_eq!(left.collect::<Vec<_>>(), Vec::<&String>::new(), "the runner ends before these");
                self.exited = true;
            }
        }
    }

    pub fn after(&mut self, supervisor: &Supervisor, now: Instant, ended: Option<u8>) {
        // Every third time: a copy costs more than all the rest.
        if self.clock.is_multiple_of(3) {
            let mut again = supervisor.clone();
            let effects = again.handle(now, Event::Deadline);
            assert!(effects.is_empty(), "the same moment asks for more: {effects:?}");
            assert_eq!(again.next_deadline(), supervisor.next_deadline(), "the same moment moves the deadline");
        }
        if let Some(by) = self.ends_by {
            assert!(ended.is_some() || now < by, "the end is late");
        }
    }

    /// How often it asked for what is promised of restarts and of the order of apps.
    pub fn asked_rules(&self) -> Asked {
        self.policy.asked_rules
    }

    pub fn shift(&mut self, by: Duration) {
        self.ends_by = self.ends_by.map(|at| at + by);
    }

    /// The run that is up in a slot now, and whether it was spawned after everything the app was asked to follow.
    pub fn follows(&self, instance: InstanceId, children: &HashMap<RunId, Child>) -> Option<bool> {
        let (run, spawned) = self.latest.get(&(instance, true))?;
        let up = children.get(run).is_some_and(|child| child.main && child.executes);
        up.then(|| self.asked.get(&instance.app).is_none_or(|asked| asked < spawned))
    }
}
