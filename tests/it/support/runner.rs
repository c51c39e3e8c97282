//! The real `pmdev` as a child of the test, its output read line by line into the project's timeline.
#![expect(clippy::disallowed_types, reason = "the runner is the tests' own child, and a thread of its own waits for it")]

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::Signal;

use super::{
    PATIENCE, Project, Saying,
    clock::{comes_true, until},
    processes::{self, Process},
    programs::PMDEV,
    timeline::{Line, Source},
};

/// How a runner is to be started.
pub struct Start<'a> {
    project: &'a Project,
    argv: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    stdin: bool,
    unread: bool,
}

impl Project {
    /// `pmdev ARGS` in the project folder, with empty stdin.
    pub fn pmdev<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Start<'_> {
        let argv = std::iter::once(PMDEV.into()).chain(arguments.into_iter().map(|argument| argument.as_ref().to_owned())).collect();
        Start { project: self, argv, variables: Vec::new(), stdin: false, unread: false }
    }

    /// Another program, which starts `pmdev` by itself.
    pub fn hook(&self, argv: &[&str]) -> Start<'_> {
        Start { argv: argv.iter().map(OsString::from).collect(), ..self.pmdev([""; 0]) }
    }

    /// `pmdev start ARGS`, running.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Runner<'_> {
        self.pmdev(std::iter::once(OsString::from("start")).chain(arguments.into_iter().map(|a| a.as_ref().to_owned()))).spawn()
    }
}

/// Runs `pmdev ARGS` in the project to its end, which must have this code.
#[track_caller]
pub fn verb(project: &Project, arguments: &[&str], code: i32) -> Ending {
    let ending = project.pmdev(arguments).finish();
    assert_eq!(ending.code, Some(code), "{arguments:?}: {}", ending.all());
    ending
}

impl<'a> Start<'a> {
    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Leaves its stdin open, to be typed into.
    pub fn typed(mut self) -> Self {
        self.stdin = true;
        self
    }

    /// Never reads what it says, like a terminal after Ctrl-S.
    pub fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// Has it started by another program, which must exec the rest of its arguments.
    pub fn wrapped(mut self, by: &[&str]) -> Self {
        self.argv.splice(0..0, by.iter().map(OsString::from));
        self
    }

    /// Starts it.
    pub fn spawn(self) -> Runner<'a> {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let shown: Vec<_> = self.argv.iter().map(|argument| argument.to_string_lossy()).collect();
        self.project.timeline.note(format!("starts {number}: {}", shown.join(" ")));
        let mut child = Command::new(&self.argv[0])
            .args(&self.argv[1..])
            .current_dir(&self.project.root)
            .env_clear()
            .envs(self.project.environment())
            .envs(self.variables)
            .stdin(if self.stdin { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        let mut readers = Vec::new();
        let (out, err) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
        let mut unread = None;
        if self.unread {
            unread = Some(out);
        } else {
            readers.push(read(out, Source::Out(number), self.project));
        }
        readers.push(read(err, Source::Err(number), self.project));
        let stdin = child.stdin.take();
        let pid = child.id().cast_signed();
        let ended = wait(child);
        Runner { project: self.project, number, pid, stdin, ended, readers, _unread: unread, answers: HashSet::new() }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn finish(self) -> Ending {
        self.spawn().finish()
    }
}

/// Reads a pipe into the timeline, on a thread of its own.
fn read(pipe: impl Read + Send + 'static, source: Source, project: &Project) -> thread::JoinHandle<()> {
    let timeline = project.timeline.clone();
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut tail = Vec::new();
        while let Ok(bytes) = pipe.fill_buf().map(<[u8]>::to_vec) {
            for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                tail.extend_from_slice(part);
                if tail.last() == Some(&b'\n') {
                    tail.pop();
                    timeline.add(source, std::mem::take(&mut tail));
                }
            }
            pipe.consume(bytes.len());
            if bytes.is_empty() {
                if !tail.is_empty() {
                    timeline.add(source, std::mem::take(&mut tail));
                }
                break;
            }
        }
    })
}

/// Waits for the child, on a thread of its own.
fn wait(mut child: Child) -> Arc<Mutex<Option<ExitStatus>>> {
    let ended = Arc::<Mutex<Option<ExitStatus>>>::default();
    let result = ended.clone();
    thread::spawn(move || {
        let status = child.wait().expect("nobody else waits for it");
        *result.lock().expect("nobody dies with it") = Some(status);
    });
    ended
}

