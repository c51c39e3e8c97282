//! The last lines of an instance, kept for those who look for a reason after it died.

use std::collections::VecDeque;

use super::Stream;

/// Lines kept.
const LINES: usize = 50;

/// Bytes kept of a line: its last ones.
const LINE: usize = 4096;

/// The last lines of both streams in the order they ended.
#[derive(Debug, Default)]
pub(super) struct Ring {
    lines: VecDeque<Vec<u8>>,
    unfinished: [Vec<u8>; 2],
}

impl Ring {
    /// Takes the next bytes of a stream.
    pub(super) fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let mut line = std::mem::take(&mut self.unfinished[stream as usize]);
        let mut rest = bytes;
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            // Only lines that stay are looked at: of a fast stream that is one in thousands.
            let skipped = memchr::memrchr_iter(b'\n', &bytes[..last]).nth(LINES - 1).map_or(0, |newline| newline + 1);
            if skipped > 0 {
                line.clear();
            }
            for whole in bytes[skipped..last].split(|&byte| byte == b'\n') {
                keep_end(&mut line, whole);
                line = self.push(line);
            }
            rest = &bytes[last + 1..];
        }
        keep_end(&mut line, rest);
        self.unfinished[stream as usize] = line;
    }

    /// Ends the unfinished line of a stream, if there is one.
    pub(super) fn end_line(&mut self, stream: Stream) {
        let line = std::mem::take(&mut self.unfinished[stream as usize]);
        if !line.is_empty() {
            self.push(line);
        }
    }

    /// The last lines, oldest first, without line ends.
    pub(super) fn last(&self, lines: usize) -> Vec<Vec<u8>> {
        self.lines.iter().skip(self.lines.len().saturating_sub(lines)).cloned().collect()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a line; returns an empty buffer, that of the line it pushed out where it did.
    fn push(&mut self, line: Vec<u8>) -> Vec<u8> {
        let mut spare = if self.lines.len() == LINES { self.lines.pop_front().unwrap_or_default() } else { Vec::new() };
        self.lines.push_back(line);
        spare.clear();
        spare
    }
}

fn keep_end(line: &mut Vec<u8>, bytes: &[u8]) {
    line.extend_from_slice(&bytes[bytes.len().saturating_sub(LINE)..]);
    line.drain(..line.len().saturating_sub(LINE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_however_they_arrive() {
        let text: String = (0..200).map(|number| format!("line {number}\n")).collect();
        let expected: Vec<Vec<u8>> = (150..200).map(|number| format!("line {number}").into_bytes()).collect();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut ring = Ring::default();
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(random.usize(1..=rest.len()));
                ring.feed(Stream::Out, chunk);
                rest = after;
            }
            assert_eq!(ring.last(usize::MAX), expected);
            assert_eq!(ring.last(2), expected[48..]);
        }
    }

    #[test]
    fn streams_keep_their_own_unfinished_lines_and_long_ones_their_end() {
        let mut ring = Ring::default();
        ring.feed(Stream::Out, b"half");
        ring.feed(Stream::Err, b"\nwhole\n");
        ring.end_line(Stream::Err);
        ring.end_line(Stream::Out);
        assert_eq!(ring.last(9), [b"".to_vec(), b"whole".to_vec(), b"half".to_vec()]);
        let mut long = vec![b'a'; 3 * LINE];
        long.extend(b"the end");
        for piece in long.chunks(1000) {
            ring.feed(Stream::Out, piece);
        }
        ring.end_line(Stream::Out);
        assert_eq!(ring.last(1), [long[long.len() - LINE..].to_vec()]);
        ring.clear();
        assert!(ring.last(9).is_empty());
    }
}
