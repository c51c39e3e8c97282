//! `pmdev __exec`: takes the named stages between our fork and the program, and reports the one that fails.
//!
//! Its descriptors: 0, 1, 2 the run's pipes; two more, named by its arguments: the plan, and the stage channel. On it the runner says that
//! the plan is there, with the program's further descriptors, and its end of file (it is close-on-exec) tells the runner that the program
//! executes.

use std::{
    ffi::OsStr,
    io,
    os::{
        fd::{BorrowedFd, FromRawFd as _, OwnedFd},
        unix::process::parent_id,
    },
    process::ExitCode,
};

use rustix::{
    io::{Errno, FdFlags, fcntl_setfd},
    net::{RecvFlags, SendFlags, recv, send},
    process::{Signal, chdir, ioctl_tiocsctty, set_parent_process_death_signal, setsid},
};

use super::{
    descriptors::{self, Handed},
    execute, files,
    plan::Plan,
    rights,
};
use crate::model::{LaunchFailure, Stage};

/// The first argument that makes our binary the shim.
pub const COMMAND: &str = "__exec";

/// What the runner sends when the plan is there.
pub const GO: &[u8] = b"go";

/// The exit code of a shim that failed; a shell uses it for a program that was not found.
const FAILED: u8 = 127;

/// Becomes the program, or reports why not. Takes the process's arguments from the third on: plan and stage descriptors.
///
/// # Errors
/// A whole sentence, if the arguments are not those the runner gives.
pub fn main(args: &[impl AsRef<OsStr>]) -> Result<ExitCode, String> {
    let number = |index: usize| args.get(index)?.as_ref().to_str()?.parse::<i32>().ok();
    let (Some(plan), Some(channel)) = (number(0), number(1)) else { return Err(MISUSE.to_owned()) };
    // SAFETY: F_GETFD only looks whether the number is open.
    if plan <= 2 || channel <= 2 || plan == channel || [plan, channel].iter().any(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } < 0) {
        return Err(MISUSE.to_owned());
    }
    // SAFETY: both are open, the runner gave them to us, and nothing else in this process owns them.
    let (plan, mut channel) = unsafe { (OwnedFd::from_raw_fd(plan), OwnedFd::from_raw_fd(channel)) };
    // Before the wait, so that nothing the terminal sends to the runner's group ends a shim that waits.
    let session = setsid();
    let Some(mut handed) = told(&channel) else { return Ok(ExitCode::from(FAILED)) };
    let plan = Plan::load(plan);
    let terminal = if plan.as_ref().is_ok_and(|plan| plan.terminal) { handed.pop() } else { None };
    let failure = match (session, plan, handed.clear_their_places(&mut channel)) {
        (Ok(_), Ok(plan), Ok(())) => become_program(&plan, &channel, terminal, &handed),
        (Err(errno), ..) => failure(Stage::Session, "", &errno.into()),
        (Ok(_), Err(error), _) => failure(Stage::Shim, "", &error),
        (Ok(_), Ok(_), Err(errno)) => failure(Stage::Descriptors, "", &errno.into()),
    };
    let report = postcard::to_stdvec(&failure).expect("a failure has no kind of value that postcard lacks");
    // Nobody is left to tell if this fails: the runner is gone.
    let _ = send(&channel, &report, SendFlags::NOSIGNAL);
    Ok(ExitCode::from(FAILED))
}

const MISUSE: &str = "pmdev __exec is how pmdev starts programs; it cannot be called by hand, use pmdev start";

/// Waits until the plan is there; gives the descriptors that came with the word, or nothing if the runner is gone or does not need us.
fn told(channel: &OwnedFd) -> Option<Handed> {
    let mut word = [0; GO.len()];
    loop {
        match descriptors::receive(channel, &mut word) {
            Err(Errno::INTR) => {}
            told => return told.ok().filter(|(length, _)| *length == GO.len()).map(|(_, handed)| handed),
        }
    }
}

/// Takes the stages after the session and becomes the program; returns only with the failure of one.
fn become_program(plan: &Plan<'_>, channel: &OwnedFd, terminal: Option<OwnedFd>, handed: &Handed) -> LaunchFailure {
    if let Err(failure) = take_stages(plan, channel, terminal, handed) {
        return failure;
    }
    let (object, errno) = execute::program(plan);
    LaunchFailure { stage: Stage::Exec, object, errno }
}

