//! What is typed here, read by a thread of its own: tokio's stdin would keep the program from ending.

use std::{io, thread};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    termios::isatty,
};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Bytes of one reading.
const READ: usize = 4096;

/// Readings that may wait for the runner. Beyond, a pipe is read no further, and what is typed at a terminal is lost: it must still
/// be heard that somebody wants to leave.
const WAITING: usize = 1024;

/// Ctrl-], as terminals send it: as a character, in kitty's protocol, and in xterm's modifyOtherKeys.
const LEAVE: [&[u8]; 3] = [b"\x1d", b"\x1b[93;5u", b"\x1b[27;5;93~"];

/// What the runner is to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Key {
    /// It was typed.
    Bytes(Vec<u8>),
    /// Columns and lines.
    Size(u16, u16),
}

/// What comes from here.
#[derive(Debug)]
pub struct Keys {
    /// In order; it ends with the input.
    pub typed: Receiver<Key>,
    /// Somebody wants to leave; what was typed before has its end with it.
    pub left: Receiver<()>,
    /// Puts the size among what is typed.
    pub resize: mpsc::WeakSender<Key>,
}

/// Starts to read.
///
/// # Errors
/// There is no memory for a thread.
pub fn listen() -> io::Result<Keys> {
    let (typing, typed) = mpsc::channel(WAITING);
    let (leaving, left) = mpsc::channel(1);
    let resize = typing.downgrade();
    thread::Builder::new().name("pmdev-keys".to_owned()).spawn(move || read_all(&typing, &leaving))?;
    Ok(Keys { typed, left, resize })
}

fn read_all(typing: &Sender<Key>, leaving: &Sender<()>) {
    let stdin = rustix::stdio::stdin();
    let terminal = isatty(stdin);
    let mut buffer = [0; READ];
    loop {
        let bytes = match rustix::io::read(stdin, &mut buffer) {
            Err(Errno::INTR) => continue,
            // Somebody else who has this terminal, or pipe, made it so.
            Err(Errno::AGAIN) => match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => continue,
                Err(_) => return,
            },
            Ok(0) | Err(_) => return,
            Ok(count) => &buffer[..count],
        };
        if !terminal {
            if typing.blocking_send(Key::Bytes(bytes.to_vec())).is_err() {
                return;
            }
            continue;
        }
        let leave = end(bytes);
        let before = &bytes[..leave.unwrap_or(bytes.len())];
        if !before.is_empty() {
            // Where there is no room it is lost, as said above.
            let _ = typing.try_send(Key::Bytes(before.to_vec()));
        }
        if leave.is_some() {
            let _ = leaving.blocking_send(());
            return;
        }
    }
}

/// Where somebody wants to leave.
fn end(bytes: &[u8]) -> Option<usize> {
    LEAVE.iter().filter_map(|key| bytes.windows(key.len()).position(|part| part == *key)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_leaves_is_found_however_the_terminal_sends_it() {
        assert_eq!(end(b"ls\r\x1dmore"), Some(3));
        assert_eq!(end(b"\x1b[93;5u"), Some(0));
        assert_eq!(end(b"x\x1b[27;5;93~"), Some(1));
        assert_eq!(end(b"]\x1b[93u\x1b[A"), None);
    }
}
