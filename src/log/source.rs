//! One instance's output: its label, its budget, its last lines, and the pipes that are read for it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use super::{
    console::Shared,
    ear::{Ear, Listener},
    layout::Layout,
    pump::Tap,
    queue::Budget,
    ring::Ring,
};

/// A stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

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
    layout: Mutex<Arc<Layout>>,
    budget: Arc<Budget>,
    ring: Mutex<Ring>,
    taps: Mutex<Vec<Weak<Tap>>>,
    /// Who listens to the newest run.
    ear: Mutex<Option<Arc<Ear>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.sources.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Source {
    pub(super) fn new(shared: Arc<Shared>, label: Label) -> Self {
        shared.sources.fetch_add(1, Ordering::Relaxed);
        let layout = Mutex::new(Arc::new(Layout::new(&shared.config, label)));
        Self(Arc::new(Inner {
            shared,
            layout,
            budget: Arc::default(),
            ring: Mutex::default(),
            taps: Mutex::default(),
            ear: Mutex::default(),
        }))
    }

    /// The last lines (at most 50) of both streams since [`Source::begin_run`], oldest first, without line ends, each cut to its last 4 KiB.
    pub fn ring(&self, lines: usize) -> Vec<Vec<u8>> {
        self.ring_lock().last(lines)
    }

    /// Another label from the next line on, also for the runs that are under way.
    pub fn relabel(&self, label: Label) {
        *self.layout_lock() = Arc::new(Layout::new(&self.0.shared.config, label));
    }

    /// Forgets the last lines: those of a new run begin. `listener`: hears what comes from the pipes that are pumped from now on.
    pub fn begin_run(&self, listener: Option<Listener>) {
        self.ring_lock().clear();
        *self.ear_lock() = listener.map(|listener| Arc::new(Ear::new(listener)));
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

    pub(super) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout_lock())
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
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
