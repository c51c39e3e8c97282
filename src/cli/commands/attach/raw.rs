//! This terminal without its own meaning of keys, and back.

use std::io;

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

/// The terminal is raw until this is dropped, in a panic as well; where there is none, nothing is done.
#[derive(Debug)]
pub struct Raw(Option<Termios>);

impl Raw {
    /// Makes it raw: every key goes to the app.
    ///
    /// # Errors
    /// It cannot be.
    pub fn enter() -> io::Result<Self> {
        let stdin = rustix::stdio::stdin();
        if !isatty(stdin) {
            return Ok(Self(None));
        }
        let raw = Self(Some(tcgetattr(stdin)?));
        raw.set()?;
        Ok(raw)
    }

    /// Makes it raw once more: somebody else may have set it.
    pub fn again(&self) {
        // It went away then, which HUP tells.
        let _ = self.set();
    }

    fn set(&self) -> io::Result<()> {
        let Some(mut raw) = self.0.clone() else { return Ok(()) };
        raw.make_raw();
        Ok(tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw)?)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(usual) = &self.0 {
            // Nothing can be done for a terminal that went away.
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, usual);
        }
    }
}