/// The stages between the session and the program. Their order matters: what takes rights comes before they are given up, the folder is
/// entered as whoever the program runs as, and a change of the user clears the parent-death signal.
fn take_stages(plan: &Plan<'_>, channel: &OwnedFd, terminal: Option<OwnedFd>, handed: &Handed) -> Result<(), LaunchFailure> {
    let (hardening, identity) = (&*plan.hardening, plan.hardening.identity.as_ref());
    // Whatever the runner itself inherited from a shell or a build tool is not the program's, unless its file says so.
    if hardening.inherit_fds {
        fcntl_setfd(channel, FdFlags::CLOEXEC).map_err(|errno| failure(Stage::Inheritance, "", &errno.into()))?;
    } else {
        close_on_exec().map_err(|error| failure(Stage::Inheritance, "", &error))?;
    }
    // Before the places of the others are taken: it may lie in one of them.
    match terminal {
        Some(terminal) => {
            take_terminal(&terminal).map_err(|errno| failure(Stage::Terminal, "", &errno.into()))?;
            rights::give_terminal(identity)?;
        }
        None => rights::give_pipes(identity)?,
    }
    handed.put().map_err(|errno| failure(Stage::Descriptors, "", &errno.into()))?;
    files::lower(plan.open_files.filter(|_| hardening.nofile.is_none()))?;
    rights::limit(hardening)?;
    rights::assume(identity)?;
    rights::limit_processes(hardening)?;
    rights::mask(hardening);
    chdir(&*plan.cwd).map_err(|errno| failure(Stage::Directory, &plan.cwd.to_string_lossy(), &errno.into()))?;
    rights::no_new_privs(hardening)?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|errno| failure(Stage::ParentDeath, "", &errno.into()))?;
    if i32::try_from(parent_id()) != Ok(plan.parent) {
        return Err(failure(Stage::ParentDeath, "", &io::Error::from_raw_os_error(libc::ESRCH)));
    }
    reset_signals().map_err(|error| failure(Stage::Signals, "", &error))
}

/// Makes a terminal that of our session, ioctl_tty(2), and our standard input, output and error.
fn take_terminal(terminal: &OwnedFd) -> Result<(), Errno> {
    ioctl_tiocsctty(terminal)?;
    rustix::stdio::dup2_stdin(terminal)?;
    rustix::stdio::dup2_stdout(terminal)?;
    rustix::stdio::dup2_stderr(terminal)
}

/// Marks all descriptors but the first three.
fn close_on_exec() -> io::Result<()> {
    // SAFETY: only marks descriptors; ours are not used across an exec.
    match unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A stage that failed.
pub fn failure(stage: Stage, object: &str, error: &io::Error) -> LaunchFailure {
    LaunchFailure { stage, object: object.to_owned(), errno: error.raw_os_error().unwrap_or(libc::EINVAL) }
}

/// Gives every signal its default action (Rust ignores SIGPIPE, nohup SIGHUP) and unblocks all.
///
/// By the bare system call, since the C library keeps 32 and 33 to itself, and an ancestor may have ignored them all the same.
fn reset_signals() -> io::Result<()> {
    // The kernel's struct sigaction is smaller on every architecture; all zeroes is SIG_DFL without flags.
    let default = [0_u64; 8];
    const SET_SIZE: usize = 8;
    for signal in (1..=64).filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP)) {
        let no_old = std::ptr::null_mut::<u64>();
        // SAFETY: the kernel reads the action, and writes nothing to a null pointer.
        if unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), no_old, SET_SIZE) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: sigemptyset initializes the set that sigprocmask reads.
    let result = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What a stage channel says.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// Nothing yet.
    None,
    /// The program executes (or the shim was killed, which its exit tells).
    Executed,
    /// A stage failed.
    Failed(LaunchFailure),
}

/// Reads the runner's end of a stage channel without waiting.
pub fn read_report(channel: BorrowedFd<'_>) -> Report {
    let mut buffer = [0_u8; 16 * 1024];
    match recv(channel, &mut buffer, RecvFlags::DONTWAIT) {
        Ok((_, 0)) => Report::Executed,
        Ok((_, length)) => Report::Failed(postcard::from_bytes(&buffer[..length]).unwrap_or(LaunchFailure {
            stage: Stage::Shim,
            object: String::new(),
            errno: libc::EPROTO,
        })),
        Err(Errno::AGAIN | Errno::INTR) => Report::None,
        Err(_) => Report::Executed,
    }
}
