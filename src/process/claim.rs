//! Whose an orphan is: a process whose parent died, and which the kernel therefore gave to us, the nearest subreaper.
//!
//! Evidence in this order: the last tree seen (pid and start time), its session, the marker in its environment, a pipe of the run as its
//! standard input, output or error. What remains after that has a session of its own, a cleaned environment and closed descriptors, and
//! its parent died between two looks (`env -i setsid` behind a double fork). It can only come from a run that is older than itself and
//! not over; so if there is one such run alone, it is that one's, and if there are several, but one alone whose main process has ended or
//! which is being killed, it is that one's: its children are the ones that become orphans now, while a live run would have had to
//! detach a daemon since the last look. Otherwise nobody's: it is left in peace, and killed when the runner ends.

use std::{
    collections::HashSet,
    env, fs,
    os::{fd::AsFd, unix::ffi::OsStrExt as _},
};

use super::{
    spawn::Spawned,
    tree::{Identity, Stat, own_pid},
};
use crate::model::RunId;

/// The environment variable that names the run a process belongs to.
pub const MARKER: &str = "PMDEV_RUN";

/// Makes and recognizes the values of the marker: `RUNNER.RUN`, behind the marker of the runner we run under: `4711-98.3/4720-99.1`.
#[derive(Debug)]
pub struct Marker {
    runner: String,
}

impl Marker {
    /// Its pid and start time, so that it is like no other since the system booted.
    pub fn of_this_runner() -> Self {
        let pid = own_pid();
        let started = Stat::read(pid).map_or(0, |stat| stat.id.started);
        let outer = env::var(MARKER).map(|outer| outer + "/").unwrap_or_default();
        Self { runner: format!("{outer}{pid}-{started}") }
    }

    /// The value for a run.
    pub fn value(&self, run: RunId) -> String {
        format!("{}.{}", self.runner, run.0)
    }

    /// The run that an environment, as in `/proc/PID/environ`, names: ours, or one of ours with nested runners below.
    pub fn find(&self, environ: &[u8]) -> Option<RunId> {
        let mut values = environ.split(|byte| *byte == 0).filter_map(|line| line.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"="));
        let rest = str::from_utf8(values.next()?).ok()?.strip_prefix(&self.runner)?.strip_prefix('.')?;
        rest.split('/').next()?.parse().ok().map(RunId)
    }

    /// The run that a process's environment names, as it was when the process last executed a program.
    pub fn read(&self, pid: i32) -> Option<RunId> {
        self.find(&fs::read(format!("/proc/{pid}/environ")).ok()?)
    }
}

/// What is known about the process set of a run.
#[derive(Debug)]
pub struct Set {
    /// When its first process started, in clock ticks since boot.
    pub started: u64,
    /// Whether its main process has ended, or it is being killed.
    pub ending: bool,
    /// The processes of the last tree seen.
    pub seen: HashSet<Identity>,
    /// The sessions of the last tree seen, the first process's own among them.
    pub sessions: HashSet<i32>,
    /// The inodes of its pipes.
    pub pipes: [u64; 3],
}

impl Set {
    /// The set of a run that has just begun.
    pub fn new(spawned: &Spawned) -> Self {
        let inode = |fd: &dyn AsFd| rustix::fs::fstat(fd.as_fd()).map_or(0, |stat| stat.st_ino);
        Self {
            started: Stat::read(spawned.pid).map_or(0, |stat| stat.id.started),
            ending: false,
            seen: HashSet::new(),
            sessions: HashSet::from([spawned.pid]),
            pipes: [inode(&spawned.stdin), inode(&spawned.stdout), inode(&spawned.stderr)],
        }
    }

    /// Takes note of the tree of a run whose main process has, or had, this pid.
    pub fn see(&mut self, main: i32, tree: &[Stat], own_session: i32) {
        self.seen = tree.iter().map(|stat| stat.id).collect();
        // The shim is in our session until it has one of its own.
        self.sessions = tree.iter().map(|stat| stat.session).filter(|session| *session != own_session).chain([main]).collect();
    }
}

/// The inodes of the pipes that a process has as standard input, output and error. Read from the links' texts: following
/// them could wait for a file server.
pub fn pipes_of(pid: i32) -> Vec<u64> {
    let link = |fd: i32| fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok();
    let inode = |text: &[u8]| str::from_utf8(text.strip_prefix(b"pipe:[")?.strip_suffix(b"]")?).ok()?.parse().ok();
    (0..3).filter_map(link).filter_map(|link| inode(link.as_os_str().as_bytes())).collect()
}

