//! What is typed, read by a thread of its own.

use std::{io, time::Duration};

use ratatui::crossterm::event::{self, Event};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    stdio::stdin,
};

use super::{News, Newsroom, spawn};
use crate::ui::monitor::Message;

/// Starts the thread. It ends with the terminal, or with us.
///
/// # Errors
/// There is no thread to be had.
pub fn listen(room: Newsroom) -> io::Result<()> {
    spawn("pmdev-keys", &room, |room| {
        while wait() {
            // What does not make a key yet is kept there until more comes.
            while event::poll(Duration::ZERO).unwrap_or(false) {
                let message = match event::read() {
                    Ok(Event::Key(key)) => Message::Key(key),
                    Ok(Event::Paste(text)) => Message::Pasted(text),
                    Ok(Event::Resize(..) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost) | Err(_) => continue,
                };
                if room.blocking_send(News::Message(message)).is_err() {
                    return;
                }
            }
        }
        let _ = room.blocking_send(News::Gone);
    })
}

/// Waits for something to read; false: the terminal is gone. crossterm would read its end for ever.
fn wait() -> bool {
    loop {
        let mut fds = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => {}
            Err(_) => return false,
            Ok(_) if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => return false,
            Ok(_) => return true,
        }
    }
}
