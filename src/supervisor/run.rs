//! One process set, from its spawn until nothing of it is alive: how it is asked to stop, swept and killed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{AppSpec, Generation, RunId, Signal};

use super::{Effect, Role, health::Checks, instance::Hold, step::Step, wording};

/// The longest time that the rest of a set has after its main process is gone.
const SWEEP: Duration = Duration::from_secs(1);
/// How long a run that has finished what it serves may take to leave by itself, beyond the time it has for that.
const DISCONNECTED: Duration = Duration::from_secs(1);
/// How long a killed set may take to disappear before it counts as stuck.
const GIVE_UP: Duration = Duration::from_secs(2);

/// A run of an app, or of its build.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub id: RunId,
    pub role: Role,
    pub generation: Generation,
    pub spec: Arc<AppSpec>,
    pub why: Why,
    /// When it was asked for.
    pub spawned: Instant,
    /// When its program began to execute.
    pub started: Option<Instant>,
    /// When it became ready.
    pub ready: Option<Instant>,
    /// It gave the sign of being ready, and did not only have the time for it.
    pub signed: bool,
    /// The questions whether it is well, of an app that is asked.
    pub checks: Option<Checks>,
    /// Of its main process, while that lives.
    pub pid: Option<i32>,
    pub phase: Phase,
}

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is the first of its generation in its slot.
    Version,
    /// The one before it ended by itself.
    Again,
    /// Somebody wants this instance alone to be replaced, or started again.
    Asked,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Asked for; its program does not execute yet.
    Starting,
    /// Its program executes, and the sign that it is ready is still to come.
    Warming { ready_by: Instant },
    /// It is ready. (Of a build or a command that is over: its daemons live on.)
    Ready,
    /// It hangs, and has the signal that makes it tell where; then it is stopped.
    Dumping { until: Instant, next: Hold },
    /// Another run has taken its place: it serves what it has begun, and then gets its stop signal.
    Draining { until: Instant, cause: StopCause, next: Hold },
    /// It has its stop signal; `next` is what holds the slot afterwards.
    Stopping { kill_at: Instant, cause: StopCause, next: Hold },
    /// Its main process is gone and the rest has SIGTERM; `next` is what holds the slot afterwards.
    Sweeping { since: Instant, kill_at: Instant, next: Hold },
    /// It is being killed.
    Killed { give_up_at: Instant, next: Hold },
}

/// Why a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopCause {
    /// A newer generation takes its place.
    Replaced,
    /// Files are changing: the newer generation is about to come.
    Settling,
    /// The restart-loop guard wants to see what happens without it.
    Probing,
    /// It is no app of the runner any more.
    Removed,
    /// Somebody stopped it.
    Rest,
    /// It was not ready in time.
    NotReady,
    /// It hangs.
    Unhealthy,
    /// It uses too much memory.
    Memory,
    /// The runner ends.
    Shutdown,
}

/// What came of looking at a run's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is not due.
    Not,
    /// It was killed just now.
    Killed,
    /// It outlived SIGKILL.
    Stuck { next: Hold },
}

impl Run {
    /// A run that is asked for now.
    pub fn new(id: RunId, role: Role, generation: Generation, spec: Arc<AppSpec>, why: Why, now: Instant) -> Self {
        let (started, ready, checks, pid) = (None, None, None, None);
        Self { id, role, generation, spec, why, spawned: now, started, ready, signed: false, checks, pid, phase: Phase::Starting }
    }

    /// The first signal of a stop.
    pub fn stop_signal(&self) -> Signal {
        match self.role {
            Role::App => self.spec.stop.signal,
            Role::Build | Role::Rule(_) => Signal::TERM,
        }
    }

    /// Whether it is a message that asks it to stop.
    pub fn is_told_to_stop(&self) -> bool {
        match self.role {
            Role::App => self.spec.stop.message,
            Role::Build | Role::Rule(_) => false,
        }
    }

