//! How much memory the apps with a limit use, looked at every second. Without such an app nothing wakes us.
//!
//! Resident memory is cheap to read and never too low, but counts what processes share for each of them; so whoever is above a limit by it
//! is looked at exactly before anybody is told.

use std::time::{Duration, Instant};

use super::runner::{Runner, now};
use crate::{
    model::RunId,
    process::Usage,
    supervisor::{Event, Role},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// When the next look is due.
#[derive(Debug, Default)]
pub struct Sampler {
    next: Option<Instant>,
}

impl Sampler {
    /// When the next look is due; `None`: nothing is looked at.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

impl Runner {
    /// From now on runs are looked at, if there is one with a limit.
    pub fn measure_memory(&mut self) {
        if self.memory.next.is_none() && self.runs.keys().any(|run| self.memory_limit(*run).is_some()) {
            self.memory.next = Some(now() + PAUSE);
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
            self.memory.next = Some(now + PAUSE);
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
