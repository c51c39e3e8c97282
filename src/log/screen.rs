//! The terminal of an instance over all its runs: its last bytes as they came, and those who look at it. Who reads too slowly misses some,
//! and is told so; nobody else waits for that.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::Notify;

use super::modes::Modes;

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
pub struct View(Arc<Queue>);

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
    state: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    seen: VecDeque<Seen>,
    bytes: usize,
    left_out: u64,
    ended: bool,
}

impl Screen {
    /// Shows bytes.
    pub fn feed(&self, bytes: &[u8]) {
        let mut shown = self.lock();
        shown.modes.feed(bytes);
        let tail = &bytes[bytes.len().saturating_sub(KEPT)..];
        let surplus = (shown.last.len() + tail.len()).saturating_sub(KEPT);
        shown.last.drain(..surplus);
        shown.last.extend(tail);
        shown.tell(|queue| queue.bytes(bytes));
    }

    /// Tells those who look a sentence.
    pub fn note(&self, text: &str) {
        self.lock().tell(|queue| queue.note(text));
    }

    /// A new run has a fresh terminal; what the one before has shown stays, and those who look get theirs back as it was.
    pub fn renew(&self) {
        let mut shown = self.lock();
        let leave = shown.modes.leave();
        shown.modes = Modes::default();
        shown.tell(|queue| queue.bytes(&leave));
    }

    /// Those who look have seen everything, for this reason.
    pub fn end(&self, text: &str) {
        let mut shown = self.lock();
        shown.tell(|queue| queue.end(text));
        shown.views.clear();
    }

    /// Whether anybody looks.
    pub fn is_seen(&self) -> bool {
        self.lock().views.iter().any(|view| view.strong_count() > 0)
    }

    /// Looks at it from now on: what a terminal with so many lines has to be shown first, and whether the app has to draw it anew.
    pub fn view(&self, lines: usize) -> (View, Vec<u8>, bool) {
        let mut shown = self.lock();
        let draws = shown.modes.draws();
        let mut first = if draws { Vec::new() } else { shown.last_lines(lines) };
        first.extend(shown.modes.enter());
        let queue = Arc::default();
        shown.views.push(Arc::downgrade(&queue));
        (View(queue), first, draws)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn tell(&mut self, tell: impl Fn(&Queue)) {
        self.views.retain(|view| view.upgrade().inspect(|queue| tell(queue)).is_some());
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
    fn bytes(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let room = if state.left_out > 0 { ROOM / 2 } else { ROOM };
        if state.bytes + bytes.len() > room {
            state.left_out += bytes.len() as u64;
            return;
        }
        state.tell_left_out();
        state.bytes += bytes.len();
        for piece in bytes.chunks(PIECE) {
            match state.seen.back_mut() {
                Some(Seen::Bytes(before)) if before.len() + piece.len() <= PIECE => before.extend_from_slice(piece),
                Some(_) | None => state.seen.push_back(Seen::Bytes(piece.to_vec())),
            }
        }
        self.news.notify_one();
    }

    fn note(&self, text: &str) {
        let mut state = self.lock();
        if state.bytes + text.len() <= ROOM {
            state.tell_left_out();
            state.bytes += text.len();
            state.seen.push_back(Seen::Note(text.to_owned()));
            self.news.notify_one();
        }
    }

    fn end(&self, text: &str) {
        let mut state = self.lock();
        state.tell_left_out();
        state.seen.push_back(Seen::End(text.to_owned()));
        state.ended = true;
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            self.seen.push_back(Seen::LeftOut(std::mem::take(&mut self.left_out)));
        }
    }
}

impl View {
    /// What is seen next; `None`: nothing more.
    pub async fn next(&self) -> Option<Seen> {
        loop {
            {
                let mut state = self.0.lock();
                if state.seen.is_empty() {
                    // What waited is taken, so there is room to say it.
                    state.tell_left_out();
                }
                if let Some(seen) = state.seen.pop_front() {
                    match &seen {
                        Seen::Bytes(bytes) => state.bytes -= bytes.len(),
                        Seen::Note(text) => state.bytes = state.bytes.saturating_sub(text.len()),
                        Seen::LeftOut(_) | Seen::End(_) => {}
                    }
                    return Some(seen);
                }
                if state.ended {
                    return None;
                }
            }
            self.0.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(view: &View) -> Vec<Seen> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut seen = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    next = view.next() => match next {
                        Some(next) => seen.push(next),
                        None => return seen,
                    },
                    () = tokio::task::yield_now() => return seen,
                }
            }
        })
    }

    #[test]
    fn who_comes_sees_the_last_lines_and_then_everything() {
        let screen = Screen::default();
        screen.feed(b"one\r\ntwo\r\nthree\r\n$ ");
        let (view, first, draw) = screen.view(2);
        assert_eq!((String::from_utf8(first).unwrap(), draw), ("three\r\n$ ".to_owned(), false));
        let (_, whole, _) = screen.view(24);
        assert!(whole.starts_with(b"one"));
        assert!(screen.is_seen());
        screen.feed(b"ls");
        screen.feed(b"\r\n");
        screen.note("api restarted");
        screen.end("it is stopped");
        assert_eq!(all(&view), [Seen::Bytes(b"ls\r\n".into()), Seen::Note("api restarted".into()), Seen::End("it is stopped".into())]);
        assert!(!screen.is_seen());
    }

    #[test]
    fn what_an_app_draws_is_drawn_anew_and_a_new_run_begins_with_a_fresh_terminal() {
        let screen = Screen::default();
        screen.feed(b"\x1b[?1049h\x1b[?25lpicture");
        let (view, first, draw) = screen.view(24);
        assert_eq!((first, draw), (b"\x1b[?25l\x1b[?1049h".to_vec(), true));
        screen.renew();
        assert_eq!(all(&view), [Seen::Bytes(b"\x1b[?25h\x1b[?1049l\x1b[0m".to_vec())]);
        assert!(!screen.view(24).2);
    }

    #[test]
    fn who_reads_too_slowly_costs_a_bounded_amount_and_is_told_what_is_missing() {
        let screen = Screen::default();
        let (slow, ..) = screen.view(24);
        let piece = [b'x'; 4096];
        let pieces = 10 * ROOM / piece.len();
        (0..pieces).for_each(|_| screen.feed(&piece));
        assert!(slow.0.lock().bytes <= ROOM);
        let seen = all(&slow);
        let missing = seen.iter().map(|seen| if let Seen::LeftOut(count) = seen { *count } else { 0 }).sum::<u64>();
        let taken = seen.iter().map(|seen| if let Seen::Bytes(bytes) = seen { bytes.len() as u64 } else { 0 }).sum::<u64>();
        assert_eq!(missing + taken, (pieces * piece.len()) as u64);
        assert!(missing > 0);
        screen.feed(b"again");
        assert_eq!(all(&slow), [Seen::Bytes(b"again".into())]);
        assert!(screen.lock().last.len() <= KEPT);
    }
}
