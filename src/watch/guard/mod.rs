//! The restart-loop guard of one app: finds out that the app itself writes what restarts it, and says which changes are its own.
//! Pure, and it never guesses from regularity alone: a suspicion is probed by holding the app, and only what stays quiet then is absorbed.
//! Start with [`Guard::rule`]; `evidence` has what makes restarts look alike, `runaway` the back-stop for everything else.

mod evidence;
mod runaway;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

pub use evidence::Keys;
use evidence::{Delay, Restart, Suspect};
use runaway::Runaway;

use super::{
    Ctl,
    settle::{Item, What},
};

/// How many look-alike restarts in a row make a suspicion, soon after starts, and later: somebody who saves every two seconds or so must
/// not be taken for the app.
const ALIKE: (usize, usize) = (3, 4);
/// How long a path that somebody else was seen to write is above suspicion.
const TRUST: Duration = Duration::from_secs(60);
/// How long a held app may take to end before it is given back all the same.
const STUCK: Duration = Duration::from_secs(60);
/// Events of a run arrive up to this long after its end was noted.
const LATE: Duration = Duration::from_millis(20);

/// What is to be done about a settled change set.
#[derive(Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Restart.
    Fire,
    /// Restart, and end the probe: the change came from elsewhere.
    EndProbe,
    /// Stop the app and hold it: this path is under suspicion.
    Probe(PathBuf),
    /// No restart: from now on the app's own changes of these paths are absorbed.
    Absorb(Absorbed),
    /// No restart: the app was still ending when it wrote this, and is going to be started anyway.
    Held,
}

/// Paths whose changes are the app's own, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absorbed {
    /// The paths, or the folder of ever new names.
    pub keys: Keys,
    /// When.
    pub when: When,
}

/// When a change is the app's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This long after a start at most; `about`: when it was seen.
    AfterStart {
        /// The longest delay seen.
        about: Duration,
        /// How long changes are absorbed.
        within: Duration,
    },
    /// Between the stop signal and the end: the next run sees what was written.
    WhileStopping,
    /// Always: it was confirmed twice.
    Always,
}

#[derive(Debug)]
struct Stop {
    signal: Instant,
    exited: Option<Instant>,
}

#[derive(Debug)]
struct Probe {
    began: Instant,
    hold: Duration,
    /// When it is over if nothing happens; counted anew from the end of the app.
    until: Instant,
    /// When the held app was gone; changes until then may be its own.
    gone: Option<Instant>,
}

/// The guard of one app.
#[derive(Debug, Default)]
pub struct Guard {
    started: Option<Instant>,
    stop: Option<Stop>,
    down: bool,
    /// A restart was ruled, and no run has begun since: what changes meanwhile is part of it.
    restarting: bool,
    history: VecDeque<Restart>,
    suspect: Option<Suspect>,
    probe: Option<Probe>,
    absorbed: Vec<Absorbed>,
    trusted: Vec<(PathBuf, Instant)>,
    runaway: Runaway,
}

impl Guard {
    /// What the app does.
    pub fn told(&mut self, ctl: Ctl) {
        match ctl {
            Ctl::Started { at, by_files } => {
                self.started = Some(at);
                self.down = false;
                self.restarting = false;
                if let Some(stop) = &mut self.stop {
                    stop.exited.get_or_insert(at);
                }
                if !by_files && self.suspect.is_none() {
                    self.history.clear();
                }
            }
            Ctl::Stopping(at) => {
                self.stop = Some(Stop { signal: at, exited: None });
                if let Some(probe) = &mut self.probe {
                    probe.until = at + probe.hold + STUCK;
                }
            }
            Ctl::Exited(at) => {
                if let Some(stop) = &mut self.stop {
                    stop.exited.get_or_insert(at);
                }
                if let Some(probe) = &mut self.probe {
                    probe.until = at + probe.hold;
                    probe.gone = Some(at);
                }
            }
            Ctl::Manual => {
                self.acquit();
                if let Some(probe) = &mut self.probe {
                    probe.until = probe.began;
                }
            }
            Ctl::Down => self.down = true,
        }
    }

    /// Whether the app is down after a failure: then any save starts it.
    pub fn is_down(&self) -> bool {
        self.down
    }

    /// Whether the app may begin to stop at the first change of a batch, of this path.
    pub fn may_stop_early(&self, at: Instant, path: &Path) -> bool {
        !self.restarting && self.suspect.is_none() && self.probe.is_none() && !self.absorbs(at, path)
    }

    /// The least quiet period of settling.
    pub fn floor(&mut self, now: Instant) -> Duration {
        self.runaway.floor(now)
    }

