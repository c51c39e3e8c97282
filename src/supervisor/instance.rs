//! One numbered slot of an app: its run, or what holds it without one.

use std::time::{Duration, Instant};

use crate::model::{Exit, Generation, InstanceId, LaunchFailure, RunId};

use super::{
    restart::{Tally, Verdict},
    run::Run,
    version::Strategy,
};

/// A slot of an app.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub id: InstanceId,
    /// As people call it: `api`, or `api:2` where there are several.
    pub name: String,
    pub state: State,
    /// The run that takes the place of its own once it is ready; see `surge`.
    pub coming: Option<Run>,
    /// The start of that one: it counts once it has the place.
    pub coming_start: Option<Start>,
    pub tally: Tally,
    /// Whether it is to have no run until somebody starts it.
    pub rest: Rest,
    /// Its run is to be replaced, of whatever generation it is, and how.
    pub redo: Option<Strategy>,
    /// How many runs it has had.
    pub starts: u64,
    /// How often it was started again, since its counters were reset; a start after a rest is none.
    pub restarts: u64,
    /// How often it ended by itself, to be started again.
    pub relapses: u64,
    /// It has rested since its latest run, or was held after it until somebody asked.
    pub rested: bool,
    /// Its latest run.
    pub last: Option<RunId>,
    /// The generation of its latest run.
    pub newest: Option<Generation>,
    /// Its latest start.
    pub start: Option<Start>,
    /// How it ended by itself, since its latest start.
    pub end: Option<End>,
}

/// Whether an instance is to have no run, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It is to run.
    No,
    /// It was not started with the runner.
    Unstarted,
    /// Somebody stopped it.
    Stopped,
}

/// What an instance is doing.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// It has a run.
    Up(Run),
    /// It has none.
    Down {
        hold: Hold,
        /// The generation that the hold speaks about: a newer one that may run is not held by it.
        of: Generation,
    },
}

/// What keeps an instance without a run from being started. What keeps all instances of an app is its `Gate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Nothing.
    None,
    /// It ended by itself and is started again then.
    Backoff { until: Instant },
    /// It died and waits for a save or a request.
    Crashed,
    /// It ended as it should, and waits likewise.
    Exited,
    /// It is given up, until a save or a request.
    Errored,
}

/// A start of an instance, for those who ask why.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub at: Instant,
    pub why: String,
}

/// An end of an instance by itself.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub at: Instant,
    pub outcome: Outcome,
    /// What became of it.
    pub verdict: Verdict,
}

/// How something ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its main process ended.
    Exit(Exit),
    /// It could not be started.
    Launch(LaunchFailure),
    /// The kernel killed its main process because memory ran out.
    OutOfMemory(Exit),
    /// It gave no sign of being ready in this time.
    NotReady(Duration),
    /// It answered badly so often in a row, the last time for this reason.
    Unhealthy { failures: u32, why: String },
    /// It used more memory than its limit.
    Memory { bytes: u64, limit: u64, hard: bool },
    /// Its old process set outlived SIGKILL.
    Stuck,
}

impl Outcome {
    pub fn success(&self) -> bool {
        match self {
            Self::Exit(exit) => exit.success(),
            Self::OutOfMemory(_) | Self::Launch(_) | Self::NotReady(_) | Self::Unhealthy { .. } | Self::Memory { .. } | Self::Stuck => {
                false
            }
        }
    }

    /// How its main process ended, where that is what happened.
    pub fn exit(&self) -> Option<Exit> {
        match self {
            Self::Exit(exit) | Self::OutOfMemory(exit) => Some(*exit),
            Self::Launch(_) | Self::NotReady(_) | Self::Unhealthy { .. } | Self::Memory { .. } | Self::Stuck => None,
        }
    }

    /// The exit code, where there is one.
    pub fn code(&self) -> Option<i32> {
        match self.exit() {
            Some(Exit::Code(code)) => Some(code),
            Some(Exit::Signal { .. }) | None => None,
        }
    }

    /// The code a shell would give: 127 for what is not there, 126 for what cannot be executed (POSIX, 2.8.2).
    pub fn shell_code(&self) -> u8 {
        const ENOENT: i32 = 2;
        match self {
            Self::Exit(exit) | Self::OutOfMemory(exit) => exit.shell_code(),
            Self::Launch(LaunchFailure { errno: ENOENT, .. }) => 127,
            Self::Launch(_) => 126,
            Self::NotReady(_) | Self::Unhealthy { .. } | Self::Memory { .. } | Self::Stuck => 1,
        }
    }
}

impl Hold {
    pub fn shift(&mut self, by: Duration) {
        match self {
            Self::Backoff { until } => *until += by,
            Self::None | Self::Crashed | Self::Exited | Self::Errored => {}
        }
    }
}

impl Instance {
    pub fn new(id: InstanceId, name: String, first: Generation, rest: Rest) -> Self {
        Self {
            id,
            name,
            state: State::Down { hold: Hold::None, of: first },
            coming: None,
            coming_start: None,
            tally: Tally::default(),
            rest,
            redo: None,
            starts: 0,
            restarts: 0,
            relapses: 0,
            rested: false,
            last: None,
            newest: None,
            start: None,
            end: None,
        }
    }

    /// Whether it is to have no run until somebody starts it.
    pub fn rests(&self) -> bool {
        self.rest != Rest::No
    }

    pub fn run(&self) -> Option<&Run> {
        match &self.state {
            State::Up(run) => Some(run),
            State::Down { .. } => None,
        }
    }

    /// Whether it starts as soon as its app lets it, or once its run is gone.
    pub fn is_free(&self) -> bool {
        match &self.state {
            State::Up(run) => run.next().is_none_or(|next| next == Hold::None),
            State::Down { hold, .. } => *hold == Hold::None,
        }
    }

    pub fn run_mut(&mut self) -> Option<&mut Run> {
        match &mut self.state {
            State::Up(run) => Some(run),
            State::Down { .. } => None,
        }
    }

    /// Its run, and the one that is coming.
    pub fn runs_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        let own = match &mut self.state {
            State::Up(run) => Some(run),
            State::Down { .. } => None,
        };
        own.into_iter().chain(&mut self.coming)
    }

    pub fn deadline(&self) -> Option<Instant> {
        let own = match &self.state {
            State::Up(run) => run.deadline(),
            State::Down { hold: Hold::Backoff { until }, .. } => Some(*until),
            State::Down { hold: Hold::None | Hold::Crashed | Hold::Exited | Hold::Errored, .. } => None,
        };
        own.into_iter().chain(self.coming.as_ref().and_then(Run::deadline)).min()
    }

    pub fn shift(&mut self, by: Duration) {
        match &mut self.state {
            State::Up(run) => run.shift(by),
            State::Down { hold, .. } => hold.shift(by),
        }
        self.coming.iter_mut().for_each(|run| run.shift(by));
        self.tally.shift(by);
        for start in self.start.iter_mut().chain(&mut self.coming_start) {
            start.at += by;
        }
        if let Some(end) = &mut self.end {
            end.at += by;
        }
    }
}
