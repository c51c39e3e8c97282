//! Log files as they are read: backwards, from the end or from where a runner says they were, over those put away, compressed ones too.
//! It reads and nothing else, in whoever's process wants to know, and follows the names that [`rotate`](super::file::rotate) gives.
//! Start reading with [`Lines`], then [`parse`] (what a line of a file says).

mod dating;
mod open;
pub mod parse;

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

pub use super::file::times::When;
pub use parse::{Said, Writing};

use super::file::Position;
use dating::Dating;

/// Bytes read at a time.
const BLOCK: u64 = 64 << 10;

/// The lines of a log, the last one first.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    /// Those put away, by their stamps, the newest last.
    older: Vec<String>,
    part: Part,
    /// When its lines came.
    dating: Dating,
    /// Where in the part the last line begins that was given.
    at: u64,
}

/// A file, or what is left of it.
#[derive(Debug)]
enum Part {
    /// It is read in blocks from its end.
    Plain {
        file: File,
        /// Bytes before those in `tail`.
        left: u64,
        /// What was read and not given out, from the start of a line or within one.
        tail: Vec<u8>,
    },
    /// It was unpacked.
    Unpacked(Vec<u8>),
    /// Nothing is left.
    None,
}

impl Lines {
    /// Of a log file, with those put away before it. `until`: up to where it was at that moment.
    ///
    /// # Errors
    /// Its folder or the file cannot be read; that it is not there is no error.
    pub fn of(path: &Path, until: Option<&Position>) -> io::Result<Self> {
        open::open(path, until)
    }

    /// When the file was written from which the last line came, in milliseconds since 1970: none of its lines is newer.
    pub fn written(&self) -> i64 {
        self.dating.written()
    }

    /// When the last line came, as far as that is known besides what stands in it.
    pub fn when(&mut self) -> When {
        self.dating.when(self.at)
    }

    /// The line before the last one given, without its end; `None`: there is none.
    ///
    /// # Errors
    /// A file cannot be read, or not be unpacked.
    pub fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let line = match &mut self.part {
                Part::None => None,
                Part::Unpacked(text) => last_line(text, true),
                Part::Plain { file, left, tail } => loop {
                    let line = last_line(tail, *left == 0);
                    if line.is_some() || *left == 0 {
                        break line;
                    }
                    let size = (*left).min(BLOCK.max(tail.len() as u64));
                    let mut block = vec![0; usize::try_from(size).expect("a block fits into memory")];
                    file.read_exact_at(&mut block, *left - size)?;
                    *left -= size;
                    block.append(tail);
                    *tail = block;
                },
            };
            if line.is_some() {
                self.at = match &self.part {
                    Part::Plain { left, tail, .. } => *left + tail.len() as u64,
                    Part::Unpacked(text) => text.len() as u64,
                    Part::None => 0,
                };
                return Ok(line);
            }
            let Some(stamp) = self.older.pop() else {
                self.part = Part::None;
                return Ok(None);
            };
            if let Some((part, dating)) = open::put_away(&self.path, &stamp)? {
                (self.part, self.dating) = (part, dating);
            } else {
                self.part = Part::None;
            }
        }
    }
}

/// Takes the last line off a text that ends with a line's end, or has no more lines behind it. `whole`: nothing is before the text.
fn last_line(text: &mut Vec<u8>, whole: bool) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    let end = text.len() - usize::from(text.last() == Some(&b'\n'));
    let start = match memchr::memrchr(b'\n', &text[..end]) {
        Some(newline) => newline + 1,
        None if whole => 0,
        None => return None,
    };
    let line = text[start..end].to_vec();
    text.truncate(start);
    Some(line)
}

/// Unpacks a file, up to so many bytes.
fn unpack(file: File, most: Option<u64>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    MultiGzDecoder::new(io::BufReader::new(file)).take(most.unwrap_or(u64::MAX)).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
