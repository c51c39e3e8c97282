//! Signals to whole sets, and killing sets that fork meanwhile.
//!
//! Killing stops first, then kills. A kill that comes while its target forks leaves a child behind whose parent is unknown; a process that
//! is stopped before its children are read has all of them listed, so one pass from the top down finds everything but what a process
//! that ended by itself left to us, and the next pass finds that among our own children.

use std::collections::HashSet;

use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use super::{
    terminal,
    tree::{self, Identity, Stat, own_pid},
};
use crate::model::Signal;

/// How many passes one call makes before the caller gets its turn again. A chain of processes that fork and leave at once may need some
/// luck; the caller comes back.
const PASSES: usize = 64;

/// Sends a signal to one process that cannot have been replaced: a child of ours that was not waited for, or one that stands still.
/// False if it is gone, or not ours to signal.
pub fn send(pid: i32, signal: Signal) -> bool {
    debug_assert!(pid > 0, "0 and negative numbers mean groups");
    // SAFETY: kill(2) takes any numbers.
    pid > 0 && unsafe { libc::kill(pid, signal.0) } == 0
}

/// Sends a signal to every given process: once to each process group, since that reaches what was forked since they were looked at.
/// Our own group, in which a run is for its first moments, is never signalled as a whole.
pub fn signal(members: &[Stat], signal: Signal) {
    let mut groups = Groups::new();
    for stat in members {
        if groups.is_own(stat.group) {
            send(stat.id.pid, signal);
        } else {
            groups.signal_once(stat.group, signal);
        }
    }
}

/// Stops every process at or below the roots, which are asked for again until there is nothing new. Returns what it found.
pub fn stop(mut roots: impl FnMut() -> Vec<i32>) -> Vec<Stat> {
    let mut groups = Groups::new();
    let mut stopped: HashSet<Identity> = HashSet::new();
    let mut found = Vec::new();
    for _ in 0..PASSES {
        let fresh: Vec<i32> =
            roots().into_iter().filter(|pid| Stat::read(*pid).is_some_and(|stat| stat.alive && !stopped.contains(&stat.id))).collect();
        if fresh.is_empty() {
            break;
        }
        let tree = tree::walk(fresh, |stat| {
            groups.signal_once(stat.group, Signal::STOP);
            stop_one(stat);
        });
        stopped.extend(tree.iter().map(|stat| stat.id));
        found.extend(tree);
    }
    found
}

/// Kills every process at or below the roots, as far as they can be found now; to be repeated until nothing is left. Returns what it found.
pub fn kill(roots: impl FnMut() -> Vec<i32>) -> Vec<Stat> {
    let found = stop(roots);
    signal(&found, Signal::KILL);
    for stat in &found {
        send(stat.id.pid, Signal::KILL);
    }
    found
}

/// A descendant that is no child of ours may be reaped by its parent, and its pid be used again, before the signal is sent.
fn stop_one(stat: &Stat) {
    if stat.parent == own_pid() {
        send(stat.id.pid, Signal::STOP);
    } else {
        send_stranger(stat, rustix::process::Signal::STOP);
    }
}

/// Sends a signal to a process that is no child of ours, and to no later one of the same pid.
pub fn send_stranger(stat: &Stat, signal: rustix::process::Signal) {
    let Some(Ok(fd)) = Pid::from_raw(stat.id.pid).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { return };
    if Stat::read(stat.id.pid).is_some_and(|now| now.id == stat.id) {
        // It may be gone by now, or not be ours to signal; who asks looks again.
        let _ = pidfd_send_signal(&fd, signal);
    }
}

/// Process groups that have had their signal.
struct Groups {
    own: i32,
    done: HashSet<i32>,
}

impl Groups {
    fn new() -> Self {
        Self { own: terminal::own_group(), done: HashSet::new() }
    }

    /// Our own group; numbers up to 1, which kill(2) takes for something else altogether, count as ours too.
    fn is_own(&self, group: i32) -> bool {
        group == self.own || group <= 1
    }

    fn signal_once(&mut self, group: i32, signal: Signal) {
        if !self.is_own(group) && self.done.insert(group) {
            // SAFETY: kill(2) takes any numbers.
            unsafe { libc::kill(-group, signal.0) };
        }
    }
}
