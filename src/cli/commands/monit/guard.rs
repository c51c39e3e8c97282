//! The terminal, borrowed: whatever ends us, it is given back as it was.

use std::{
    io, panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, kill_current_process_group},
    stdio::{stdin, stdout},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};

use crate::process;

/// A screen of our own, no cursor, and pasted text told from typed keys (xterm's control sequences).
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// The same on a screen that is ours already: to enter it twice would forget where the cursor was before.
const ENTER_AGAIN: &[u8] = b"\x1b[?25l\x1b[?2004h";

/// The reverse of [`ENTER`], and no colour.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// How long a terminal may take for these. Whoever ends us does not wait for one that takes nothing.
const TO_TAKE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// What is asked of a terminal.
pub trait Tty: Send + Sync + 'static {
    /// Writes a few bytes to its screen, if it takes them soon.
    fn write(&self, bytes: &[u8]);
    /// Hands on every key as it is pressed.
    fn raw(&self) -> io::Result<()>;
    /// Handles keys as it did at first.
    fn cooked(&self);
    /// Whether it is ours at the moment: after Ctrl-Z it is the shell's.
    fn is_ours(&self) -> bool;
}

/// Our terminal.
#[derive(Debug)]
pub struct Terminal {
    modes: Termios,
}

impl Terminal {
    /// Remembers how it is.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub fn new() -> io::Result<Self> {
        Ok(Self { modes: tcgetattr(stdin())? })
    }
}

/// Writes to the screen, however long it takes. It takes no lock, which a thread that waits for a slow terminal would hold.
pub fn write_all(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(stdout(), bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

impl Tty for Terminal {
    fn write(&self, bytes: &[u8]) {
        let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)];
        if poll(&mut fds, Some(&TO_TAKE)).is_ok_and(|count| count > 0) {
            write_all(bytes);
        }
    }

    fn raw(&self) -> io::Result<()> {
        let mut modes = self.modes.clone();
        modes.make_raw();
        Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?)
    }

    fn cooked(&self) {
        // Now, not once everything is written: a terminal that is held (Ctrl-S) must not hold us.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.modes);
    }

    fn is_ours(&self) -> bool {
        process::terminal::is_foreground(stdin())
    }
}

struct Shared<T> {
    tty: T,
    entered: AtomicBool,
}

impl<T: Tty> Shared<T> {
    fn leave(&self) {
        if self.entered.swap(false, Ordering::SeqCst) && self.tty.is_ours() {
            self.tty.cooked();
            self.tty.write(LEAVE);
        }
    }
}

/// The borrowed terminal. Dropping it gives it back.
pub struct Guard<T: Tty>(Arc<Shared<T>>);

impl<T: Tty> Guard<T> {
    /// Borrows it.
    ///
    /// # Errors
    /// It does not take its new modes.
    pub fn enter(tty: T) -> io::Result<Self> {
        let guard = Self(Arc::new(Shared { tty, entered: AtomicBool::new(true) }));
        guard.0.tty.raw()?;
        guard.0.tty.write(ENTER);
        Ok(guard)
    }

    /// Gives it back before a panic is told, so that the words stay on the screen; whichever thread it is.
    pub fn restore_on_panic(&self) {
        let shared = Arc::clone(&self.0);
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            shared.leave();
            tell(about);
        }));
    }

    /// Borrows it again, after a stop: the shell has put its own modes back.
    pub fn enter_again(&self) {
        // From the background, this stops us until we are in the foreground.
        if self.0.tty.raw().is_ok() {
            let ours = self.0.entered.swap(true, Ordering::SeqCst);
            self.0.tty.write(if ours { ENTER_AGAIN } else { ENTER });
        }
    }
}

impl Guard<Terminal> {
    /// Gives it back and stops us and whoever waits for us, as Ctrl-Z does elsewhere; returns when we go on.
    pub fn suspend(&self) {
        self.0.leave();
        // Where nobody could make us go on, nothing is stopped.
        let _ = kill_current_process_group(Signal::TSTP);
        self.enter_again();
    }
}

impl<T: Tty> Drop for Guard<T> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A terminal that notes what is done to it.
    #[derive(Clone, Default)]
    struct Noted {
        notes: Arc<Mutex<Vec<String>>>,
        foreign: Arc<AtomicBool>,
    }

    impl Noted {
        fn note(&self, what: impl Into<String>) {
            self.notes.lock().unwrap().push(what.into());
        }

        fn taken(&self) -> Vec<String> {
            std::mem::take(&mut *self.notes.lock().unwrap())
        }
    }

    impl Tty for Noted {
        fn write(&self, bytes: &[u8]) {
            self.note(match bytes {
                ENTER => "enter",
                ENTER_AGAIN => "enter again",
                LEAVE => "leave",
                _ => "other",
            });
        }

        fn raw(&self) -> io::Result<()> {
            self.note("raw");
            Ok(())
        }

        fn cooked(&self) {
            self.note("cooked");
        }

        fn is_ours(&self) -> bool {
            !self.foreign.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn it_is_given_back_once_however_it_ends() {
        let tty = Noted::default();
        drop(Guard::enter(tty.clone()).unwrap());
        assert_eq!(tty.taken(), ["raw", "enter", "cooked", "leave"]);

        // As a thread of its own that panics, with the hook that tells of it: what is told comes after the screen is back.
        let told = tty.clone();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |_| told.note("told")));
        let inside = tty.clone();
        let panicked = std::thread::spawn(move || {
            let guard = Guard::enter(inside).unwrap();
            guard.restore_on_panic();
            panic!("as a bug would");
        });
        assert!(panicked.join().is_err());
        panic::set_hook(before);
        assert_eq!(tty.taken(), ["raw", "enter", "cooked", "leave", "told"]);
    }

    #[test]
    fn what_is_the_shells_is_left_alone() {
        let tty = Noted::default();
        let guard = Guard::enter(tty.clone()).unwrap();
        tty.foreign.store(true, Ordering::SeqCst);
        drop(guard);
        assert_eq!(tty.taken(), ["raw", "enter"]);
    }

    #[test]
    fn after_a_stop_it_is_borrowed_again() {
        let tty = Noted::default();
        let guard = Guard::enter(tty.clone()).unwrap();
        guard.enter_again();
        drop(guard);
        assert_eq!(tty.taken(), ["raw", "enter", "raw", "enter again", "cooked", "leave"]);
        let guard = Guard::enter(tty.clone()).unwrap();
        guard.0.leave();
        guard.enter_again();
        assert_eq!(tty.taken(), ["raw", "enter", "cooked", "leave", "raw", "enter"]);
    }
}
