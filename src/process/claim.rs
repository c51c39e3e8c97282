//! Whose an orphan is: a process whose parent died, and which the kernel therefore gave to us, the nearest subreaper.
//!
//! Evidence in this order: the last tree seen (pid and start time), its session, the marker in its environment, a pipe of the run as its
//! standard input, output or error. What remains after that has a session of its own, a cleaned environment and closed descriptors, and
//! its parent died between two looks (`env -i setsid` behind a double fork). It can only come from a run that is older than itself and
//! not over. If there is one such run alone, it is that one's; else if one alone works in the same folder, that one's; else if one
//! alone has lost its main process or is being killed, that one's: its children are the ones that become orphans now, while a live run
//! would have had to detach a daemon since the last look. Otherwise nobody's: it is left in peace, and killed when the runner ends.

use std::{
    collections::HashSet,
    env, fs,
    os::{fd::AsFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
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
        let rest = marked(environ)?.strip_prefix(&self.runner)?.strip_prefix('.')?;
        rest.split('/').next()?.parse().ok().map(RunId)
    }
}

/// The value of the marker in an environment.
fn marked(environ: &[u8]) -> Option<&str> {
    let mut values = environ.split(|byte| *byte == 0).filter_map(|line| line.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"="));
    str::from_utf8(values.next()?).ok()
}

/// The environment that a process began with; empty where it cannot be read.
pub fn environ(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

/// The runners whose runs an environment names, the outermost first.
pub fn runners(environ: &[u8]) -> impl Iterator<Item = Identity> {
    marked(environ).unwrap_or_default().split('/').filter_map(|part| {
        let (pid, started) = part.split_once('.')?.0.split_once('-')?;
        Some(Identity { pid: pid.parse().ok()?, started: started.parse().ok()? })
    })
}

/// What is known about the process set of a run.
#[derive(Debug)]
pub struct Set {
    /// When its program was to begin, in clock ticks since boot: its shim may be older.
    pub started: u64,
    /// Whether its main process has ended, or it is being killed.
    pub ending: bool,
    /// The processes of the last tree seen.
    pub seen: HashSet<Identity>,
    /// The sessions of the last tree seen, the first process's own among them.
    pub sessions: HashSet<i32>,
    /// The inodes of its pipes.
    pub pipes: [u64; 3],
    /// The folder it was started in.
    pub folder: PathBuf,
}

impl Set {
    /// The set of a run that began then, in clock ticks since boot.
    pub fn new(spawned: &Spawned, folder: &Path, started: u64) -> Self {
        let inode = |fd: &dyn AsFd| rustix::fs::fstat(fd.as_fd()).map_or(0, |stat| stat.st_ino);
        // With a terminal nobody else has them, and their numbers are soon another run's.
        let pipes = match spawned.terminal {
            Some(_) => [0; 3],
            None => [inode(&spawned.stdin), inode(&spawned.stdout), inode(&spawned.stderr)],
        };
        Self { started, ending: false, seen: HashSet::new(), sessions: HashSet::from([spawned.pid]), pipes, folder: folder.to_owned() }
    }

    /// Takes note of the tree of a run whose main process has, or had, this pid.
    pub fn see(&mut self, main: i32, tree: &[Stat], own_session: i32) {
        self.seen = tree.iter().map(|stat| stat.id).collect();
        // The shim is in our session until it has one of its own.
        self.sessions = tree.iter().map(|stat| stat.session).filter(|session| *session != own_session).chain([main]).collect();
    }
}

/// What a process itself shows, asked for only where the cheaper evidence says nothing.
pub trait Clues {
    /// The run named by the marker in its environment.
    fn marked(&self) -> Option<RunId>;
    /// The inodes of the pipes it has as standard input, output and error.
    fn pipes(&self) -> Vec<u64>;
    /// Whether it works in this folder.
    fn works_in(&self, folder: &Path) -> bool;
}

/// A process in `/proc`. Its descriptors are read from the links' texts, since following them could wait for a file server.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Its pid.
    pub pid: i32,
    /// The marker of this runner.
    pub marker: &'a Marker,
}

impl Clues for Shown<'_> {
    fn marked(&self) -> Option<RunId> {
        self.marker.find(&environ(self.pid))
    }

    fn pipes(&self) -> Vec<u64> {
        let link = |fd: i32| fs::read_link(format!("/proc/{}/fd/{fd}", self.pid)).ok();
        let inode = |text: &[u8]| str::from_utf8(text.strip_prefix(b"pipe:[")?.strip_suffix(b"]")?).ok()?.parse().ok();
        (0..3).filter_map(link).filter_map(|link| inode(link.as_os_str().as_bytes())).collect()
    }

    fn works_in(&self, folder: &Path) -> bool {
        let own = fs::read_link(format!("/proc/{}/cwd", self.pid));
        own.is_ok_and(|own| fs::canonicalize(folder).is_ok_and(|folder| folder == own))
    }
}

