//! The last lines of an instance, kept for those who look for a reason after it died.

use std::collections::VecDeque;

use super::Stream;

/// Lines kept of each stream: one that says much leaves the other its own.
const LINES: usize = 200;

/// Bytes kept of a line: its last ones.
const LINE: usize = 4096;

/// The last lines of both streams in the order they ended.
#[derive(Debug, Default)]
pub(super) struct Ring {
    kept: [Kept; 2],
    /// Numbers the lines of both.
    next: u64,
}

/// Those of one stream.
#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<(u64, Vec<u8>)>,
    unfinished: Vec<u8>,
}

impl Ring {
    /// Takes the next bytes of a stream.
    pub(super) fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let Self { kept, next } = self;
        let kept = &mut kept[stream as usize];
        let mut line = std::mem::take(&mut kept.unfinished);
        let mut rest = bytes;
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            // Only lines that stay are looked at: of a fast stream that is one in thousands.
            let skipped = memchr::memrchr_iter(b'\n', &bytes[..last]).nth(LINES - 1).map_or(0, |newline| newline + 1);
            if skipped > 0 {
                line.clear();
            }
            for whole in bytes[skipped..last].split(|&byte| byte == b'\n') {
                keep_end(&mut line, whole);
                line = kept.push(line, next);
            }
            rest = &bytes[last + 1..];
        }
        keep_end(&mut line, rest);
        kept.unfinished = line;
    }

    /// Ends the unfinished line of a stream, if there is one.
    pub(super) fn end_line(&mut self, stream: Stream) {
        let Self { kept, next } = self;
        let kept = &mut kept[stream as usize];
        let line = std::mem::take(&mut kept.unfinished);
        if !line.is_empty() {
            kept.push(line, next);
        }
    }

    /// The last lines of both streams, oldest first, without line ends.
    pub(super) fn last(&self, lines: usize) -> Vec<Vec<u8>> {
        let mut all: Vec<&(u64, Vec<u8>)> = self.kept.iter().flat_map(|kept| kept.lines.iter().rev().take(lines)).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        all[all.len().saturating_sub(lines)..].iter().map(|(_, line)| line.clone()).collect()
    }

    /// The last lines of one stream, in the same way.
    pub(super) fn last_of(&self, stream: Stream, lines: usize) -> Vec<Vec<u8>> {
        let kept = &self.kept[stream as usize].lines;
        kept.iter().skip(kept.len().saturating_sub(lines)).map(|(_, line)| line.clone()).collect()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Kept {
    /// Adds a line; returns an empty buffer, that of the line it pushed out where it did.
    fn push(&mut self, line: Vec<u8>, next: &mut u64) -> Vec<u8> {
        let mut spare = if self.lines.len() == LINES { self.lines.pop_front().unwrap_or_default().1 } else { Vec::new() };
        self.lines.push_back((*next, line));
        *next += 1;
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
        let text: String = (0..500).map(|number| format!("line {number}\n")).collect();
        let expected: Vec<Vec<u8>> = (300..500).map(|number| format!("line {number}").into_bytes()).collect();
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
            assert_eq!(ring.last(2), expected[198..]);
        }
    }

    #[test]
    fn a_stream_that_says_much_leaves_the_other_its_lines() {
        let mut ring = Ring::default();
        ring.feed(Stream::Err, b"why\n");
        for number in 0..1000 {
            ring.feed(Stream::Out, format!("{number}\n").as_bytes());
        }
        ring.feed(Stream::Err, b"last\n");
        assert_eq!(ring.last_of(Stream::Err, 20), [b"why".to_vec(), b"last".to_vec()]);
        assert_eq!(ring.last_of(Stream::Out, 1), [b"999".to_vec()]);
        assert_eq!(ring.last(2), [b"999".to_vec(), b"last".to_vec()]);
        assert_eq!(ring.last(usize::MAX).len(), LINES + 2);
        assert_eq!(ring.last(usize::MAX)[0], b"why");
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
