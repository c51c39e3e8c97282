//! Polling: a scan of the watched folders on a thread of its own, settled by notify-debouncer-full.
//! notify's own PollWatcher sees only newer mtimes and cannot change its interval.

mod scan;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant, SystemTime},
};

use notify::{Config, PathOp};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use scan::Scanner;

use crate::watch::{
    api::{FileKind, Raw, WatchError, WatchSet},
    classify,
    feed::Feed,
    walk::{self, Listing},
};

/// The shortest interval that is chosen here.
const MIN: Duration = Duration::from_secs(1);
/// The longest.
const MAX: Duration = Duration::from_secs(10);
/// An interval is so many times what the first scan took: at most 5 % of a core.
const TIMES: u32 = 20;

/// Orders to the thread.
enum Order {
    Add { dirs: Vec<PathBuf>, at: SystemTime },
    Remove(Vec<PathBuf>),
}

struct Polling {
    orders: mpsc::Sender<Order>,
    pace: Pace,
}

/// How often a polling set looks.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    ordered: u64,
    done: u64,
    interval: Duration,
}

/// A set that is scanned every `interval`; `None`: chosen by what the first scan takes, between 1 s and 10 s.
/// A folder that vanishes is told as touched and then skipped in silence.
pub fn polling(interval: Option<Duration>, feed: Feed) -> (Box<dyn WatchSet>, Pace) {
    let (orders, rx) = mpsc::channel();
    let pace = Pace::default();
    let theirs = pace.clone();
    let trouble = feed.clone();
    if let Err(e) = std::thread::Builder::new().name("pmdev-poll".to_owned()).spawn(move || run(&rx, &feed, interval, &theirs)) {
        tell(&trouble, Raw::Error(format!("polling cannot start: {e}")));
    }
    (Box::new(Polling { orders, pace: pace.clone() }), pace)
}

impl WatchSet for Polling {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        self.pace.state(|state| state.ordered += 1);
        let _the_thread_told_why_it_ended = self.orders.send(Order::Add { dirs: dirs.to_vec(), at: walk::now() });
        Vec::new()
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        let _the_thread_told_why_it_ended = self.orders.send(Order::Remove(dirs.to_vec()));
    }
}

impl Pace {
    /// The interval, once the folders ordered so far have been looked at; waits for that as long as told.
    pub fn interval(&self, patience: Duration) -> Option<Duration> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(state, patience, |state| state.done < state.ordered);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (state.done == state.ordered && state.done > 0).then_some(state.interval)
    }

    fn state(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }
}

/// The thread.
#[expect(clippy::disallowed_methods, reason = "a scan is timed, and the next one has its time")]
fn run(orders: &mpsc::Receiver<Order>, feed: &Feed, fixed: Option<Duration>, pace: &Pace) {
    let quarter = (fixed.unwrap_or(MIN) / 4).max(Duration::from_millis(1));
    let settled = feed.clone();
    let on_events = move |result: DebounceEventResult| match result {
        Ok(events) => events.into_iter().flat_map(|event| classify::polled(event.event)).for_each(|raw| tell(&settled, raw)),
        Err(errors) => errors.iter().for_each(|error| tell(&settled, classify::trouble(error))),
    };
    let mut scans: Debouncer<Scanner, NoCache> = match new_debouncer_opt(quarter, Some(quarter), on_events, NoCache, Config::default()) {
        Ok(scans) => scans,
        Err(error) => return tell(feed, classify::trouble(&error)),
    };
    let mut dirs: BTreeSet<PathBuf> = BTreeSet::new();
    let (mut cost, mut last) = (Duration::ZERO, Instant::now());
    loop {
        let interval = fixed.unwrap_or_else(|| (cost * TIMES).clamp(MIN, MAX));
        let order = if dirs.is_empty() {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            orders.recv_timeout((last + interval).saturating_duration_since(Instant::now()))
        };
        match order {
            Ok(Order::Add { dirs: fresh, at }) => {
                let start = Instant::now();
                let _a_scan_never_fails = scans.update_paths(fresh.iter().map(PathOp::watch_non_recursive));
                cost = if dirs.is_empty() { start.elapsed() } else { cost + start.elapsed() };
                changed_since(&fresh, at, feed);
                dirs.extend(fresh);
                pace.state(|state| {
                    state.done += 1;
                    state.interval = fixed.unwrap_or_else(|| (cost * TIMES).clamp(MIN, MAX));
                });
            }
            Ok(Order::Remove(gone)) => {
                dirs.retain(|dir| !gone.contains(dir));
                let _a_scan_never_fails = scans.update_paths(gone.iter().map(PathOp::unwatch));
            }
            Err(RecvTimeoutError::Timeout) => {
                // To watch a folder again is to look at it again.
                let _a_scan_never_fails = scans.update_paths(dirs.iter().map(PathOp::watch_non_recursive));
                last = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Tells what changed between the order to watch folders and their first scan.
fn changed_since(dirs: &[PathBuf], since: SystemTime, feed: &Feed) {
    let mut listing = Listing::new();
    for dir in dirs {
        if listing.read(dir).is_err() {
            continue;
        }
        for (name, kind) in listing.iter() {
            if kind != FileKind::Dir && listing.lstat(name).is_some_and(|stat| stat.ctime >= since) {
                let mut path = PathBuf::new();
                crate::watch::paths::entry(&mut path, dir, name);
                tell(feed, Raw::Touched(path));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an event gets its time where it is seen")]
fn tell(feed: &Feed, raw: Raw) {
    feed.raw(Instant::now(), raw);
}
