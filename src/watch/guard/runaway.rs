//! The back-stop: restarts that run away for whatever reason are slowed down.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// This many restarts within [`WINDOW`] are no work of hands.
const MANY: usize = 10;
const WINDOW: Duration = Duration::from_secs(10);
/// The quiet period that is doubled, and where doubling ends.
const FIRST: Duration = Duration::from_millis(50);
const LAST: Duration = Duration::from_secs(4);

/// Counts restarts caused by files.
#[derive(Debug, Default)]
pub struct Runaway {
    restarts: VecDeque<Instant>,
    floor: Duration,
    news: bool,
}

impl Runaway {
    /// One more.
    pub fn restarted(&mut self, now: Instant) {
        self.floor(now);
        self.restarts.push_back(now);
        while self.restarts.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            self.restarts.pop_front();
        }
        if self.restarts.len() > MANY || !self.floor.is_zero() {
            self.news |= self.floor.is_zero();
            self.floor = (2 * self.floor.max(FIRST)).min(LAST);
        }
    }

    /// The least quiet period now: zero after a window without a restart.
    pub fn floor(&mut self, now: Instant) -> Duration {
        if self.restarts.back().is_some_and(|last| now.saturating_duration_since(*last) >= WINDOW) {
            self.floor = Duration::ZERO;
            self.restarts.clear();
        }
        self.floor
    }

    /// Whether it began since this was last asked.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }
}
