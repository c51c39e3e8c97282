//! Restarts by the clock: for each app with a `cron_restart` the time that comes next.
//!
//! Times are those of the wall clock, so a machine that sleeps over one restarts its app once when it wakes. Where somebody sets that clock,
//! cron(8) is followed: by less than three hours, what is skipped happens at once and nothing happens twice; by more, the clock was wrong
//! before, and all times are looked for anew.

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use tokio::io::unix::AsyncFd;

use super::runner::Runner;
use crate::{
    config::schedule::{self, Schedule},
    model::{AppId, Level, Notice, NoticeKind},
    process::{Alarm, Clocks},
    supervisor::Event,
};

/// A clock that is set by more was wrong before.
const CORRECTION: SignedDuration = SignedDuration::from_hours(3);

/// The times to come.
#[derive(Debug, Default)]
pub struct Cron {
    apps: Vec<Entry>,
    /// The clocks when they were looked at last.
    seen: Option<Clocks>,
    /// `None`: it was never needed.
    alarm: Option<AsyncFd<Alarm>>,
}

#[derive(Debug)]
struct Entry {
    app: AppId,
    pattern: String,
    schedule: Schedule,
    /// `None`: never again.
    next: Option<Timestamp>,
}

impl Cron {
    /// Takes over the patterns of the apps of now; those that stay keep their time. Gives the apps whose pattern is new.
    fn set<'a>(&mut self, wanted: impl Iterator<Item = (AppId, &'a str)>, clocks: Clocks, zone: &TimeZone) -> Vec<AppId> {
        let mut old = std::mem::take(&mut self.apps);
        let mut new = Vec::new();
        for (app, pattern) in wanted {
            match old.iter().position(|entry| entry.app == app && entry.pattern == pattern) {
                Some(known) => self.apps.push(old.swap_remove(known)),
                None => {
                    let Ok(schedule) = pattern.parse::<Schedule>() else { continue };
                    let next = schedule.next(&clocks.wall.to_zoned(zone.clone())).map(|next| next.timestamp());
                    self.apps.push(Entry { app, pattern: pattern.to_owned(), schedule, next });
                    new.push(app);
                }
            }
        }
        self.seen.get_or_insert(clocks);
        new
    }

    /// The apps whose time has come. Their next one is looked for.
    fn due(&mut self, clocks: Clocks, zone: &TimeZone) -> Vec<AppId> {
        let before = self.seen.replace(clocks).unwrap_or(clocks);
        let passed = SignedDuration::try_from(clocks.up.saturating_sub(before.up)).unwrap_or_default();
        let set_by = clocks.wall.duration_since(before.wall) - passed;
        let corrected = set_by.abs() > CORRECTION;
        let now = clocks.wall.to_zoned(zone.clone());
        let mut due = Vec::new();
        for entry in &mut self.apps {
            // What has come by the clock that was right so far is due, however wrong that was.
            let by = if corrected { before.wall + passed } else { clocks.wall };
            let has_come = entry.next.is_some_and(|next| next <= by);
            if has_come {
                due.push(entry.app);
            }
            if has_come || corrected {
                entry.next = entry.schedule.next(&now).map(|next| next.timestamp());
            }
        }
        due
    }

    /// Sets the alarm to the first of the times to come.
    fn arm(&mut self) -> std::io::Result<()> {
        let first = self.apps.iter().filter_map(|entry| entry.next).min();
        if self.alarm.is_none() && first.is_some() {
            #[expect(deprecated, reason = "an alarm keeps the promise for which the newer call asks for unsafe")]
            let alarm = AsyncFd::with_interest(Alarm::new()?, tokio::io::Interest::READABLE)?;
            self.alarm = Some(alarm);
        }
        self.alarm.as_ref().map_or(Ok(()), |alarm| alarm.get_ref().set(first))
    }

    /// Returns when the alarm rings. Cancelling it loses nothing.
    pub async fn rings(&self) {
        match &self.alarm {
            Some(alarm) => {
                if let Ok(mut ready) = alarm.readable().await {
                    alarm.get_ref().silence();
                    ready.clear_ready();
                }
            }
            None => std::future::pending().await,
        }
    }
}

impl Runner {
    /// Takes over the patterns of the apps of now. Of an app that runs, people are told when a new one comes.
    pub fn schedule(&mut self) {
        let begun = self.supervisor.is_running();
        let wanted = self.apps.all().filter_map(|(app, spec)| Some((app, spec.cron.as_deref()?)));
        let new = self.cron.set(wanted, Clocks::now(), &TimeZone::system());
        self.arm();
        let names: Vec<String> = new.iter().filter_map(|app| self.apps.name(*app).map(str::to_owned)).collect();
        if begun {
            names.iter().for_each(|name| self.say_next_restart(name));
        }
    }

