//! One worker's channel: lines in, lines with descriptors out. While a descriptor is on its way nothing else is said: Node would give it to the
//! wrong message.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::{io::unix::AsyncFd, sync::mpsc::UnboundedReceiver};

use super::{
    channel::{Lines, READ},
    wire::{self, GivenUp, Said},
};

/// How often a descriptor is sent that gets lost on the way.
const TRIES: u32 = 3;

/// Lines that may wait for a worker that does not read. It asks for each itself, and reads them when it has asked for all it wants at once.
const WAITING: usize = 4096;

/// How a channel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The worker has taken all that it was told.
    Heard,
    /// It was told something that it has not taken.
    Unheard,
    /// It asks and asks, and reads no answers.
    Deaf,
}

/// A line, and what goes with it.
pub struct Outgoing {
    /// Without its end.
    pub text: String,
    /// Kept until the worker has it.
    pub descriptor: Option<Rc<OwnedFd>>,
}

/// A line on its way.
struct Sending {
    line: Vec<u8>,
    written: usize,
    descriptor: Option<Rc<OwnedFd>>,
    tries: u32,
}

/// What waits to be written, and what waits for its answer.
#[derive(Default)]
struct Writing {
    queue: VecDeque<Sending>,
    /// A line with a descriptor that is written, until the worker says whether it came.
    unanswered: Option<Sending>,
}

impl Writing {
    fn push(&mut self, Outgoing { text, descriptor }: Outgoing) {
        self.queue.push_back(Sending::new(text, descriptor));
    }

    /// What may be said while a descriptor is on its way, before everything else.
    fn push_answer(&mut self, text: &str) {
        let at = usize::from(self.queue.front().is_some_and(|first| first.written > 0));
        self.queue.insert(at, Sending::new(text.to_owned(), None));
    }

    /// Whether there is something to write now.
    fn is_due(&self) -> bool {
        let answer = self.queue.front().is_some_and(|first| first.line.starts_with(wire::NACK.as_bytes()));
        !self.queue.is_empty() && (self.unanswered.is_none() || answer)
    }

    /// What was given up.
    fn answered(&mut self, came: bool) -> Option<GivenUp> {
        let mut sent = self.unanswered.take()?;
        if came {
            return None;
        }
        if sent.tries >= TRIES {
            return wire::given_up(&sent.line);
        }
        sent.written = 0;
        // A line that is half written is written to its end first.
        let at = usize::from(self.queue.front().is_some_and(|first| first.written > 0));
        self.queue.insert(at, sent);
        None
    }

    /// Writes what can be written now.
    fn write(&mut self, socket: &OwnedFd) -> io::Result<()> {
        while self.is_due() {
            let Some(first) = self.queue.front_mut() else { return Ok(()) };
            first.written += match &first.descriptor {
                Some(descriptor) if first.written == 0 => send(socket, &first.line, Some(descriptor))?,
                Some(_) | None => send(socket, &first.line[first.written..], None)?,
            };
            if first.written == first.line.len()
                && let Some(mut sent) = self.queue.pop_front()
                && sent.descriptor.is_some()
            {
                sent.tries += 1;
                self.unanswered = Some(sent);
            }
        }
        Ok(())
    }
}

impl Sending {
    fn new(text: String, descriptor: Option<Rc<OwnedFd>>) -> Self {
        let mut line = text.into_bytes();
        line.push(b'\n');
        Self { line, written: 0, descriptor, tries: 0 }
    }
}

fn send(socket: &OwnedFd, bytes: &[u8], descriptor: Option<&Rc<OwnedFd>>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let given = descriptor.map(|descriptor| [descriptor.as_fd()]);
    if let Some(given) = &given {
        assert!(control.push(SendAncillaryMessage::ScmRights(given)), "the buffer has room for one");
    }
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?)
}

/// Serves a channel until the worker is gone or has closed it. Descriptors that the worker sends are dropped, and answered as lost. Nothing
/// more is read while `said` waits.
pub async fn serve(socket: AsyncFd<OwnedFd>, mut told: UnboundedReceiver<Outgoing>, mut said: impl AsyncFnMut(Said)) -> End {
    let mut writing = Writing::default();
    match exchange(&socket, &mut told, &mut writing, &mut said).await {
        Ok(()) if writing.queue.is_empty() && told.try_recv().is_err() => End::Heard,
        Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => End::Deaf,
        Ok(()) | Err(_) => End::Unheard,
    }
}

async fn exchange(
    socket: &AsyncFd<OwnedFd>,
    told: &mut UnboundedReceiver<Outgoing>,
    writing: &mut Writing,
    said: &mut impl AsyncFnMut(Said),
) -> io::Result<()> {
    let mut chunk = vec![0; READ];
    let mut lines = Lines::keeping(wire::KEPT);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            outgoing = told.recv(), if open => match outgoing {
                Some(_) if writing.queue.len() >= WAITING => return Err(io::ErrorKind::QuotaExceeded.into()),
                Some(outgoing) => writing.push(outgoing),
                None => open = false,
            },
            ready = socket.writable(), if writing.is_due() => {
                if let Ok(done) = ready?.try_io(|socket| writing.write(socket.get_ref())) {
                    done?;
                }
            }
            ready = socket.readable() => {
                let Ok(count) = ready?.try_io(|socket| Ok(rustix::io::read(socket, &mut chunk)?)) else { continue };
                let mut heard = Vec::new();
                match count? {
                    0 => return Ok(()),
                    count => lines.take(&chunk[..count], |line| match wire::read(line) {
                        Said::Ack => drop(writing.answered(true)),
                        // It has no descriptor left, say: another one takes it, or this one later.
                        Said::Nack => heard.extend(writing.answered(false).map(|given_up| match given_up {
                            GivenUp::Connection(seq) => Said::Taken(seq, false),
                            GivenUp::Socket(key, answer) => {
                                writing.push(Outgoing { text: answer, descriptor: None });
                                Said::Close(key)
                            }
                        })),
                        Said::Lost => {
                            if writing.queue.len() < WAITING {
                                writing.push_answer(wire::NACK);
                            }
                            heard.push(Said::Other);
                        }
                        other => heard.push(other),
                    }),
                }
                for word in heard {
                    said(word).await;
                }
                // Who speaks without a pause must not keep the others from their turn.
                tokio::task::yield_now().await;
            }
        }
    }
}
