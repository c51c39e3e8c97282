//! Children that run before there is a runner: to their end, or to a limit.

use std::{
    fs::File,
    io::{self, Read as _},
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::{
    config::{End, Output},
    model::{Error, Exit, Launch, Signal},
    process,
};

/// How much is kept of what a child prints, in bytes: the end, where failures stand.
const KEPT: usize = 64 << 10;

/// A command that starts as a launch says; its input is empty.
pub fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.argv[0]);
    command.args(&launch.argv[1..]).current_dir(&launch.cwd).env_clear();
    command.envs(launch.env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    process::guard::tie(&mut command, launch.hardening.identity.as_ref());
    command
}

/// A launch as people would type it.
pub fn shown(launch: &Launch) -> String {
    shell_words::join(launch.argv.iter().map(|word| word.to_string_lossy()))
}

/// Runs a program to its end, or kills it and all its descendants at the limit. It stays in our process group, so that a Ctrl-C
/// reaches it as well.
pub fn run(launch: &Launch, limit: Duration) -> Result<Output, Error> {
    let failed = |error: io::Error| Error::failed(format!("{} could not be run", shown(launch))).because(error);
    let (read, write) = io::pipe().map_err(failed)?;
    let both = write.try_clone().map_err(failed)?;
    let mut child = command(launch).stdout(both).stderr(write).spawn().map_err(failed)?;
    let pid = i32::try_from(child.id()).expect("a pid fits an i32");
    let watched = Pid::from_raw(pid).expect("a child has a pid");
    let mut said = Said { pipe: File::from(OwnedFd::from(read)), open: true, bytes: Vec::new() };
    let ended = pidfd_open(watched, PidfdFlags::empty()).map_err(io::Error::from).and_then(|fd| said.until(&fd, limit));
    if !matches!(ended, Ok(true)) {
        process::kill(|| vec![pid]);
    }
    let status = child.wait().map_err(failed)?;
    let end = if ended.map_err(failed)? { End::Exited(exit(status)) } else { End::Limit };
    said.rest().map_err(failed)?;
    let kept = said.bytes.len().saturating_sub(KEPT);
    Ok(Output { end, said: String::from_utf8_lossy(&said.bytes[kept..]).into_owned() })
}

/// What a child prints.
struct Said {
    pipe: File,
    open: bool,
    bytes: Vec<u8>,
}

impl Said {
    /// Collects until the child has ended; false if the limit came first.
    #[expect(clippy::disallowed_methods, reason = "nothing else runs yet that could tell the time")]
    fn until(&mut self, child: &OwnedFd, limit: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let (ended, printed) = self.poll(Some(child), left)?;
            if printed {
                self.read()?;
            } else if ended {
                return Ok(true);
            }
        }
    }

    /// What is left in the pipe; a descendant that lives on may keep it open.
    fn rest(&mut self) -> io::Result<()> {
        while self.open && self.poll(None, Duration::ZERO)?.1 {
            self.read()?;
        }
        Ok(())
    }

    /// Waits for the end of the child or for output: which of them came.
    fn poll(&self, child: Option<&OwnedFd>, limit: Duration) -> io::Result<(bool, bool)> {
        let limit = Timespec { tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), tv_nsec: limit.subsec_nanos().into() };
        let mut fds = Vec::from_iter(child.map(|child| PollFd::new(child, PollFlags::IN)));
        if self.open {
            fds.push(PollFd::new(&self.pipe, PollFlags::IN));
        }
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let came = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let ended = child.is_some() && fds.first().is_some_and(came);
        Ok((ended, self.open && fds.last().is_some_and(came)))
    }

    fn read(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8192];
        let count = self.pipe.read(&mut chunk)?;
        self.open = count > 0;
        self.bytes.extend_from_slice(&chunk[..count]);
        if self.bytes.len() > 4 * KEPT {
            self.bytes.drain(..self.bytes.len() - KEPT);
        }
        Ok(())
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal { signal: Signal(signal.unwrap_or_default()), core: status.core_dumped() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::{self, Opened};

    fn shell(line: &str) -> Launch {
        Launch {
            argv: ["sh", "-c", line].map(Into::into).into(),
            cwd: "/".into(),
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            hardening: Default::default(),
        }
    }

    #[test]
    fn how_it_ended_and_what_it_printed() {
        let long = Duration::from_secs(60);
        let output = run(&shell("echo a; echo b >&2; exit 3"), long).unwrap();
        assert_eq!(output, Output { end: End::Exited(Exit::Code(3)), said: "a\nb\n".to_owned() });
        let killed = run(&shell("kill -9 $$"), long).unwrap();
        assert_eq!(killed.end, End::Exited(Exit::Signal { signal: Signal::KILL, core: false }));
        let much = run(&shell("head -c 1000000 /dev/zero | tr '\\0' x; echo end"), long).unwrap();
        assert!(much.said.len() <= KEPT && much.said.ends_with("xend\n"), "{}", much.said.len());
        let daemon = run(&shell("sleep 60 & echo started"), long).unwrap();
        assert_eq!(daemon.said, "started\n", "a descendant that lives on is not waited for");
        assert!(run(&Launch { argv: vec!["/nowhere".into()], ..shell("") }, long).is_err());
    }

    #[test]
    fn at_the_limit_all_of_its_descendants_go() {
        let folder = tempfile::TempDir::new().unwrap();
        let pids = folder.path().join("pids");
        let line = format!("(sleep 60; :) & setsid sleep 60 & echo $$ $! $(pgrep -P $$) > {}; wait", pids.display());
        // On a busy machine it may not have come so far by the first limit.
        let listed = [1, 4, 16].into_iter().find_map(|seconds| {
            assert_eq!(run(&shell(&line), Duration::from_secs(seconds)).unwrap().end, End::Limit);
            std::fs::read_to_string(&pids).ok().filter(|pids| pids.ends_with('\n'))
        });
        let pids = listed.expect("the shell lists its children");
        assert!(pids.split_whitespace().count() >= 2, "{pids}");
        let lives = |pid: &str| {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
        };
        for pid in pids.split_whitespace() {
            // A killed process goes when it is its turn on a processor.
            let gone = (0..200_000).any(|_| !lives(pid));
            assert!(gone, "{pid} lives");
        }
    }

    #[test]
    fn a_project_file_that_never_ends_is_ended() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("pmdev.config.js");
        std::fs::write(&file, "console.log('begun'); require('child_process').spawn('sleep', ['60']); while (true) {}").unwrap();
        let host = crate::cli::host::host(false).unwrap();
        let Ok(Opened::Evaluation(evaluation)) = source::open(&file, false, &host) else { panic!("it is a program") };
        let output = run(&evaluation.launch, Duration::from_secs(2)).unwrap();
        assert_eq!(output.end, End::Limit, "{output:?}");
        let error = evaluation.finish(&output, &host).unwrap_err();
        assert!(error.message.contains("it still ran after 10 s"), "{error}");
    }
}
