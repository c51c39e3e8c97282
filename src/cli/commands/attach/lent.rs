//! This terminal, lent to an app: every key is the app's, and what the app makes of it is taken back at the end.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, TryLockError},
};

use rustix::{
    stdio::{stdin, stdout},
    termios::isatty,
};

use crate::{
    cli::borrowed::{RawKeys, Tty, write_soon},
    log::modes::Modes,
    process::terminal::is_anothers,
};

/// What an app has made of this terminal, shared with whoever shows what the app writes.
#[derive(Debug, Clone, Default)]
pub struct Made(Arc<Mutex<Modes>>);

impl Made {
    /// Reads what is written to the terminal.
    pub fn feed(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).feed(bytes);
    }

    /// Whether the app draws on a screen of its own.
    pub fn draws(&self) -> bool {
        self.now().draws()
    }

    /// As it is; as nothing was made where a panic holds it.
    fn now(&self) -> Modes {
        match self.0.try_lock() {
            Ok(modes) => modes.clone(),
            Err(TryLockError::Poisoned(modes)) => modes.into_inner().clone(),
            Err(TryLockError::WouldBlock) => Modes::default(),
        }
    }
}

/// The terminal, as far as input and output are one.
#[derive(Debug)]
pub struct Lent {
    keys: Option<RawKeys>,
    shows: bool,
    made: Made,
}

impl Lent {
    /// Remembers how it is.
    ///
    /// # Errors
    /// It does not say.
    pub fn new(made: Made) -> io::Result<Self> {
        let keys = if isatty(stdin()) { Some(RawKeys::new()?) } else { None };
        Ok(Self { keys, shows: isatty(stdout()), made })
    }
}

impl Tty for Lent {
    fn take(&self, again: bool) -> io::Result<()> {
        if let Some(keys) = &self.keys {
            keys.raw()?;
        }
        if self.shows && !again {
            write_soon(&self.made.now().enter());
        }
        Ok(())
    }

    fn give_back(&self) {
        if let Some(keys) = &self.keys {
            keys.cooked();
        }
        if self.shows {
            write_soon(&self.made.now().leave());
        }
    }

    fn is_ours(&self) -> bool {
        let terminal = if self.keys.is_some() { stdin() } else { stdout() };
        !is_anothers(terminal)
    }
}
