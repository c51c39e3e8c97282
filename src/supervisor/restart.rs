//! Whether and when an app that ended by itself is started again: the backoff and the budget.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::model::{AfterExit, Backoff, RestartPolicy};

use super::{instance::Outcome, step::Step};

/// Where an exponential backoff ends, as PM2's `exp_backoff_restart_delay`.
const LONGEST: Duration = Duration::from_secs(15);
/// What each further failure does to the delay, likewise.
const GROWTH: f64 = 1.5;

/// What an instance has used up of its budget.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Ends in a row before `min_uptime`.
    short: u32,
    /// When it was started again within the window, by itself.
    recent: VecDeque<Instant>,
    /// The last exponential delay, without jitter.
    delay: Option<Duration>,
}

/// What becomes of an instance that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It waits for a save or a request.
    Wait,
    /// It is one of the exit codes after which it stays stopped.
    StopCode,
    /// It is started again after this delay.
    Again(Duration),
    /// It was to take the place of a run that goes on.
    Kept,
    /// It is given up.
    GiveUp(GiveUp),
}

/// Why an instance is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// No automatic restart is allowed at all.
    Never,
    /// So many ends in a row came before `min_uptime`.
    InARow { ends: u32, min_uptime: Duration },
    /// So many automatic restarts fell within the window.
    Often { restarts: usize, window: Duration },
}

impl Tally {
    /// Ends in a row before `min_uptime`.
    pub fn short(&self) -> u32 {
        self.short
    }

    /// Judges an end by itself after `uptime`, and counts it.
    pub fn judge(&mut self, policy: &RestartPolicy, outcome: &Outcome, uptime: Duration, step: &mut Step) -> Verdict {
        if outcome.code().is_some_and(|code| policy.stop_exit_codes.contains(&code)) {
            return Verdict::StopCode;
        }
        let backoff = match (&policy.after_exit, outcome) {
            (AfterExit::Wait | AfterExit::Restart(_), Outcome::Memory { .. }) => return self.judge_reload(policy, step.now),
            // What was stopped by its own rules is started again, whoever waits for a save after a crash; within the same budget.
            (AfterExit::Wait, Outcome::Unhealthy { .. }) => &Backoff::Fixed(Duration::ZERO),
            (AfterExit::Wait, _) => return Verdict::Wait,
            (AfterExit::Restart(backoff), _) => backoff,
        };
        if uptime >= policy.min_uptime {
            self.short = 0;
            self.delay = None;
        } else {
            self.short = self.short.saturating_add(1);
        }
        if let Some(limit) = policy.max_restarts
            && let Some(why) = self.spent(limit, policy, step.now)
        {
            return if limit == 0 && outcome.success() { Verdict::Wait } else { Verdict::GiveUp(why) };
        }
        let delay = self.next_delay(backoff, step);
        if policy.max_restarts.is_some() {
            self.recent.push_back(step.now + delay);
        }
        Verdict::Again(delay)
    }

    /// An app that ran well and grew: it is started again at once, but not without end.
    fn judge_reload(&mut self, policy: &RestartPolicy, now: Instant) -> Verdict {
        self.short = 0;
        self.delay = None;
        if let Some(limit) = policy.max_restarts
            && let Some(why) = self.spent(limit, policy, now)
        {
            return Verdict::GiveUp(why);
        }
        if policy.max_restarts.is_some() {
            self.recent.push_back(now);
        }
        Verdict::Again(Duration::ZERO)
    }

    fn spent(&mut self, limit: u32, policy: &RestartPolicy, now: Instant) -> Option<GiveUp> {
        while self.recent.front().is_some_and(|at| *at + policy.window <= now) {
            self.recent.pop_front();
        }
        if limit == 0 {
            return Some(GiveUp::Never);
        }
        if self.short >= limit {
            return Some(GiveUp::InARow { ends: self.short, min_uptime: policy.min_uptime });
        }
        let restarts = self.recent.len();
        (restarts >= limit as usize).then_some(GiveUp::Often { restarts, window: policy.window })
    }

    fn next_delay(&mut self, backoff: &Backoff, step: &mut Step) -> Duration {
        match *backoff {
            Backoff::Fixed(delay) => delay,
            Backoff::Exponential { initial } => {
                let delay = self.delay.map_or(initial, |last| last.mul_f64(GROWTH)).min(LONGEST);
                self.delay = Some(delay);
                step.mint.jitter(delay)
            }
        }
    }

    pub fn shift(&mut self, by: Duration) {
        self.recent.iter_mut().for_each(|at| *at += by);
    }
}
