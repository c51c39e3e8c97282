//! The signals that reach the runner, as a stream of what they mean.

use std::time::{Duration, Instant};

use tokio::signal::unix::{self, SignalKind};

use super::runner::Runner;
use crate::{
    model::{Error, Level, Notice, NoticeKind, Signal, called},
    process::signal_mask,
    supervisor::Role,
};

/// A second INT within this time is the same key press: npm and shells pass it on once more.
const SAME_PRESS: Duration = Duration::from_millis(100);

/// What a signal means to the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// End gracefully.
    Stop(Signal),
    /// End now: the second Ctrl-C.
    Force,
    /// Ctrl-Z.
    Suspend,
    /// The log files were put away by somebody else.
    Reopen,
    /// The terminal has another size.
    Resized,
    /// It means nothing to us, and is the apps'; by itself it would end us, but for the first process of a container.
    PassOn(Signal),
    /// A child changed state.
    Child,
    /// The guard died: kill everything.
    GuardDied,
}

/// The listening ends of the signals that were not ignored when the runner started (nohup, `&` in a script).
pub struct Signals {
    int: Option<unix::Signal>,
    term: Option<unix::Signal>,
    hup: Option<unix::Signal>,
    quit: Option<unix::Signal>,
    suspend: Option<unix::Signal>,
    reopen: Option<unix::Signal>,
    user_1: Option<unix::Signal>,
    window: unix::Signal,
    child: unix::Signal,
    guard: Option<unix::Signal>,
    first_int: Option<Instant>,
}

impl Signals {
    /// Starts to listen. `guard_death` is the signal that says the guard is dead.
    pub fn listen(guard_death: Option<Signal>) -> Result<Self, Error> {
        let ignored = signal_mask("self", "SigIgn");
        let unless_ignored = |signal: Signal| {
            if ignored & (1 << (signal.0 - 1)) == 0 { listen(signal).map(Some) } else { Ok(None) }
        };
        Ok(Self {
            int: unless_ignored(Signal::INT)?,
            term: unless_ignored(Signal::TERM)?,
            hup: unless_ignored(Signal::HUP)?,
            quit: unless_ignored(Signal::QUIT)?,
            suspend: unless_ignored(Signal::TSTP)?,
            reopen: unless_ignored(Signal::USR2)?,
            user_1: unless_ignored(Signal::USR1)?,
            window: listen(Signal(SignalKind::window_change().as_raw_value()))?,
            child: listen(Signal(SignalKind::child().as_raw_value()))?,
            guard: guard_death.map(listen).transpose()?,
            first_int: None,
        })
    }

    /// Whether hang-ups were ignored when the runner started: then a terminal may go away.
    pub fn ignore_hang_up(&self) -> bool {
        self.hup.is_none()
    }

    /// Waits for the next signal that means something. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Meaning {
        loop {
            let meaning = tokio::select! {
                biased;
                () = received(&mut self.guard) => Meaning::GuardDied,
                () = received(&mut self.int) => Meaning::Stop(Signal::INT),
                () = received(&mut self.term) => Meaning::Stop(Signal::TERM),
                () = received(&mut self.hup) => Meaning::Stop(Signal::HUP),
                () = received(&mut self.quit) => Meaning::Stop(Signal::QUIT),
                () = received(&mut self.suspend) => Meaning::Suspend,
                () = received(&mut self.reopen) => Meaning::Reopen,
                () = received(&mut self.user_1) => Meaning::PassOn(Signal::USR1),
                _ = self.window.recv() => Meaning::Resized,
                _ = self.child.recv() => Meaning::Child,
            };
            if meaning != Meaning::Stop(Signal::INT) {
                return meaning;
            }
            let now = super::runner::now();
            match self.first_int {
                None => {
                    self.first_int = Some(now);
                    return meaning;
                }
                Some(first) if now.duration_since(first) > SAME_PRESS => return Meaning::Force,
                Some(_) => {}
            }
        }
    }
}

impl Runner {
    /// Sends a signal to the main process of every app that has a handler for it, and tells whoever has sent it: it would end the others.
    pub fn pass_on(&mut self, signal: Signal) {
        let mut told = Vec::new();
        for (run, live) in &self.runs {
            if live.role == Role::App && self.processes.signal_handler(*run, signal) {
                told.push(called(&live.spec.name, live.spec.instances, live.instance.slot));
            }
        }
        told.sort();
        let notice = |level, text| Notice::new(level, NoticeKind::Answer, text);
        self.say(&match &*told {
            [] => notice(Level::Warning, format!("{signal} means nothing to pmdev and no app handles it, so nothing was done")),
            names => notice(Level::Info, format!("{signal} was passed on to {}", names.join(", "))),
        });
    }
}

async fn received(signal: &mut Option<unix::Signal>) {
    let received = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending().await
    }
}

fn listen(signal: Signal) -> Result<unix::Signal, Error> {
    unix::signal(SignalKind::from_raw(signal.0)).map_err(|cause| Error::failed(format!("{signal} cannot be listened to")).because(cause))
}
