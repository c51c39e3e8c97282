//! What is typed, read by a thread of its own. The reading is ours: crossterm's loses keys that come together with a change of size, and
//! spins at the end of a terminal.

use std::io;

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    stdio::stdin,
};

use super::{
    News, Newsroom,
    keys::{Keys, Typed},
    spawn,
};
use crate::ui::monitor::Message;

/// How long the rest of a key may take: an escape character alone is a key, and the first of many as well.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Starts the thread. It ends with the terminal, or with us.
///
/// # Errors
/// There is no thread to be had.
pub fn listen(room: &Newsroom) -> io::Result<()> {
    spawn("pmdev-keys", room, |room| {
        let mut keys = Keys::default();
        let mut buffer = [0; 4096];
        loop {
            let limit = keys.is_open().then_some(&REST);
            match wait(limit) {
                Wait::Gone => break,
                Wait::Nothing => keys.close(),
                Wait::Readable => match rustix::io::read(stdin(), &mut buffer) {
                    Ok(0) => break,
                    Ok(count) => keys.take(&buffer[..count]),
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => break,
                },
            }
            while let Some(typed) = keys.next() {
                let message = match typed {
                    Typed::Key(key) => Message::Key(key),
                    Typed::Paste(text) => Message::Pasted(text),
                };
                if !room.bring(News::Message(message)) {
                    return;
                }
            }
        }
        room.bring(News::Gone);
    })
}

enum Wait {
    Readable,
    Nothing,
    Gone,
}

/// Waits for something to read, without a limit or up to one.
fn wait(limit: Option<&Timespec>) -> Wait {
    let mut fds = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
    match poll(&mut fds, limit) {
        Ok(0) => Wait::Nothing,
        Err(Errno::INTR) if limit.is_none() => wait(limit),
        Err(Errno::INTR) => Wait::Nothing,
        Err(_) => Wait::Gone,
        Ok(_) if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => Wait::Gone,
        Ok(_) => Wait::Readable,
    }
}