    /// The alarm has rung: for a time that has come, or because the clock was set.
    pub fn cron_rings(&mut self) {
        for app in self.cron.due(Clocks::now(), &TimeZone::system()) {
            self.handle(Event::Cron { app });
        }
        self.arm();
    }

    fn arm(&mut self) {
        if let Err(error) = self.cron.arm() {
            let text = format!("cron_restart is not carried out, because there is no timer for it: {error}");
            self.say(&Notice::new(Level::Error, NoticeKind::Scheduled, text));
        }
    }

    /// Tells when the clock restarts an app next, where it does.
    pub fn say_next_restart(&self, name: &str) {
        let Some(entry) = self.apps.named(name).and_then(|app| self.cron.apps.iter().find(|entry| entry.app == app)) else { return };
        let now = Zoned::now();
        let (level, text) = match entry.next {
            Some(next) => {
                let next = next.to_zoned(now.time_zone().clone());
                (Level::Info, format!("{name} restarts at {}", schedule::shown(&next, &now)))
            }
            None => (Level::Warning, format!("{name} is never restarted by the clock: {} does not come again", entry.pattern)),
        };
        self.say(&Notice::new(level, NoticeKind::Scheduled, text).about(name));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const API: AppId = AppId(0);

    fn utc(text: &str) -> Timestamp {
        format!("{text}Z").parse().unwrap()
    }

    fn at(text: &str, up: u64) -> Clocks {
        Clocks { wall: utc(text), up: Duration::from_secs(up) }
    }

    /// Nightly at three, since eight in the evening.
    fn nightly() -> Cron {
        let mut cron = Cron::default();
        assert_eq!(cron.set([(API, "0 3 * * *")].into_iter(), at("2026-05-01T20:00:00", 1000), &TimeZone::UTC), [API]);
        cron
    }

    fn due(cron: &mut Cron, text: &str, up: u64) -> usize {
        cron.due(at(text, up), &TimeZone::UTC).len()
    }

    fn next(cron: &Cron) -> Timestamp {
        cron.apps[0].next.unwrap()
    }

    #[test]
    fn it_comes_at_its_time_and_then_the_next_day() {
        let mut cron = nightly();
        assert_eq!(due(&mut cron, "2026-05-02T02:59:59", 26_199), 0);
        assert_eq!(due(&mut cron, "2026-05-02T03:00:00", 26_200), 1);
        assert_eq!(next(&cron), utc("2026-05-03T03:00:00"));
    }

    #[test]
    fn what_a_machine_sleeps_over_comes_once_when_it_wakes() {
        let mut cron = nightly();
        assert_eq!(due(&mut cron, "2026-05-04T08:00:00", 1000 + 60 * 3600), 1);
        assert_eq!(next(&cron), utc("2026-05-05T03:00:00"));
    }

    #[test]
    fn a_clock_that_is_set_a_little_skips_nothing_and_repeats_nothing() {
        let mut cron = nightly();
        assert_eq!(due(&mut cron, "2026-05-02T01:30:00", 20_800), 0);
        assert_eq!(due(&mut cron, "2026-05-02T03:30:00", 20_800), 1, "set from half past one to half past three");
        assert_eq!(due(&mut cron, "2026-05-02T02:30:00", 20_860), 0, "set back");
        assert_eq!(due(&mut cron, "2026-05-02T03:10:00", 23_260), 0, "three o'clock came already");
        assert_eq!(next(&cron), utc("2026-05-03T03:00:00"));
    }

    #[test]
    fn a_clock_that_was_wrong_is_believed_at_once() {
        let mut cron = nightly();
        assert_eq!(due(&mut cron, "2030-01-01T12:00:00", 1060), 0, "nothing was due after a minute");
        assert_eq!(next(&cron), utc("2030-01-02T03:00:00"));
        assert_eq!(due(&mut cron, "2026-05-01T20:01:00", 1120), 0);
        assert_eq!(next(&cron), utc("2026-05-02T03:00:00"), "not after four years");
    }

    #[test]
    fn an_edit_looks_for_the_time_of_a_new_pattern_and_leaves_the_others() {
        let mut cron = nightly();
        let (other, later) = (AppId(1), at("2026-05-02T04:00:00", 29_800));
        let wanted = [(API, "0 3 * * *"), (other, "0 5 * * *")];
        assert_eq!(cron.set(wanted.into_iter(), later, &TimeZone::UTC), [other]);
        assert_eq!(cron.due(later, &TimeZone::UTC), [API], "its time came while nobody looked");
        assert_eq!(cron.set([(API, "30 4 * * *")].into_iter(), later, &TimeZone::UTC), [API]);
        assert_eq!((cron.apps.len(), next(&cron)), (1, utc("2026-05-02T04:30:00")));
        cron.set(std::iter::empty(), later, &TimeZone::UTC);
        assert!(cron.apps.is_empty());
    }
}
