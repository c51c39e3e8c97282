//! How often an app that is not ready yet is asked.

use std::time::Duration;

/// The first pause, and the longest. An app that is quick is known to be ready at once, and a slow one is not kept busy by questions.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// The pauses between two questions, each half as long again as the one before.
#[derive(Debug, Clone, Copy)]
pub struct Pace(Duration);

impl Default for Pace {
    fn default() -> Self {
        Self(PAUSES.0)
    }
}

impl Pace {
    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause + pause / 2).min(PAUSES.1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_twentieth_to_half_a_second() {
        let mut pace = Pace::default();
        let pauses: Vec<u128> = (0..8).map(|_| pace.pause().as_millis()).collect();
        assert_eq!(pauses, [50, 75, 112, 168, 253, 379, 500, 500]);
    }
}
