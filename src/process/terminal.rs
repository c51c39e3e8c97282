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

/// Ignores SIGTTIN and SIGTTOU, so that neither a look at the terminal nor a line on it stops a runner in the background (setpgid(2)).
pub fn ignore_background_stops() {
    for signal in [libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: SIG_IGN runs no code of ours; both signals exist and may be ignored, so this cannot fail (signal(2)).
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
