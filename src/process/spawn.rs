//! The pipes of a run, the start of its shim, and the plan that the shim waits for.
//!
//! A shim needs no plan to begin, so it can be started while the run before is still ending: then the new one costs little more than the
//! program's own start.
//! posix_spawn(3) with vfork semantics: no page table is copied, and no code of ours runs between fork and exec.

use std::{
    ffi::CString,
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    ptr,
};

use rustix::{
    io::ioctl_fionbio,
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    pipe::{PipeFlags, pipe_with},
};

use super::{descriptors, plan::Plan, pty::Pty, shim, tree::own_pid};
use crate::model::{Launch, LaunchFailure, Stage};

/// The image that runs as the shim: the one that is running, even if its file was replaced meanwhile.
const IMAGE: &std::ffi::CStr = c"/proc/self/exe";

/// A started run: our ends of its pipes, all close-on-exec.
#[derive(Debug)]
pub struct Spawned {
    /// The pid of the main process; also its session and process group.
    pub pid: i32,
    /// Writes to its standard input. It sees an end of file when this is dropped, so it is kept.
    pub stdin: OwnedFd,
    /// Reads its standard output, without blocking.
    pub stdout: OwnedFd,
    /// Reads its standard error, without blocking.
    pub stderr: OwnedFd,
    /// Its terminal, where it has one: then nobody has the other ends of the pipes.
    pub terminal: Option<OwnedFd>,
}

/// A shim under way.
#[derive(Debug)]
pub struct Started {
    /// What the caller gets.
    pub spawned: Spawned,
    /// Reads a failed stage, or an end of file once the program executes.
    pub stage: OwnedFd,
}

/// Starts the program of a launch, with `marker` (name and value) in its environment and these descriptors from
/// [`descriptors::FIRST`] on: through this shim, if it still lives. `terminal`: what it gets instead of pipes.
/// `open_files`: the soft limit that it has by default, where that is not ours.
pub fn start(
    shim: Option<Shim>,
    launch: &Launch,
    fds: &[BorrowedFd<'_>],
    terminal: Option<Pty>,
    marker: (&str, &str),
    open_files: Option<u64>,
) -> Result<Started, LaunchFailure> {
    let plan = Plan::new(launch, marker, open_files, terminal.is_some(), own_pid());
    let fds: Vec<_> = fds.iter().copied().chain(terminal.as_ref().map(|pty| pty.slave.as_fd())).collect();
    let tell = |shim: Shim| shim.tell(&plan, &fds);
    let mut told = match shim.map(tell) {
        Some(Ok(started)) => Ok(started),
        Some(Err(_)) | None => Shim::start().and_then(tell),
    };
    if let Ok(started) = &mut told {
        // The other end is the program's alone now, so that its last user can be told from us.
        started.spawned.terminal = terminal.map(|pty| pty.master);
    }
    told.map_err(|error| LaunchFailure { stage: Stage::Shim, object: String::new(), errno: error.raw_os_error().unwrap_or(libc::EINVAL) })
}

/// A shim that waits for its plan. It ends when this is dropped.
#[derive(Debug)]
pub struct Shim {
    spawned: Spawned,
    stage: OwnedFd,
    plan: File,
}

impl Shim {
    /// Starts one.
    pub fn start() -> io::Result<Self> {
        let (stdin_theirs, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stdout, stdout_theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, stderr_theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        // The two ends of a pipe are two open file descriptions: theirs stay blocking.
        ioctl_fionbio(&stdout, true)?;
        ioctl_fionbio(&stderr, true)?;
        let (stage, stage_theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let plan = Plan::file()?;
        let argv = [
            c"pmdev".to_owned(),
            CString::new(shim::COMMAND)?,
            CString::new(plan.as_raw_fd().to_string())?,
            CString::new(stage_theirs.as_raw_fd().to_string())?,
        ];
        let mut actions = Actions::new()?;
        for (theirs, number) in [(&stdin_theirs, 0), (&stdout_theirs, 1), (&stderr_theirs, 2)] {
            actions.give(theirs, number)?;
        }
        actions.give(&plan, plan.as_raw_fd())?;
        actions.give(&stage_theirs, stage_theirs.as_raw_fd())?;
        let pid = actions.spawn(&argv)?;
        Ok(Self { spawned: Spawned { pid, stdin, stdout, stderr, terminal: None }, stage, plan })
    }

    /// Its pid, and that of the program's main process.
    pub fn pid(&self) -> i32 {
        self.spawned.pid
    }

    /// Hands over the plan and the descriptors, and lets it go on. Fails if it is gone.
    fn tell(mut self, plan: &Plan<'_>, fds: &[BorrowedFd<'_>]) -> io::Result<Started> {
        plan.store(&mut self.plan)?;
        descriptors::send(&self.stage, shim::GO, fds)?;
        Ok(Started { spawned: self.spawned, stage: self.stage })
    }
}

/// posix_spawn's list of what the child does before it executes.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        // SAFETY: init makes the zeroed memory a valid, empty list; it holds no pointer into itself.
        unsafe {
            let mut actions = Self(std::mem::zeroed());
            check(libc::posix_spawn_file_actions_init(&raw mut actions.0))?;
            Ok(actions)
        }
    }

    /// Gives the child a descriptor under a number; under its own number this only takes close-on-exec away.
    fn give(&mut self, fd: &impl AsFd, number: i32) -> io::Result<()> {
        // SAFETY: the list was initialized by `new`.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, fd.as_fd().as_raw_fd(), number) })
    }

    /// With an empty environment: the program's is in its plan.
    fn spawn(&self, argv: &[CString]) -> io::Result<i32> {
        let argv: Vec<*mut libc::c_char> = argv.iter().map(|text| text.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect();
        let env = [ptr::null_mut()];
        let mut pid = 0;
        // SAFETY: both arrays end with null and their strings outlive the call, which returns after the child's exec.
        check(unsafe { libc::posix_spawn(&raw mut pid, IMAGE.as_ptr(), &raw const self.0, ptr::null(), argv.as_ptr(), env.as_ptr()) })?;
        Ok(pid)
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: the list was initialized by `new` and is not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// posix_spawn's functions return an error number instead of setting errno.
fn check(errno: libc::c_int) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
}
