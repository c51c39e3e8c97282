//! Descriptors that a program has besides its three: handed to the shim with the word that its plan is there, and put in their places
//! right before the program is executed. So a shim that was started ahead can still be given any.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd},
};

use rustix::{
    io::{Errno, fcntl_dupfd_cloexec},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg},
};

/// The number of the first of them in the program; the others follow.
pub const FIRST: RawFd = 3;

/// The most that can be handed over.
pub const MOST: usize = 64;

/// Sends a word, and the descriptors with it.
pub fn send(channel: &OwnedFd, word: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::TOOMANYREFS);
    }
    sendmsg(channel, &[IoSlice::new(word)], &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// Waits for a word and what comes with it; gives the word's length.
pub fn receive(channel: &OwnedFd, word: &mut [u8]) -> Result<(usize, Handed), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(channel, &mut [IoSliceMut::new(word)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    Ok((received.bytes, Handed(fds)))
}

/// What was handed over, in order.
#[derive(Debug)]
pub struct Handed(Vec<OwnedFd>);

impl Handed {
    /// Moves everything out of the numbers that the program is to have; `channel` too, which stays ours until then.
    pub fn clear_their_places(&mut self, channel: &mut OwnedFd) -> Result<(), Errno> {
        let free = FIRST + RawFd::try_from(self.0.len()).expect("there are at most MOST");
        for fd in self.0.iter_mut().chain([channel]) {
            if fd.as_raw_fd() < free {
                *fd = fcntl_dupfd_cloexec(&*fd, free)?;
            }
        }
        Ok(())
    }

    /// Takes out the last one.
    pub fn pop(&mut self) -> Option<OwnedFd> {
        self.0.pop()
    }

    /// Puts each in its place, to be inherited. Whatever was there is closed.
    pub fn put(&self) -> Result<(), Errno> {
        for (number, fd) in (FIRST..).zip(&self.0) {
            // SAFETY: nothing of ours owns a number that `clear_their_places` has cleared; the program is to own it.
            if unsafe { libc::dup2(fd.as_raw_fd(), number) } < 0 {
                return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::BADF));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::{
        io::{FdFlags, fcntl_getfd, write},
        net::{AddressFamily, SocketFlags, SocketType, socketpair},
        pipe::pipe,
    };

    use super::*;

    #[test]
    fn they_arrive_in_order_and_closed_on_exec() {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let (out, into) = pipe().unwrap();
        send(&ours, b"go", &[into.as_fd(), out.as_fd()]).unwrap();
        drop(into);
        let mut word = [0; 2];
        let (length, Handed(fds)) = receive(&theirs, &mut word).unwrap();
        assert_eq!((&word[..length], fds.len()), (&b"go"[..], 2));
        assert!(fds.iter().all(|fd| fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)));
        write(&fds[0], b"x").unwrap();
        let mut byte = [0; 1];
        assert_eq!(rustix::io::read(&fds[1], &mut byte), Ok(1));
        send(&ours, b"go", &[]).unwrap();
        assert_eq!(receive(&theirs, &mut word).map(|(length, Handed(fds))| (length, fds.len())).unwrap(), (2, 0));
    }
}
