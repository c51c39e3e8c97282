//! What no event may break, seen from outside: it knows children and effects, and nothing of the supervisor's state.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::child::Child;
use crate::{
    model::{AppId, InstanceId, RunId},
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
    /// When the end has to have come.
    ends_by: Option<Instant>,
    longest_stop: Duration,
    exited: bool,
}

impl Oracle {
    pub fn before(&mut self, event: &Event, now: Instant) {
        self.clock += 1;
        self.edited = None;
        match event {
            Event::Apply { edits, .. } => self.edit(edits),
            Event::Begin { apps } => {
                self.names = apps.iter().map(|spec| spec.name.clone()).collect();
                self.longest_stop = apps.iter().map(|spec| spec.stop.timeout).max().unwrap_or_default();
            }
            Event::FilesChanged { app, .. } => {
                self.asked.insert(*app, self.clock);
            }
            Event::Request(Request::Restart(target)) => {
                let meant = |name: &String| matches!(target, Target::All) || *target == Target::Name(name.clone());
                for (id, _) in (0..).zip(&self.names).filter(|(_, name)| meant(name)) {
                    self.asked.insert(AppId(id), self.clock);
                }
            }
            Event::Shutdown(_) => {
                let end = now + self.longest_stop + Duration::from_secs(1 + 2);
                self.ends_by.get_or_insert(end);
            }
            Event::ForceShutdown { .. } => {
                let end = now + Duration::from_secs(2);
                self.ends_by = Some(self.ends_by.map_or(end, |by| by.min(end)));
            }
            Event::Request(Request::TogglePause)
            | Event::Spawned { .. }
            | Event::SpawnFailed { .. }
            | Event::MainExited { .. }
            | Event::SetEmpty { .. }
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
                Edit::Add { spec, .. } => {
                    self.names.push(spec.name.clone());
                    self.longest_stop = self.longest_stop.max(spec.stop.timeout);
                }
                Edit::Change { app, spec, restart } => {
                    self.longest_stop = self.longest_stop.max(spec.stop.timeout);
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

    /// An edit leaves the apps alone that it does not name; only daemons of builds go with the runner.
    fn concerns_the_edited(&self, app: Option<AppId>) {
        if let (Some(edited), Some(app)) = (&self.edited, app) {
            assert!(edited.contains(&app), "an edit of others acts on {app:?}");
        }
    }

    pub fn effect(&mut self, effect: &Effect, children: &HashMap<RunId, Child>) {
        assert!(!self.exited, "something is done after the exit: {effect:?}");
        match effect {
            Effect::Spawn { run, instance, role, .. } => {
                assert!(self.ends_by.is_none(), "{run} is spawned after the shutdown began");
                self.clock += 1;
                self.concerns_the_edited(Some(instance.app));
                if *role == Role::App {
                    self.owners.insert(*run, instance.app);
                }
                let before = self.latest.insert((*instance, *role == Role::App), (*run, self.clock));
                let before = before.and_then(|(run, _)| children.get(&run));
                match role {
                    Role::App => assert!(before.is_none_or(|child| !child.alive() || child.stuck), "a slot has two live runs"),
                    Role::Build => assert!(before.is_none_or(|child| !child.main || child.stuck), "an app has two builds"),
                }
            }
            Effect::Signal { run, .. } | Effect::Kill { run } | Effect::ReportStuck { run, .. } | Effect::LookUpPort { run, .. } => {
                assert!(children.contains_key(run), "{run} was never spawned");
                self.concerns_the_edited(self.owners.get(run).copied());
            }
            Effect::Watch { .. } | Effect::Notice(_) => {}
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