/// Decides whose an orphan is. `related` is whether every orphan of ours must descend from a run (not as PID 1, which gets the orphans of
/// others as well).
pub fn claim<'a>(orphan: &Stat, sets: impl Iterator<Item = (RunId, &'a Set)> + Clone, clues: &impl Clues, related: bool) -> Option<RunId> {
    let first = |accepts: &dyn Fn(&Set) -> bool| sets.clone().find(|(_, set)| accepts(set)).map(|(run, _)| run);
    first(&|set| set.seen.contains(&orphan.id))
        .or_else(|| first(&|set| set.sessions.contains(&orphan.session)))
        .or_else(|| clues.marked().filter(|marked| sets.clone().any(|(run, _)| run == *marked)))
        .or_else(|| {
            let held = clues.pipes();
            first(&|set| set.pipes.iter().any(|pipe| held.contains(pipe)))
        })
        .or_else(|| {
            let possible = sets.clone().filter(|(_, set)| related && set.started <= orphan.id.started);
            only(possible.clone())
                .or_else(|| only(possible.clone().filter(|(_, set)| clues.works_in(&set.folder))))
                .or_else(|| only(possible.filter(|(_, set)| set.ending)))
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
        let pipes = [main.unsigned_abs().into(); 3];
        Set { started, ending, seen: HashSet::new(), sessions: HashSet::from([main]), pipes, folder: main.to_string().into() }
    }

    fn orphan(session: i32, started: u64) -> Stat {
        let id = Identity { pid: 99, started };
        Stat {
            id,
            parent: 1,
            group: session,
            session,
            alive: true,
            stopped: false,
            busy: false,
            threads: 1,
            cpu_ticks: 0,
            resident_pages: 0,
        }
    }

    #[derive(Default)]
    struct Told {
        marked: Option<u64>,
        pipe: Option<u64>,
        folder: &'static str,
    }

    impl Clues for Told {
        fn marked(&self) -> Option<RunId> {
            self.marked.map(RunId)
        }

        fn pipes(&self) -> Vec<u64> {
            self.pipe.into_iter().collect()
        }

        fn works_in(&self, folder: &Path) -> bool {
            folder == Path::new(self.folder)
        }
    }

    fn ask(orphan: &Stat, sets: &[Set], clues: &Told, related: bool) -> Option<u64> {
        let sets = sets.iter().enumerate().map(|(index, set)| (RunId(index as u64), set));
        claim(orphan, sets, clues, related).map(|run| run.0)
    }

    #[test]
    fn stronger_evidence_wins() {
        let mut sets = [set(10, 5, false), set(20, 5, false), set(30, 5, false), set(40, 5, true)];
        let clues = Told { marked: Some(2), pipe: Some(40), folder: "30" };
        let known = orphan(20, 7);
        assert_eq!(ask(&known, &sets, &clues, true), Some(1), "session before marker");
        sets[0].seen.insert(known.id);
        assert_eq!(ask(&known, &sets, &clues, true), Some(0), "the last tree before the session");
        let detached = orphan(99, 8);
        assert_eq!(ask(&detached, &sets, &clues, true), Some(2), "marker before pipe");
        let clues = Told { marked: Some(7), pipe: Some(10), folder: "30" };
        assert_eq!(ask(&detached, &sets, &clues, true), Some(0), "the marker of a run that is over says nothing; pipe before folder");
        let clues = Told { folder: "30", ..Told::default() };
        assert_eq!(ask(&detached, &sets, &clues, true), Some(2), "folder before ending");
    }

    #[test]
    fn a_process_without_evidence_goes_to_the_only_run_it_can_come_from() {
        let detached = orphan(99, 7);
        let ask = |sets: &[Set], related| ask(&detached, sets, &Told::default(), related);
        assert_eq!(ask(&[set(10, 5, false)], true), Some(0), "the only one");
        assert_eq!(ask(&[set(10, 5, false), set(20, 8, true)], true), Some(0), "the other is younger than the orphan");
        assert_eq!(ask(&[set(10, 5, false), set(20, 6, true)], true), Some(1), "the one that ends");
        assert_eq!(ask(&[set(10, 5, false), set(20, 6, false)], true), None, "either");
        assert_eq!(ask(&[set(10, 5, true), set(20, 6, true)], true), None, "either");
        assert_eq!(ask(&[set(10, 5, true)], false), None, "PID 1 gets the orphans of others");
    }

    #[test]
    fn the_marker_names_all_runners_that_nest() {
        let found = |environ: &str| runners(environ.as_bytes()).map(|runner| (runner.pid, runner.started)).collect::<Vec<_>>();
        assert_eq!(found("A=b\0PMDEV_RUN=4711-98.3/4720-99.1\0C=d"), [(4711, 98), (4720, 99)]);
        assert_eq!(found("PMDEV_RUN=x/4720-99.1/7-/7\0PMDEV_RUN=1-1.1"), [(4720, 99)]);
        assert_eq!(found("XPMDEV_RUN=1-1.1"), []);
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
