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
    },
    /// It was stopped by a signal.
    Stopped {
        /// Its pid.
        pid: i32,
    },
}

/// Reaps one ended child; `None` if there is none now.
pub fn reap() -> Option<(i32, Exit)> {
    match wait(libc::WEXITED)? {
        Change::Ended { pid, exit } => Some((pid, exit)),
        Change::Stopped { .. } => None,
    }
}

/// Takes one piece of news about any child, stops included; `None` if there is none now.
pub fn news() -> Option<Change> {
    wait(libc::WEXITED | libc::WSTOPPED)
}

fn wait(what: libc::c_int) -> Option<Change> {
    // SAFETY: all zeroes is a valid siginfo_t, and waitid writes only to it.
    let (result, info) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        (libc::waitid(libc::P_ALL, 0, &raw mut info, what | libc::WNOHANG), info)
    };
    // SAFETY: waitid filled the fields of a SIGCHLD, or left the zeroes.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if result != 0 || pid == 0 {
        return None;
    }
    let signal = Signal(status);
    Some(match info.si_code {
        libc::CLD_EXITED => Change::Ended { pid, exit: Exit::Code(status) },
        libc::CLD_KILLED => Change::Ended { pid, exit: Exit::Signal { signal, core: false } },
        libc::CLD_DUMPED => Change::Ended { pid, exit: Exit::Signal { signal, core: true } },
        // CLD_STOPPED; CLD_TRAPPED needs a tracer, which we are not, and CLD_CONTINUED is not asked for.
        _ => Change::Stopped { pid },
    })
}
