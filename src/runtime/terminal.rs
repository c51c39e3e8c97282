//! What is typed at the runner, read by a thread of its own: tokio's stdin would keep the program from ending.

use std::{io, os::fd::BorrowedFd, thread};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{isatty, tcgetwinsize},
};
use tokio::sync::mpsc::Sender;

use crate::process;

/// How often a runner in the background looks whether it has come to the foreground: shells tell a job that was not stopped nothing.
const BACKGROUND_LOOK: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The longest line that is kept; a longer one is passed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// What the terminal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line, without its end.
    Line(Vec<u8>),
    /// One reading is at its end (Ctrl-D on a terminal), another may follow; whoever reads it is told, nothing else happens.
    End,
    /// The input is at its end for good; likewise.
    Over,
    /// The terminal went away.
    Gone,
}

/// Starts the thread. It ends with the input, or with the program. While the channel is full it reads nothing, so that whoever writes
/// faster than lines are taken is held back by the pipe or the terminal.
pub fn listen(typed: Sender<Typed>) -> io::Result<()> {
    thread::Builder::new().name("pmdev-terminal".into()).spawn(move || read_all(&typed)).map(drop)
}

fn read_all(typed: &Sender<Typed>) {
    let stdin = rustix::stdio::stdin();
    let terminal = isatty(stdin);
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    let tell = |what| typed.blocking_send(what).is_ok();
    loop {
        match wait(stdin, terminal) {
            Wait::Readable => {}
            Wait::Background => continue,
            Wait::Gone => {
                tell(if terminal { Typed::Gone } else { Typed::Over });
                return;
            }
        }
        match rustix::io::read(stdin, &mut buffer) {
            Ok(0) => {
                if !line.is_empty() {
                    tell(Typed::Line(std::mem::take(&mut line)));
                }
                // Ctrl-D on a terminal ends one reading, not the terminal.
                let end = match terminal {
                    true if hung_up(stdin) => Typed::Gone,
                    true => Typed::End,
                    false => Typed::Over,
                };
                let last = end != Typed::End;
                if !tell(end) || last {
                    return;
                }
            }
            Ok(count) => {
                for &byte in &buffer[..count] {
                    if (byte == b'\n' || line.len() == LONGEST_LINE) && !tell(Typed::Line(std::mem::take(&mut line))) {
                        return;
                    }
                    if byte != b'\n' {
                        line.push(byte);
                    }
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // We went to the background after we had looked.
            Err(Errno::IO) if terminal && !hung_up(stdin) => {}
            Err(_) => {
                tell(if terminal { Typed::Gone } else { Typed::Over });
                return;
            }
        }
    }
}

/// Whether a terminal has gone away.
fn hung_up(terminal: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(terminal, PollFlags::empty())];
    poll(&mut fds, Some(&AT_ONCE)).is_ok() && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

#[derive(PartialEq, Eq)]
enum Wait {
    Readable,
    Background,
    Gone,
}

/// Waits until there is something to read and, on a terminal, until we are in its foreground: a read from the background is
/// answered with SIGTTIN or, that being ignored, with EIO (termios(3)).
fn wait(stdin: BorrowedFd<'_>, terminal: bool) -> Wait {
    let foreground = || !terminal || process::terminal::is_foreground(stdin);
    let (interest, limit) = if foreground() { (PollFlags::IN, None) } else { (PollFlags::empty(), Some(&BACKGROUND_LOOK)) };
    let mut fds = [PollFd::from_borrowed_fd(stdin, interest)];
    match poll(&mut fds, limit) {
        Ok(0) | Err(Errno::INTR) => Wait::Background,
        Err(_) => Wait::Gone,
        Ok(_) => {
            let seen = fds[0].revents();
            if seen.contains(PollFlags::IN) {
                // We may have gone to the background while we waited.
                if foreground() { Wait::Readable } else { Wait::Background }
            } else if terminal || seen.intersects(PollFlags::ERR | PollFlags::NVAL) {
                Wait::Gone
            } else {
                Wait::Readable
            }
        }
    }
}

/// The width of the screen in columns; 80 where there is none.
pub fn width() -> usize {
    size().0
}

/// The columns and lines of standard output; 80 and 24 where nobody knows.
pub fn size() -> (usize, usize) {
    let size = tcgetwinsize(rustix::stdio::stdout()).ok();
    let or = |known: Option<u16>, usual: usize| known.map(usize::from).filter(|&count| count > 0).unwrap_or(usual);
    (or(size.map(|size| size.ws_col), 80), or(size.map(|size| size.ws_row), 24))
}
