//! What is typed at the runner, read by a thread of its own: tokio's stdin would keep the program from ending.

use std::{io, os::fd::BorrowedFd, thread};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::getpgrp,
    termios::{isatty, tcgetpgrp, tcgetwinsize},
};
use tokio::sync::mpsc::UnboundedSender;

/// How often a runner in the background looks whether it has come to the foreground: shells tell a job that was not stopped nothing.
const BACKGROUND_LOOK: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The longest line that is kept; a longer one is passed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// What the terminal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The input is at its end; whoever reads it is told, nothing else happens.
    End,
    /// The terminal went away.
    Gone,
}

/// Starts the thread. It ends with the input, or with the program.
pub fn listen(typed: UnboundedSender<Typed>) -> io::Result<()> {
    thread::Builder::new().name("pmdev-terminal".into()).spawn(move || read_all(&typed)).map(drop)
}

fn read_all(typed: &UnboundedSender<Typed>) {
    let stdin = rustix::stdio::stdin();
    let terminal = isatty(stdin);
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match wait(stdin, terminal) {
            Wait::Readable => {}
            Wait::Background => continue,
            Wait::Gone => {
                let _ = typed.send(if terminal { Typed::Gone } else { Typed::End });
                return;
            }
        }
        match rustix::io::read(stdin, &mut buffer) {
            Ok(0) if terminal && wait(stdin, terminal) == Wait::Gone => {
                let _ = typed.send(Typed::Gone);
                return;
            }
            Ok(0) => {
                if !line.is_empty() {
                    let _ = typed.send(Typed::Line(std::mem::take(&mut line)));
                }
                // Ctrl-D on a terminal ends one reading, not the terminal.
                if typed.send(Typed::End).is_err() || !terminal {
                    return;
                }
            }
            Ok(count) => {
                for &byte in &buffer[..count] {
                    if byte == b'\n' || line.len() == LONGEST_LINE {
                        let whole = std::mem::take(&mut line);
                        if typed.send(Typed::Line(whole)).is_err() {
                            return;
                        }
                    }
                    if byte != b'\n' {
                        line.push(byte);
                    }
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => {
                let _ = typed.send(if terminal { Typed::Gone } else { Typed::End });
                return;
            }
        }
    }
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
    let foreground = !terminal || tcgetpgrp(stdin).is_ok_and(|group| group == getpgrp());
    let (interest, limit) = if foreground { (PollFlags::IN, None) } else { (PollFlags::empty(), Some(&BACKGROUND_LOOK)) };
    let mut fds = [PollFd::from_borrowed_fd(stdin, interest)];
    match poll(&mut fds, limit) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Wait::Background,
        Err(_) => Wait::Gone,
        Ok(_) => {
            let seen = fds[0].revents();
            if seen.contains(PollFlags::IN) {
                // We may have gone to the background while we waited.
                if !terminal || tcgetpgrp(stdin).is_ok_and(|group| group == getpgrp()) { Wait::Readable } else { Wait::Background }
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
    tcgetwinsize(rustix::stdio::stdout()).ok().map(|size| size.ws_col.into()).filter(|&columns| columns > 0).unwrap_or(80)
}
