//! One instance's output: its label, its budget, its last lines, and the pipes that are read for it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    console::Shared,
    ear::{Ear, Follower, Followers, Listener},
    file::News,
    held::Held,
    layout::Layout,
    pump::Tap,
    queue::{Budget, StreamId},
    record::{Recorder, Recording},
    ring::{Kept, Ring},
};
use crate::model::Stream;

/// Whose lines they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The app's name, for JSON.
    pub app: String,
    /// The slot, where the app has several.
    pub instance: Option<u16>,
    /// What stands before each line of a text, rendered with colour and padding (`api | `); empty: nothing.
    pub prefix: Vec<u8>,
}

/// A handle to one instance's output, over all its runs. The source ends with its last handle and its last pipe.
#[derive(Debug, Clone)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    app: String,
    layout: Mutex<Arc<Layout>>,
    /// What waits for the terminal.
    budget: Arc<Budget>,
    recorder: Mutex<Arc<Recorder>>,
    /// How many lines the terminal was too slow for, while that is so.
    unshown: Mutex<Option<u64>>,
    ring: Mutex<Ring>,
    followers: Followers,
    taps: Mutex<Vec<Weak<Tap>>>,
    /// Who listens to the newest run.
    ear: Mutex<Option<Arc<Ear>>>,
}

