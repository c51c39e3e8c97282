//! The named pipe into which children tell their first instruction.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, FileType, Mode, mknodat},
};

use crate::clock;

/// The reading end.
pub struct Stamps {
    pub path: PathBuf,
    /// How many children have told so far.
    pub told: usize,
    file: File,
    partial: String,
    waiting: Vec<u64>,
}

impl Stamps {
    /// Makes the pipe.
    pub fn new(path: &Path) -> io::Result<Self> {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // Open for writing as well, so that it never ends and no child waits for a reader.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("the flags of open(2) are an int");
        let file = OpenOptions::new().read(true).write(true).custom_flags(nonblock).open(path)?;
        Ok(Self { path: path.to_owned(), told: 0, file, partial: String::new(), waiting: Vec::new() })
    }

    /// Every first instruction told so far and not asked for yet.
    pub fn take(&mut self) -> io::Result<Vec<u64>> {
        let mut buffer = [0; 4096];
        loop {
            match self.file.read(&mut buffer) {
                Ok(length) => self.partial.push_str(&String::from_utf8_lossy(&buffer[..length])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        while let Some(end) = self.partial.find('\n') {
            let line: String = self.partial.drain(..=end).collect();
            self.waiting.extend(line.split_whitespace().nth(1).and_then(|at| at.parse::<u64>().ok()));
            self.told += 1;
        }
        Ok(std::mem::take(&mut self.waiting))
    }

    /// The first first-instruction at or after `since`; `None` if there is none within the limit.
    pub fn after(&mut self, since: u64, limit: Duration) -> io::Result<Option<u64>> {
        let began = clock::now();
        loop {
            let told = self.take()?;
            if let Some(index) = told.iter().position(|at| *at >= since) {
                self.waiting.extend(&told[index + 1..]);
                return Ok(Some(told[index]));
            }
            let left = limit.saturating_sub(clock::since(began));
            if left.is_zero() {
                return Ok(None);
            }
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&left))?;
        }
    }
}
