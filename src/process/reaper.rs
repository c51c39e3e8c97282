//! The only place that waits for children: whoever is a subreaper must wait for strangers too.
//!
//! Raw waitid(2), because a safe wrapper either keeps the pid to itself or loses a child that a real-time signal killed.

use crate::model::{Exit, Signal};

/// A child that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It ended, and its pid is free again.
    Ended {
        /// The pid it had.
        pid: i32,
        /// How it ended.
        exit: Exit,
        /// The most memory that it, or a child it waited for, ever had resident, in bytes, where that is known.
        peak: Option<u64>,
    },
    /// It was stopped by a signal.
    Stopped {
        /// Its pid.
        pid: i32,
    },
}

/// Reaps one ended child, with its peak memory; `None` if there is none now.
pub fn reap() -> Option<(i32, Exit, Option<u64>)> {
    match wait(libc::WEXITED)? {
        Change::Ended { pid, exit, peak } => Some((pid, exit, peak)),
        Change::Stopped { .. } => None,
    }
}

/// Takes one piece of news about any child, stops included; `None` if there is none now.
pub fn news() -> Option<Change> {
    wait(libc::WEXITED | libc::WSTOPPED)
}

fn wait(what: libc::c_int) -> Option<Change> {
    // The bare system call, since the C library's waitid leaves out the resources that the kernel tells.
    // SAFETY: all zeroes is a valid siginfo_t and rusage, and waitid writes only to them.
    let (result, info, used) = unsafe {
        let (mut info, mut used): (libc::siginfo_t, libc::rusage) = (std::mem::zeroed(), std::mem::zeroed());
        let result = libc::syscall(libc::SYS_waitid, libc::P_ALL, 0, &raw mut info, what | libc::WNOHANG, &raw mut used);
        (result, info, used)
    };
    // SAFETY: waitid filled the fields of a SIGCHLD, or left the zeroes.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if result != 0 || pid == 0 {
        return None;
    }
    let signal = Signal(status);
    let peak = peak(&used);
    Some(match info.si_code {
        libc::CLD_EXITED => Change::Ended { pid, exit: Exit::Code(status), peak },
        libc::CLD_KILLED => Change::Ended { pid, exit: Exit::Signal { signal, core: false }, peak },
        libc::CLD_DUMPED => Change::Ended { pid, exit: Exit::Signal { signal, core: true }, peak },
        // CLD_STOPPED; CLD_TRAPPED needs a tracer, which we are not, and CLD_CONTINUED is not asked for.
        _ => Change::Stopped { pid },
    })
}

/// The peak of a child that ended. What it was before it executed its program counts too, and with vfork that is ourselves: what is no
/// more than our own peak says nothing.
fn peak(used: &libc::rusage) -> Option<u64> {
    // SAFETY: all zeroes is a valid rusage, and getrusage writes only to it.
    let own = unsafe {
        let mut own: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut own);
        own
    };
    (used.ru_maxrss > own.ru_maxrss).then(|| u64::try_from(used.ru_maxrss).unwrap_or(0) << 10)
}