    /// Whether nobody has asked it to stop, as far as it knows.
    pub fn stays(&self) -> bool {
        match self.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => true,
            Phase::Dumping { .. } | Phase::Draining { .. } | Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => {
                false
            }
        }
    }

    /// How long its program has been there, ready or not.
    pub fn age(&self, now: Instant) -> Duration {
        self.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started))
    }

    /// How long it has been ready.
    pub fn uptime(&self, now: Instant) -> Duration {
        self.ready.map_or(Duration::ZERO, |ready| now.saturating_duration_since(ready))
    }

    /// Asks the whole set to stop; false where that has been done already.
    pub fn stop(&mut self, cause: StopCause, step: &mut Step) -> bool {
        match self.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => self.stop_towards(cause, Hold::None, step),
            Phase::Dumping { next, .. } | Phase::Draining { next, .. } => self.stop_towards(cause, next, step),
            Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => return false,
        }
        true
    }

    /// Asks it to stop, whatever its phase; `next` holds the slot afterwards.
    pub fn stop_towards(&mut self, cause: StopCause, next: Hold, step: &mut Step) {
        let (run, signal) = (self.id, self.stop_signal());
        let stop = &self.spec.stop;
        step.act(match self.role {
            Role::App if self.is_told_to_stop() => Effect::ShutdownMessage { run, signal },
            Role::App if !stop.tree => Effect::SignalMain { run, signal },
            Role::App | Role::Build | Role::Rule(_) => Effect::Signal { run, signal },
        });
        self.phase = Phase::Stopping { kill_at: step.now + stop.timeout, cause, next };
    }

    /// Lets it finish what it serves, and take nothing new; then it is asked to stop. One that was never ready serves nothing.
    pub fn drain(&mut self, cause: StopCause, step: &mut Step) {
        match self.phase {
            Phase::Ready => {
                let time = self.spec.stop.drain;
                step.act(Effect::Drain { run: self.id, time });
                self.phase = Phase::Draining { until: step.now + time + DISCONNECTED, cause, next: Hold::None };
            }
            Phase::Starting
            | Phase::Warming { .. }
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Stopping { .. }
            | Phase::Sweeping { .. }
            | Phase::Killed { .. } => drop(self.stop(cause, step)),
        }
    }

    /// Asks what the main process left behind to stop. A set that was being stopped gets no more time than it had.
    pub fn sweep(&mut self, next: Hold, step: &mut Step) {
        let within = step.now + self.spec.stop.timeout.min(SWEEP);
        let kill_at = match self.phase {
            Phase::Starting
            | Phase::Warming { .. }
            | Phase::Ready
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Sweeping { .. }
            | Phase::Killed { .. } => within,
            Phase::Stopping { kill_at, .. } => within.min(kill_at),
        };
        step.act(Effect::Signal { run: self.id, signal: Signal::TERM });
        self.pid = None;
        self.phase = Phase::Sweeping { since: step.now, kill_at, next };
    }

    /// Kills what is left of the set, from now on until nothing is.
    pub fn kill(&mut self, step: &mut Step) {
        let next = match self.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => Hold::None,
            Phase::Dumping { next, .. } | Phase::Draining { next, .. } | Phase::Stopping { next, .. } | Phase::Sweeping { next, .. } => {
                next
            }
            Phase::Killed { .. } => return,
        };
        self.kill_towards(next, step);
    }

    /// Kills it, whatever its phase; `next` holds the slot afterwards.
    pub fn kill_towards(&mut self, next: Hold, step: &mut Step) {
        step.act(Effect::Kill { run: self.id });
        self.phase = Phase::Killed { give_up_at: step.now + GIVE_UP, next };
    }

    /// Looks at the deadline of its phase; `name`: whose run it is, as people call it.
    pub fn expire(&mut self, name: &str, step: &mut Step) -> Due {
        match self.phase {
            Phase::Stopping { kill_at, .. } if kill_at <= step.now => step.tell(wording::killed(name, self)),
            // Before the kill: what is dead has no command line.
            Phase::Sweeping { since, kill_at, .. } if kill_at <= step.now => {
                step.effects
                    .extend(wording::rest_killed(name, self, kill_at - since).map(|notice| Effect::NameRest { run: self.id, notice }));
            }
            Phase::Killed { give_up_at, next } if give_up_at <= step.now => return Due::Stuck { next },
            Phase::Starting
            | Phase::Warming { .. }
            | Phase::Ready
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Stopping { .. }
            | Phase::Sweeping { .. }
            | Phase::Killed { .. } => return Due::Not,
        }
        self.kill(step);
        Due::Killed
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Starting => None,
            Phase::Ready => self.checks.as_ref().map(Checks::deadline),
            Phase::Warming { ready_by } => Some(ready_by),
            Phase::Dumping { until, .. } | Phase::Draining { until, .. } => Some(until),
            Phase::Stopping { kill_at, .. } | Phase::Sweeping { kill_at, .. } => Some(kill_at),
            Phase::Killed { give_up_at, .. } => Some(give_up_at),
        }
    }

    pub fn shift(&mut self, by: Duration) {
        self.spawned += by;
        self.started = self.started.map(|started| started + by);
        self.ready = self.ready.map(|ready| ready + by);
        if let Some(checks) = &mut self.checks {
            checks.shift(by);
        }
        match &mut self.phase {
            Phase::Starting | Phase::Ready => {}
            Phase::Warming { ready_by } => *ready_by += by,
            Phase::Dumping { until, next } | Phase::Draining { until, next, .. } => {
                *until += by;
                next.shift(by);
            }
            Phase::Stopping { kill_at, next, .. } => {
                *kill_at += by;
                next.shift(by);
            }
            Phase::Sweeping { since, kill_at, next } => {
                *since += by;
                *kill_at += by;
                next.shift(by);
            }
            Phase::Killed { give_up_at, next } => {
                *give_up_at += by;
                next.shift(by);
            }
        }
    }

    /// The main process of a build or a command is gone: its daemons live until the runner ends.
    pub fn is_over(&mut self) {
        self.pid = None;
        match self.phase {
            Phase::Killed { .. } => {}
            Phase::Starting
            | Phase::Warming { .. }
            | Phase::Ready
            | Phase::Dumping { .. }
            | Phase::Draining { .. }
            | Phase::Stopping { .. }
            | Phase::Sweeping { .. } => self.phase = Phase::Ready,
        }
    }

    /// What holds its slot once it is gone, where that is settled.
    pub fn next(&self) -> Option<Hold> {
        match self.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => None,
            Phase::Dumping { next, .. }
            | Phase::Draining { next, .. }
            | Phase::Stopping { next, .. }
            | Phase::Sweeping { next, .. }
            | Phase::Killed { next, .. } => Some(next),
        }
    }

    /// The same, to be changed.
    pub fn next_mut(&mut self) -> Option<&mut Hold> {
        match &mut self.phase {
            Phase::Starting | Phase::Warming { .. } | Phase::Ready => None,
            Phase::Dumping { next, .. }
            | Phase::Draining { next, .. }
            | Phase::Stopping { next, .. }
            | Phase::Sweeping { next, .. }
            | Phase::Killed { next, .. } => Some(next),
        }
    }
}
