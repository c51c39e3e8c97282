//! The guard: the process above the runner, which outlives it and leaves nothing of it alive.
//!
//! It is a subreaper, so whatever the runner leaves behind when it ends, even by SIGKILL, becomes the guard's child. It shares the
//! process group of the runner: what the terminal sends reaches both, and shells see one job.

use std::{env, ffi::CStr, fs, io, os::unix::process::CommandExt as _, process::Command, time::Duration};

use super::{
    reaper::{self, Change},
    rights, sweep,
    tree::{self, Stat, is_stopped, own_pid},
};
use crate::model::{Exit, Identity, Signal};

/// How long the guard waits for processes that are being killed: those in an uninterruptible sleep, or of another user, may never go.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(50));

/// What the guard is called in lists of processes.
const NAME: &CStr = c"pmdev-guard";

/// Where the runner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The signal that means "the guard is dead: kill everything now"; it ends the runner until it is handled. `None` without a guard.
    pub guard_death: Option<Signal>,
}

/// Puts a guard above this process: forks, and returns in the child, the runner. The parent never returns.
/// No guard is made where the kernel or systemd already sees to it that nothing outlives us. To be called before any thread exists.
/// `ended` is called in the guard when nothing of the runner is left, with its pid and how it ended.
///
/// # Errors
/// If there can be no fork, or the kernel refuses to make a subreaper.
pub fn enter(ended: impl FnOnce(i32, Exit)) -> io::Result<Place> {
    // With SIGCHLD ignored, which an exec passes on, the kernel reaps by itself and tells nobody how a child ended.
    // SAFETY: SIG_DFL installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    if is_guarded(own_pid(), started_by_systemd, |name| env::var(name).ok()) {
        return Ok(Place { guard_death: None });
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let guard = own_pid();
    let strangers = tree::children(guard);
    let before = Mask::block_all();
    // SAFETY: there is one thread, so the child has everything the parent has.
    let runner = unsafe { libc::fork() };
    match runner {
        -1 => {
            let error = io::Error::last_os_error();
            before.restore();
            Err(error)
        }
        0 => {
            // Chosen because nothing sends it by habit.
            let signal = Signal(libc::SIGRTMAX() - 1);
            // SAFETY: takes numbers alone.
            if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal.0) } != 0 {
                return Err(io::Error::last_os_error());
            }
            before.restore();
            if std::os::unix::process::parent_id() != guard.cast_unsigned() {
                return Err(io::Error::other("the guard ended before the runner began"));
            }
            Ok(Place { guard_death: Some(signal) })
        }
        runner => {
            name_process(NAME);
            let exit = accompany(runner);
            kill_heirs(&strangers);
            ended(runner, exit);
            // SAFETY: nothing of this process is to be run down; the runner did that for itself.
            unsafe { libc::_exit(i32::from(exit.shell_code())) }
        }
    }
}

