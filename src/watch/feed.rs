//! The one channel into the engine: events of the backends and notes of the runner. Sending never blocks and never fails: notify's
//! callback must not wait for the thread that calls notify.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::{self, RecvTimeoutError},
    },
    time::Instant,
};

use super::{Ctl, Raw, Wanted};
use crate::model::AppId;

/// How many events wait at most; one more means that the folders are looked at again.
pub const CAPACITY: usize = 65_536;

/// What the engine's thread receives.
#[derive(Debug)]
pub enum Message {
    /// A backend saw something, then.
    Raw(Instant, Raw),
    /// An app does something.
    Tell(AppId, Ctl),
    /// This is to be watched from now on.
    Watch(Wanted),
    /// The last sender of the source with this number is gone: its thread ended, or it was replaced.
    SourceEnded(u64),
    /// Everything ends.
    End,
}

#[derive(Debug, Default)]
struct Load {
    waiting: AtomicUsize,
    lost: AtomicBool,
}

/// The sending side.
#[derive(Debug, Clone)]
pub struct Feed {
    tx: mpsc::Sender<Message>,
    load: Arc<Load>,
    _source: Option<Arc<Source>>,
}

/// Tells of its own end: notify drops its callback when its thread ends, also in a panic.
#[derive(Debug)]
struct Source {
    number: u64,
    tx: mpsc::Sender<Message>,
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ended_before_us = self.tx.send(Message::SourceEnded(self.number));
    }
}

/// The receiving side: the engine's.
#[derive(Debug)]
pub struct Inbox {
    rx: mpsc::Receiver<Message>,
    load: Arc<Load>,
}

/// Makes the channel.
pub fn channel() -> (Feed, Inbox) {
    let (tx, rx) = mpsc::channel();
    let load = Arc::new(Load::default());
    (Feed { tx, load: Arc::clone(&load), _source: None }, Inbox { rx, load })
}

impl Feed {
    /// A feed for one backend; when its last clone is dropped, the engine gets `SourceEnded(number)`.
    #[must_use]
    pub fn source(&self, number: u64) -> Self {
        Self { _source: Some(Arc::new(Source { number, tx: self.tx.clone() })), ..self.clone() }
    }

    /// Hands over an event seen at `at`. Above [`CAPACITY`] it is dropped and the loss remembered.
    pub fn raw(&self, at: Instant, raw: Raw) {
        if self.load.waiting.fetch_add(1, SeqCst) >= CAPACITY {
            self.load.waiting.fetch_sub(1, SeqCst);
            self.load.lost.store(true, SeqCst);
        } else {
            self.send(Message::Raw(at, raw));
        }
    }

    /// Hands over anything else; such messages are few and never dropped.
    pub fn send(&self, message: Message) {
        let _the_engine_has_ended = self.tx.send(message);
    }
}

impl Inbox {
    /// The next message, if one waits.
    pub fn take(&self) -> Option<Message> {
        self.rx.try_recv().ok().map(|message| self.taken(message))
    }

    /// Waits for the next message, until the deadline or for ever. `None`: the deadline came.
    #[expect(clippy::disallowed_methods, reason = "a wait until an instant needs the present one")]
    pub fn wait(&self, deadline: Option<Instant>) -> Option<Message> {
        let received = match deadline {
            Some(deadline) => self.rx.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => self.rx.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(message) => Some(self.taken(message)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::End),
        }
    }

    /// Whether events were dropped since this was last asked.
    pub fn lost(&self) -> bool {
        self.load.lost.swap(false, SeqCst)
    }

    fn taken(&self, message: Message) -> Message {
        if matches!(message, Message::Raw(..)) {
            self.load.waiting.fetch_sub(1, SeqCst);
        }
        message
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests stamp events as a backend does")]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_loses_events_but_neither_the_fact_nor_notes() {
        let (feed, inbox) = channel();
        let now = Instant::now();
        for _ in 0..CAPACITY + 3 {
            feed.raw(now, Raw::Write("/a".into()));
        }
        feed.send(Message::Tell(AppId(1), Ctl::Manual));
        assert!(inbox.lost());
        assert!(!inbox.lost(), "a loss is told once");
        let mut raw = 0;
        let mut told = 0;
        while let Some(message) = inbox.take() {
            match message {
                Message::Raw(..) => raw += 1,
                Message::Tell(..) => told += 1,
                Message::Watch(_) | Message::SourceEnded(_) | Message::End => unreachable!("nobody sent it"),
            }
        }
        assert_eq!((raw, told), (CAPACITY, 1));
        feed.raw(now, Raw::Rescan);
        assert!(!inbox.lost(), "there is room again");
        assert!(matches!(inbox.wait(None), Some(Message::Raw(_, Raw::Rescan))));
    }

    #[test]
    fn the_end_of_a_source_is_told_by_its_number() {
        let (feed, inbox) = channel();
        let one = feed.source(1);
        let copy = one.clone();
        drop(one);
        assert!(inbox.take().is_none(), "a clone is left");
        drop(copy);
        assert!(matches!(inbox.take(), Some(Message::SourceEnded(1))));
    }
}
