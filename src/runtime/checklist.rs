//! The list of what is still to come while the apps start for the first time, below everything that is said.

use std::time::{Duration, Instant};

use super::{
    runner::{Runner, now},
    terminal,
};
use crate::{
    model::{AppSnapshot, AppSpec, Probe, Status},
    supervisor::Target,
    ui::checklist::{self, Progress},
};

/// Nothing is shown of a start that is over sooner.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long the terminal has to take the list away before the runner stops itself.
const TAKE_AWAY: Duration = Duration::from_millis(200);

/// The list, while there is something to come.
#[derive(Debug)]
pub struct Checklist {
    began: Instant,
    apps: Vec<Entry>,
    shown: Vec<String>,
    /// When the times in it are to be counted on.
    due: Instant,
}

#[derive(Debug)]
struct Entry {
    name: String,
    /// Whether it gives a sign of being ready.
    signs: bool,
    /// When something of it was first seen to be under way.
    since: Option<Instant>,
    /// How long it took.
    took: Option<Duration>,
}

impl Checklist {
    /// One for these apps, where it tells more than their lines do: several, and something that is waited for.
    pub fn new<'a>(specs: impl Iterator<Item = &'a AppSpec>, now: Instant) -> Option<Self> {
        let specs: Vec<&AppSpec> = specs.filter(|spec| spec.autostart).collect();
        let waits = |spec: &&AppSpec| spec.ready.by != Probe::Started || !spec.depends_on.is_empty() || spec.build.is_some();
        if specs.len() < 2 || !specs.iter().any(waits) {
            return None;
        }
        let apps = specs.iter().map(|spec| Entry::new(spec.name.clone(), spec.ready.by != Probe::Started)).collect();
        Some(Self { began: now, apps, shown: Vec::new(), due: now + PATIENCE })
    }

    /// The runner and its apps were stopped for so long.
    pub fn shift(&mut self, by: Duration) {
        for since in [&mut self.began, &mut self.due].into_iter().chain(self.apps.iter_mut().filter_map(|app| app.since.as_mut())) {
            *since += by;
        }
    }
}

impl Entry {
    fn new(name: String, signs: bool) -> Self {
        Self { name, signs, since: None, took: None }
    }

    fn progress(&mut self, app: &AppSnapshot, why: &str, now: Instant) -> Progress {
        let statuses = || app.instances.iter().map(|instance| instance.status);
        let is = |status: Status| statuses().any(|other| other == status);
        if is(Status::Errored) || is(Status::Crashed) {
            return Progress::Failed;
        }
        if !app.instances.is_empty() && statuses().all(|status| matches!(status, Status::Online | Status::Stopped | Status::Stopping)) {
            return match self.since {
                _ if !is(Status::Online) => Progress::Done,
                _ if !self.signs => Progress::Started,
                since => Progress::Ready(*self.took.get_or_insert(now - since.unwrap_or(now))),
            };
        }
        // All instances wait for the same; what is said of each is said once.
        let needed = why.split_once("it waits until ").map(|(_, needed)| needed.split("; ").next().unwrap_or(needed));
        let waits = needed.map(|needed| format!("waits until {needed}"));
        if let (Some(waits), true) = (waits, is(Status::Launching) && app.instances.iter().all(|instance| instance.pid.is_none())) {
            return Progress::Waiting(waits);
        }
        let since = now - *self.since.get_or_insert(now);
        if is(Status::Building) { Progress::Building(since) } else { Progress::Starting(since) }
    }
}

impl Runner {
    /// When the list is to be looked at even if nothing happens.
    pub fn checklist_due(&self) -> Option<Instant> {
        self.checklist.as_ref().map(|list| list.due)
    }

    /// Shows how far the apps are, or takes the list away once nothing is to come.
    pub fn show_checklist(&mut self) {
        let Some(mut list) = self.checklist.take() else { return };
        let now = now();
        let snapshot = self.supervisor.snapshot(now);
        let why = self.supervisor.explain(&Target::All, now);
        let mut apps = Vec::new();
        for entry in &mut list.apps {
            let Some(app) = snapshot.apps.iter().find(|app| app.name == entry.name) else { continue };
            let reasons = why.apps.iter().find(|app| app.name == entry.name).map(|app| app.states.join("; ")).unwrap_or_default();
            apps.push((entry.name.clone(), entry.progress(app, &reasons, now)));
        }
        if apps.iter().all(|(_, progress)| progress.is_over()) || !self.supervisor.is_running() {
            self.console.set_footer(&[]);
            return;
        }
        if now >= list.began + PATIENCE {
            let lines = checklist::render(&apps, self.style, terminal::size());
            if lines != list.shown {
                self.console.set_footer(&lines);
                list.shown = lines;
            }
            list.due = now + Duration::from_secs(1);
        }
        self.checklist = Some(list);
    }

    /// Takes the list away before the terminal is somebody else's; it comes back with the next look.
    pub fn hide_checklist(&mut self) {
        if let Some(list) = &mut self.checklist {
            list.shown.clear();
            self.console.drop_footer(TAKE_AWAY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppId, Generation, InstanceId, InstanceSnapshot};

    fn app(statuses: &[(Status, Option<i32>)]) -> AppSnapshot {
        let instance = |(slot, (status, pid)): (usize, &(Status, Option<i32>))| InstanceSnapshot {
            id: InstanceId { app: AppId(0), slot: u16::try_from(slot).unwrap() },
            status: *status,
            pid: *pid,
            uptime: None,
            restarts: 0,
            unstable_restarts: 0,
            relapses: 0,
            exit: None,
            why: None,
        };
        let instances = statuses.iter().enumerate().map(instance).collect();
        AppSnapshot { id: AppId(0), name: "api".into(), generation: Generation(1), watched: false, instances }
    }

    #[test]
    fn an_app_goes_from_waiting_over_starting_to_up() {
        let mut entry = Entry::new("api".into(), true);
        let start = now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let waiting = "api:0 is launching: it waits until db is ready; api:1 is launching: it waits until db is ready";
        assert_eq!(entry.progress(&app(&[(Status::Launching, None)]), waiting, at(0)), Progress::Waiting("waits until db is ready".into()));
        assert_eq!(entry.progress(&app(&[(Status::Building, None)]), "", at(500)), Progress::Building(Duration::ZERO));
        let half = [(Status::Online, Some(7)), (Status::Launching, Some(8))];
        assert_eq!(entry.progress(&app(&half), "", at(1500)), Progress::Starting(Duration::from_secs(1)));
        let up = app(&[(Status::Online, Some(7)), (Status::Online, Some(8))]);
        assert_eq!(entry.progress(&up, "", at(2500)), Progress::Ready(Duration::from_secs(2)));
        assert_eq!(entry.progress(&up, "", at(9000)), Progress::Ready(Duration::from_secs(2)), "it took as long as it took");
        assert_eq!(Entry::new("api".into(), false).progress(&up, "", at(0)), Progress::Started);
        assert_eq!(entry.progress(&app(&[(Status::Crashed, None)]), "", at(9500)), Progress::Failed);
        assert_eq!(entry.progress(&app(&[(Status::Stopped, None)]), "", at(9500)), Progress::Done);
        assert_eq!(entry.progress(&app(&[(Status::WaitingRestart, None)]), "", at(9500)), Progress::Starting(Duration::from_secs(9)));
    }
}
