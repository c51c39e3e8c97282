//! One clock for all processes of a run.
#![expect(unsafe_code, reason = "std's Instant cannot be passed to another process")]

use std::time::Duration;

/// CLOCK_MONOTONIC, in nanoseconds; the same for every process of the machine.
pub fn now() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Processor time of this thread so far, in nanoseconds.
pub fn spent() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to the struct it is given, and these clocks always exist.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// The time since an earlier [`now`].
pub fn since(began: u64) -> Duration {
    Duration::from_nanos(now().saturating_sub(began))
}

/// Lets the machine be for a while: what is measured next shall not feel what came before.
pub fn rest(time: Duration) {
    std::thread::sleep(time);
}