/// Decides whose an orphan is. `marked` and `pipes` are asked only where the cheaper evidence says nothing; `related` is whether every
/// orphan of ours must descend from a run (not as PID 1, which gets the orphans of others as well).
pub fn claim<'a>(
    orphan: &Stat,
    sets: impl Iterator<Item = (RunId, &'a Set)> + Clone,
    marked: impl FnOnce() -> Option<RunId>,
    pipes: impl FnOnce() -> Vec<u64>,
    related: bool,
) -> Option<RunId> {
    let first = |accepts: &dyn Fn(&Set) -> bool| sets.clone().find(|(_, set)| accepts(set)).map(|(run, _)| run);
    first(&|set| set.seen.contains(&orphan.id))
        .or_else(|| first(&|set| set.sessions.contains(&orphan.session)))
        .or_else(|| marked().filter(|marked| sets.clone().any(|(run, _)| run == *marked)))
        .or_else(|| {
            let held = pipes();
            first(&|set| set.pipes.iter().any(|pipe| held.contains(pipe)))
        })
        .or_else(|| {
            let possible = sets.clone().filter(|(_, set)| related && set.started <= orphan.id.started);
            only(possible.clone()).or_else(|| only(possible.filter(|(_, set)| set.ending)))
        })
}

fn only<'a>(mut sets: impl Iterator<Item = (RunId, &'a Set)>) -> Option<RunId> {
    let (run, _) = sets.next()?;
    sets.next().is_none().then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(main: i32, started: u64, ending: bool) -> Set {
        Set { started, ending, seen: HashSet::new(), sessions: HashSet::from([main]), pipes: [u64::try_from(main).expect("positive"); 3] }
    }

    fn orphan(session: i32, started: u64) -> Stat {
        Stat { id: Identity { pid: 99, started }, parent: 1, group: session, session, alive: true }
    }

    fn ask(orphan: &Stat, sets: &[Set], marked: Option<u64>, pipes: &[u64], related: bool) -> Option<u64> {
        let sets = sets.iter().enumerate().map(|(index, set)| (RunId(index as u64), set));
        claim(orphan, sets, || marked.map(RunId), || pipes.to_vec(), related).map(|run| run.0)
    }

    #[test]
    fn stronger_evidence_wins() {
        let mut sets = [set(10, 5, false), set(20, 5, false), set(30, 5, false), set(40, 5, true)];
        let known = orphan(20, 7);
        assert_eq!(ask(&known, &sets, Some(2), &[40], true), Some(1), "session before marker");
        sets[0].seen.insert(known.id);
        assert_eq!(ask(&known, &sets, Some(2), &[40], true), Some(0), "the last tree before the session");
        let detached = orphan(99, 8);
        assert_eq!(ask(&detached, &sets, Some(2), &[30], true), Some(2), "marker before pipe");
        assert_eq!(ask(&detached, &sets, Some(7), &[10], true), Some(0), "the marker of a run that is over says nothing");
    }

    #[test]
    fn a_process_without_evidence_goes_to_the_only_run_it_can_come_from() {
        let detached = orphan(99, 7);
        assert_eq!(ask(&detached, &[set(10, 5, false)], None, &[], true), Some(0), "the only one");
        assert_eq!(
            ask(&detached, &[set(10, 5, false), set(20, 8, true)], None, &[], true),
            Some(0),
            "the other is younger than the orphan"
        );
        assert_eq!(ask(&detached, &[set(10, 5, false), set(20, 6, true)], None, &[], true), Some(1), "the one that ends");
        assert_eq!(ask(&detached, &[set(10, 5, false), set(20, 6, false)], None, &[], true), None, "either");
        assert_eq!(ask(&detached, &[set(10, 5, true), set(20, 6, true)], None, &[], true), None, "either");
        assert_eq!(ask(&detached, &[set(10, 5, true)], None, &[], false), None, "PID 1 gets the orphans of others");
    }

    #[test]
    fn the_marker_names_our_run_with_or_without_nested_ones() {
        let marker = Marker { runner: "1-2.3/4-5".to_owned() };
        assert_eq!(marker.value(RunId(6)), "1-2.3/4-5.6");
        for (environ, run) in [
            (&b"A=b\0PMDEV_RUN=1-2.3/4-5.6\0"[..], Some(RunId(6))),
            (b"PMDEV_RUN=1-2.3/4-5.6/7-8.9\0", Some(RunId(6))),
            (b"PMDEV_RUN=1-2.3/4-55.6\0", None),
            (b"PMDEV_RUN=1-2.3\0", None),
            (b"XPMDEV_RUN=1-2.3/4-5.6\0", None),
            (b"", None),
        ] {
            assert_eq!(marker.find(environ), run, "{}", String::from_utf8_lossy(environ));
        }
    }
}
