//! Who holds the ports that instances wanted: looked up after a failure on threads of their own, told, and kept for those who ask why.

use std::{collections::HashMap, time::Instant};

use tokio::task::{JoinError, JoinSet};

use super::runner::{Runner, now};
use crate::{
    model::{AppId, InstanceId, Notice, Status},
    process::ports::{self, Holder},
};

/// What was found for an instance.
pub type Found = (InstanceId, Vec<Notice>);

/// Lookups that are under way, and what the latest of each instance found.
#[derive(Debug, Default)]
pub struct Lookups {
    under_way: JoinSet<Found>,
    /// How many of them are for an instance.
    open: HashMap<InstanceId, usize>,
    /// With the time at which it was found.
    held: HashMap<InstanceId, (Instant, Vec<Notice>)>,
}

impl Lookups {
    /// Looks who holds a port that an instance wanted; each that `named` has a notice for is kept.
    pub fn begin(&mut self, instance: InstanceId, port: u16, named: impl Fn(&Holder) -> Option<Notice> + Send + 'static) {
        self.held.remove(&instance);
        *self.open.entry(instance).or_default() += 1;
        self.under_way.spawn_blocking(move || (instance, ports::holders(port).iter().filter_map(named).collect()));
    }

    /// The latest failure of an instance was not for want of a port.
    pub fn none(&mut self, instance: InstanceId) {
        self.held.remove(&instance);
    }

    /// An app is gone.
    pub fn forget(&mut self, app: AppId) {
        self.held.retain(|instance, _| instance.app != app);
    }

    /// The next that is over.
    pub async fn next(&mut self) -> Option<Result<Found, JoinError>> {
        self.under_way.join_next().await
    }

    /// Whether one is under way for an instance, of which nothing is known yet.
    pub fn is_open(&self, instance: InstanceId) -> bool {
        self.open.contains_key(&instance) && !self.held.contains_key(&instance)
    }

    /// Takes in what was found.
    fn over(&mut self, instance: InstanceId, found: &[Notice]) {
        if let Some(open) = self.open.get_mut(&instance) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&instance);
            }
        }
        if found.is_empty() {
            self.held.remove(&instance);
        } else {
            self.held.insert(instance, (now(), found.to_vec()));
        }
    }
}

impl Runner {
    /// Somebody was looked for: it is told, and whoever waits is answered.
    pub fn looked_up(&mut self, found: Result<Found, JoinError>) {
        // Only the end of the runner takes one back.
        let Ok((instance, found)) = found else { return };
        found.iter().for_each(|notice| self.say(notice));
        self.lookups.over(instance, &found);
        self.look_at_desk();
    }

    /// Who holds the ports of instances that failed, as far as that was found since then, and what to do.
    pub fn held_ports(&self, ids: &[InstanceId], since: Option<Instant>) -> impl Iterator<Item = String> {
        let mut lines: Vec<String> = Vec::new();
        let held = ids.iter().filter_map(|id| self.lookups.held.get(id)).filter(|(at, _)| since.is_none_or(|since| *at >= since));
        for notice in held.flat_map(|(_, notices)| notices) {
            let line = notice.hint.as_ref().map_or_else(|| notice.text.clone(), |hint| format!("{}: {hint}", notice.text));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.into_iter()
    }

    /// Those of instances that do not run, or have only just begun to run again.
    pub fn missed_ports(&self, ids: &[InstanceId]) -> Vec<String> {
        let snapshot = self.supervisor.snapshot(now());
        let is_missed = |id: &InstanceId| {
            let instance = snapshot.apps.iter().flat_map(|app| &app.instances).find(|instance| instance.id == *id);
            let young = |uptime| self.apps.spec(id.app).is_some_and(|spec| uptime < spec.restart.min_uptime);
            instance.is_some_and(|instance| instance.status != Status::Stopped && instance.uptime.is_none_or(young))
        };
        self.held_ports(&ids.iter().filter(|id| is_missed(id)).copied().collect::<Vec<_>>(), None).collect()
    }
}
