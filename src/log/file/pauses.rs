//! How long is waited between tries to write into a file that fails.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The first and the longest pause between tries to write into a file that fails; each is double the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A file that fails again within this time of its last failure has not recovered: it gets the next longer pause, not the first one.
const RECOVERED: SignedDuration = SignedDuration::from_secs(10);

/// The pauses of a file that fails.
#[derive(Debug)]
pub struct Pauses {
    next: Duration,
    last: Option<Timestamp>,
}

impl Pauses {
    /// The next of them.
    pub fn next(&mut self) -> Duration {
        let now = Timestamp::now();
        if self.last.is_none_or(|last| now.duration_since(last) > RECOVERED) {
            self.next = PAUSES.0;
        }
        self.last = Some(now);
        let pause = self.next;
        self.next = (pause * 2).min(PAUSES.1);
        pause
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: PAUSES.0, last: None }
    }
}
