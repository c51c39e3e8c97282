//! What waits to be written, and how much of it each app may have waiting.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::footer::Footer;

/// Bytes of one app that may wait for the terminal before the app is held back.
const BUDGET: usize = 1 << 20;

/// Small blocks of one app are gathered into chunks of up to this many bytes, so a budget of one-byte lines costs no million allocations.
const GATHER: usize = 64 << 10;

/// Names one stream of one source; never reused within a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamId(pub u64);

/// Counts what an app has waiting.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: AtomicUsize,
    freed: Notify,
}

impl Budget {
    /// Waits until less than [`BUDGET`] bytes wait. Once held back, an app goes on when half of it is free, or every line written would
    /// wake its pump for one line more.
    pub(super) async fn room(&self) {
        self.room_unless(|| false).await;
    }

    /// The same, but not while this is so; whoever makes it so wakes those who wait.
    pub(super) async fn room_unless(&self, lifted: impl Fn() -> bool) {
        while self.is_full() && !lifted() {
            let freed = self.freed.notified();
            if self.is_full() && !lifted() {
                freed.await;
            }
        }
    }

    /// Whether the app is to be held back.
    pub(super) fn is_full(&self) -> bool {
        self.used.load(Ordering::Acquire) >= BUDGET
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    fn release(&self, bytes: usize) {
        let before = self.used.fetch_sub(bytes, Ordering::AcqRel);
        if before > BUDGET / 2 && before - bytes <= BUDGET / 2 {
            self.freed.notify_waiters();
        }
    }
}

/// Bytes on their way, charged to an app's budget until they are written or given up.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    budget: Option<Arc<Budget>>,
}

impl Chunk {
    /// Ends a line that was cut off by a failed write.
    pub(super) fn newline() -> Self {
        Self::free(b"\n")
    }

    /// Nobody's.
    pub(super) fn free(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), budget: None }
    }

    /// Parts it; what comes back is the rest.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        Self { bytes: self.bytes.split_off(at), budget: self.budget.clone() }
    }

    /// Has those looked after who are held back by it.
    pub(super) fn wake(&self) {
        self.budget.iter().for_each(|budget| budget.freed.notify_waiters());
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.release(self.bytes.len());
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What waits is still written, nothing new is taken.
    Closing,
    /// Nothing is written any more.
    Over,
}

#[derive(Debug)]
struct State {
    chunks: VecDeque<Chunk>,
    /// The stream whose line stands unfinished at the end of all that was pushed.
    unfinished: Option<StreamId>,
    footer: Footer,
    /// Everything that was taken is written.
    idle: bool,
    phase: Phase,
    gone: bool,
}

/// What waits to be written: filled by the pumps and the runner, emptied by the writer.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    /// The writer waits for more.
    written: Condvar,
    changed: Notify,
    /// What waits of the runner's own words. They are never refused; who makes many of them may wait for room.
    words: Arc<Budget>,
}

impl Queue {
    pub(super) fn new() -> Self {
        let (chunks, footer, phase) = (VecDeque::new(), Footer::default(), Phase::Open);
        let state = State { chunks, unfinished: None, footer, idle: false, phase, gone: false };
        let (work, written) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), work, written, changed: Notify::new(), words: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the line of this stream stands unfinished at the end, so that its next bytes continue it.
    pub(super) fn continues(&self, stream: StreamId) -> bool {
        self.state().unfinished == Some(stream)
    }

    #[cfg(test)]
    pub(super) fn is_unfinished(&self) -> bool {
        self.state().unfinished.is_some()
    }

    /// Adds bytes of one stream. `unfinished`: they end within a line. Another stream's unfinished line is ended first.
    pub(super) fn push(&self, stream: StreamId, bytes: Cow<'_, [u8]>, unfinished: bool, budget: &Arc<Budget>) {
        self.add(Some(stream), bytes, unfinished, Some(budget));
    }

    /// Adds whole lines of the runner itself.
    pub(super) fn say(&self, bytes: Vec<u8>) {
        self.add(None, bytes.into(), false, Some(&self.words));
    }

    /// Waits until not too many of the runner's own words wait.
    pub(super) async fn room(&self) {
        self.words.room().await;
    }

