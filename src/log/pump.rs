//! From a child's pipe or terminal to the console and into files, in whole lines.

use std::{
    borrow::Cow,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Zoned;
use tokio::time::{Instant, sleep_until};

use super::{
    Screen, Source, Stream,
    ear::Ear,
    input::{Input, drop_returns},
    layout::{End, without_final_returns},
    plain::Plain,
    queue::StreamId,
};

/// Bytes asked for in one read: what a pipe holds, pipe(7).
const READ: usize = 64 << 10;

/// From this size on whole lines are handed over in the buffer they were read into; below, copying is cheaper than a new buffer.
const HAND_OVER: usize = 16 << 10;

/// A longer line is passed on in pieces of about this size: each app may cost this much memory for each of its streams.
pub(super) const LONGEST_LINE: usize = 16 << 20;

/// An unfinished line is shown after this time, where it may be.
pub(super) const UNFINISHED_AFTER: Duration = Duration::from_millis(200);

/// Brings the output of a pipe to the console until its end. The pipe counts for [`Source::drained`] from the call on, before the first poll.
///
/// # Errors
/// It is no pipe, cannot be waited for, or not be read.
pub fn pump(fd: OwnedFd, stream: Stream, source: Source) -> impl Future<Output = io::Result<()>> {
    let tap = Input::pipe(fd).map(|input| Tap::open(input, stream, source, None));
    async move { tap?.run().await }
}

/// The same for our end of a terminal; its bytes go to the screen as they come.
///
/// # Errors
/// It cannot be waited for, or not be read.
pub fn pump_terminal(fd: OwnedFd, screen: Screen, source: Source) -> impl Future<Output = io::Result<()>> {
    let tap = Input::terminal(fd).map(|input| Tap::open(input, Stream::Out, source, Some(screen)));
    async move { tap?.run().await }
}

/// A pipe or terminal, and what was read of an unfinished line.
#[derive(Debug)]
pub(super) struct Tap {
    input: Input,
    stream: Stream,
    id: StreamId,
    source: Source,
    ear: Option<Arc<Ear>>,
    /// Who sees it as it is.
    screen: Option<Screen>,
    carry: Mutex<Carry>,
}

#[derive(Debug, Default)]
struct Carry {
    /// Bytes of the line that has no end yet, without those that are shown already.
    bytes: Vec<u8>,
    /// When the first of them came, while it is open whether they are to be shown unfinished.
    since: Option<Instant>,
    /// What a terminal is told besides.
    plain: Plain,
    /// The bytes of that line that are shown already, for all who get whole lines alone.
    begun: Vec<u8>,
}

enum Read {
    Some(usize),
    Nothing,
    End,
}

impl Tap {
    fn open(input: Input, stream: Stream, source: Source, screen: Option<Screen>) -> Arc<Self> {
        let (id, ear) = (source.shared().next_stream(), source.ear());
        let tap = Arc::new(Self { input, stream, id, source: source.clone(), ear, screen, carry: Mutex::default() });
        source.register(&tap);
        tap
    }

    async fn run(&self) -> io::Result<()> {
        loop {
            self.source.room(self.stream).await;
            let since = self.carry().since;
            match since {
                None => self.input.readable().await?,
                Some(since) => tokio::select! {
                    biased;
                    () = sleep_until(since + UNFINISHED_AFTER) => {
                        self.show_unfinished();
                        continue;
                    }
                    ready = self.input.readable() => ready?,
                },
            }
            match self.read(|bytes| self.input.try_read(bytes))? {
                // A pipe that is filled as fast as it is read must not keep the others, or the runner, from their turn.
                Read::Some(_) => tokio::task::yield_now().await,
                Read::Nothing => {}
                Read::End => return Ok(()),
            }
        }
    }

    /// Reads what is in the pipe now, then ends the unfinished line.
    pub(super) async fn drain(&self) -> io::Result<()> {
        let mut left = self.input.left()?;
        while left > 0 {
            self.source.room(self.stream).await;
            match self.read(|bytes| self.input.read_now(bytes))? {
                Read::Some(count) => left = left.saturating_sub(count as u64),
                Read::Nothing | Read::End => break,
            }
            tokio::task::yield_now().await;
        }
        self.cut(&mut self.carry());
        Ok(())
    }

    fn carry(&self) -> MutexGuard<'_, Carry> {
        self.carry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut more: impl FnMut(&mut Vec<u8>) -> io::Result<usize>) -> io::Result<Read> {
        let mut carry = self.carry();
        carry.bytes.reserve(READ);
        loop {
            match more(&mut carry.bytes) {
                Ok(0) => {
                    self.cut(&mut carry);
                    return Ok(Read::End);
                }
                Ok(count) => {
                    if let Some(screen) = &self.screen {
                        screen.feed(&carry.bytes[carry.bytes.len() - count..]);
                    }
                    if let Some(ear) = &self.ear {
                        ear.hear(self.stream, &carry.bytes[carry.bytes.len() - count..]);
                    }
                    self.took(&mut carry, count);
                    return Ok(Read::Some(count));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Nothing),
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes on the lines that the last `count` bytes have completed.
    fn took(&self, carry: &mut Carry, count: usize) {
        let mut before = carry.bytes.len() - count;
        if self.input.is_terminal() {
            carry.plain.strip(&mut carry.bytes, before);
            before = drop_returns(&mut carry.bytes, before);
        }
        match memchr::memrchr(b'\n', &carry.bytes[before..]) {
            Some(newline) => {
                let end = before + newline + 1;
                if end >= HAND_OVER {
                    let mut rest = Vec::with_capacity(READ + carry.bytes.len() - end);
                    rest.extend_from_slice(&carry.bytes[end..]);
                    let mut whole = std::mem::replace(&mut carry.bytes, rest);
                    whole.truncate(end);
                    self.emit(whole.into(), End::Line, &mut carry.begun);
                } else {
                    self.emit(Cow::Borrowed(&carry.bytes[..end]), End::Line, &mut carry.begun);
                    carry.bytes.drain(..end);
                }
                carry.since = None;
            }
            // A file gets the line as it is.
            None if self.source.layout().shows_last_segment_only() && !self.source.recorder().keeps(self.stream) => {
                if let Some(at) = memchr::memrchr(b'\r', without_final_returns(&carry.bytes[before..])) {
                    carry.bytes.drain(..before + at);
                }
            }
            None => {}
        }
        if carry.bytes.len() >= LONGEST_LINE {
            self.cut(carry);
        } else if !carry.bytes.is_empty() && carry.since.is_none() {
            carry.since = Some(Instant::now());
        }
    }

    /// Shows what there is of an unfinished line, where that is allowed; else it waits for its end.
    fn show_unfinished(&self) {
        let mut carry = self.carry();
        if carry.since.take().is_some() && self.source.shared().shows_unfinished_lines() {
            let carry = &mut *carry;
            self.emit(std::mem::take(&mut carry.bytes).into(), End::Unfinished, &mut carry.begun);
        }
    }

    /// Passes on an unfinished line whose rest is not waited for.
    fn cut(&self, carry: &mut Carry) {
        carry.since = None;
        self.emit(std::mem::take(&mut carry.bytes).into(), End::Cut, &mut carry.begun);
    }

    fn emit(&self, bytes: Cow<'_, [u8]>, end: End, begun: &mut Vec<u8>) {
        let recorder = self.source.recorder();
        let keeps = recorder.keeps(self.stream);
        if let Some(lines) = whole(&bytes, end, begun) {
            if keeps {
                recorder.write(self.stream, &lines);
            }
            self.source.tell(self.stream, &lines, recorder.muted);
        }
        let queue = &self.source.shared().queue;
        let continues = queue.continues(self.id);
        if bytes.is_empty() && !continues {
            return;
        }
        if recorder.muted || keeps && !self.source.shows(self.id, &bytes) {
            return;
        }
        let (shown, unfinished) = self.source.layout().render(bytes, self.stream, end, continues, Zoned::now);
        queue.push(self.id, shown, unfinished, self.source.budget());
    }
}

/// The whole lines that are there now. `begun`: what was kept back of the line with which the bytes begin.
fn whole<'a>(bytes: &'a [u8], end: End, begun: &mut Vec<u8>) -> Option<Cow<'a, [u8]>> {
    if end == End::Line && begun.is_empty() {
        return Some(Cow::Borrowed(bytes));
    }
    begun.extend_from_slice(bytes);
    if begun.is_empty() || end == End::Unfinished && begun.len() < LONGEST_LINE {
        return None;
    }
    if end != End::Line {
        begun.push(b'\n');
    }
    Some(std::mem::take(begun).into())
}
