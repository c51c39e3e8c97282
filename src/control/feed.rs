//! What waits for a client that looks at logs. Nobody waits for it: one that reads too slowly misses the middle, which is counted, and neither
//! the beginning nor the end; and what it costs is bounded, for each and for all together.

use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::sync::Notify;

use super::protocol::Reply;
use crate::model::Stream;

/// Bytes that may wait for a client, and those of the newest of what does not fit.
const ROOM: usize = 1 << 20;
const LAST: usize = 128 << 10;

/// Bytes that may wait for all clients, and what each may have beyond.
const ALL: usize = 8 << 20;
const LEAST: usize = 64 << 10;

/// Lines of one stream are gathered into replies of up to this many bytes.
const GATHER: usize = 32 << 10;

/// What a reply costs besides its text.
const EACH: usize = 128;

/// The feeds of a runner. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Feeds(Arc<AtomicUsize>);

impl Feeds {
    /// One more. `follows`: its client may take as long as it likes to read.
    pub fn feed(&self, follows: bool) -> Feed {
        let state =
            State { waiting: VecDeque::new(), bytes: 0, gap: None, all: Arc::clone(&self.0), waker: None, gone: false, ended: false };
        Feed { state: Arc::new(Mutex::new(state)), left: Arc::default(), follows }
    }

    /// Bytes that wait for all clients.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Replies for a client, in order. Clones share them.
#[derive(Debug, Clone)]
pub struct Feed {
    state: Arc<Mutex<State>>,
    left: Arc<Notify>,
    follows: bool,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Entry>,
    /// What that costs, in bytes.
    bytes: usize,
    /// What did not fit; while there is any, nothing more is added to what waits until half of the room is free.
    gap: Option<Gap>,
    /// What waits for all clients.
    all: Arc<AtomicUsize>,
    waker: Option<Waker>,
    /// The client is gone.
    gone: bool,
    /// Nothing more comes.
    ended: bool,
}

/// What did not fit.
#[derive(Debug, Default)]
struct Gap {
    /// Lines that were given up.
    lines: u64,
    /// Replies among them that are not given up.
    kept: Vec<Reply>,
    /// What came last.
    last: VecDeque<Entry>,
    /// What `last` costs, in bytes.
    bytes: usize,
}

#[derive(Debug)]
enum Entry {
    Reply(Reply),
    /// Whole lines, with the id of whose they are.
    Lines(Lines),
    /// Replies that are made when their turn comes.
    Drawn(Draw),
}

#[derive(Debug)]
struct Lines {
    id: usize,
    stream: Stream,
    time: i64,
    bytes: Vec<u8>,
}

struct Draw(Box<dyn FnMut() -> Option<Reply> + Send>);

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Draw").finish_non_exhaustive()
    }
}

impl Feed {
    /// Adds whole lines, or gives up some that came before; false: the client is gone.
    pub fn lines(&self, id: usize, stream: Stream, time: i64, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.gone {
            return false;
        }
        state.push(Entry::Lines(Lines { id, stream, time, bytes: bytes.to_vec() }));
        true
    }

    /// Adds a reply of the answer itself: of those there is only as much as was asked for, so there is room for each.
    pub fn say(&self, reply: Reply) {
        self.state().add(Entry::Reply(reply));
    }

    /// Adds lines that were said before, if so many of so many bytes find room: then they are its own, whatever is said from now on.
    pub fn takes(&self, id: usize, lines: usize, bytes: usize, all: impl Iterator<Item = (Stream, i64, Vec<u8>)>) -> bool {
        let mut state = self.state();
        if state.bytes + bytes + lines * (EACH + 1) > state.room() {
            return false;
        }
        all.for_each(|(stream, time, bytes)| state.add(Entry::Lines(Lines { id, stream, time, bytes })));
        true
    }

    /// Adds replies that are made one by one, when their turn comes. `draw` must not wait for anybody.
    pub fn draw(&self, draw: impl FnMut() -> Option<Reply> + Send + 'static) {
        self.state().add(Entry::Drawn(Draw(Box::new(draw))));
    }

    /// Adds a reply about what happens. Where there is no room, a notice may be given up; what else there is comes after the gap, of sources
    /// of one id the newest.
    pub fn tell(&self, reply: Reply) {
        let mut state = self.state();
        if !state.gone {
            state.push(Entry::Reply(reply));
        }
    }

    /// Sources are told of no more that are not there any more.
    pub fn retain_sources(&self, is_there: impl Fn(usize) -> bool) {
        if let Some(gap) = &mut self.state().gap {
            gap.kept.retain(|reply| !matches!(reply, Reply::Source(source) if !is_there(source.id)));
        }
    }

