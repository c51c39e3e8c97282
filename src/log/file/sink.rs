//! What waits for a log file, and the thread that writes it: started when there is something to write, gone when there was nothing for a while.

use std::{
    borrow::Cow,
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    Answer, Done, News, Position, Settings, World,
    ask::Asked,
    pauses::Pauses,
    writer::{Failure, Writer},
};
use crate::log::queue::{Budget, Chunk, append};

/// How long a thread that has nothing to write stays, its file open.
const IDLE: Duration = Duration::from_secs(10);

/// A log file, as those who write into it see it.
#[derive(Debug)]
pub(in crate::log) struct Sink {
    path: PathBuf,
    state: Mutex<State>,
    work: Condvar,
    /// A copy of that in the state, for pumps that only want to know.
    failing: AtomicBool,
    world: World,
}

#[derive(Debug)]
struct State {
    chunks: VecDeque<Chunk>,
    /// How the file is kept; known from the first user on.
    settings: Option<Arc<Settings>>,
    users: usize,
    /// A thread is at work.
    thread: bool,
    /// The file is to be opened anew.
    reopen: bool,
    asked: Asked,
    failing: bool,
    /// Lines that are being written right now.
    underway: u64,
    /// Lines that are missing in the file and were not told yet.
    lost: u64,
    /// A full file could not be put away, which was told.
    unrotated: bool,
    ending: Ending,
}

/// How long a failing file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// What cannot be written now is given up.
    LastTry,
    /// Nothing is written any more.
    Over,
}

/// What a thread is to do next.
enum Job {
    Reopen,
    Empty(Answer<Done<u64>>),
    Tell(Answer<Position>),
    /// With when its lines came.
    Write(Chunk, Vec<(usize, i64)>),
    Rest,
}

impl Sink {
    pub(super) fn new(path: PathBuf, world: World) -> Self {
        let state = State {
            chunks: VecDeque::new(),
            settings: None,
            users: 0,
            thread: false,
            reopen: false,
            asked: Asked::default(),
            failing: false,
            underway: 0,
            lost: 0,
            unrotated: false,
            ending: Ending::No,
        };
        Self { path, state: Mutex::new(state), work: Condvar::new(), failing: AtomicBool::new(false), world }
    }

    /// One more user, who knows how the file is kept; the first has it opened.
    pub fn enter(self: &Arc<Self>, settings: Settings) {
        let mut state = self.state();
        state.users += 1;
        state.reopen |= state.users == 1;
        state.settings = Some(Arc::new(settings));
        if state.reopen {
            self.start(&mut state);
        }
    }

    /// One more user.
    pub fn join(&self) {
        self.state().users += 1;
    }

    /// One user less.
    pub fn leave(&self) {
        self.state().users -= 1;
        self.work.notify_one();
    }

    /// Nobody writes into it any more, and nothing waits.
    pub fn is_done(&self) -> bool {
        let state = self.state();
        state.users == 0 && !state.thread && state.chunks.is_empty()
    }

    /// Nothing waits.
    pub fn is_at_rest(&self) -> bool {
        let state = self.state();
        !state.thread && state.chunks.is_empty()
    }

    /// Has the file opened anew.
    pub fn reopen(self: &Arc<Self>, done: Answer<Done<()>>) {
        let mut state = self.state();
        if state.users > 0 {
            state.reopen = true;
            state.asked.reopen.push(done);
            self.start(&mut state);
        }
    }

    /// Has told where the file is once all that waits is written.
    pub fn mark(self: &Arc<Self>, answer: Answer<Position>) {
        let mut state = self.state();
        if state.settings.is_some() && state.ending == Ending::No {
            state.asked.mark(answer);
            self.start(&mut state);
        }
    }

    /// Has the file emptied.
    pub fn empty(self: &Arc<Self>, answer: Answer<Done<u64>>) {
        let mut state = self.state();
        if state.settings.is_some() && state.ending == Ending::No {
            state.asked.empty.push(answer);
            self.start(&mut state);
        }
    }

