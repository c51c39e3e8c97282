//! The app of a simulation and the least of a supervisor: stop, start when stopped, hold.

use std::time::{Duration, Instant};

use super::{APP, Act, Op, Out, Sim};
use crate::watch::Ctl;

/// What an app does by itself; times in milliseconds.
#[derive(Debug, Default, Clone)]
pub struct Script {
    /// So long after each start it does this; the number of the start goes into the bytes.
    pub after_start: Vec<(u64, Op)>,
    /// Bytes differ from start to start.
    pub ever_new: bool,
    /// It does this when told to stop.
    pub at_stop: Vec<Op>,
    /// How long it takes to end.
    pub shutdown: u64,
}

/// What happens to a run.
#[derive(Debug)]
pub enum AppAct {
    Executes,
    Does(usize, Op),
    Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Gone,
    Starting,
    Up,
    Stopping,
}

#[derive(Debug)]
pub struct App {
    script: Script,
    pub starts: usize,
    state: State,
    /// It starts again once it is gone.
    again: bool,
}

/// How long a spawn takes.
const SPAWN: Duration = Duration::from_millis(1);
/// How long a signal takes to be felt.
const REACTION: Duration = Duration::from_micros(100);

impl App {
    pub fn new(script: Script) -> Self {
        Self { script, starts: 0, state: State::Gone, again: false }
    }
}

impl Sim {
    pub(super) fn begin(&mut self) {
        self.app.state = State::Starting;
        self.schedule(self.zero, Act::App(AppAct::Executes));
    }

    /// Tells the group what the app does.
    pub fn tell(&mut self, ctl: impl FnOnce(Instant) -> Ctl) {
        let ctl = ctl(self.now);
        self.group.told(APP, ctl);
    }

    /// A change set or the end of a probe: a new run, which one that is not yet started serves as well.
    pub(super) fn restart(&mut self) {
        match self.app.state {
            State::Gone => {
                self.app.state = State::Starting;
                self.schedule(self.now + SPAWN, Act::App(AppAct::Executes));
            }
            State::Starting => {}
            State::Up | State::Stopping => {
                self.stop(true);
                self.app.again = true;
            }
        }
    }

    pub(super) fn stop(&mut self, early: bool) {
        if self.app.state == State::Starting || (self.app.state == State::Gone && !early) {
            // A probe or a stop that meets an app between two runs just keeps it there.
            self.app.again = early && self.app.again;
            return;
        }
        if self.app.state != State::Up {
            return;
        }
        self.app.state = State::Stopping;
        self.app.again = false;
        self.note("stopping");
        self.tell(Ctl::Stopping);
        let (run, end) = (self.app.starts, self.now + 2 * REACTION + Duration::from_millis(self.app.script.shutdown));
        for op in self.app.script.at_stop.clone() {
            let op = self.renewed(op);
            self.schedule(self.now + REACTION, Act::App(AppAct::Does(run, op)));
        }
        self.schedule(end, Act::App(AppAct::Ends));
    }

    pub(super) fn app_act(&mut self, act: AppAct, out: &mut Vec<Out>) {
        match act {
            AppAct::Executes => {
                self.app.starts += 1;
                self.app.state = State::Up;
                self.note(&format!("start {}", self.app.starts));
                let by_files = self.app.starts > 1;
                self.tell(|at| Ctl::Started { at, by_files });
                for (ms, op) in self.app.script.after_start.clone() {
                    let op = self.renewed(op);
                    self.schedule(self.now + Duration::from_millis(ms), Act::App(AppAct::Does(self.app.starts, op)));
                }
            }
            AppAct::Does(run, op) if run == self.app.starts && self.app.state != State::Gone => self.perform(op, out),
            AppAct::Does(..) => {}
            AppAct::Ends => {
                self.note("ended");
                self.app.state = State::Gone;
                self.tell(Ctl::Exited);
                if std::mem::take(&mut self.app.again) {
                    self.restart();
                }
            }
        }
    }

    fn renewed(&self, op: Op) -> Op {
        let nth = self.app.starts;
        match op {
            Op::Save(path, _) if path.ends_with("random") => {
                let path: &'static str = Box::leak(format!("{path}{nth}").into_boxed_str());
                Op::Save(path, String::new())
            }
            Op::Save(path, bytes) if self.app.script.ever_new => Op::Save(path, format!("{bytes} {nth} {:?}", self.now)),
            Op::Write(path, bytes) if self.app.script.ever_new => Op::Write(path, format!("{bytes} {nth} {:?}", self.now)),
            other => other,
        }
    }
}
