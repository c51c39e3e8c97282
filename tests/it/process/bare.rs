//! A `bare-runner` under test, with a deadline for everything and a timeline for failures.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{Timespec, poll},
    process::{Pid, Signal, kill_process},
};

/// Everything is over within this.
const DEADLINE: Duration = Duration::from_secs(10);

/// The folder that cargo builds examples into.
pub fn example(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_pmdev")).parent().expect("it lies in a folder").join("examples").join(name);
    assert!(program.exists(), "{} is missing, cargo build --examples makes it", program.display());
    program
}

/// A runner, its guard, and a folder for the pids of its apps.
pub struct Bare {
    #[expect(clippy::disallowed_types, reason = "a test waits for what it starts itself")]
    guard: std::process::Child,
    /// The pid of the runner below the guard.
    pub runner: i32,
    lines: Receiver<String>,
    unread: Vec<String>,
    timeline: Vec<String>,
    began: Instant,
    folder: tempfile::TempDir,
}

impl Bare {
    pub fn start() -> Self {
        Self::start_by(Command::new(example("bare-runner")))
    }

    /// Starts it by another command that ends as a bare runner.
    pub fn start_by(mut command: Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn();
        let mut guard = started.expect("the runner starts");
        let output = guard.stdout.take().expect("it is a pipe");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut bare = Self { guard, runner: 0, lines, unread: Vec::new(), timeline: Vec::new(), began: now(), folder };
        bare.runner = bare.expect("runner ").parse().expect("a pid");
        bare
    }

    /// The guard's pid.
    pub fn guard(&self) -> i32 {
        self.guard.id().cast_signed()
    }

    /// Gives the runner a line.
    pub fn tell(&mut self, line: &str) {
        self.note(format!("<- {line}"));
        let input = self.guard.stdin.as_mut().expect("it is a pipe");
        writeln!(input, "{line}").expect("the runner reads");
    }

    /// Starts a misbehaving app that notes its pids, and waits until it is ready.
    pub fn misbehave(&mut self, run: u32, switches: &str) {
        let (program, pids) = (example("misbehave"), self.pids_file());
        self.tell(&format!("spawn {run} / {} --pids {} {switches}", program.display(), pids.display()));
        self.expect(&format!("out {run} ready"));
    }

    /// The rest of the next line that begins so; lines before it wait for their turn.
    pub fn expect(&mut self, beginning: &str) -> String {
        let limit = self.limit();
        let mut index = 0;
        loop {
            while index == self.unread.len() {
                let line = self.receive(limit, beginning);
                self.unread.push(line);
            }
            if let Some(rest) = self.unread[index].strip_prefix(beginning) {
                let rest = rest.trim().to_owned();
                self.unread.remove(index);
                return rest;
            }
            index += 1;
        }
    }

    /// The next line, whatever it is.
    pub fn next(&mut self) -> String {
        assert!(self.unread.is_empty(), "lines left unread: {:?}", self.unread);
        self.receive(self.limit(), "line")
    }

    fn receive(&mut self, limit: Instant, what: &str) -> String {
        match self.lines.recv_timeout(limit.saturating_duration_since(now())) {
            Ok(line) => {
                self.note(format!("-> {line}"));
                line
            }
            Err(error @ (RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => self.fail(&format!("no {what:?}: {error}")),
        }
    }

    /// Waits for a state of the system that no event tells.
    pub fn wait_until(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let limit = self.limit();
        while !reached() {
            if now() > limit {
                self.fail(what);
            }
            let pause = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            poll(&mut [], Some(&pause)).expect("a pause without descriptors");
        }
    }

    /// Waits until every process that the apps noted is gone.
    pub fn expect_all_dead(&self) {
        assert!(!self.noted().is_empty(), "the apps noted their pids");
        self.wait_until("every process of the apps is gone", || !self.noted().into_iter().any(is_alive));
    }

    /// The pids that the apps noted.
    pub fn noted(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.pids_file()).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Waits for the end of the guard.
    pub fn expect_end(&mut self) -> ExitStatus {
        let limit = self.limit();
        loop {
            if let Some(status) = self.guard.try_wait().expect("it is our child") {
                return status;
            }
            if now() > limit {
                self.fail("the guard ends");
            }
            let pause = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            poll(&mut [], Some(&pause)).expect("a pause without descriptors");
        }
    }

    /// Where the apps note their pids.
    pub fn pids_file(&self) -> PathBuf {
        self.folder.path().join("pids")
    }

    fn limit(&self) -> Instant {
        now() + DEADLINE
    }

    fn note(&mut self, line: String) {
        self.timeline.push(format!("{:>8.3} ms {line}", self.began.elapsed().as_secs_f64() * 1000.0));
    }

    fn fail(&self, what: &str) -> ! {
        let alive: Vec<i32> = self.noted().into_iter().filter(|pid| is_alive(*pid)).collect();
        panic!("{what}\nalive: {alive:?}\n{}", self.timeline.join("\n"));
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind: the guard cleans up after the runner, if it is there.
        if self.guard.try_wait().is_ok_and(|status| status.is_none()) {
            send(self.runner, Signal::KILL);
            let _ = self.guard.wait();
        }
    }
}

/// Whether a process is there and no zombie. Misbehaving apps alone: their pids may be used again by others.
pub fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains("(misbehave)") && !stat.contains(") Z "))
}

/// The letter of a process's state; none if it is gone.
pub fn state(pid: i32) -> Option<char> {
    fs::read_to_string(format!("/proc/{pid}/stat")).ok()?.rsplit_once(") ")?.1.chars().next()
}

/// Sends a signal to a process that the test knows to be there.
pub fn send(pid: i32, signal: Signal) {
    let pid = Pid::from_raw(pid).expect("a pid is not 0");
    // It may just have ended by itself.
    let _ = kill_process(pid, signal);
}

#[expect(clippy::disallowed_methods, reason = "deadlines are real here")]
fn now() -> Instant {
    Instant::now()
}
