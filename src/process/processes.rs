//! Every run of the runner, from its shim to the end of the last of its descendants.

mod members;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    marker::PhantomData,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};

use super::{
    claim::{self, Marker, Set},
    files,
    glance::{Proc, Strangers},
    oom,
    pty::Pty,
    reaper,
    run::{Killing, Looks, Phase, Run},
    shim::{self, Report},
    spawn::{self, Shim, Spawned},
    sweep,
    tree::{self, Stat, own_pid},
};
use crate::model::{Exit, Launch, LaunchFailure, RunId, Signal, Stage};

/// What happened to a run. Either `LaunchFailed` alone, or `Executed`, then `MainExited`, then `SetEmpty`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessEvent {
    /// The program executes.
    Executed {
        /// Which run.
        run: RunId,
        /// The pid of its main process.
        pid: i32,
    },
    /// The program could not be started; nothing more comes of this run.
    LaunchFailed {
        /// Which run.
        run: RunId,
        /// The stage and the reason.
        failure: LaunchFailure,
    },
    /// The main process ended; others may live on.
    MainExited {
        /// Which run.
        run: RunId,
        /// How it ended.
        exit: Exit,
        /// Whether the kernel killed it because memory ran out, as far as the kernel says so.
        oom: bool,
        /// The most memory that it, or a child it waited for, ever had resident, in bytes, where that is known.
        peak: Option<u64>,
    },
    /// Nothing of the set is alive; nothing more comes of this run.
    SetEmpty {
        /// Which run.
        run: RunId,
    },
}

impl ProcessEvent {
    /// Whose news it is.
    pub fn run(&self) -> RunId {
        match self {
            Self::Executed { run, .. } | Self::LaunchFailed { run, .. } | Self::MainExited { run, .. } | Self::SetEmpty { run } => *run,
        }
    }
}

/// A live process of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its pid.
    pub pid: i32,
    /// Its command line, or its name in brackets.
    pub command: String,
}

/// All runs and their process sets. It stays on the thread that made it, the main thread.
#[derive(Debug)]
pub struct Processes {
    runs: BTreeMap<RunId, Run>,
    /// Our children besides the main processes, until they are reaped; so their pids cannot be used again.
    orphans: HashMap<i32, Owner>,
    marker: Marker,
    stages: OwnedFd,
    /// A shim that was started before its run.
    spare: Option<Shim>,
    /// Since when everything is being killed.
    ending: Option<Killing>,
    oom: oom::Witness,
    /// The soft limit of open files that programs have, where it is not our own.
    open_files: Option<u64>,
    /// Of how many runs files in `/proc` may stay open.
    kept_open: usize,
    /// How many lists of children the last glance at all of them had to open, or would have had to.
    lists: usize,
    strangers: Strangers,
    /// Our session, which is ours for life: setsid(2) is for the shim.
    session: i32,
    _main_thread: PhantomData<*const ()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Run(RunId),
    /// It descends from a run, but nobody knows from which.
    Nobody,
    /// It was there before us, the child of whatever executed us.
    Foreign,
}

