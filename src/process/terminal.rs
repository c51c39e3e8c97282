//! What the runner does not want from its terminal.

/// Ignores SIGTTIN and SIGTTOU, so that neither a look at the terminal nor a line on it stops a runner in the background (setpgid(2)).
pub fn ignore_background_stops() {
    for signal in [libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: SIG_IGN runs no code of ours; both signals exist and may be ignored, so this cannot fail (signal(2)).
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
