//! When a cron pattern comes next, by the local calendar.
//!
//! Patterns are those of croner, which PM2 uses as well. A time that the clock skips in spring comes right after the gap, and one that it
//! shows twice in autumn comes once.

use std::{str::FromStr, time::Duration};

use croner::{Cron, parser::CronParser};
use jiff::{Timestamp, Unit, Zoned, ZonedRound, tz::TimeZone};

use crate::model::HumanDuration;

/// A cron pattern that comes at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Cron);

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let clause = |error: croner::errors::CronError| error.to_string().trim_end_matches('.').to_owned();
        // As PM2's croner reads them: `0/10` and `/10` are steps.
        let cron = CronParser::builder().sloppy_ranges(true).build().parse(text).map_err(clause)?;
        let schedule = Self(cron);
        // The 30th of February is a date to croner until it is looked for.
        match schedule.0.find_next_occurrence(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC), true) {
            Ok(_) => Ok(schedule),
            Err(_) => Err("there is no such date".to_owned()),
        }
    }
}

impl Schedule {
    /// The first time after this one, in its zone; `None`: it never comes again.
    pub fn next(&self, after: &Zoned) -> Option<Zoned> {
        self.0.find_next_occurrence(after, false).ok()
    }
}

/// A time to come as people say it: `03:00 (in 5 h)`, `Mon 03:00 (in 3 d 4 h)`, `2027-01-01 00:00 (in 36 d)`.
pub fn shown(next: &Zoned, now: &Zoned) -> String {
    let time = if next.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
    let near = left < Duration::from_secs(24 * 60 * 60);
    let week = left < Duration::from_secs(6 * 24 * 60 * 60);
    let date = if near {
        ""
    } else if week {
        "%a "
    } else {
        "%Y-%m-%d "
    };
    // Nobody wants to know the second of tomorrow.
    let unit = if left < Duration::from_secs(60) { Unit::Second } else { Unit::Minute };
    let rounded = |time: &Zoned| time.round(ZonedRound::new().smallest(unit)).unwrap_or_else(|_| time.clone());
    let left = Duration::try_from(rounded(next).duration_since(&rounded(now))).unwrap_or(left);
    format!("{} (in {})", next.strftime(&format!("{date}{time}")), HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two days around each change of the clock in Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00.
    fn berlin(text: &str) -> Zoned {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone).unwrap()
    }

    fn next(pattern: &str, after: &str, count: usize) -> Vec<String> {
        let schedule: Schedule = pattern.parse().unwrap();
        let mut at = berlin(after);
        (0..count)
            .map(|_| {
                at = schedule.next(&at).unwrap();
                at.strftime("%d %H:%M:%S %z").to_string()
            })
            .collect()
    }

    #[test]
    fn each_time_of_the_local_calendar_comes_once() {
        assert_eq!(next("30 2 * * *", "2026-03-28T00:00", 3), ["28 02:30:00 +0100", "29 03:00:00 +0200", "30 02:30:00 +0200"]);
        assert_eq!(next("30 2 * * *", "2026-10-24T00:00", 3), ["24 02:30:00 +0200", "25 02:30:00 +0200", "26 02:30:00 +0100"]);
        assert_eq!(next("0 3 * * *", "2026-03-28T12:00", 2), ["29 03:00:00 +0200", "30 03:00:00 +0200"]);
        assert_eq!(
            next("*/30 * * * *", "2026-10-25T01:45", 5),
            ["25 02:00:00 +0200", "25 02:30:00 +0200", "25 02:00:00 +0100", "25 02:30:00 +0100", "25 03:00:00 +0100"]
        );
        assert_eq!(next("*/10 * * * * *", "2026-05-01T10:00:05", 2), ["01 10:00:10 +0200", "01 10:00:20 +0200"]);
        assert_eq!(next("@daily", "2026-05-01T10:00", 1), ["02 00:00:00 +0200"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_told_by_who_reads_it() {
        let refused = |text: &str| text.parse::<Schedule>().unwrap_err();
        insta::assert_snapshot!(refused("every day"), @"Invalid pattern: Pattern must have between 5 and 7 fields");
        insta::assert_snapshot!(refused("61 * * * *"), @"Component error: Number out of bounds");
        insta::assert_snapshot!(refused("0 0 30 2 *"), @"there is no such date");
    }

    #[test]
    fn times_to_come_are_told_as_people_say_them() {
        let now = berlin("2026-05-01T22:00:20.5");
        for (next, expected) in [
            ("2026-05-01T22:00:30", "22:00:30 (in 9 s)"),
            ("2026-05-02T03:00", "03:00 (in 5 h)"),
            ("2026-05-04T03:30", "Mon 03:30 (in 2 d 5 h)"),
            ("2026-06-01T00:00", "2026-06-01 00:00 (in 30 d 2 h)"),
        ] {
            assert_eq!(shown(&berlin(next), &now), expected);
        }
    }
}
