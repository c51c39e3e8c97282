//! Children beside the apps. Most answer a question: about the project file (a JavaScript one, `node --version`), asked for by a thread
//! that has nothing else to do than wait; about an app (a probe that is a command), asked for by a task. Hooks
//! do something instead. They are started by the loop like every child, and waited for by the one reaper.

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    rc::Rc,
    sync::mpsc,
    time::{Duration, Instant},
};

use tokio::{net::unix::pipe::Receiver, task::JoinHandle};

use super::runner::{Inbox, Runner, now};
use crate::{
    config::request::{End, Output},
    log::{self, Source, Stream},
    model::{Error, Exit, Launch, LaunchFailure, RunId},
    process::ProcessEvent,
};

/// How much is kept of what a tool prints, in bytes: the end, where failures stand.
const KEPT: usize = 4 << 20;

/// How long what a tool has printed may take to be read once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A tool to run.
pub struct Question {
    /// What to start.
    pub launch: Launch,
    /// When it is killed, with all it has started.
    pub limit: Duration,
    /// What it reads from its standard input: less than a pipe holds.
    pub input: Vec<u8>,
    /// The run that it asks about, where it does.
    pub of: Option<RunId>,
    /// Where its lines are shown: then they are no part of the answer, and what it leaves behind lives on.
    pub shown: Option<Source>,
    /// Takes the answer.
    pub reply: Reply,
}

/// What takes an answer.
pub type Reply = Box<dyn FnOnce(Result<Answer, LaunchFailure>) + Send>;

/// What came of a tool.
#[derive(Debug, Clone)]
pub struct Answer {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Standard output and standard error as they came.
    pub said: Vec<u8>,
}

/// The tools under way.
#[derive(Default)]
pub struct Tools {
    runs: HashMap<RunId, Tool>,
    started: u64,
}

struct Tool {
    of: Option<RunId>,
    deadline: Instant,
    ended: Option<Exit>,
    killed: bool,
    printed: Rc<RefCell<Printed>>,
    readers: Vec<JoinHandle<()>>,
    shown: Option<Source>,
    reply: Reply,
}

#[derive(Debug, Default)]
struct Printed {
    out: Vec<u8>,
    said: Vec<u8>,
}

impl Tools {
    /// When the next limit is reached.
    pub fn deadline(&self) -> Option<Instant> {
        self.runs.values().filter(|tool| !tool.killed && tool.ended.is_none()).map(|tool| tool.deadline).min()
    }

    /// The program was stopped for so long: limits move.
    pub fn shift(&mut self, by: Duration) {
        self.runs.values_mut().for_each(|tool| tool.deadline += by);
    }

    /// Whether a run is one of these.
    pub fn has(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// The runs of those that are to be ended, from now on known as killed.
    fn condemn(&mut self, due: impl Fn(&Tool) -> bool) -> Vec<RunId> {
        let due = self.runs.iter_mut().filter(|(_, tool)| !tool.killed && tool.ended.is_none() && due(tool));
        due.map(|(run, tool)| {
            tool.killed = true;
            *run
        })
        .collect()
    }
}

impl Runner {
    /// Starts a tool. Without a runner that goes on there is no answer.
    pub fn ask(&mut self, question: Question) {
        if self.supervisor.is_running() {
            self.start_tool(question);
        }
    }

    /// Starts a tool, whether or not the runner goes on.
    pub fn start_tool(&mut self, question: Question) {
        // From the far end, so that they never meet the runs that the supervisor numbers.
        let run = RunId(u64::MAX - self.tools.started);
        self.tools.started += 1;
        let Question { launch, limit, input, of, shown, reply } = question;
        let spawned = match self.processes.spawn(run, &launch) {
            Ok(spawned) => spawned,
            Err(failure) => {
                reply(Err(failure));
                return;
            }
        };
        let printed = Rc::<RefCell<Printed>>::default();
        let read = |pipe, stream| match &shown {
            Some(source) => tokio::task::spawn_local(pump(log::pump(pipe, stream, source.clone()))),
            None => tokio::task::spawn_local(read(pipe, stream == Stream::Out, Rc::clone(&printed))),
        };
        let readers = vec![read(spawned.stdout, Stream::Out), read(spawned.stderr, Stream::Err)];
        // It fits into the pipe; who ends without reading it has no use for it.
        let _ = rustix::io::write(&spawned.stdin, &input);
        self.tools.runs.insert(run, Tool { of, deadline: now() + limit, ended: None, killed: false, printed, readers, shown, reply });
    }

    /// Kills the tools whose limit is reached.
    pub fn end_tools(&mut self) {
        let now = now();
        for run in self.tools.condemn(|tool| tool.deadline <= now) {
            self.processes.kill(run);
        }
    }

