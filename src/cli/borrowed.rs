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
    stdio::{stdin, stdout},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};

use crate::process;

/// How long a terminal may take for what gives it back. Whoever ends us does not wait for one that takes nothing.
const TO_TAKE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// What is asked of a terminal.
pub trait Tty: Send + Sync + 'static {
    /// Makes of it what we need; `again`: it may be so already, except that somebody else has set it meanwhile.
    ///
    /// # Errors
    /// It does not take its new modes, or is not ours.
    fn take(&self, again: bool) -> io::Result<()>;
    /// Makes it what it was at first. It must not wait for long, nor for a lock: a panic may hold it.
    fn give_back(&self);
    /// Whether it is ours at the moment: after Ctrl-Z it is the shell's.
    fn is_ours(&self) -> bool;
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

/// Writes a few bytes to the screen, if it takes them soon.
pub fn write_soon(bytes: &[u8]) {
    let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)];
    if poll(&mut fds, Some(&TO_TAKE)).is_ok_and(|count| count > 0) {
        write_all(bytes);
    }
}

/// Keys as they are pressed, on a terminal that is standard input, and the way back.
#[derive(Debug)]
pub struct RawKeys(Termios);

impl RawKeys {
    /// Remembers how the terminal handles keys.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub fn new() -> io::Result<Self> {
        Ok(Self(tcgetattr(stdin())?))
    }

    /// Has every key handed on as it is pressed.
    ///
    /// # Errors
    /// The terminal does not take that.
    pub fn raw(&self) -> io::Result<()> {
        let mut modes = self.0.clone();
        modes.make_raw();
        Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?)
    }

    /// Has keys handled as at first.
    pub fn cooked(&self) {
        // Now, not once everything is written: a terminal that is held (Ctrl-S) must not hold us. Nothing can be done for one that went away.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

/// A screen of our own on standard output, and on request the keys as they are pressed.
#[derive(Debug)]
pub struct OwnScreen {
    /// How keys are handled, where we want them.
    pub keys: Option<RawKeys>,
    /// What enters the screen.
    pub enter: &'static str,
    /// The same on a screen that is ours already: to enter it twice would forget where the cursor was before.
    pub again: &'static str,
    /// The reverse.
    pub leave: &'static str,
}

impl Tty for OwnScreen {
    fn take(&self, again: bool) -> io::Result<()> {
        match &self.keys {
            // In the background this stops us, until we are in the foreground.
            Some(keys) => keys.raw()?,
            None if !self.is_ours() => return Err(io::ErrorKind::WouldBlock.into()),
            None => {}
        }
        write_soon(if again { self.again } else { self.enter }.as_bytes());
        Ok(())
    }

    fn give_back(&self) {
        if let Some(keys) = &self.keys {
            keys.cooked();
        }
        write_soon(self.leave.as_bytes());
    }

    fn is_ours(&self) -> bool {
        !process::terminal::is_anothers(stdout())
    }
}

struct Shared<T> {
    tty: T,
    entered: AtomicBool,
}

impl<T: Tty> Shared<T> {
    fn leave(&self) {
        if self.entered.swap(false, Ordering::SeqCst) && self.tty.is_ours() {
            self.tty.give_back();
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
        guard.0.tty.take(false)?;
        Ok(guard)
    }

    /// Borrows nothing yet.
    pub fn idle(tty: T) -> Self {
        Self(Arc::new(Shared { tty, entered: AtomicBool::new(false) }))
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
        if self.0.tty.take(self.0.entered.load(Ordering::SeqCst)).is_ok() {
            self.0.entered.store(true, Ordering::SeqCst);
        }
    }

    /// Borrows it unless that was done, or it is not ours now; whether it is borrowed.
    pub fn enter_if_ours(&self) -> bool {
        let ours = self.0.tty.is_ours();
        if ours && !self.0.entered.load(Ordering::SeqCst) {
            self.enter_again();
        }
        ours
    }

    /// Gives it back, stops us, and borrows it again when we go on.
    pub fn suspend(&self, stop: impl FnOnce()) {
        self.0.leave();
        stop();
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
        fn take(&self, again: bool) -> io::Result<()> {
            self.note(if again { "take again" } else { "take" });
            Ok(())
        }

        fn give_back(&self) {
            self.note("give back");
        }

        fn is_ours(&self) -> bool {
            !self.foreign.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn it_is_given_back_once_however_it_ends() {
        let tty = Noted::default();
        drop(Guard::enter(tty.clone()).unwrap());
        assert_eq!(tty.taken(), ["take", "give back"]);

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
        assert_eq!(tty.taken(), ["take", "give back", "told"]);
    }

    #[test]
    fn what_is_the_shells_is_left_alone() {
        let tty = Noted::default();
        let guard = Guard::enter(tty.clone()).unwrap();
        tty.foreign.store(true, Ordering::SeqCst);
        drop(guard);
        assert_eq!(tty.taken(), ["take"]);

        let guard = Guard::idle(tty.clone());
        assert!(!guard.enter_if_ours());
        assert_eq!(tty.taken(), [""; 0]);
        tty.foreign.store(false, Ordering::SeqCst);
        assert!(guard.enter_if_ours() && guard.enter_if_ours());
        drop(guard);
        assert_eq!(tty.taken(), ["take", "give back"]);
    }

    #[test]
    fn after_a_stop_it_is_borrowed_again() {
        let tty = Noted::default();
        let guard = Guard::enter(tty.clone()).unwrap();
        // Nobody can catch SIGSTOP.
        guard.enter_again();
        drop(guard);
        assert_eq!(tty.taken(), ["take", "take again", "give back"]);
        let guard = Guard::enter(tty.clone()).unwrap();
        let stopped = tty.clone();
        guard.suspend(move || stopped.note("stop"));
        assert_eq!(tty.taken(), ["take", "give back", "stop", "take"]);
    }
}
