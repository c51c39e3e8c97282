//! What waits for a client that follows: lines are given up, and counted, when it reads too slowly, so that it costs a bounded amount of memory
//! and nobody any time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::sync::Notify;

use super::protocol::Reply;
use crate::model::Stream;

/// Bytes of lines that may wait for a client.
const ROOM: usize = 1 << 20;

/// Lines of one stream are gathered into replies of up to this many bytes.
const GATHER: usize = 32 << 10;

/// Replies for a client that follows, in order. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    state: Arc<Mutex<State>>,
    left: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    /// Bytes of lines among them.
    bytes: usize,
    /// Lines that were given up since the last that were taken; while there are any, nothing more is taken until half of the room is free.
    left_out: u64,
    waker: Option<Waker>,
    /// The client is gone.
    gone: bool,
    /// Nothing more comes.
    ended: bool,
}

#[derive(Debug)]
enum Entry {
    Reply(Reply),
    /// Whole lines, with the id of whose they are.
    Lines {
        id: usize,
        stream: Stream,
        time: i64,
        bytes: Vec<u8>,
    },
}

impl Feed {
    /// Adds whole lines, or counts them; false: the client is gone.
    pub fn lines(&self, id: usize, stream: Stream, time: i64, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.gone {
            return false;
        }
        let room = if state.left_out > 0 { ROOM / 2 } else { ROOM };
        if state.bytes > 0 && state.bytes + bytes.len() > room {
            state.left_out += memchr::memchr_iter(b'\n', bytes).count() as u64;
            return true;
        }
        state.tell_left_out();
        state.bytes += bytes.len();
        match state.waiting.back_mut() {
            Some(Entry::Lines { id: last, stream: same, time: then, bytes: before })
                if (*last, *same, *then) == (id, stream, time) && before.len() + bytes.len() <= GATHER =>
            {
                before.extend_from_slice(bytes);
            }
            Some(_) | None => state.waiting.push_back(Entry::Lines { id, stream, time, bytes: bytes.to_vec() }),
        }
        state.wake();
        true
    }

    /// Adds a reply that is not given up.
    pub fn say(&self, reply: Reply) {
        let mut state = self.state();
        if state.gone {
            return;
        }
        state.tell_left_out();
        state.waiting.push_back(Entry::Reply(reply));
        state.wake();
    }

    /// Adds a reply of about this size, or gives it up without a word where there is no room.
    pub fn offer(&self, reply: Reply, size: usize) {
        let waits = {
            let state = self.state();
            state.bytes + size > ROOM || state.waiting.len() > GATHER
        };
        if !waits {
            self.say(reply);
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

    /// The client is gone: nothing is kept for it any more.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.gone = true;
        state.waiting = VecDeque::new();
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
        if state.waiting.is_empty() {
            state.tell_left_out();
        }
        match state.waiting.pop_front() {
            Some(Entry::Reply(reply)) => Poll::Ready(Some(reply)),
            Some(Entry::Lines { id, stream, time, bytes }) => {
                state.bytes -= bytes.len();
                drop(state);
                let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                let lines = whole.split(|&byte| byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect();
                Poll::Ready(Some(Reply::Lines { id, stream, time, lines }))
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_left_out(&mut self) {
        let lines = std::mem::take(&mut self.left_out);
        if lines > 0 {
            self.waiting.push_back(Entry::Reply(Reply::LeftOut { lines }));
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(feed: &Feed) -> Poll<Option<Reply>> {
        feed.next(&mut Context::from_waker(Waker::noop()))
    }

    /// What comes, to where it is waited for more.
    fn all(feed: &Feed) -> Vec<Reply> {
        std::iter::from_fn(|| match next(feed) {
            Poll::Ready(reply) => reply,
            Poll::Pending => None,
        })
        .collect()
    }

    #[test]
    fn lines_of_one_stream_and_moment_are_one_reply() {
        let feed = Feed::default();
        for (id, stream, time) in [(0, Stream::Out, 1), (0, Stream::Out, 1), (0, Stream::Err, 1), (1, Stream::Err, 1), (1, Stream::Err, 2)]
        {
            assert!(feed.lines(id, stream, time, b"a\n\nb\xff\n"));
        }
        let counts: Vec<usize> = all(&feed)
            .into_iter()
            .map(|reply| match reply {
                Reply::Lines { lines, .. } => {
                    assert_eq!(lines[..3], ["a", "", "b\u{fffd}"]);
                    lines.len()
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(counts, [6, 3, 3, 3]);
    }

    #[test]
    fn every_line_comes_or_is_counted_and_what_waits_is_bounded() {
        let feed = Feed::default();
        let line = [&[b'x'; 99][..], b"\n"].concat();
        let (mut said, mut came, mut left, mut told) = (0, 0, 0, 0);
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            for _ in 0..random.usize(..400) {
                let count = random.usize(1..200);
                assert!(feed.lines(0, Stream::Out, 0, &line.repeat(count)));
                said += count;
            }
            assert!(feed.state().bytes <= ROOM);
            for _ in 0..random.usize(..60) {
                match next(&feed) {
                    Poll::Ready(Some(Reply::Lines { lines, .. })) => came += lines.len(),
                    Poll::Ready(Some(Reply::LeftOut { lines })) => (left, told) = (left + lines, told + 1),
                    Poll::Pending => break,
                    other => panic!("{other:?}"),
                }
            }
        }
        for reply in all(&feed) {
            match reply {
                Reply::Lines { lines, .. } => came += lines.len(),
                Reply::LeftOut { lines } => left += lines,
                other => panic!("{other:?}"),
            }
        }
        assert!(told > 1 && left > 0);
        assert_eq!(came as u64 + left, said as u64);
    }

    #[test]
    fn a_line_larger_than_the_room_comes_alone_and_who_is_gone_gets_nothing() {
        let feed = Feed::default();
        let large = [vec![b'x'; 2 * ROOM], b"\n".to_vec()].concat();
        assert!(feed.lines(0, Stream::Out, 0, &large) && feed.lines(0, Stream::Out, 0, b"more\n"));
        assert!(matches!(&all(&feed)[..], [Reply::Lines { .. }, Reply::LeftOut { lines: 1 }]));
        feed.say(Reply::Live);
        feed.leave();
        assert!(!feed.lines(0, Stream::Out, 0, b"x\n") && feed.is_gone());
        feed.say(Reply::Live);
        feed.end();
        assert_eq!(next(&feed), Poll::Ready(None));
    }
}
