//! The terminal of an instance over all its runs: its last bytes as they came, and those who look at it. Who reads too slowly misses what
//! was in between, is told so, and goes on with the last lines; nobody else waits for that.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::Notify;

use super::{modes::Modes, queries::without_queries};

/// Bytes that are kept for those who come.
const KEPT: usize = 64 << 10;

/// Bytes that may wait for one who looks.
const ROOM: usize = 256 << 10;

/// Bytes that are handed over at once.
const PIECE: usize = 8 << 10;

/// A terminal. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Screen(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    last: VecDeque<u8>,
    modes: Modes,
    views: Vec<Weak<Queue>>,
}

/// One who looks at it; dropped, it looks no more.
#[derive(Debug)]
pub struct View {
    queue: Arc<Queue>,
    screen: Screen,
}

/// What is seen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Bytes for the terminal.
    Bytes(Vec<u8>),
    /// A sentence of the runner's.
    Note(String),
    /// So many bytes were left out, because they were not taken in time.
    LeftOut(u64),
    /// Nothing more comes, for this reason.
    End(String),
}

#[derive(Debug, Default)]
struct Queue {
    is_terminal: bool,
    state: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    seen: VecDeque<Seen>,
    bytes: usize,
    /// Nothing is put here any more until everything is taken.
    behind: Option<Behind>,
    ended: bool,
}

/// What one who fell behind has not got.
#[derive(Debug)]
struct Behind {
    bytes: usize,
    /// What its terminal is like.
    modes: Modes,
}

impl Screen {
    /// Shows bytes. What the app asks its terminal is asked only of the terminal that came last.
    pub fn feed(&self, bytes: &[u8]) {
        let mut shown = self.lock();
        let asked = shown.views.iter().rev().filter_map(Weak::upgrade).find(|queue| queue.is_terminal && queue.lock().behind.is_none());
        let others = if asked.is_some() && shown.views.len() > 1 { without_queries(bytes) } else { Vec::new() };
        shown.tell(|queue, shown| {
            let is_asked = asked.as_deref().is_none_or(|asked| std::ptr::eq(asked, queue));
            queue.bytes(if is_asked { bytes } else { &others }, shown);
        });
        shown.modes.feed(bytes);
        let tail = &bytes[bytes.len().saturating_sub(KEPT)..];
        let surplus = (shown.last.len() + tail.len()).saturating_sub(KEPT);
        shown.last.drain(..surplus);
        shown.last.extend(tail);
    }

    /// Tells those who look a sentence.
    pub fn note(&self, text: &str) {
        self.lock().tell(|queue, _| queue.note(text));
    }

    /// A new run has a fresh terminal; what the one before has shown stays, and those who look get theirs back as it was.
    pub fn renew(&self) {
        let mut shown = self.lock();
        let leave = shown.modes.leave();
        shown.modes = Modes::default();
        shown.tell(|queue, _| queue.control(&leave));
    }

    /// The terminal has another size.
    pub fn resized(&self) {
        self.lock().modes.resized();
    }

    /// Those who look have seen everything, for this reason.
    pub fn end(&self, text: &str) {
        let mut shown = self.lock();
        shown.tell(|queue, shown| queue.end(text, shown));
        shown.views.clear();
    }

    /// Whether anybody looks.
    pub fn is_seen(&self) -> bool {
        self.lock().views.iter().any(|view| view.strong_count() > 0)
    }

    /// Whether the app draws on a screen of its own, which only it can draw anew.
    pub fn draws(&self) -> bool {
        self.lock().modes.draws()
    }