    /// Kills the tools that ask about a run.
    pub fn end_tools_of(&mut self, run: RunId) {
        for tool in self.tools.condemn(|tool| tool.of == Some(run)) {
            self.processes.kill(tool);
        }
    }

    /// News of a tool's run.
    pub fn tool(&mut self, event: ProcessEvent) {
        match event {
            ProcessEvent::Executed { .. } => {}
            ProcessEvent::LaunchFailed { run, failure } => {
                if let Some(tool) = self.tools.runs.remove(&run) {
                    (tool.reply)(Err(failure));
                }
            }
            ProcessEvent::MainExited { run, exit, oom: _, peak: _ } => {
                let Some(tool) = self.tools.runs.get_mut(&run) else { return };
                tool.ended = Some(exit);
                let readers = std::mem::take(&mut tool.readers);
                let (shown, inbox) = (tool.shown.clone(), self.inbox.clone());
                if shown.is_none() {
                    // What it leaves behind is of no use to anybody.
                    self.processes.kill(run);
                }
                tokio::task::spawn_local(async move {
                    let all = async {
                        for reader in readers {
                            let _ = reader.await;
                        }
                    };
                    match shown {
                        Some(source) => source.drained(LAST_WORDS).await,
                        None => drop(tokio::time::timeout(LAST_WORDS, all).await),
                    }
                    let _ = inbox.send(Inbox::ToolRead(run));
                });
            }
            // Its answer does not wait for it.
            ProcessEvent::SetEmpty { .. } => {}
        }
    }

    /// What a tool that has ended printed is read.
    pub fn tool_read(&mut self, run: RunId) {
        let Some(tool) = self.tools.runs.remove(&run) else { return };
        let Printed { out, said } = tool.printed.take();
        let end = match tool.ended {
            Some(exit) if !tool.killed => End::Exited(exit),
            Some(_) | None => End::Limit,
        };
        (tool.reply)(Ok(Answer { end, out, said }));
    }
}

/// Shows what a tool prints. A pipe that cannot be read is closed, as its writer will notice.
async fn pump(pumping: impl Future<Output = io::Result<()>>) {
    let _ = pumping.await;
}

async fn read(pipe: OwnedFd, is_out: bool, printed: Rc<RefCell<Printed>>) {
    let Ok(pipe) = Receiver::from_owned_fd(pipe) else { return };
    let mut chunk = Vec::with_capacity(64 << 10);
    while pipe.readable().await.is_ok() {
        chunk.clear();
        match pipe.try_read_buf(&mut chunk) {
            Ok(0) => return,
            Ok(_) => {
                let mut printed = printed.borrow_mut();
                keep(&mut printed.said, &chunk);
                if is_out {
                    keep(&mut printed.out, &chunk);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

fn keep(bytes: &mut Vec<u8>, more: &[u8]) {
    bytes.extend_from_slice(more);
    if bytes.len() > KEPT {
        bytes.drain(..bytes.len() - KEPT);
    }
}

/// What the thread that reads the project file asks with, in the place of the ways that start children themselves.
#[derive(Debug, Clone)]
pub struct Link(pub tokio::sync::mpsc::UnboundedSender<Inbox>);

impl Link {
    /// Runs a program to its end or to the limit.
    pub fn run(&self, launch: &Launch, limit: Duration) -> Result<Output, Error> {
        let answer = self.put(launch, limit)?;
        Ok(Output { end: answer.end, said: String::from_utf8_lossy(&answer.said).into_owned() })
    }

    /// Runs a tool to its end and gives its standard output.
    pub fn ask(&self, launch: &Launch) -> Result<String, Error> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let answer = self.put(launch, PATIENCE)?;
        let how = match answer.end {
            End::Exited(exit) if exit.success() => return Ok(String::from_utf8_lossy(&answer.out).into_owned()),
            End::Exited(exit) => exit.to_string(),
            End::Limit => "it did not end".to_owned(),
        };
        let said = String::from_utf8_lossy(&answer.said);
        let error = Error::failed(format!("{} failed ({how})", shown(launch)));
        Err(if said.trim().is_empty() { error } else { error.because(said.trim()) })
    }

    fn put(&self, launch: &Launch, limit: Duration) -> Result<Answer, Error> {
        let (reply, answer) = mpsc::channel();
        let reply = Box::new(move |answer| drop(reply.send(answer)));
        let failed = || Error::failed(format!("{} could not be started", shown(launch)));
        let _ =
            self.0.send(Inbox::Ask(Box::new(Question { launch: launch.clone(), limit, input: Vec::new(), of: None, shown: None, reply })));
        match answer.recv() {
            Ok(answer) => answer.map_err(|failure| failed().because(failure)),
            Err(_) => Err(failed().because("the runner ends")),
        }
    }
}

fn shown(launch: &Launch) -> String {
    shell_words::join(launch.argv.iter().map(|word| word.to_string_lossy()))
}
