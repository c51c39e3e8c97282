//! What the apps use, looked at when somebody asks: memory now, and processor time between two looks.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::runner::{Runner, now};
use crate::{
    model::{InstanceId, RunId},
    process::{self, ticks_per_second},
    supervisor::Role,
};

/// Looks closer together than this say little about processor time, which is counted in ticks of 10 ms, and cost much where many ask.
const CLOSEST: Duration = Duration::from_millis(500);

/// A look that is older says nothing about now; pidusage, which PM2 asks, draws the line here as well.
const OLDEST: Duration = Duration::from_secs(60);

/// The last look at every run.
#[derive(Debug, Default)]
pub struct Meter {
    at: Option<Instant>,
    runs: HashMap<RunId, Look>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    at: Instant,
    ticks: u64,
    memory: u64,
    /// Per cent of one processor since the look before; `None`: there was none to compare with.
    cpu: Option<f64>,
}

/// What an instance uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Per cent of one processor: since the last look, or over the whole life of the run where that was too long ago.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
}

impl Meter {
    fn is_fresh(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| now.duration_since(at) < CLOSEST)
    }

    fn take(&mut self, now: Instant, measures: Vec<(RunId, process::Usage, u64)>) {
        let mut old = std::mem::take(&mut self.runs);
        self.at = Some(now);
        for (run, usage, memory) in measures {
            let before = old.remove(&run);
            self.runs.insert(run, Look::new(now, usage.cpu_ticks, memory, before));
        }
    }
}

impl Look {
    fn new(at: Instant, ticks: u64, memory: u64, before: Option<Self>) -> Self {
        match before {
            Some(before) if at.duration_since(before.at) < CLOSEST => Self { memory, ..before },
            Some(before) if at.duration_since(before.at) <= OLDEST => {
                // What members had used that are gone and were nobody's children is gone with them.
                let cpu = per_cent(ticks.saturating_sub(before.ticks), at.duration_since(before.at));
                Self { at, ticks, memory, cpu: Some(cpu) }
            }
            Some(_) | None => Self { at, ticks, memory, cpu: None },
        }
    }

    /// `uptime`: that of its run.
    fn used(&self, uptime: Duration) -> Used {
        // A start is busy: over its first moments alone every app would look so.
        let cpu = self.cpu.unwrap_or_else(|| per_cent(self.ticks, uptime.max(Duration::from_secs(1))));
        Used { cpu, memory: self.memory }
    }
}

/// To one decimal.
#[expect(clippy::cast_precision_loss, reason = "ticks of a span that is looked at are few")]
fn per_cent(ticks: u64, span: Duration) -> f64 {
    let seconds = ticks as f64 / ticks_per_second() as f64;
    (seconds / span.as_secs_f64() * 1000.0).round() / 10.0
}

impl Runner {
    /// Looks at what every run uses, unless somebody has just done so.
    pub fn measure(&mut self) {
        let now = now();
        if !self.known.meter.is_fresh(now) {
            let measures = self.processes.measures();
            self.known.meter.take(now, measures);
        }
        // A run that is new was not looked at then, and the others need no second look for its sake.
        let apps = self.runs.iter().filter(|(_, live)| live.role == Role::App).map(|(run, _)| *run);
        let new: Vec<RunId> = apps.filter(|run| !self.known.meter.runs.contains_key(run)).collect();
        for run in new {
            let (_, usage, memory) = self.processes.measure(run);
            self.known.meter.runs.insert(run, Look::new(now, usage.cpu_ticks, memory, None));
        }
    }

    /// Forgets the apps that were removed and of which nothing is alive any more.
    pub fn forget_apps(&mut self) {
        if !self.apps.are_going() {
            return;
        }
        let (supervisor, runs) = (&self.supervisor, &self.runs);
        let is_alive = |app| supervisor.generation(app).is_some() || runs.values().any(|live| live.instance.app == app);
        for app in self.apps.forget(is_alive) {
            self.known.versions.forget(app);
            self.lookups.forget(app);
        }
    }

    /// The runs of each instance.
    pub fn runs_of_instances(&self) -> HashMap<InstanceId, Vec<RunId>> {
        let mut runs: HashMap<_, Vec<RunId>> = HashMap::new();
        self.runs
            .iter()
            .filter(|(_, live)| live.role == Role::App)
            .for_each(|(run, live)| runs.entry(live.instance).or_default().push(*run));
        runs
    }

    /// What the runs of an instance use together, by the last look. `uptime`: that of its run.
    pub fn used(&self, runs: &[RunId], uptime: Duration) -> Used {
        let looks = runs.iter().filter_map(|run| self.known.meter.runs.get(run));
        looks
            .map(|look| look.used(uptime))
            .fold(Used::default(), |sum, used| Used { cpu: sum.cpu + used.cpu, memory: sum.memory + used.memory })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_that_between_two_looks_that_are_neither_too_close_nor_too_far_apart() {
        let start = now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let second = ticks_per_second();
        let first = Look::new(at(0), second, 7, None);
        assert_eq!(first.used(Duration::from_secs(4)), Used { cpu: 25.0, memory: 7 }, "a second of four");
        assert_eq!(first.used(Duration::from_millis(10)).cpu, 100.0, "a second of the first one");
        let next = Look::new(at(2000), second * 2, 8, Some(first));
        assert_eq!(next.used(Duration::from_secs(9)), Used { cpu: 50.0, memory: 8 });
        let close = Look::new(at(2100), second * 3, 9, Some(next));
        assert_eq!((close.cpu, close.memory, close.at), (Some(50.0), 9, at(2000)), "the next look counts from the same one");
        assert_eq!(Look::new(at(3000), second, 8, Some(next)).cpu, Some(0.0), "a member that was busy is gone");
        assert_eq!(Look::new(at(90_000), second * 9, 8, Some(next)).cpu, None);
    }

    #[test]
    fn a_look_serves_for_a_moment() {
        let (mut meter, now) = (Meter::default(), now());
        assert!(!meter.is_fresh(now));
        meter.take(now, vec![(RunId(1), process::Usage::default(), 1)]);
        assert!(meter.is_fresh(now) && !meter.is_fresh(now + CLOSEST));
    }
}