    /// Looks at it from now on: what a terminal with so many lines has to be shown first, and whether the app has to draw it anew. Who has
    /// no lines is no terminal.
    pub fn view(&self, lines: usize) -> (View, Vec<u8>, bool) {
        let mut shown = self.lock();
        let draws = shown.modes.draws();
        let mut first = if draws { Vec::new() } else { without_queries(&shown.last_lines(lines)) };
        // The last lines have brought it somewhere already.
        let mut brought = Modes::default();
        brought.feed(&first);
        if !brought.is_as(&shown.modes) {
            if !brought.is_as(&Modes::default()) {
                first.extend(brought.leave());
            }
            first.extend(shown.modes.enter());
        }
        let queue = Arc::new(Queue { is_terminal: lines > 0, ..Queue::default() });
        shown.views.push(Arc::downgrade(&queue));
        (View { queue, screen: self.clone() }, first, draws)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn tell(&mut self, tell: impl Fn(&Queue, &Self)) {
        let mut views = std::mem::take(&mut self.views);
        views.retain(|view| view.upgrade().inspect(|queue| tell(queue, self)).is_some());
        self.views = views;
    }

    /// The last of so many bytes, from the beginning of a line on, as far as they are kept.
    fn tail(&self, bytes: usize) -> Vec<u8> {
        let tail: Vec<u8> = self.last.range(self.last.len().saturating_sub(bytes)..).copied().collect();
        let from = if bytes > tail.len() { memchr::memchr(b'\n', &tail).map_or(0, |at| at + 1) } else { 0 };
        tail[from..].to_vec()
    }

    /// As many as fit, the one with the cursor among them.
    fn last_lines(&mut self, lines: usize) -> Vec<u8> {
        let last = self.last.make_contiguous();
        let from = memchr::memrchr_iter(b'\n', last).nth(lines.max(1) - 1).map(|at| at + 1);
        // The first that is kept may be the end of a longer line.
        let whole = if last.len() < KEPT { 0 } else { memchr::memchr(b'\n', last).map_or(0, |at| at + 1) };
        last[from.unwrap_or(whole)..].to_vec()
    }
}

impl Queue {
    /// Takes bytes that are about to be shown.
    fn bytes(&self, bytes: &[u8], shown: &Shown) {
        let mut state = self.lock();
        if let Some(behind) = &mut state.behind {
            behind.bytes += bytes.len();
        } else if state.bytes + bytes.len() > ROOM {
            state.behind = Some(Behind { bytes: bytes.len(), modes: shown.modes.clone() });
        } else {
            state.push(bytes);
        }
        self.news.notify_one();
    }

    /// Takes what is for the terminal, and nothing that the app has shown; who is behind gets what it comes to when it catches up.
    fn control(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.behind.is_none() {
            state.push(bytes);
            self.news.notify_one();
        }
    }

    fn note(&self, text: &str) {
        let mut state = self.lock();
        if state.bytes + text.len() <= ROOM {
            state.bytes += text.len();
            state.seen.push_back(Seen::Note(text.to_owned()));
            self.news.notify_one();
        }
    }

    fn end(&self, text: &str, shown: &Shown) {
        let mut state = self.lock();
        state.catch_up(shown);
        state.seen.push_back(Seen::End(text.to_owned()));
        state.ended = true;
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        for piece in bytes.chunks(PIECE) {
            match self.seen.back_mut() {
                Some(Seen::Bytes(before)) if before.len() + piece.len() <= PIECE => before.extend_from_slice(piece),
                Some(_) | None => self.seen.push_back(Seen::Bytes(piece.to_vec())),
            }
        }
    }

    /// Goes on with the last lines: what stands there now is of more use than what stood there before.
    fn catch_up(&mut self, shown: &Shown) {
        let Some(behind) = self.behind.take() else { return };
        let draws = shown.modes.draws();
        let tail = if draws { Vec::new() } else { shown.tail(behind.bytes) };
        let left_out = behind.bytes - tail.len();
        // Others may have answered what is asked there.
        let tail = if shown.views.len() > 1 { without_queries(&tail) } else { tail };
        let changed = !behind.modes.is_as(&shown.modes);
        if changed {
            self.push(&behind.modes.leave());
        }
        if left_out > 0 {
            self.seen.push_back(Seen::LeftOut(left_out as u64));
        }
        self.push(&tail);
        if changed {
            self.push(&shown.modes.enter());
        }
    }

    fn take(&mut self) -> Option<Seen> {
        let seen = self.seen.pop_front()?;
        match &seen {
            Seen::Bytes(bytes) => self.bytes -= bytes.len(),
            Seen::Note(text) => self.bytes -= text.len(),
            Seen::LeftOut(_) | Seen::End(_) => {}
        }
        Some(seen)
    }
}

impl View {
    /// What is seen next; `None`: nothing more.
    pub async fn next(&self) -> Option<Seen> {
        loop {
            {
                // Those who show take these two in this order.
                let shown = self.screen.lock();
                let mut state = self.queue.lock();
                if state.seen.is_empty() {
                    state.catch_up(&shown);
                }
                if let Some(seen) = state.take() {
                    return Some(seen);
                }
                if state.ended {
                    return None;
                }
            }
            self.queue.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests;
