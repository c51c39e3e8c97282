//! A line of output that matches a regex.

use regex::bytes::Regex;

/// How much of a line is looked at: its beginning.
const LONGEST: usize = 64 << 10;

/// Looks for the line in streams of bytes, in whatever pieces they come. Colours do not count, nor does what a line overwrites of itself:
/// each state of such a line is looked at.
#[derive(Debug)]
pub struct Matcher {
    regex: Regex,
    /// The unfinished line of each stream.
    unfinished: [Vec<u8>; 2],
}

impl Matcher {
    /// Looks for this regex, without one for nothing: what was read from a file is one.
    pub fn new(source: &str) -> Option<Self> {
        Some(Self { regex: Regex::new(source).ok()?, unfinished: <[Vec<u8>; 2]>::default() })
    }

    /// Takes the next bytes of a stream (0 or 1); true: they complete a line that matches.
    pub fn feed(&mut self, stream: usize, mut bytes: &[u8]) -> bool {
        let line = &mut self.unfinished[stream];
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            keep(line, &bytes[..end]);
            let found = self.regex.is_match(&without_escapes(line));
            line.clear();
            if found {
                return true;
            }
            bytes = &bytes[end + 1..];
        }
        keep(line, bytes);
        false
    }
}

fn keep(line: &mut Vec<u8>, bytes: &[u8]) {
    line.extend_from_slice(&bytes[..bytes.len().min(LONGEST.saturating_sub(line.len()))]);
}

/// Without the sequences of ECMA-48 that colour, move or name: `ESC [ … final`, `ESC ] … BEL`, `ESC x`.
fn without_escapes(line: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    const ESC: u8 = 0x1b;
    if memchr::memchr(ESC, line).is_none() {
        return line.into();
    }
    let mut text = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(escape) = memchr::memchr(ESC, rest) {
        text.extend_from_slice(&rest[..escape]);
        let sequence = &rest[escape + 1..];
        let length = match sequence.first() {
            Some(b'[') => sequence.iter().skip(1).position(|byte| (b'@'..=b'~').contains(byte)).map(|at| at + 2),
            // Ended by BEL or by ESC \.
            Some(b']') => memchr::memchr2(0x07, b'\\', sequence).map(|at| at + 1),
            Some(_) => Some(1),
            None => None,
        };
        rest = length.map_or(&[], |length| &sequence[length..]);
    }
    text.extend_from_slice(rest);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_in_whatever_pieces_it_comes() {
        let text = b"one\n\x1b[32mlistening\x1b[0m on \x1b[1m3000\x1b[0m\r\nthree\n";
        let newline = memchr::memchr(b'\r', text).unwrap();
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut matcher = Matcher::new("^listening on 3000$").unwrap();
                let found = [&text[..first], &text[first..second], &text[second..]].map(|piece| matcher.feed(0, piece));
                let at = [first, second, text.len()].iter().position(|end| *end > newline).unwrap();
                assert_eq!(found.iter().position(|found| *found), Some(at), "{first} {second}");
            }
        }
    }

    #[test]
    fn streams_do_not_mix_and_an_unfinished_line_is_none_yet() {
        let mut matcher = Matcher::new("ready").unwrap();
        assert!(!matcher.feed(0, b"rea"));
        assert!(!matcher.feed(1, b"dy\n"));
        assert!(!matcher.feed(0, b"dy"));
        assert!(matcher.feed(0, b" now\n"));
    }

    #[test]
    fn each_state_of_a_line_that_overwrites_itself_counts() {
        let mut matcher = Matcher::new("^50%$").unwrap();
        assert!(!matcher.feed(0, b"10%\r"));
        assert!(matcher.feed(0, b"50%\r100%\n"));
    }

    #[test]
    fn sequences_are_no_text() {
        for (line, text) in [
            ("\x1b[1;32mup\x1b[m", "up"),
            ("\x1b]0;title\x07up", "up"),
            ("\x1b]8;;http://x\x1b\\up\x1b]8;;\x1b\\", "up"),
            ("a\x1b", "a"),
            ("a\x1b[3", "a"),
            ("\x1bMup", "up"),
        ] {
            assert_eq!(without_escapes(line.as_bytes()), text.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn of_an_endless_line_the_beginning_is_kept() {
        let mut matcher = Matcher::new("^x+end").unwrap();
        for _ in 0..1000 {
            assert!(!matcher.feed(1, &[b'x'; 1000]));
        }
        assert_eq!(matcher.unfinished[1].len(), LONGEST);
        assert!(!matcher.feed(1, b"end\n"));
        assert!(matcher.feed(1, b"xend\n"), "the next line is a line again");
    }
}
