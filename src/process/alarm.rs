//! An alarm clock: it rings at a time of the wall clock, also when the machine has slept over it, and whenever somebody sets that clock.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    time::Duration,
};

use jiff::Timestamp;
use rustix::{
    io::Errno,
    time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create, timerfd_settime,
    },
};

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The time of day, which can be set.
    pub wall: Timestamp,
    /// How long the machine has been up, asleep or awake: nobody can set that.
    pub up: Duration,
}

impl Clocks {
    /// Now.
    pub fn now() -> Self {
        let up = clock_gettime(ClockId::Boottime);
        let nanos = u32::try_from(up.tv_nsec).unwrap_or(0);
        Self { wall: Timestamp::now(), up: Duration::new(u64::try_from(up.tv_sec).unwrap_or(0), nanos) }
    }
}

/// A timer of the wall clock, timerfd_create(2). Its descriptor is readable once it rings.
#[derive(Debug)]
pub struct Alarm(OwnedFd);

impl Alarm {
    /// One that is not set.
    ///
    /// # Errors
    /// The system has none to give.
    pub fn new() -> io::Result<Self> {
        Ok(Self(timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?))
    }

    /// Has it ring at this time, at once if that is past, and when the clock is set; or not at all.
    ///
    /// # Errors
    /// The system does not take the time.
    pub fn set(&self, at: Option<Timestamp>) -> io::Result<()> {
        // All zeroes would switch it off.
        let at = at.map_or(Timespec { tv_sec: 0, tv_nsec: 0 }, |at| Timespec {
            tv_sec: at.as_second().max(0),
            tv_nsec: i64::from(at.subsec_nanosecond().max(1)),
        });
        let value = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: at };
        match timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &value) {
            // A system that cannot tell that its clock is set still has a clock.
            Err(Errno::INVAL) => timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &value)?,
            set => set?,
        };
        Ok(())
    }

    /// Silences it. When the clock was set, it is to be set anew.
    pub fn silence(&self) {
        // Says how often it has rung, or that the clock was set (ECANCELED); the caller looks at the clocks.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsRawFd for Alarm {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn rings(alarm: &Alarm, within: i64) -> bool {
        let limit = Timespec { tv_sec: within, tv_nsec: 0 };
        poll(&mut [PollFd::new(&alarm.0, PollFlags::IN)], Some(&limit)).is_ok_and(|count| count == 1)
    }

    #[test]
    fn it_rings_at_its_time_and_when_that_is_past() {
        let alarm = Alarm::new().unwrap();
        let before = Clocks::now();
        alarm.set(Some(before.wall + Duration::from_millis(50))).unwrap();
        assert!(rings(&alarm, 30));
        assert!(Clocks::now().up >= before.up + Duration::from_millis(50));
        alarm.silence();
        assert!(!rings(&alarm, 0));
        alarm.set(Some(before.wall)).unwrap();
        assert!(rings(&alarm, 30), "the time is past");
        alarm.set(Some(before.wall + Duration::from_secs(3600))).unwrap();
        alarm.silence();
        assert!(!rings(&alarm, 0));
        alarm.set(None).unwrap();
        assert!(!rings(&alarm, 0));
    }
}