impl Inner {
    fn unshown(&self) -> MutexGuard<'_, Option<u64>> {
        self.unshown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_unshown(&self) {
        let lines = self.unshown().take().unwrap_or(0);
        let recorder = Arc::clone(&self.recorder.lock().unwrap_or_else(PoisonError::into_inner));
        if let (1.., Some(files)) = (lines, &recorder.files) {
            files.tell(News::Unshown { app: self.app.clone(), lines });
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Whoever waits to tell it finds nothing any more.
        self.tell_unshown();
        self.shared.sources.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Source {
    pub(super) fn new(shared: Arc<Shared>, label: Label) -> Self {
        shared.sources.fetch_add(1, Ordering::Relaxed);
        let app = label.app.clone();
        let layout = Mutex::new(Arc::new(Layout::new(&shared.config, label)));
        Self(Arc::new(Inner {
            shared,
            app,
            layout,
            budget: Arc::default(),
            recorder: Mutex::default(),
            unshown: Mutex::default(),
            ring: Mutex::default(),
            followers: Followers::default(),
            taps: Mutex::default(),
            ear: Mutex::default(),
        }))
    }

    /// The last lines of both streams since [`Source::begin_run`], oldest first, without line ends, each cut to its last 4 KiB. Of each
    /// stream 1000 lines and 128 KiB are kept at most, whatever the other says. None of an app whose lines are neither shown nor kept.
    pub fn ring(&self, lines: usize) -> Vec<Vec<u8>> {
        if self.recorder().muted { Vec::new() } else { self.evidence(lines) }
    }

    /// The last lines of one stream, in the same way.
    pub fn ring_of(&self, stream: Stream, lines: usize) -> Vec<Vec<u8>> {
        if self.recorder().muted { Vec::new() } else { self.ring_lock().last_of(stream, lines) }
    }

    /// The last lines of any app, for who looks for a reason in them and passes none of them on.
    pub fn evidence(&self, lines: usize) -> Vec<Vec<u8>> {
        self.ring_lock().last(lines)
    }

    /// The last lines of one stream over all runs, as they were kept.
    pub fn kept(&self, stream: Stream, lines: usize) -> Vec<Kept> {
        if self.recorder().muted { Vec::new() } else { self.ring_lock().kept(stream, lines).collect() }
    }

    /// The last lines of these streams over all runs, to be taken bit by bit; none is kept for their sake.
    pub fn held(&self, streams: &[Stream], lines: usize) -> Held {
        let inner = Arc::downgrade(&self.0);
        let look = move |see: &mut dyn FnMut(&Ring)| {
            if let Some(inner) = inner.upgrade() {
                see(&Self(inner).ring_lock());
            }
        };
        Held::new(&self.ring_lock(), if self.recorder().muted { &[] } else { streams }, lines, look)
    }

    /// Whether it has said more on this stream, in all its runs, than is kept.
    pub fn has_lost(&self, stream: Stream) -> bool {
        self.ring_lock().has_lost(stream)
    }

    /// Forgets the last lines, of all runs.
    pub fn forget(&self) {
        self.ring_lock().clear();
    }

    /// Has somebody follow what is said from the next line on, as long as they want to. Each has a number, and follows once.
    pub fn follow(&self, number: u64, follower: Follower) {
        self.0.followers.add(number, follower);
    }

    /// Files for what comes from the next line on, also for the runs that are under way.
    pub fn record(&self, recording: Recording) {
        let mut recorder = self.0.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        *recorder = Arc::new(Recorder::after(&recorder, recording));
    }

    /// Whether lines of it are kept in files.
    pub fn is_recorded(&self) -> bool {
        let recorder = self.recorder();
        recorder.keeps(Stream::Out) || recorder.keeps(Stream::Err)
    }

    /// Has it told how many lines the terminal was too slow for, if there were any.
    pub fn tell_unshown(&self) {
        self.0.tell_unshown();
    }

    /// Another label from the next line on, also for the runs that are under way.
    pub fn relabel(&self, label: Label) {
        *self.layout_lock() = Arc::new(Layout::new(&self.0.shared.config, label));
    }

    /// The last lines of a new run begin. `listener`: hears what comes from the pipes that are pumped from now on.
    pub fn begin_run(&self, listener: Option<Listener>) {
        self.ring_lock().begin_run();
        *self.ear_lock() = listener.map(|listener| Arc::new(Ear::new(listener)));
    }

    /// What is pumped from now on is not what the app says, but a build or a command for it: it replaces no last lines, and nobody listens.
    pub fn begin_aside(&self) {
        *self.ear_lock() = None;
    }

    /// Reads what is in the pipes right now and ends the unfinished line, so that the last words of a dead process stand before the news of
    /// its death. Returns when that is done, at once when there is nothing; or when the time is over because the terminal takes nothing.
    pub async fn drained(&self, within: Duration) {
        let taps: Vec<_> = self.taps().iter().filter_map(Weak::upgrade).collect();
        let drain = async {
            for tap in &taps {
                // The pump meets the same error and reports it.
                let _ = tap.drain().await;
            }
        };
        // Too late is no failure: the rest comes when the terminal takes it.
        let _ = tokio::time::timeout(within, drain).await;
    }

    pub(super) fn register(&self, tap: &Arc<Tap>) {
        let mut taps = self.taps();
        taps.retain(|tap| tap.strong_count() > 0);
        taps.push(Arc::downgrade(tap));
    }

    /// Who listens to the newest run.
    pub(super) fn ear(&self) -> Option<Arc<Ear>> {
        self.ear_lock().clone()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.0.recorder.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits while too much of the stream waits: in its files where it has any, else for the terminal.
    pub(super) async fn room(&self, stream: Stream) {
        let recorder = self.recorder();
        if recorder.keeps(stream) {
            recorder.room(stream).await;
        } else if !recorder.muted {
            self.0.budget.room().await;
        }
    }

    /// Whether the console takes these lines, which are in a file: while it is too slow they are counted, and it is told once there is room.
    pub(super) fn shows(&self, stream: StreamId, bytes: &[u8]) -> bool {
        let mut unshown = self.0.unshown();
        let lines = || memchr::memchr_iter(b'\n', bytes).count() as u64;
        match &mut *unshown {
            Some(count) => *count += lines(),
            None if !self.0.budget.is_full() => return true,
            none @ None => {
                *none = Some(lines());
                // What comes next continues nothing.
                self.0.shared.queue.end_line(stream);
                let (inner, budget) = (Arc::downgrade(&self.0), Arc::clone(&self.0.budget));
                tokio::task::spawn_local(async move {
                    budget.room().await;
                    inner.upgrade().iter().for_each(|inner| inner.tell_unshown());
                });
            }
        }
        false
    }

    pub(super) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout_lock())
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// Passes whole lines on to the last lines and, unless nothing of the instance is shown, to those who follow.
    pub(super) fn tell(&self, stream: Stream, lines: &[u8], muted: bool) {
        let time = Timestamp::now().as_millisecond();
        self.ring_lock().feed(stream, lines, time);
        if !muted {
            self.0.followers.hear(stream, time, lines);
        }
    }

    pub(super) fn ring_lock(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that the terminal has not taken.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.0.budget.used()
    }

    fn layout_lock(&self) -> MutexGuard<'_, Arc<Layout>> {
        self.0.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ear_lock(&self) -> MutexGuard<'_, Option<Arc<Ear>>> {
        self.0.ear.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taps(&self) -> MutexGuard<'_, Vec<Weak<Tap>>> {
        self.0.taps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
