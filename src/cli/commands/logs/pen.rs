//! Standard output, which may be left in the middle of nothing but between two lines.

use std::{
    io::{self, Write as _},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long what is being written at an interrupt may take.
const LAST_WRITE: Duration = Duration::from_millis(300);

/// Writes whole lines, until it is put down.
#[derive(Debug, Default)]
pub struct Pen {
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    writing: bool,
    down: bool,
}

impl Pen {
    /// Writes; false: nobody reads it any more, or it was put down.
    pub fn write(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.down {
            return false;
        }
        state.writing = true;
        drop(state);
        let mut out = io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        self.state().writing = false;
        self.idle.notify_all();
        written.is_ok()
    }

    /// Writes nothing more; returns when what is being written is, or when the terminal does not take it.
    pub fn put_down(&self) {
        let mut state = self.state();
        state.down = true;
        // Too late is no failure: nobody looks at a terminal that takes nothing.
        let _ = self.idle.wait_timeout_while(state, LAST_WRITE, |state| state.writing);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