    /// Takes nothing new; what cannot be written now is given up.
    pub fn finish(&self) {
        let mut state = self.state();
        if state.ending == Ending::No {
            state.ending = Ending::LastTry;
        }
        drop(state);
        self.work.notify_one();
    }

    /// Gives up what was not written.
    pub fn give_up(&self) {
        let mut state = self.state();
        state.ending = Ending::Over;
        let left: Vec<Chunk> = state.chunks.drain(..).collect();
        state.lost += std::mem::take(&mut state.underway) + left.iter().map(|chunk| lines(&chunk.bytes)).sum::<u64>();
        self.tell_lost(&mut state);
        drop(state);
        self.work.notify_one();
    }

    fn tell_lost(&self, state: &mut State) {
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 {
            self.world.tell(News::Lost { path: self.path.clone(), lost });
        }
    }

    /// Whether nobody is held back for its sake.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Adds whole lines. Those of an app whose budget is spent are lost while the file fails; else the app is to be held back.
    pub fn push(self: &Arc<Self>, bytes: Cow<'_, [u8]>, budget: &Arc<Budget>) {
        let mut state = self.state();
        if state.ending == Ending::Over || state.failing && budget.is_full() {
            state.lost += lines(&bytes);
            return;
        }
        state.asked.pushed(bytes.len());
        append(&mut state.chunks, bytes, Some(budget));
        self.start(&mut state);
    }

    /// Sees to it that a thread is at work.
    fn start(self: &Arc<Self>, state: &mut State) {
        if state.thread {
            self.work.notify_one();
            return;
        }
        let sink = Arc::clone(self);
        match std::thread::Builder::new().name("pmdev-log".to_owned()).spawn(move || sink.run()) {
            Ok(_) => state.thread = true,
            // The next line tries again.
            Err(error) => self.fails(state, error),
        }
    }

    fn fails(&self, state: &mut State, error: std::io::Error) {
        if !state.failing {
            state.failing = true;
            self.failing.store(true, Ordering::Release);
            self.world.tell(News::Failing { path: self.path.clone(), error });
        }
        // Whoever was held back may go on, and lose lines.
        state.chunks.iter().for_each(Chunk::wake);
    }

    /// What was handed to the thread is written.
    fn works(&self) {
        let mut state = self.state();
        state.underway = 0;
        if state.failing {
            state.failing = false;
            self.failing.store(false, Ordering::Release);
            let lost = std::mem::take(&mut state.lost);
            self.world.tell(News::Resumed { path: self.path.clone(), lost });
        }
    }

    fn run(self: Arc<Self>) {
        let mut writer = Writer::default();
        let mut pauses = Pauses::default();
        loop {
            match self.next() {
                Job::Rest => break,
                Job::Reopen => {
                    let settings = self.settings();
                    let result = writer.reopen(&self.path, &settings, &self.world.compressor);
                    self.reopened(result.as_ref().err());
                    // That it is there proves nothing on a full disk.
                    if let Err(error) = result {
                        self.failed(error, &mut pauses);
                    }
                }
                Job::Empty(answer) => answer.give(Some(emptied(writer.empty(&self.path)))),
                Job::Tell(answer) => answer.give(writer.position(&self.path)),
                Job::Write(chunk, came) => self.write(&mut writer, &chunk, &came, &mut pauses),
            }
        }
        self.world.rested.notify_waiters();
    }

    fn settings(&self) -> Arc<Settings> {
        self.state().settings.clone().expect("a sink has settings from its first user on")
    }