    /// Why a change of a settled batch is the app's own and no reason to restart it. `wall`: an instant on the file system's clock.
    pub fn own(&self, item: &Item, wall: impl Fn(Instant) -> SystemTime) -> Option<&'static str> {
        if self.absorbs(item.at, &item.path) {
            return Some("is written by the app itself after every start");
        }
        let stop = self.stop.as_ref()?;
        if item.at <= stop.signal {
            return None;
        }
        let removed = item.what == What::Removed && stop.exited.is_none_or(|exited| item.at <= exited);
        // A later mtime means that somebody else wrote after the app's end.
        let before_end = |exited: Instant| item.at <= exited + LATE && item.mtime.is_none_or(|mtime| mtime <= wall(exited));
        let closed = item.written_since.is_some_and(|since| since < stop.signal) && stop.exited.is_none_or(before_end);
        (removed || closed).then_some("belongs to the run that was ending")
    }

    /// What is to be done about a settled batch whose changes, none of them the app's own as far as known, are these.
    pub fn rule(&mut self, now: Instant, first: Instant, changes: &[(&Path, Instant)]) -> Ruling {
        let paths: Vec<&Path> = changes.iter().map(|(path, _)| *path).collect();
        if let Some(probe) = &self.probe {
            let gone = probe.gone;
            return self.rule_probe(now, gone, changes, &paths);
        }
        if self.restarting {
            return Ruling::Fire;
        }
        let delay = self.delay(first);
        self.trusted.retain(|(_, until)| *until > now);
        if let Some(suspect) = &mut self.suspect
            && suspect.fits(delay, &paths)
        {
            if !suspect.probed && suspect.after_start() {
                suspect.probed = true;
                let hold = suspect.hold();
                self.probe = Some(Probe { began: now, hold, until: now + hold, gone: self.down.then_some(now) });
                return Ruling::Probe(paths.first().map_or_else(PathBuf::new, |path| path.to_path_buf()));
            }
            let absorbed = Absorbed { keys: suspect.keys.clone(), when: suspect.when() };
            self.acquit();
            return Ruling::Absorb(self.absorb(absorbed));
        }
        if self.suspect.is_some() {
            self.acquit();
        }
        if paths.iter().any(|path| self.trusted.iter().any(|(trusted, _)| trusted == path)) {
            self.history.clear();
        } else {
            self.note(delay, &paths);
            self.runaway.restarted(now);
        }
        self.restarting = true;
        Ruling::Fire
    }

    /// A restart for a reason that is no path: it proves nothing.
    pub fn unrelated(&mut self, now: Instant) -> Ruling {
        self.acquit();
        self.runaway.restarted(now);
        if self.probe.take().is_some() { Ruling::EndProbe } else { Ruling::Fire }
    }

    /// When the probe is over if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.probe.as_ref().map(|probe| probe.until)
    }

    /// Whether the probe is over now: the app is to be started again.
    pub fn expire(&mut self, now: Instant) -> bool {
        self.probe.take_if(|probe| probe.until <= now).is_some()
    }

    /// The first time restarts ran away since it was last asked.
    pub fn ran_away(&mut self) -> bool {
        self.runaway.take_news()
    }

    fn rule_probe(&mut self, now: Instant, gone: Option<Instant>, changes: &[(&Path, Instant)], paths: &[&Path]) -> Ruling {
        let of_suspect = self.suspect.as_ref().is_some_and(|suspect| suspect.keys.cover(paths));
        let ending = |at: Instant| gone.is_none_or(|gone| at <= gone + LATE);
        if of_suspect && changes.iter().all(|(_, at)| ending(*at)) {
            return Ruling::Held;
        }
        self.probe = None;
        self.acquit();
        if of_suspect {
            self.trusted.extend(paths.iter().map(|path| (path.to_path_buf(), now + TRUST)));
        }
        self.runaway.restarted(now);
        Ruling::EndProbe
    }

    fn absorbs(&self, at: Instant, path: &Path) -> bool {
        self.absorbed.iter().filter(|absorbed| absorbed.keys.covers(path)).any(|absorbed| match absorbed.when {
            When::Always => true,
            When::AfterStart { within, .. } => self.started.is_some_and(|start| at >= start && at <= start + within),
            When::WhileStopping => self.delay(at) == Some(Delay::WhileStopping),
        })
    }

    /// Remembers it; what was absorbed before and still got through is absorbed for good.
    fn absorb(&mut self, mut new: Absorbed) -> Absorbed {
        let before = self.absorbed.len();
        self.absorbed.retain(|old| old.keys != new.keys || old.when == When::WhileStopping);
        if self.absorbed.len() < before {
            new.when = When::Always;
        }
        self.absorbed.push(new.clone());
        new
    }

    /// Where a batch lies in the life of the app; `None`: nowhere in particular.
    fn delay(&self, first: Instant) -> Option<Delay> {
        let start = self.started?;
        if let Some(stop) = &self.stop
            && first > stop.signal
            && stop.exited.is_none_or(|exited| first <= exited + LATE)
            && first < start.max(stop.signal + LATE)
        {
            return Some(Delay::WhileStopping);
        }
        first.checked_duration_since(start).map(Delay::AfterStart)
    }

    fn note(&mut self, delay: Option<Delay>, paths: &[&Path]) {
        let Some(delay) = delay else { return self.history.clear() };
        if self.history.len() == ALIKE.1 {
            self.history.pop_front();
        }
        self.history.push_back(Restart::new(delay, paths));
        let history = &*self.history.make_contiguous();
        let last = |count: usize| history.len().checked_sub(count).map(|first| &history[first..]);
        let soon = last(ALIKE.0).filter(|restarts| restarts.iter().all(Restart::is_soon));
        self.suspect = soon.and_then(Suspect::from).or_else(|| last(ALIKE.1).and_then(Suspect::from));
    }

    fn acquit(&mut self) {
        self.suspect = None;
        self.history.clear();
    }
}