    /// Nothing more comes.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.wake();
    }

    /// Whether the client is gone.
    pub fn is_gone(&self) -> bool {
        self.state().gone
    }

    /// Whether the client may take as long as it likes to read.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    /// The client is gone: nothing is kept for it any more.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.gone = true;
        state.clear();
        drop(state);
        self.left.notify_waiters();
    }

    /// Returns when the client is gone, or has everything up to the end.
    pub async fn left(&self) {
        loop {
            let left = self.left.notified();
            if self.is_gone() {
                return;
            }
            left.await;
        }
    }

    /// The next reply; `None` after the last one. One caller at a time is woken.
    pub(super) fn next(&self, context: &mut Context) -> Poll<Option<Reply>> {
        let mut state = self.state();
        loop {
            state.close_gap();
            if let Some(Entry::Drawn(Draw(draw))) = state.waiting.front_mut()
                && let Some(reply) = draw()
            {
                return Poll::Ready(Some(reply));
            }
            match state.take() {
                Some(Entry::Reply(reply)) => return Poll::Ready(Some(reply)),
                Some(Entry::Lines(lines)) => {
                    drop(state);
                    return Poll::Ready(Some(lines.reply()));
                }
                Some(Entry::Drawn(_)) => {}
                None if state.ended => return Poll::Ready(None),
                None => {
                    state.waker = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What may wait for this client, now that so much waits for all.
    fn room(&self) -> usize {
        if self.all.load(Ordering::Relaxed) > ALL { LEAST } else { ROOM }
    }

    /// Adds to what waits where there is room, else to the gap.
    fn push(&mut self, entry: Entry) {
        let room = self.room();
        if self.gap.is_none() && (self.bytes == 0 || self.bytes + entry.cost() <= room) {
            return self.add(entry);
        }
        let gap = self.gap.get_or_insert_default();
        let before = gap.bytes;
        gap.push(entry, LAST.min(room / 2));
        let (added, freed) = (gap.bytes.saturating_sub(before), before.saturating_sub(gap.bytes));
        self.all.fetch_add(added, Ordering::Relaxed);
        self.all.fetch_sub(freed, Ordering::Relaxed);
        self.wake();
    }

    /// Adds to what waits.
    fn add(&mut self, entry: Entry) {
        if self.gone {
            return;
        }
        let cost = append(&mut self.waiting, entry);
        self.bytes += cost;
        self.all.fetch_add(cost, Ordering::Relaxed);
        self.wake();
    }

    /// The first of what waits.
    fn take(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.bytes -= entry.cost();
        self.all.fetch_sub(entry.cost(), Ordering::Relaxed);
        Some(entry)
    }

    /// Once there is room again, what was left out is told, and what came last follows.
    fn close_gap(&mut self) {
        if self.bytes > self.room() / 2 {
            return;
        }
        let Some(Gap { lines, kept, last, bytes }) = self.gap.take() else { return };
        self.all.fetch_sub(bytes, Ordering::Relaxed);
        if lines > 0 {
            self.add(Entry::Reply(Reply::LeftOut { lines }));
        }
        kept.into_iter().map(Entry::Reply).chain(last).for_each(|entry| self.add(entry));
    }

    fn clear(&mut self) {
        let gap = self.gap.take().map_or(0, |gap| gap.bytes);
        self.waiting = VecDeque::new();
        self.all.fetch_sub(mem::take(&mut self.bytes) + gap, Ordering::Relaxed);
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Gap {
    /// Adds what came last, and gives up what came first of it, until that is no more than `room`.
    fn push(&mut self, mut entry: Entry, room: usize) {
        if let Entry::Lines(lines) = &mut entry {
            self.lines += lines.cut_to(room.saturating_sub(EACH));
        }
        self.bytes += append(&mut self.last, entry);
        while self.bytes > room
            && let Some(first) = self.last.pop_front()
        {
            self.bytes -= first.cost();
            match first {
                Entry::Lines(Lines { bytes, .. }) => self.lines += count(&bytes),
                Entry::Reply(Reply::Notice { .. }) | Entry::Drawn(_) => {}
                Entry::Reply(reply) => self.keep(reply),
            }
        }
    }

    fn keep(&mut self, reply: Reply) {
        if let Reply::Source(new) = &reply {
            self.kept.retain(|known| !matches!(known, Reply::Source(old) if old.id == new.id));
        }
        self.kept.push(reply);
    }
}

impl Lines {
    /// Keeps the last whole lines of so many bytes; how many lines go.
    fn cut_to(&mut self, most: usize) -> u64 {
        let too_much = self.bytes.len().saturating_sub(most);
        if too_much == 0 {
            return 0;
        }
        let cut = memchr::memchr(b'\n', &self.bytes[too_much - 1..]).map_or(self.bytes.len(), |newline| too_much + newline);
        let rest = self.bytes.split_off(cut);
        count(&mem::replace(&mut self.bytes, rest))
    }

    fn reply(self) -> Reply {
        let Self { id, stream, time, bytes } = self;
        let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let lines = whole.split(|&byte| byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        Reply::Lines { id, stream, time, lines }
    }
}

impl Entry {
    /// About what it costs to keep, in bytes.
    fn cost(&self) -> usize {
        EACH + match self {
            Self::Lines(Lines { bytes, .. }) => bytes.len(),
            Self::Reply(Reply::Notice { text, hint, .. }) => text.len() + hint.as_ref().map_or(0, String::len),
            Self::Reply(Reply::Source(source)) => source.name.len() + source.files.iter().map(|file| EACH + file.path.len()).sum::<usize>(),
            Self::Reply(Reply::Position { path, .. }) => path.len(),
            Self::Reply(_) | Self::Drawn(_) => 0,
        }
    }
}

/// Adds to a queue; what that costs. Lines of one stream and moment are one reply.
fn append(queue: &mut VecDeque<Entry>, entry: Entry) -> usize {
    let cost = entry.cost();
    match (queue.back_mut(), entry) {
        (Some(Entry::Lines(last)), Entry::Lines(next))
            if (last.id, last.stream, last.time) == (next.id, next.stream, next.time) && last.bytes.len() + next.bytes.len() <= GATHER =>
        {
            last.bytes.extend_from_slice(&next.bytes);
            next.bytes.len()
        }
        // Cut to nothing.
        (_, Entry::Lines(next)) if next.bytes.is_empty() => 0,
        (_, entry) => {
            queue.push_back(entry);
            cost
        }
    }
}

fn count(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