    /// Ends the line of this stream if it stands unfinished.
    pub(super) fn end_line(&self, stream: StreamId) {
        if self.continues(stream) {
            self.control(b"\n");
        }
    }

    /// Adds bytes that stand wherever the cursor is and leave it at the start of a line.
    pub(super) fn control(&self, bytes: &'static [u8]) {
        self.state().unfinished = None;
        self.add(None, bytes.into(), false, None);
    }

    fn add(&self, stream: Option<StreamId>, bytes: Cow<'_, [u8]>, unfinished: bool, budget: Option<&Arc<Budget>>) {
        let mut state = self.state();
        if state.phase != Phase::Open || bytes.is_empty() {
            return;
        }
        if state.unfinished.is_some() && state.unfinished != stream {
            append(&mut state.chunks, b"\n".into(), None);
        }
        append(&mut state.chunks, bytes, budget);
        state.unfinished = if unfinished { stream } else { None };
        drop(state);
        self.work.notify_one();
    }

    /// Waits for something to write and puts it all into `batch`, which is empty; false: nothing is to be written any more.
    pub(super) fn take(&self, batch: &mut VecDeque<Chunk>) -> bool {
        let mut state = self.state();
        state.idle = true;
        self.written.notify_all();
        loop {
            let at_start = state.unfinished.is_none();
            match state.phase {
                Phase::Over => return false,
                Phase::Open | Phase::Closing if !state.chunks.is_empty() || state.footer.is_due(at_start) => {
                    std::mem::swap(&mut state.chunks, batch);
                    state.footer.around(batch, at_start);
                    state.idle = false;
                    return true;
                }
                Phase::Open => state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Phase::Closing => {
                    drop(state);
                    self.end();
                    return false;
                }
            }
        }
    }

    /// Lines that stay below everything else, none wider than the terminal; none: nothing does.
    pub(super) fn set_footer(&self, lines: &[String]) {
        self.state().footer.set(lines);
        self.work.notify_one();
    }

    /// Takes the footer away, and waits until that is done, or for so long.
    pub(super) fn drop_footer(&self, within: Duration) {
        self.set_footer(&[]);
        let pending = |state: &mut State| state.phase != Phase::Over && !(state.idle && state.footer.is_gone());
        // Too late is no failure: a terminal that takes nothing shows nothing either.
        let _ = self.written.wait_timeout_while(self.state(), within, pending);
    }

    /// Whether nothing is to be written any more.
    pub(super) fn is_over(&self) -> bool {
        self.state().phase == Phase::Over
    }

    /// Takes nothing new; what waits is still written.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        state.footer.set(&[]);
        drop(state);
        self.work.notify_one();
    }

    /// Gives up what waits; apps that were held back go on.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.phase = Phase::Over;
        let rest = std::mem::take(&mut state.chunks);
        drop(state);
        drop(rest);
        self.work.notify_one();
        self.changed.notify_waiters();
    }

    /// Nobody reads the output any more: [`Queue::end`], and [`Queue::gone`] returns.
    pub(super) fn lose(&self) {
        self.state().gone = true;
        self.end();
    }

    /// Waits until nothing is to be written any more.
    pub(super) async fn over(&self) {
        self.until(|state| state.phase == Phase::Over).await;
    }

    /// Waits until nobody reads the output any more.
    pub(super) async fn gone(&self) {
        self.until(|state| state.gone).await;
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        loop {
            // `notified` counts wake-ups from its creation on, so none between the look and the wait is missed.
            let changed = self.changed.notified();
            if reached(&self.state()) {
                return;
            }
            changed.await;
        }
    }
}

/// Adds bytes to what waits, small ones to the chunk before where that is the same app's.
pub(super) fn append(chunks: &mut VecDeque<Chunk>, bytes: Cow<'_, [u8]>, budget: Option<&Arc<Budget>>) {
    if let Some(budget) = budget {
        budget.used.fetch_add(bytes.len(), Ordering::AcqRel);
    }
    if let Some(last) = chunks.back_mut() {
        let same = match (&last.budget, budget) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same && last.bytes.len() + bytes.len() <= GATHER {
            last.bytes.extend_from_slice(&bytes);
            return;
        }
    }
    chunks.push_back(Chunk { bytes: bytes.into_owned(), budget: budget.cloned() });
}