    /// Writes a chunk, however long it takes, or counts what is lost of it.
    fn write(&self, writer: &mut Writer, chunk: &Chunk, came: &[(usize, i64)], pauses: &mut Pauses) {
        let mut rest = chunk.bytes.as_slice();
        while !rest.is_empty() {
            let settings = self.settings();
            let is_over = || self.state().ending == Ending::Over;
            let put_away = |outcome: Result<(), &std::io::Error>| self.put_away(outcome);
            match writer.write(rest, &self.path, &settings, &self.world.compressor, put_away, is_over) {
                Ok(count) => {
                    writer.came(chunk.bytes.len() - rest.len(), count, came);
                    rest = &rest[count..];
                    // After a failure each try opens the file anew.
                    self.opened();
                    if rest.is_empty() {
                        self.works();
                    }
                }
                Err((count, failure)) => {
                    rest = &rest[count..];
                    if let Failure::Failed(error) = failure {
                        chunk.wake();
                        self.reopened(Some(&error));
                        self.failed(error, pauses);
                        // Each try opens the file anew.
                        self.state().reopen = false;
                        // Perhaps that is what makes room on the disk.
                        self.emptied(writer);
                    }
                    let mut state = self.state();
                    state.underway = state.underway.min(lines(rest));
                    if state.ending != Ending::No || state.users == 0 {
                        state.lost += std::mem::take(&mut state.underway);
                        return;
                    }
                }
            }
        }
    }

    /// Tells that the file fails, and pauses before the next try.
    fn failed(&self, error: std::io::Error, pauses: &mut Pauses) {
        let mut state = self.state();
        self.fails(&mut state, error);
        // More lines are no reason to try again; somebody who wants the file opened anew is.
        let waits = |state: &mut State| !state.reopen && state.asked.empty.is_empty() && state.ending == Ending::No && state.users > 0;
        drop(self.work.wait_timeout_while(state, pauses.next(), waits).unwrap_or_else(PoisonError::into_inner));
    }

    /// A write has opened the file, if it had to: those who asked for that before it began are told.
    fn opened(&self) {
        let mut state = self.state();
        let asked = if state.reopen { Vec::new() } else { std::mem::take(&mut state.asked.reopen) };
        drop(state);
        asked.into_iter().for_each(|answer| answer.give(Some(Ok(()))));
    }

    /// Tells those who asked for it that the file was opened anew, or why it was not.
    fn reopened(&self, error: Option<&std::io::Error>) {
        let asked = std::mem::take(&mut self.state().asked.reopen);
        asked.into_iter().for_each(|answer| answer.give(Some(error.map_or(Ok(()), |error| Err(error.to_string())))));
    }

    /// Empties the file where somebody asks for it.
    fn emptied(&self, writer: &mut Writer) {
        let asked = std::mem::take(&mut self.state().asked.empty);
        asked.into_iter().for_each(|answer| answer.give(Some(emptied(writer.empty(&self.path)))));
    }

    /// A full file was put away, or could not be, which is told for the first time since it could.
    pub(super) fn put_away(&self, outcome: Result<(), &std::io::Error>) {
        let told = std::mem::replace(&mut self.state().unrotated, outcome.is_err());
        if let (Err(error), false) = (outcome, told) {
            let error = std::io::Error::new(error.kind(), error.to_string());
            self.world.tell(News::Unrotated { path: self.path.clone(), error });
        }
    }

    /// Waits for something to do. After that there is no thread, and whoever adds something starts another.
    fn next(&self) -> Job {
        let mut state = self.state();
        loop {
            if std::mem::take(&mut state.reopen) && state.ending != Ending::Over {
                return Job::Reopen;
            }
            if let Some(answer) = state.asked.empty.pop() {
                return Job::Empty(answer);
            }
            if let Some(answer) = state.asked.reached() {
                return Job::Tell(answer);
            }
            if let Some(mut chunk) = state.chunks.pop_front() {
                let room = state.asked.room(chunk.bytes.len());
                if room < chunk.bytes.len() {
                    let rest = chunk.split_off(room);
                    state.chunks.push_front(rest);
                }
                let came = state.asked.taken(room);
                state.underway = lines(&chunk.bytes);
                return Job::Write(chunk, came);
            }
            if state.users == 0 || state.ending != Ending::No {
                break;
            }
            let (woken, timeout) = self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && state.chunks.is_empty() && !state.reopen && state.asked.is_nothing() {
                break;
            }
        }
        state.thread = false;
        if state.users == 0 {
            self.tell_lost(&mut state);
        }
        let unanswered = state.asked.all();
        drop(state);
        drop(unanswered);
        Job::Rest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn emptied(result: std::io::Result<u64>) -> Done<u64> {
    result.map_err(|error| error.to_string())
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