/// Has lists of processes call this process so.
pub fn name_process(name: &CStr) {
    // SAFETY: the name ends with a null.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// The guard above a runner; `None`: it has none, or is gone.
pub fn above(runner: i32) -> Option<i32> {
    let guard = Stat::read(runner)?.parent;
    let name = fs::read(format!("/proc/{guard}/comm")).ok()?;
    (name.trim_ascii_end() == NAME.to_bytes()).then_some(guard)
}

/// A runner, and its guard where there is one, as far as they are stopped: Ctrl-Z stops both, and neither answers anybody.
pub fn stopped(runner: i32) -> Vec<i32> {
    if !is_stopped(runner) {
        return Vec::new();
    }
    above(runner).filter(|guard| is_stopped(*guard)).into_iter().chain([runner]).collect()
}

/// Has a child killed when the thread that starts it ends, by SIGKILL as well, and run as somebody: for children that run before there is a
/// runner.
pub fn tie(command: &mut Command, identity: Option<&Identity>) {
    let parent = own_pid();
    let user = identity.map(rights::User::new);
    // A change of the user takes the signal back, so it comes first.
    let before_exec = move || {
        if let Some(user) = &user {
            user.assume()?;
        }
        // SAFETY: takes numbers alone, and neither allocates nor locks.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 if std::os::unix::process::parent_id() == parent.cast_unsigned() => Ok(()),
            0 => Err(io::Error::from_raw_os_error(libc::ESRCH)),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure does what may be done between fork and exec, as said above.
    unsafe { command.pre_exec(before_exec) };
}

/// Whether something else kills what outlives us: the kernel, for PID 1; systemd, for what it started itself. Its variables are inherited by
/// everything that runs below a unit, a desktop's terminals among them, so the pid must be ours where systemd tells it (from 248 on), and our
/// parent be one where it does not.
fn is_guarded(pid: i32, started_by_systemd: impl Fn() -> bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let unit = variable("NOTIFY_SOCKET").or_else(|| variable("INVOCATION_ID")).is_some();
    pid == 1 || unit && variable("SYSTEMD_EXEC_PID").map_or_else(started_by_systemd, |started| started == pid.to_string())
}

fn started_by_systemd() -> bool {
    fs::read(format!("/proc/{}/comm", std::os::unix::process::parent_id())).is_ok_and(|name| name.trim_ascii_end() == b"systemd")
}

/// Does what a shell's child must do in the runner's place, until the runner has ended.
fn accompany(runner: i32) -> Exit {
    let ignored: Vec<i32> = (1..=libc::SIGRTMAX()).filter(|signal| is_ignored(*signal)).collect();
    let leads_session = Stat::read(own_pid()).is_some_and(|own| own.session == own.id.pid);
    loop {
        let info = wait_for_signal(None);
        while let Some(change) = reaper::news() {
            match change {
                Change::Ended { pid, exit, peak: _ } if pid == runner => return exit,
                // The shell waits for us, not for the runner; SIGCONT to the group, or passed on below, wakes it again.
                Change::Stopped { pid } if pid == runner => {
                    sweep::send(own_pid(), Signal::STOP);
                }
                Change::Ended { .. } | Change::Stopped { .. } => {}
            }
        }
        if let Some(info) = info.filter(|info| !ignored.contains(&info.signal.0) && info.is_for_runner(runner, leads_session)) {
            sweep::send(runner, info.signal);
        }
    }
}

/// Kills everything the runner left, again and again until there is nothing.
fn kill_heirs(strangers: &[i32]) {
    for _ in 0..PATIENCE.0 {
        while reaper::news().is_some() {}
        let heirs = || tree::children(own_pid()).into_iter().filter(|pid| !strangers.contains(pid)).collect::<Vec<_>>();
        sweep::kill(heirs);
        if !heirs().into_iter().any(|pid| Stat::read(pid).is_some_and(|stat| stat.alive)) {
            return;
        }
        wait_for_signal(Some(PATIENCE.1));
    }
}

struct Received {
    signal: Signal,
    /// Sent by kill(2) and its like, not by the kernel on behalf of a terminal.
    by_process: bool,
    sender: i32,
}

impl Received {
    /// Whether the guard passes it on. What the kernel sends for a terminal reaches the whole process group and so the runner, but for one:
    /// the hang-up goes to the leader of the session alone, as which a terminal or tmux may have started us. What the runner sends to
    /// its group must not come back to it.
    fn is_for_runner(&self, runner: i32, leads_session: bool) -> bool {
        match (self.signal.0, self.by_process) {
            (libc::SIGCHLD, _) => false,
            (libc::SIGHUP, false) => leads_session,
            (_, by_process) => by_process && self.sender != runner,
        }
    }
}

/// Takes one pending signal, waiting for it without end or for so long.
fn wait_for_signal(limit: Option<Duration>) -> Option<Received> {
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    // SAFETY: the set is initialized by sigfillset, all zeroes is a valid siginfo_t, and a null limit means none.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let signal = libc::sigtimedwait(&raw const all, &raw mut info, limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref));
        // sigaction(2): codes up to 0 are those of processes, SI_KERNEL is positive. Only they have a sender.
        let by_process = info.si_code <= 0;
        (signal > 0).then(|| Received { signal: Signal(signal), by_process, sender: if by_process { info.si_pid() } else { 0 } })
    }
}

/// Whether a signal is ignored at the moment.
pub(super) fn is_ignored(signal: i32) -> bool {
    // SAFETY: a null action only asks for the old one.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// The signal mask as it was.
struct Mask(libc::sigset_t);

impl Mask {
    fn block_all() -> Self {
        // SAFETY: sigfillset initializes what sigprocmask reads, which writes the old mask.
        unsafe {
            let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }

    fn restore(&self) {
        // SAFETY: the mask came from sigprocmask.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_programs_send_is_passed_on_and_what_the_terminal_sends_is_not() {
        let sent = |signal, sender| Received { signal, by_process: true, sender };
        let by_kernel = |signal| Received { signal, by_process: false, sender: 0 };
        assert!(sent(Signal::TERM, 5).is_for_runner(9, false));
        assert!(sent(Signal::CONT, 0).is_for_runner(9, true), "from another pid namespace");
        assert!(!sent(Signal::TERM, 9).is_for_runner(9, false), "the runner's own");
        assert!(!sent(Signal(libc::SIGCHLD), 5).is_for_runner(9, false));
        assert!(!by_kernel(Signal::INT).is_for_runner(9, true));
        assert!(!by_kernel(Signal::HUP).is_for_runner(9, false));
        assert!(by_kernel(Signal::HUP).is_for_runner(9, true), "a hang-up tells only the leader of the session");
    }

    #[test]
    fn a_guard_is_left_out_only_where_another_does_its_work() {
        let guarded = |pid, variables: &[(&str, &str)]| {
            let variable = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            [false, true].map(|by_systemd| is_guarded(pid, || by_systemd, variable))
        };
        assert_eq!(guarded(7, &[]), [false; 2]);
        assert_eq!(guarded(1, &[]), [true; 2], "PID 1: the kernel kills all");
        assert_eq!(guarded(7, &[("INVOCATION_ID", "x")]), [false, true], "an older systemd, which may have started a terminal of ours");
        assert_eq!(guarded(7, &[("NOTIFY_SOCKET", "x"), ("SYSTEMD_EXEC_PID", "7")]), [true; 2]);
        assert_eq!(guarded(7, &[("INVOCATION_ID", "x"), ("SYSTEMD_EXEC_PID", "5")]), [false; 2], "a terminal of a desktop");
    }
}
