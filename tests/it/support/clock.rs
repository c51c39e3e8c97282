//! Waiting: for a condition, with a deadline.
#![expect(clippy::disallowed_methods, reason = "the tests' own clock")]

use std::{
    thread::park_timeout,
    time::{Duration, Instant},
};

/// How long anything may take that is not about time. Generous, because it only matters when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// The time.
pub fn now() -> Instant {
    Instant::now()
}

/// Looks until there is something to be seen; `None` when `patience` is over. All waiting of the tests goes through here.
pub fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = now() + patience;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if now() >= deadline {
            return None;
        }
        park_timeout(BETWEEN_LOOKS);
    }
}

/// Like [`until`], for a yes.
pub fn comes_true(patience: Duration, mut look: impl FnMut() -> bool) -> bool {
    until(patience, || look().then_some(())).is_some()
}

/// Returns at this moment: for writers and typists that keep a pace.
pub fn at(moment: Instant) {
    comes_true(moment.saturating_duration_since(now()), || now() >= moment);
}
