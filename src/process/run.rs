//! One run: how far it has come, and when it is to be looked at.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use super::{ProcessEvent, claim::Set, glance::Proc, shim::Report};
use crate::model::RunId;

/// When the tree of a run is looked at after its program began, so that it is known whose its descendants are if their parents die.
/// After the last look nothing wakes us: later trees are seen whenever a child ends or a signal is sent.
const LOOKS: [Duration; 3] = [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(5)];

/// How long after the first attempt to kill a set the next one comes; doubled each time, up to the longest.
const KILL_AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// A run that is not over.
#[derive(Debug)]
pub struct Run {
    /// The pid of its main process.
    pub pid: i32,
    /// How far it has come.
    pub phase: Phase,
    /// What is known of its process set.
    pub set: Set,
    /// When it is to be looked at.
    pub looks: Looks,
    /// Whether we have sent it SIGKILL.
    pub killed: bool,
    /// Its main process's files in `/proc`, once somebody has asked what it uses.
    pub proc: Option<Proc>,
}

/// How far a run has come.
#[derive(Debug)]
pub enum Phase {
    /// The shim has not reported yet.
    Launching(OwnedFd),
    /// The program executes.
    Running,
    /// A stage failed; the shim is about to end.
    Failed,
    /// The main process was reaped.
    Ended,
}

/// What it is looked at for.
#[derive(Debug)]
pub enum Looks {
    /// Its tree, at the next of [`LOOKS`].
    After {
        /// The index of the look.
        index: usize,
        /// When the program began.
        began: Instant,
    },
    /// Its set is being killed.
    Killing(Killing),
    /// Nothing: it is at rest.
    None,
}

/// A kill that is repeated until nothing is left.
#[derive(Debug, Clone, Copy)]
pub struct Killing {
    /// When the next attempt is due.
    pub again: Instant,
    pause: Duration,
}

impl Killing {
    /// The first attempt was made now.
    pub fn new(now: Instant) -> Self {
        Self { again: now + KILL_AGAIN.0, pause: KILL_AGAIN.0 }
    }

    /// Another attempt was made now.
    pub fn repeated(self, now: Instant) -> Self {
        let pause = (self.pause * 2).min(KILL_AGAIN.1);
        Self { again: now + pause, pause }
    }
}

impl Looks {
    /// When the next look is due; `None`: never.
    pub fn due(&self) -> Option<Instant> {
        match self {
            Self::After { index, began } => LOOKS.get(*index).map(|delay| *began + *delay),
            Self::Killing(killing) => Some(killing.again),
            Self::None => None,
        }
    }
}

impl Run {
    /// Takes note of what the stage channel says.
    pub fn reported(&mut self, run: RunId, report: Report, now: Instant, events: &mut Vec<ProcessEvent>) {
        match report {
            Report::None => {}
            Report::Executed => {
                self.phase = Phase::Running;
                if let Looks::None = self.looks {
                    self.looks = Looks::After { index: 0, began: now };
                }
                events.push(ProcessEvent::Executed { run, pid: self.pid });
            }
            Report::Failed(failure) => {
                self.phase = Phase::Failed;
                self.looks = Looks::None;
                events.push(ProcessEvent::LaunchFailed { run, failure });
            }
        }
    }
}
