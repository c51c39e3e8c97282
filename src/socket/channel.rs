//! Node's channel between a process and the one that started it: one JSON value a line over a socket, its number in `NODE_CHANNEL_FD`.
//!
//! An app says `process.send('ready')` over it, and is told `shutdown`. Whatever else it says is read, so that it never waits for us, and
//! dropped. Values that Node keeps to itself are objects whose `cmd` begins with `NODE_`.

use std::{io, os::fd::OwnedFd};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use tokio::{
    io::unix::AsyncFd,
    sync::mpsc::{self, Receiver, Sender, error::TrySendError},
};

/// The variable with the number of the app's end.
pub const VARIABLE: &str = "NODE_CHANNEL_FD";

/// The variable that says how values are written, and its value.
pub const FORM: (&str, &str) = ("NODE_CHANNEL_SERIALIZATION_MODE", "json");

/// How much of a line is kept: all that matters stands at its beginning.
const KEPT: usize = 256;

/// Bytes of one read.
pub const READ: usize = 64 << 10;

/// Bytes that may wait for an app that does not read.
const WAITING: usize = 16 << 10;

/// What came over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The message `ready`.
    Ready,
    /// Another message: something speaks at the other end.
    Something,
}

/// The way to say something.
#[derive(Debug, Clone)]
pub struct Mouth(Sender<&'static [u8]>);

impl Mouth {
    /// Tells the app to shut down, as PM2 does. False: nobody is there, or it has not taken what it was told before.
    pub fn shut_down(&self) -> bool {
        match self.0.try_send(b"\"shutdown\"\n") {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
        }
    }
}

/// Our end, to be served.
#[derive(Debug)]
pub struct Channel {
    socket: AsyncFd<OwnedFd>,
    told: Receiver<&'static [u8]>,
}

/// Makes the two ends of a channel: ours, which never blocks, and the app's, which is to be dropped once the app has it.
///
/// # Errors
/// There are no descriptors left.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // Two open file descriptions: theirs stays blocking, as libuv wants to decide for itself.
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Makes a channel: our end, the way to say something, and the app's end, which is to be dropped once the app has it, or its end of file
/// never comes.
///
/// # Errors
/// There are no descriptors left.
pub fn open() -> io::Result<(Channel, Mouth, OwnedFd)> {
    let (ours, theirs) = pair()?;
    let (mouth, told) = mpsc::channel(4);
    #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
    let socket = AsyncFd::new(ours)?;
    Ok((Channel { socket, told }, Mouth(mouth), theirs))
}

impl Channel {
    /// Reads and writes until the app is gone or has disconnected. False: it was told something that it has not taken.
    pub async fn serve(mut self, said: impl FnMut(Said)) -> bool {
        let mut out = Vec::new();
        let ended = self.exchange(&mut out, said).await;
        self.told.close();
        // Who leaves with something unread resets the connection.
        ended.is_ok() && out.is_empty() && self.told.try_recv().is_err()
    }

    /// `out`: what is still to be written.
    async fn exchange(&mut self, out: &mut Vec<u8>, mut said: impl FnMut(Said)) -> io::Result<()> {
        let mut chunk = vec![0; READ];
        let mut lines = Lines::keeping(KEPT);
        let mut open = true;
        loop {
            tokio::select! {
                biased;
                told = self.told.recv(), if open && out.len() < WAITING => match told {
                    Some(told) => out.extend_from_slice(told),
                    None => open = false,
                },
                ready = self.socket.writable(), if !out.is_empty() => {
                    if let Ok(count) = ready?.try_io(|socket| Ok(send(socket, out, SendFlags::NOSIGNAL)?)) {
                        out.drain(..count?);
                    }
                }
                ready = self.socket.readable() => {
                    let Ok(count) = ready?.try_io(|socket| Ok(rustix::io::read(socket, &mut chunk)?)) else { continue };
                    match count? {
                        0 => return Ok(()),
                        count => lines.take(&chunk[..count], |line| answer(line, &mut said, out)),
                    }
                    // Who speaks without a pause must not keep the others from their turn.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// The lines of what is read, each cut to its beginning.
#[derive(Debug)]
pub struct Lines {
    line: Vec<u8>,
    kept: usize,
}

impl Lines {
    /// Keeps so much of each line.
    pub fn keeping(kept: usize) -> Self {
        Self { line: Vec::new(), kept }
    }

    /// Takes what was read, and hands over each line that is whole.
    pub fn take(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.keep(&bytes[..end]);
            line(&self.line);
            self.line.clear();
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.line.extend_from_slice(&bytes[..bytes.len().min(self.kept.saturating_sub(self.line.len()))]);
    }
}

/// Takes note of a line. Descriptors that come with one are dropped by the kernel, since we read without asking for them; the sender is told
/// that they are lost, or it would send nothing any more.
fn answer(line: &[u8], said: &mut impl FnMut(Said), out: &mut Vec<u8>) {
    const BUN: &[u8] = b"\x02";
    // Bun puts a byte before its internal values.
    let (mark, value) = line.strip_prefix(BUN).map_or((&b""[..], line), |value| (BUN, value));
    match value.trim_ascii() {
        b"\"ready\"" => said(Said::Ready),
        value if value.starts_with(b"{\"cmd\":\"NODE_HANDLE\"") => {
            said(Said::Something);
            if out.len() < WAITING {
                out.extend_from_slice(mark);
                out.extend_from_slice(b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
            }
        }
        _ => said(Said::Something),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        io::{BufRead as _, BufReader, Read as _, Write as _},
        os::unix::net::UnixStream,
        time::Duration,
    };

    use super::*;

    fn answered(text: &[u8], pieces: usize) -> (Vec<Said>, String) {
        let (mut all, mut out, mut lines) = (Vec::new(), Vec::new(), Lines::keeping(KEPT));
        for piece in text.chunks(pieces) {
            lines.take(piece, |line| answer(line, &mut |said| all.push(said), &mut out));
        }
        (all, String::from_utf8(out).unwrap())
    }

    #[test]
    fn lines_in_whatever_pieces_they_come() {
        let long = format!("\"{}\"\n", "x".repeat(100_000));
        let text = format!("{{\"type\":\"log\"}}\n{long}\"ready\"\n\"ready\" \r\n\"not ready\"\n\"unfinished");
        let expected = [Said::Something, Said::Something, Said::Ready, Said::Ready, Said::Something];
        for pieces in [1, 2, 3, 7, 255, 256, 257, 1 << 20] {
            assert_eq!(answered(text.as_bytes(), pieces), (expected.to_vec(), String::new()), "{pieces}");
        }
    }

    #[test]
    fn a_lost_descriptor_is_told_and_not_without_bound() {
        let message = b"{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":\"ready\"}\n";
        assert_eq!(answered(message, 9), (vec![Said::Something], "{\"cmd\":\"NODE_HANDLE_NACK\"}\n".into()));
        assert_eq!(answered(&[b"\x02", &message[..]].concat(), 9).1, "\x02{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
        let (said, out) = answered(&message.repeat(10_000), 4096);
        assert_eq!(said.len(), 10_000);
        assert!(out.len() < WAITING + 64, "{}", out.len());
    }

    #[tokio::test]
    async fn it_ends_with_the_app_and_then_nobody_can_be_told() {
        let (channel, mouth, theirs) = open().unwrap();
        let mut app = UnixStream::from(theirs);
        let said = RefCell::new(Vec::new());
        let serve = channel.serve(|word| said.borrow_mut().push(word));
        assert!(mouth.shut_down());
        app.write_all(b"\"hello\"\n\"ready\"\n").unwrap();
        let app = std::thread::spawn(move || {
            let mut line = String::new();
            let mut app = BufReader::new(app);
            app.read_line(&mut line).unwrap();
            line
        });
        tokio::time::timeout(Duration::from_secs(20), serve)
            .await
            .expect("the app has ended")
            .then_some(())
            .expect("it was told what there was");
        assert_eq!(app.join().unwrap(), "\"shutdown\"\n");
        assert_eq!(*said.borrow(), [Said::Something, Said::Ready]);
        assert!(!mouth.shut_down());
    }

    #[tokio::test]
    async fn what_nobody_has_taken_is_known() {
        // Told after it has left, right before, and before it was looked after at all.
        for told_first in [true, false] {
            let (channel, mouth, theirs) = open().unwrap();
            if told_first {
                assert!(mouth.shut_down());
            }
            drop(theirs);
            assert!(told_first || mouth.shut_down());
            assert!(!channel.serve(|_| {}).await, "{told_first}");
        }
        let (channel, mouth, theirs) = open().unwrap();
        assert!(mouth.shut_down());
        let mut app = UnixStream::from(theirs);
        app.write_all(b"1\n").unwrap();
        // It leaves with the message unread.
        let mut app = Some(app);
        assert!(!channel.serve(|_| drop(app.take())).await);
        let (channel, _mouth, theirs) = open().unwrap();
        drop(theirs);
        assert!(channel.serve(|_| {}).await, "nothing was to be taken");
    }

    #[tokio::test]
    async fn an_app_that_does_not_read_is_told_a_bounded_number_of_times() {
        let (channel, mouth, theirs) = open().unwrap();
        let told = (0..100).filter(|_| mouth.shut_down()).count();
        assert_eq!(told, 4);
        drop(channel);
        let mut rest = Vec::new();
        UnixStream::from(theirs).read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
}
