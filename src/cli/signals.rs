//! The signals that concern who shows something on the terminal for a while.

use std::io;

use tokio::signal::unix::{self, SignalKind};

use crate::{model::Signal, process};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// We are to end.
    Leave(Signal),
    /// The terminal has another size.
    Resized,
    /// We are to stop, as by Ctrl-Z.
    Stop,
    /// We were stopped, and go on.
    Continued,
}

/// The signals. From [`listen`](Self::listen) on none of them does what it does by itself.
pub struct Signals {
    leave: [(Signal, unix::Signal); 4],
    resized: unix::Signal,
    /// Unless it was ignored when we started.
    stop: Option<unix::Signal>,
    continued: unix::Signal,
}

impl Signals {
    /// Starts to listen: before anything is made of the terminal, so that no signal leaves it so.
    ///
    /// # Errors
    /// The system has it otherwise.
    pub fn listen() -> io::Result<Self> {
        let listen = |signal: Signal| unix::signal(SignalKind::from_raw(signal.0)).map(|stream| (signal, stream));
        Ok(Self {
            leave: [listen(Signal::TERM)?, listen(Signal::HUP)?, listen(Signal::INT)?, listen(Signal::QUIT)?],
            resized: unix::signal(SignalKind::window_change())?,
            stop: if process::terminal::ignores_stops() { None } else { Some(listen(Signal::TSTP)?.1) },
            continued: listen(Signal::CONT)?.1,
        })
    }

    /// Waits for the next one. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Sign {
        let [term, hup, int, quit] = &mut self.leave;
        let stop = async {
            match &mut self.stop {
                Some(stop) => stop.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = term.1.recv() => Sign::Leave(term.0),
            _ = hup.1.recv() => Sign::Leave(hup.0),
            _ = int.1.recv() => Sign::Leave(int.0),
            _ = quit.1.recv() => Sign::Leave(quit.0),
            _ = stop => Sign::Stop,
            _ = self.continued.recv() => Sign::Continued,
            _ = self.resized.recv() => Sign::Resized,
        }
    }
}
