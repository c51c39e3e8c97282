//! Our place on the terminal, and what we do not want from it.

use std::os::fd::{AsRawFd as _, BorrowedFd};

/// Our process group; 0 where its leader lives outside our pid namespace (pid_namespaces(7)), as below `unshare --pid`, which is why the
/// safe call that promises more is not used.
pub fn own_group() -> i32 {
    // SAFETY: it takes nothing and cannot fail (getpgrp(2)).
    unsafe { libc::getpgrp() }
}

/// Whether we are in the foreground of this terminal.
pub fn is_foreground(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: the descriptor is open as long as it is borrowed.
    let group = unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) };
    group == own_group()
}

/// Whether another process group is in the foreground of this terminal; one that is not our controlling terminal has no such group.
pub fn is_anothers(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: the descriptor is open as long as it is borrowed.
    let group = unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) };
    group != -1 && group != own_group()
}

/// Ignores SIGTTIN and SIGTTOU, so that neither a look at the terminal nor a line on it stops a runner in the background (setpgid(2)).
pub fn ignore_background_stops() {
    for signal in [libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: SIG_IGN runs no code of ours; both signals exist and may be ignored, so this cannot fail (signal(2)).
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Whether whoever started us has it that SIGTSTP, Ctrl-Z, stops nothing here.
pub fn ignores_stops() -> bool {
    super::guard::is_ignored(libc::SIGTSTP)
}

/// Whom Ctrl-Z stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Us: the others were told already, or are not meant.
    Ourselves,
    /// Us and whoever waits for us: our process group.
    OurGroup,
}

/// Stops as SIGTSTP does where nobody catches it, and returns when we go on. Where nobody could make us go on (the group is orphaned,
/// setpgid(2)), the kernel stops nothing.
pub fn stop(who: Stopped) {
    // SAFETY: all zeroes is a valid struct sigaction, which the first call fills and the last one puts back; SIG_DFL runs no code of ours.
    unsafe {
        let mut caught: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGTSTP, std::ptr::null(), &raw mut caught) != 0 {
            return;
        }
        libc::signal(libc::SIGTSTP, libc::SIG_DFL);
        // Either is delivered to us before the call returns: it is not blocked (kill(2), raise(3)).
        match who {
            Stopped::Ourselves => libc::raise(libc::SIGTSTP),
            Stopped::OurGroup => libc::kill(0, libc::SIGTSTP),
        };
        libc::sigaction(libc::SIGTSTP, &raw const caught, std::ptr::null_mut());
    }
}
