//! The thread that alone writes to the terminal, and alone waits for it.

use std::{collections::VecDeque, io::IoSlice, os::fd::OwnedFd, sync::Arc};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, writev},
};

use super::queue::{Chunk, Queue};

/// Bytes of one write: while a blocking write of all that waits stood, no app could be let go on.
const WRITE: usize = 128 << 10;

/// Slices of one write; writev(2) takes 1024 at most.
const SLICES: usize = 128;

/// Writes what the queue holds until it is over.
pub(super) fn run(queue: &Arc<Queue>, out: &OwnedFd) {
    let mut batch = VecDeque::new();
    let mut torn = false;
    while queue.take(&mut batch) {
        if std::mem::take(&mut torn) {
            batch.push_front(Chunk::newline());
        }
        match write_all(queue, out, &mut batch) {
            Ok(()) => {}
            Err(Errno::PIPE | Errno::IO | Errno::NXIO | Errno::NODEV | Errno::BADF | Errno::CONNRESET) => {
                batch.clear();
                return queue.lose();
            }
            // A full disk under a redirected output: this much is lost, later lines may fit.
            Err(_) => {
                batch.clear();
                torn = true;
            }
        }
    }
}

fn write_all(queue: &Queue, out: &OwnedFd, batch: &mut VecDeque<Chunk>) -> Result<(), Errno> {
    let mut start = 0;
    while !batch.is_empty() {
        if queue.is_over() {
            batch.clear();
            break;
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut bytes) = (0, 0);
        for (slice, chunk) in slices.iter_mut().zip(batch.iter()) {
            let from = if count == 0 { start } else { 0 };
            let rest = &chunk.bytes[from..];
            let rest = &rest[..rest.len().min(WRITE - bytes)];
            *slice = IoSlice::new(rest);
            count += 1;
            bytes += rest.len();
            if bytes == WRITE {
                break;
            }
        }
        match writev(out, &slices[..count]) {
            Ok(written) => start = advance(batch, start + written),
            Err(Errno::INTR) => {}
            // Another program made the shared terminal non-blocking.
            Err(Errno::AGAIN) => wait(out)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Drops what is written, which releases it from its budget; returns how much of the first chunk that is left was written.
fn advance(batch: &mut VecDeque<Chunk>, mut written: usize) -> usize {
    while let Some(first) = batch.front() {
        if first.bytes.len() > written {
            break;
        }
        written -= first.bytes.len();
        batch.pop_front();
    }
    written
}

fn wait(out: &OwnedFd) -> Result<(), Errno> {
    match poll(&mut [PollFd::new(out, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    }
}
