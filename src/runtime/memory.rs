//! How much memory the apps with a limit use, looked at every second or as often as is asked for. Without such an app nothing wakes us.
//!
//! Resident memory is cheap to read and never too low, but counts what processes share for each of them; so whoever is above a limit by it
//! is looked at exactly before anybody is told. That costs more the more there is to look at, so who shares much and is below the limit is
//! looked at exactly only so often that it takes a hundredth of a processor.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

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

/// So many times as long as an exact look took it is good for, and no longer than this: what processes share they may come to have each for
/// itself, which nothing cheap shows.
const WORTH: u32 = 100;
const LONGEST: Duration = Duration::from_secs(10);

/// When the next look is due, and what exact ones have shown.
#[derive(Debug)]
pub struct Sampler {
    pause: Duration,
    next: Option<Instant>,
    exact: HashMap<RunId, Exact>,
}

/// What an exact look at a set has shown.
#[derive(Debug, Clone, Copy)]
struct Exact {
    /// Its memory, shared pages counted once.
    bytes: u64,
    /// What was resident then, shared pages counted for each process.
    rss: u64,
    /// For how long it is good.
    until: Instant,
}

impl Exact {
    fn new(bytes: u64, rss: u64, now: Instant, took: Duration) -> Self {
        Self { bytes, rss, until: now + took.saturating_mul(WORTH).min(LONGEST) }
    }

    /// Whether the set is known to be within the limit now, even if all that it has grown by since counts.
    fn is_within(&self, limit: u64, rss: u64, now: Instant) -> bool {
        self.bytes.saturating_add(rss.saturating_sub(self.rss)) <= limit && now < self.until
    }
}

impl Sampler {
    /// `PMDEV_WORKER_INTERVAL` (milliseconds) says how long it is between two looks.
    ///
    /// # Errors
    /// It is no such number.
    pub fn new(host: &Host) -> Result<Self, Error> {
        let wrong = |why: String| Error::usage(format!("PMDEV_WORKER_INTERVAL: {why}"));
        let pause = host.text("PMDEV_WORKER_INTERVAL").map(config::milliseconds).transpose().map_err(wrong)?.unwrap_or(PAUSE);
        if pause < CLOSEST {
            Err(wrong("it takes 100 milliseconds or more".to_owned()))
        } else {
            Ok(Self { pause, next: None, exact: HashMap::new() })
        }
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
        let usages = self.processes.usages();
        self.memory.exact.retain(|run, _| usages.iter().any(|(known, _)| known == run));
        for (run, usage) in usages {
            let Some(limit) = self.memory_limit(run) else { continue };
            self.memory.next = Some(now + self.memory.pause);
            let Usage { rss, processes, cpu_ticks: _, busy: _ } = usage;
            let above = rss > limit;
            // A process alone may have the same memory at two places.
            let bytes = if above { self.exact_memory(run, rss, limit) } else { Some(rss) };
            let Some(bytes) = bytes else { continue };
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

    /// `None`: the last look says that it cannot be above the limit.
    fn exact_memory(&mut self, run: RunId, rss: u64, limit: u64) -> Option<u64> {
        let began = now();
        if self.memory.exact.get(&run).is_some_and(|known| known.is_within(limit, rss, began)) {
            return None;
        }
        let bytes = self.processes.exact_memory(run);
        let ended = now();
        self.memory.exact.insert(run, Exact::new(bytes, rss, ended, ended.saturating_duration_since(began)));
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_look_is_good_for_a_while_that_its_cost_says_and_for_what_grows_meanwhile() {
        let (began, ms) = (now(), Duration::from_millis);
        let known = Exact::new(300, 1500, began, ms(20));
        assert!(known.is_within(400, 1500, began + ms(1999)));
        assert!(!known.is_within(400, 1500, began + ms(2000)), "2 s for 20 ms");
        assert!(known.is_within(400, 1600, began), "it may have grown so much");
        assert!(!known.is_within(400, 1601, began));
        assert!(!known.is_within(299, 1500, began), "the limit was lowered");
        assert!(known.is_within(300, 1000, began));
        let cheap = Exact::new(300, 1500, began, Duration::from_micros(500));
        assert!(!cheap.is_within(400, 1500, began + ms(100)), "at every look");
        let dear = Exact::new(300, 1500, began, ms(5000));
        assert!(dear.is_within(400, 1500, began + ms(9999)) && !dear.is_within(400, 1500, began + LONGEST));
    }
}
