//! Whether a run that serves is well: questions at their times, and how many bad answers in a row make it a failure.

use std::time::{Duration, Instant};

use crate::model::{Health, Probe, RunId};

use super::{
    Effect, Supervisor, WatchNote,
    app::App,
    instance::{Outcome, State},
    run::{Phase, StopCause},
    step::Step,
};

/// How long an app has to tell where it hangs.
const DUMP: Duration = Duration::from_secs(1);
/// The shortest time between two questions, whatever the file says.
const SHORTEST: Duration = Duration::from_millis(10);

/// The questions to one run.
#[derive(Debug, Clone)]
pub(super) struct Checks {
    /// How many were asked.
    number: u32,
    /// Bad answers in a row.
    bad: u32,
    /// When the answer to the last one is too late, while it is awaited.
    late: Option<Instant>,
    /// When the next one is asked, or a sign that comes by itself is missed.
    due: Instant,
    /// Until the first good answer, bad ones count only from then on.
    excused: Option<Instant>,
}

impl Checks {
    /// `started`: when the program began.
    fn new(health: &Health, started: Instant, now: Instant) -> Self {
        Self { number: 0, bad: 0, late: None, due: now + health.interval.max(SHORTEST), excused: Some(started + health.start_period) }
    }

    /// Whether no answer was good yet.
    pub fn never_well(&self) -> bool {
        self.excused.is_some()
    }

    pub fn deadline(&self) -> Instant {
        self.late.unwrap_or(self.due)
    }

    pub fn shift(&mut self, by: Duration) {
        self.late = self.late.map(|late| late + by);
        self.due += by;
        self.excused = self.excused.map(|until| until + by);
    }

    fn answered(&mut self, well: bool, health: &Health, now: Instant) {
        if well {
            (self.bad, self.excused) = (0, None);
        } else if self.excused.is_none_or(|until| until <= now) {
            self.bad = self.bad.saturating_add(1);
        }
        self.late = None;
        self.due = now + health.interval.max(SHORTEST);
    }
}

impl Supervisor {
    pub(super) fn health(&mut self, run: RunId, check: Option<u32>, answer: Result<(), String>, step: &mut Step) {
        if let Some((app, slot)) = self.slot_of(run) {
            app.health_answer(slot, check, answer, step);
        }
    }
}

impl App {
    /// Asks, or misses an answer; true: something was due.
    pub fn check_health(&mut self, slot: usize, step: &mut Step) -> bool {
        let spec = std::sync::Arc::clone(&self.spec);
        let instance = &mut self.instances[slot];
        let State::Up(run) = &mut instance.state else { return false };
        let Some(health) = &spec.health else {
            run.checks = None;
            return false;
        };
        let started = run.started.unwrap_or(step.now);
        let checks = run.checks.get_or_insert_with(|| Checks::new(health, started, step.now));
        if checks.deadline() > step.now {
            return false;
        }
        // Signs that come by themselves are not asked for.
        let missed = match (checks.late, &health.probe) {
            (Some(_), _) => Some(health.timeout),
            (None, Probe::Notify) => Some(health.interval),
            (
                None,
                Probe::Started | Probe::Listening | Probe::Tcp(_) | Probe::Http(_) | Probe::Log(_) | Probe::Command(_) | Probe::Message,
            ) => None,
        };
        match missed {
            Some(time) => {
                let why = format!("there was no answer within {}", crate::model::HumanDuration(time));
                self.health_judged(slot, Err(why), step);
            }
            None => {
                checks.number += 1;
                checks.late = Some(step.now + health.timeout.max(SHORTEST));
                let (run, check) = (run.id, checks.number);
                step.act(Effect::CheckHealth { run, instance: instance.id, check, spec });
            }
        }
        true
    }

    fn health_answer(&mut self, slot: usize, check: Option<u32>, answer: Result<(), String>, step: &mut Step) {
        let State::Up(run) = &self.instances[slot].state else { return };
        let Some(checks) = run.checks.as_ref().filter(|_| run.phase == Phase::Ready) else { return };
        // An answer to an older question comes too late, and was counted as that.
        if check.is_none_or(|check| check == checks.number && checks.late.is_some()) {
            if let (None, Err(_), State::Up(run)) = (check, &answer, &mut self.instances[slot].state) {
                // Whoever can say itself that it is unwell has started.
                run.checks.iter_mut().for_each(|checks| checks.excused = None);
            }
            self.health_judged(slot, answer, step);
        }
    }

    fn health_judged(&mut self, slot: usize, answer: Result<(), String>, step: &mut Step) {
        let spec = std::sync::Arc::clone(&self.spec);
        let State::Up(run) = &mut self.instances[slot].state else { return };
        let (Some(health), Some(checks)) = (&spec.health, &mut run.checks) else { return };
        checks.answered(answer.is_ok(), health, step.now);
        let failures = checks.bad;
        let Err(why) = answer else { return };
        if failures < health.failures {
            return;
        }
        let next = self.failed(slot, Outcome::Unhealthy { failures, why }, step);
        let State::Up(run) = &mut self.instances[slot].state else { return };
        match health.dump {
            Some(signal) => {
                step.act(Effect::SignalMain { run: run.id, signal });
                run.phase = Phase::Dumping { until: step.now + DUMP, next };
            }
            None => run.stop_towards(StopCause::Unhealthy, next, step),
        }
        self.watch(WatchNote::Stopping, step);
    }
}
