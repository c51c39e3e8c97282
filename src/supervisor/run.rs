//! One process set, from its spawn until nothing of it is alive: how it is asked to stop, swept and killed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::{AppSpec, Generation, RunId, Signal};

use super::{Effect, Role, instance::Hold, step::Step};

/// The longest time that the rest of a set has after its main process is gone.
const SWEEP: Duration = Duration::from_secs(1);
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
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Asked for; its program does not execute yet.
    Starting,
    /// Its program executes. (Of a build that is over: its daemons live on.)
    Ready,
    /// It has its stop signal.
    Stopping { kill_at: Instant, cause: StopCause },
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
    /// The runner ends.
    Shutdown,
}

/// What came of looking at a run's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is not due.
    Not,
    /// It was killed just now, after this much patience.
    Killed { main: bool, patience: Duration },
    /// It outlived SIGKILL.
    Stuck { next: Hold },
}

impl Run {
    /// The first signal of a stop.
    pub fn stop_signal(&self) -> Signal {
        match self.role {
            Role::App => self.spec.stop.signal,
            Role::Build => Signal::TERM,
        }
    }

    /// Asks the whole set to stop; false where that has been done already.
    pub fn stop(&mut self, cause: StopCause, step: &mut Step) -> bool {
        match self.phase {
            Phase::Starting | Phase::Ready => {
                step.act(Effect::Signal { run: self.id, signal: self.stop_signal() });
                self.phase = Phase::Stopping { kill_at: step.now + self.spec.stop.timeout, cause };
                true
            }
            Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => false,
        }
    }

    /// Asks what the main process left behind to stop. A set that was being stopped gets no more time than it had.
    pub fn sweep(&mut self, next: Hold, step: &mut Step) {
        let within = step.now + self.spec.stop.timeout.min(SWEEP);
        let kill_at = match self.phase {
            Phase::Starting | Phase::Ready | Phase::Sweeping { .. } | Phase::Killed { .. } => within,
            Phase::Stopping { kill_at, .. } => within.min(kill_at),
        };
        step.act(Effect::Signal { run: self.id, signal: Signal::TERM });
        self.pid = None;
        self.phase = Phase::Sweeping { since: step.now, kill_at, next };
    }

    /// Kills what is left of the set, from now on until nothing is.
    pub fn kill(&mut self, step: &mut Step) {
        let next = match self.phase {
            Phase::Starting | Phase::Ready | Phase::Stopping { .. } => Hold::None,
            Phase::Sweeping { next, .. } => next,
            Phase::Killed { .. } => return,
        };
        step.act(Effect::Kill { run: self.id });
        self.phase = Phase::Killed { give_up_at: step.now + GIVE_UP, next };
    }

    /// Looks at the deadline of its phase.
    pub fn expire(&mut self, step: &mut Step) -> Due {
        let due = match self.phase {
            Phase::Stopping { kill_at, .. } if kill_at <= step.now => Due::Killed { main: true, patience: self.spec.stop.timeout },
            Phase::Sweeping { since, kill_at, .. } if kill_at <= step.now => Due::Killed { main: false, patience: kill_at - since },
            Phase::Killed { give_up_at, next } if give_up_at <= step.now => return Due::Stuck { next },
            Phase::Starting | Phase::Ready | Phase::Stopping { .. } | Phase::Sweeping { .. } | Phase::Killed { .. } => return Due::Not,
        };
        self.kill(step);
        due
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Starting | Phase::Ready => None,
            Phase::Stopping { kill_at, .. } | Phase::Sweeping { kill_at, .. } => Some(kill_at),
            Phase::Killed { give_up_at, .. } => Some(give_up_at),
        }
    }

    pub fn shift(&mut self, by: Duration) {
        self.spawned += by;
        self.started = self.started.map(|started| started + by);
        match &mut self.phase {
            Phase::Starting | Phase::Ready => {}
            Phase::Stopping { kill_at, .. } => *kill_at += by,
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
}
