//! What a tap reads: a pipe, or our end of a terminal.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{buffer::spare_capacity, io::Errno};
use tokio::{
    io::{Interest, unix::AsyncFd},
    net::unix::pipe::Receiver,
};

/// What may be in a terminal at most, generously. How much there is cannot be asked: the kernel hands it over only when it is read.
const IN_A_TERMINAL: u64 = 256 << 10;

/// Where bytes come from; both are read without waiting.
#[derive(Debug)]
pub(super) enum Input {
    Pipe(Receiver),
    Terminal(AsyncFd<OwnedFd>),
}

impl Input {
    pub(super) fn pipe(fd: OwnedFd) -> io::Result<Self> {
        Receiver::from_owned_fd(fd).map(Self::Pipe)
    }

    pub(super) fn terminal(fd: OwnedFd) -> io::Result<Self> {
        #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
        AsyncFd::with_interest(fd, Interest::READABLE).map(Self::Terminal)
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Waits until there may be something.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => pipe.readable().await,
            Self::Terminal(terminal) => terminal.readable().await.map(|mut ready| ready.retain_ready()),
        }
    }

    /// Reads what [`Self::readable`] has promised.
    pub(super) fn try_read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.try_read_buf(bytes),
            Self::Terminal(terminal) => terminal.try_io(Interest::READABLE, |terminal| read(terminal.as_fd(), bytes)),
        }
    }

    /// Reads, whatever tokio knows of it: it reads nothing before its driver has seen a descriptor ready.
    pub(super) fn read_now(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => Ok(rustix::io::read(pipe, spare_capacity(bytes))?),
            Self::Terminal(terminal) => read(terminal.get_ref().as_fd(), bytes),
        }
    }

    /// How many bytes may be in it now.
    pub(super) fn left(&self) -> io::Result<u64> {
        match self {
            Self::Pipe(pipe) => Ok(rustix::io::ioctl_fionread(pipe)?),
            Self::Terminal(_) => Ok(IN_A_TERMINAL),
        }
    }
}

/// EIO is the end of a terminal: nobody has its other end open.
fn read(terminal: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> io::Result<usize> {
    match rustix::io::read(terminal, spare_capacity(bytes)) {
        Err(Errno::IO) => Ok(0),
        read => Ok(read?),
    }
}

/// Takes the returns before line ends out of what begins at `from`: a terminal puts one there. Gives where to look for ends.
pub(super) fn drop_returns(bytes: &mut Vec<u8>, from: usize) -> usize {
    // Those at the end of what was there already may belong to an end that comes only now.
    let returns = bytes[..from].iter().rev().take_while(|byte| **byte == b'\r').count();
    let begin = from - returns;
    if memchr::memchr(b'\r', &bytes[begin..]).is_none() {
        return begin;
    }
    let mut kept = begin;
    for at in begin..bytes.len() {
        let byte = bytes[at];
        if byte == b'\n' {
            while kept > begin && bytes[kept - 1] == b'\r' {
                kept -= 1;
            }
        }
        bytes[kept] = byte;
        kept += 1;
    }
    bytes.truncate(kept);
    begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_before_line_ends_go_and_others_stay() {
        for (text, from, left) in [
            ("a\r\nb\r\n", 0, "a\nb\n"),
            ("a\r\r\nb", 0, "a\nb"),
            ("10%\r20%\r\n", 0, "10%\r20%\n"),
            ("a\r\nrest", 2, "a\nrest"),
            ("a\r", 0, "a\r"),
            ("plain\n", 0, "plain\n"),
            ("\r\n", 0, "\n"),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            assert!(drop_returns(&mut bytes, from) <= from, "{text:?}");
            assert_eq!(String::from_utf8(bytes).unwrap(), left, "{text:?}");
        }
    }
}