/// A running `pmdev`. Dropping it kills it.
pub struct Runner<'a> {
    /// The process we started: the guard, where there is one.
    pub pid: i32,
    project: &'a Project,
    number: usize,
    stdin: Option<ChildStdin>,
    ended: Arc<Mutex<Option<ExitStatus>>>,
    readers: Vec<thread::JoinHandle<()>>,
    _unread: Option<std::process::ChildStdout>,
    answers: HashSet<usize>,
}

impl Runner<'_> {
    /// Waits for a line that no earlier call was answered with; in which order lines come is not asked.
    #[track_caller]
    pub fn wait_for(&mut self, saying: &Saying) -> Line {
        self.wait_within(PATIENCE, saying)
    }

    /// The same, with a deadline of one's own.
    #[track_caller]
    pub fn wait_within(&mut self, patience: Duration, saying: &Saying) -> Line {
        let found = until(patience, || {
            let over = self.exit().is_some() && self.readers.iter().all(thread::JoinHandle::is_finished);
            self.next(saying).map(Some).or(over.then_some(None))
        });
        match found {
            Some(Some(line)) => line,
            Some(None) => panic!("the runner ended ({:?}) without saying {}", self.exit(), saying.name),
            None => panic!("waited {patience:?} for {}", saying.name),
        }
    }

    /// The first such line that was not an answer yet.
    fn next(&mut self, saying: &Saying) -> Option<Line> {
        let lines = self.project.timeline.lines();
        let is_new = |index: &usize| !self.answers.contains(index) && self.said(&lines[*index]) && saying.is(&lines[*index].text());
        let found = (0..lines.len()).find(is_new)?;
        self.answers.insert(found);
        Some(lines[found].clone())
    }

    fn said(&self, line: &Line) -> bool {
        [Source::Out(self.number), Source::Err(self.number)].contains(&line.source)
    }

    /// All such lines so far.
    pub fn lines(&self, saying: &Saying) -> Vec<Line> {
        self.project.timeline.lines().iter().filter(|line| self.said(line) && saying.is(&line.text())).cloned().collect()
    }

    /// How many such lines there are so far.
    pub fn count(&self, saying: &Saying) -> usize {
        self.lines(saying).len()
    }

    /// The runner proper: the guard's child, or the process we started where there is no guard.
    pub fn runner_pid(&self) -> i32 {
        let is_runner = |process: &Process| process.command.contains(PMDEV) && !process.command.contains("__exec");
        processes::children(self.pid).into_iter().find(is_runner).map_or(self.pid, |runner| runner.pid)
    }

    /// Sends a signal to the process we started, as `kill` does.
    pub fn signal(&self, signal: Signal) {
        self.project.timeline.note(format!("sends {signal:?} to {}", self.number));
        if self.exit().is_none() {
            processes::send(self.pid, signal);
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it was started to be typed into");
        writeln!(stdin, "{line}").expect("the runner reads its input");
    }

    /// Ends its input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<ExitStatus> {
        *self.ended.lock().expect("nobody dies with it")
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(self) -> Ending {
        self.finish_within(PATIENCE)
    }

    /// The same, with a deadline of one's own.
    #[track_caller]
    pub fn finish_within(self, patience: Duration) -> Ending {
        let status = until(patience, || self.exit()).unwrap_or_else(|| panic!("the runner has not ended after {patience:?}"));
        comes_true(PATIENCE, || self.readers.iter().all(thread::JoinHandle::is_finished));
        self.project.timeline.note(format!("{} ended: {status}", self.number));
        let said = |source| {
            let lines = self.project.timeline.lines();
            let texts: Vec<String> = lines.iter().filter(|line| line.source == source).map(Line::text).collect();
            texts.join("\n")
        };
        Ending { code: status.code(), out: said(Source::Out(self.number)), err: said(Source::Err(self.number)) }
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if self.exit().is_none() {
            processes::send(self.pid, Signal::KILL);
            comes_true(PATIENCE, || self.exit().is_some());
        }
    }
}

/// How a runner ended, and all it said.
#[derive(Debug)]
pub struct Ending {
    /// Its exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ending {
    /// Everything it said.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
}