impl Processes {
    /// Makes this process a subreaper that may have as many files open as it can, and the marker of its runs.
    ///
    /// # Errors
    /// If the kernel refuses, or does not list children in `/proc`.
    pub fn new() -> io::Result<Self> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        tree::probe()?;
        Ok(Self {
            runs: BTreeMap::new(),
            orphans: tree::children(own_pid()).into_iter().map(|pid| (pid, Owner::Foreign)).collect(),
            marker: Marker::of_this_runner(),
            stages: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            spare: None,
            ending: None,
            oom: oom::Witness::new(),
            open_files: files::raise(),
            kept_open: files::spare() / Proc::FILES,
            lists: 0,
            strangers: Strangers::default(),
            session: Stat::read(own_pid()).map_or(0, |stat| stat.session),
            _main_thread: PhantomData,
        })
    }

    /// Gets ready for a [`Self::spawn`] that is about to come: the start of the shim need not be waited for then.
    pub fn prepare(&mut self) {
        if self.spare.is_some() || self.ending.is_some() {
            return;
        }
        // Without it the spawn makes its own, and tells why it cannot.
        if let Ok(shim) = Shim::start() {
            self.orphans.insert(shim.pid(), Owner::Nobody);
            self.spare = Some(shim);
        }
    }

    /// Starts a program as a run; `Executed` or `LaunchFailed` follows.
    ///
    /// # Errors
    /// If not even the shim could be started; then no event follows.
    pub fn spawn(&mut self, run: RunId, launch: &Launch) -> Result<Spawned, LaunchFailure> {
        self.spawn_with(run, launch, &[], None)
    }

    /// The same; the program has these descriptors as well, from [`descriptors::FIRST`](super::descriptors::FIRST) on, and this terminal
    /// instead of pipes.
    pub fn spawn_with(
        &mut self,
        run: RunId,
        launch: &Launch,
        fds: &[BorrowedFd<'_>],
        terminal: Option<Pty>,
    ) -> Result<Spawned, LaunchFailure> {
        let began = tree::ticks_since_boot();
        let spare = self.spare.take();
        if let Some(spare) = &spare {
            self.orphans.remove(&spare.pid());
        }
        let started = spawn::start(spare, launch, fds, terminal, (claim::MARKER, &self.marker.value(run)), self.open_files)?;
        if let Err(errno) = epoll::add(&self.stages, &started.stage, epoll::EventData::new_u64(run.0), epoll::EventFlags::IN) {
            sweep::send(started.spawned.pid, Signal::KILL);
            return Err(LaunchFailure { stage: Stage::Shim, object: String::new(), errno: errno.raw_os_error() });
        }
        let set = Set::new(&started.spawned, &launch.cwd, began);
        let phase = Phase::Launching(started.stage);
        self.runs.insert(run, Run { pid: started.spawned.pid, phase, set, looks: Looks::None, killed: false, proc: None });
        Ok(started.spawned)
    }

    /// Sends a signal to the whole process set of a run.
    pub fn signal(&mut self, run: RunId, signal: Signal) {
        self.note_kill(run, signal);
        sweep::signal(&self.tree_of(run), signal);
    }

    /// Sends a signal to the main process of a run alone: our child, so until we have waited for it the pid is its own.
    pub fn signal_main(&mut self, run: RunId, signal: Signal) {
        self.note_kill(run, signal);
        if let Some(entry) = self.runs.get(&run).filter(|entry| !matches!(entry.phase, Phase::Ended)) {
            sweep::send(entry.pid, signal);
        }
    }

    /// The same where it has a handler for the signal; whether it has.
    pub fn signal_handler(&self, run: RunId, signal: Signal) -> bool {
        let entry = self.runs.get(&run).filter(|entry| matches!(entry.phase, Phase::Running) && tree::handles(entry.pid, signal));
        entry.is_some_and(|entry| sweep::send(entry.pid, signal))
    }

    /// Kills the whole process set of a run; repeated by [`Self::collect`] until it is empty.
    pub fn kill(&mut self, run: RunId) {
        let now = clock();
        let Some(entry) = self.runs.get_mut(&run) else { return };
        entry.looks = Looks::Killing(Killing::new(now));
        entry.set.ending = true;
        entry.killed = true;
        sweep::kill(|| self.roots_of(run));
    }

    /// Takes note of everything that happened: reads stage channels, reaps, gives orphans to their sets, looks and kills where due.
    /// To be called at SIGCHLD, when [`Self::stage_fd`] is readable and at [`Self::next_look`].
    pub fn collect(&mut self, now: Instant) -> Vec<ProcessEvent> {
        let mut events = Vec::new();
        self.read_stages(now, &mut events);
        let mut reaped = false;
        while let Some((pid, exit, peak)) = reaper::reap() {
            reaped = true;
            self.ended(pid, (exit, peak), now, &mut events);
        }
        if reaped || self.next_look().is_some_and(|due| due <= now) {
            self.adopt();
            self.look(now, reaped);
            self.close_sets(&mut events);
        }
        // After the deaths that it may explain.
        self.oom.look(now);
        events
    }

    /// When [`Self::collect`] is to be called even if nothing happens; `None` without runs.
    pub fn next_look(&self) -> Option<Instant> {
        // While everything is being killed no single run is looked at.
        let idle = self.oom.due().filter(|_| !self.runs.is_empty());
        self.ending.map(|killing| killing.again).or_else(|| self.runs.values().filter_map(|run| run.looks.due()).chain(idle).min())
    }

    /// Readable when a stage channel has news: an epoll descriptor.
    pub fn stage_fd(&self) -> BorrowedFd<'_> {
        self.stages.as_fd()
    }

    /// Stops every process of every set.
    pub fn freeze(&mut self) {
        sweep::stop(|| {
            self.adopt();
            self.runs.keys().flat_map(|run| self.known_roots(*run)).collect()
        });
    }

    /// Continues what [`Self::freeze`] stopped.
    pub fn thaw(&mut self) {
        for run in self.runs.keys().copied().collect::<Vec<_>>() {
            self.signal(run, Signal::CONT);
        }
    }

    /// Kills every set and every orphan that nobody claims; repeated by [`Self::collect`].
    pub fn kill_everything(&mut self) {
        self.spare = None;
        self.ending = Some(Killing::new(clock()));
        for run in self.runs.values_mut() {
            run.set.ending = true;
            run.killed = true;
        }
        sweep::kill(|| self.all_roots());
    }

    /// Kills whatever is left, daemons of builds included, and waits until nothing is, or until the deadline. Returns what outlived it.
    pub fn finish(&mut self, deadline: Instant) -> Vec<Member> {
        self.kill_everything();
        loop {
            let now = clock();
            self.collect(now);
            let left: Vec<i32> = self.all_roots().into_iter().filter(|pid| is_alive(*pid)).collect();
            if left.is_empty() || now >= deadline {
                return left.into_iter().map(member).collect();
            }
            let until = self.next_look().map_or(deadline, |look| look.min(deadline));
            wait_for_end(left[0], until.saturating_duration_since(now));
        }
    }

    fn read_stages(&mut self, now: Instant, events: &mut Vec<ProcessEvent>) {
        for (run, entry) in &mut self.runs {
            if let Phase::Launching(stage) = &entry.phase {
                let report = shim::read_report(stage.as_fd());
                entry.reported(*run, report, now, events);
            }
        }
    }

    fn ended(&mut self, pid: i32, (exit, peak): (Exit, Option<u64>), now: Instant, events: &mut Vec<ProcessEvent>) {
        let Some((run, entry)) = self.runs.iter_mut().find(|(_, entry)| entry.pid == pid && !matches!(entry.phase, Phase::Ended)) else {
            self.orphans.remove(&pid);
            self.spare.take_if(|spare| spare.pid() == pid);
            return;
        };
        let run = *run;
        if let Phase::Launching(stage) = &entry.phase {
            // Its end came before its report was looked at; and whatever held the channel open, it is over.
            let report = match shim::read_report(stage.as_fd()) {
                Report::None => Report::Executed,
                report @ (Report::Executed | Report::Failed(_)) => report,
            };
            entry.reported(run, report, now, events);
        }
        if let Phase::Failed = entry.phase {
            self.runs.remove(&run);
            return;
        }
        entry.phase = Phase::Ended;
        entry.set.ending = true;
        entry.proc = None;
        let by_others = !entry.killed && matches!(exit, Exit::Signal { signal: Signal::KILL, .. });
        events.push(ProcessEvent::MainExited { run, exit, oom: by_others && self.oom.explains(pid), peak });
    }

    fn look(&mut self, now: Instant, reaped: bool) {
        if let Some(killing) = self.ending
            && (reaped || killing.again <= now)
        {
            sweep::kill(|| self.all_roots());
            self.ending = Some(killing.repeated(now));
            return;
        }
        for run in self.runs.keys().copied().collect::<Vec<_>>() {
            let entry = &self.runs[&run];
            let due = entry.looks.due().is_some_and(|due| due <= now);
            match entry.looks {
                Looks::Killing(killing) if due || reaped => {
                    sweep::kill(|| self.roots_of(run));
                    self.set_looks(run, Looks::Killing(killing.repeated(now)));
                }
                Looks::After { index, began } if due => {
                    self.tree_of(run);
                    self.set_looks(run, Looks::After { index: index + 1, began });
                }
                Looks::Killing(_) | Looks::After { .. } | Looks::None => {}
            }
        }
    }

    fn note_kill(&mut self, run: RunId, signal: Signal) {
        if let Some(entry) = self.runs.get_mut(&run).filter(|_| signal == Signal::KILL) {
            entry.killed = true;
        }
    }

    fn set_looks(&mut self, run: RunId, looks: Looks) {
        if let Some(entry) = self.runs.get_mut(&run) {
            entry.looks = looks;
        }
    }

    fn close_sets(&mut self, events: &mut Vec<ProcessEvent>) {
        let ended = self.runs.iter().filter(|(_, entry)| matches!(entry.phase, Phase::Ended)).map(|(run, _)| *run);
        for run in ended.collect::<Vec<_>>() {
            if !self.known_roots(run).into_iter().any(is_alive) {
                self.runs.remove(&run);
                events.push(ProcessEvent::SetEmpty { run });
            }
        }
        if self.ending.is_some() && self.runs.is_empty() && self.orphans.values().all(|owner| *owner == Owner::Foreign) {
            self.ending = None;
        }
    }
}

fn is_alive(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.alive)
}

pub(super) fn member(pid: i32) -> Member {
    Member { pid, command: tree::command(pid) }
}

/// Waits until a child of ours has ended, or for this long.
fn wait_for_end(pid: i32, limit: Duration) {
    let Some(Ok(fd)) =
        rustix::process::Pid::from_raw(pid).map(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()))
    else {
        return;
    };
    let limit = Timespec { tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(limit.subsec_nanos()) };
    // Woken early by a signal or not: the caller looks again.
    let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit));
}

#[expect(clippy::disallowed_methods, reason = "a kill, a look and the end of the runner are not told the time")]
fn clock() -> Instant {
    Instant::now()
}
