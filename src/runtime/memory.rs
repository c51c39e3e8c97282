//! How much memory the apps with a limit use, looked at every second or as often as is asked for. Without such an app nothing wakes us.
//!
//! Resident memory is cheap to read and never too low, but counts what processes share for each of them; so whoever is above a limit by it
//! is looked at exactly before anybody is told.

use std::time::{Duration, Instant};

use super::runner::{Runner, now};
use crate::{
    config::{self, Host},
    model::{Error, RunId},
    process::Usage,
    supervisor::{Event, Role},
};

/// Between two looks, where nothing else is said.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks closer together than this cost more than they tell.
const CLOSEST: Duration = Duration::from_millis(100);

/// When the next look is due.
#[derive(Debug)]
pub struct Sampler {
    pause: Duration,
    next: Option<Instant>,
}

impl Sampler {
    /// `PMDEV_WORKER_INTERVAL` (milliseconds) says how long it is between two looks.
    ///
    /// # Errors
    /// It is no such number.
    pub fn new(host: &Host) -> Result<Self, Error> {
        let wrong = |why: String| Error::usage(format!("PMDEV_WORKER_INTERVAL: {why}"));
        let pause = host.text("PMDEV_WORKER_INTERVAL").map(config::milliseconds).transpose().map_err(wrong)?.unwrap_or(PAUSE);
        if pause < CLOSEST { Err(wrong("it takes 100 milliseconds or more".to_owned())) } else { Ok(Self { pause, next: None }) }
    }

    /// When the next look is due; `None`: nothing is looked at.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

impl Runner {
    /// From now on runs are looked at, if there is one with a limit.
    pub fn measure_memory(&mut self) {
        if self.memory.next.is_none() && self.runs.keys().any(|run| self.memory_limit(*run).is_some()) {
            self.memory.next = Some(now() + self.memory.pause);
        }
    }

    /// The lower limit of a run's app, as it is declared now.
    fn memory_limit(&self, run: RunId) -> Option<u64> {
        let live = self.runs.get(&run).filter(|live| live.role == Role::App)?;
        let limits = &self.apps.spec(live.instance.app).unwrap_or(&live.spec).limits;
        limits.memory_soft.into_iter().chain(limits.memory_hard).min()
    }

    /// Looks at the runs with a limit, if that is due.
    pub fn look_at_memory(&mut self) {
        let now = now();
        if self.memory.next.is_none_or(|due| due > now) {
            return;
        }
        self.memory.next = None;
        for (run, usage) in self.processes.usages() {
            let Some(limit) = self.memory_limit(run) else { continue };
            self.memory.next = Some(now + self.memory.pause);
            let Usage { rss, processes, cpu_ticks: _ } = usage;
            let above = rss > limit;
            let bytes = if above && processes > 1 { self.processes.exact_memory(run) } else { rss };
            if let Some(live) = self.runs.get_mut(&run)
                && (above || processes == 1)
            {
                live.peak = live.peak.max(Some(bytes));
            }
            if bytes > limit {
                self.handle(Event::Memory { run, bytes });
            }
        }
    }
}
