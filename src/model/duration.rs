//! Durations as people read them.

use std::{fmt, time::Duration};

/// Shows a duration in at most two units: `180 ms`, `1.2 s`, `42 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. A second unit that is zero is
/// left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_micros().saturating_add(500) / 1000;
        // Rounded before the unit is chosen, or 9.96 s would read "10.0 s" and 59.6 s "60 s".
        let tenths = (millis + 50) / 100;
        let seconds = (millis + 500) / 1000;
        if millis < 1000 {
            return f.pad(&format!("{millis} ms"));
        }
        if tenths < 100 && !tenths.is_multiple_of(10) {
            return f.pad(&format!("{}.{} s", tenths / 10, tenths % 10));
        }
        let (first, second) = match seconds {
            0..60 => ((seconds, "s"), (0, "")),
            60..3600 => ((seconds / 60, "m"), (seconds % 60, "s")),
            3600..86_400 => ((seconds / 3600, "h"), (seconds / 60 % 60, "m")),
            _ => ((seconds / 86_400, "d"), (seconds / 3600 % 24, "h")),
        };
        match second {
            (0, _) => f.pad(&format!("{} {}", first.0, first.1)),
            (count, unit) => f.pad(&format!("{} {} {count} {unit}", first.0, first.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_at_most_and_rounded_before_the_unit_is_chosen() {
        for (micros, shown) in [
            (0, "0 ms"),
            (499, "0 ms"),
            (180_000, "180 ms"),
            (999_400, "999 ms"),
            (999_600, "1 s"),
            (1_000_000, "1 s"),
            (1_240_000, "1.2 s"),
            (9_940_000, "9.9 s"),
            (9_960_000, "10 s"),
            (42_400_000, "42 s"),
            (59_600_000, "1 m"),
            (200_000_000, "3 m 20 s"),
            (7_500_000_000, "2 h 5 m"),
            (273_600_000_000, "3 d 4 h"),
        ] {
            assert_eq!(HumanDuration(Duration::from_micros(micros)).to_string(), shown, "{micros} µs");
        }
        assert_eq!(format!("{:>6}", HumanDuration(Duration::from_secs(3))), "   3 s");
        assert!(!HumanDuration(Duration::MAX).to_string().is_empty());
    }
}
