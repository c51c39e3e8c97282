//! What a program on a terminal writes, as lines: its pictures, titles and modes are for its own terminal, and would spoil the one that
//! shows the lines of all.

/// A longer sequence is no colour.
const LONGEST: usize = 64;

/// Leaves text and colours (SGR, ECMA-48, 8.3.117), and takes every other control sequence out, in whatever pieces it comes.
#[derive(Debug, Default)]
pub(super) struct Plain {
    place: Place,
    /// The sequence that has begun.
    sequence: Vec<u8>,
}

/// Where in a sequence the bytes have come.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Text,
    Escape,
    Intermediate,
    Sequence,
    /// A string for the terminal: a title, a colour of its palette.
    String,
}

impl Plain {
    /// Goes through what begins at `from`.
    pub(super) fn strip(&mut self, bytes: &mut Vec<u8>, from: usize) {
        if matches!(self.place, Place::Text) && memchr::memchr3(0x1b, 0x07, 0x0e, &bytes[from..]).is_none() {
            return;
        }
        for byte in bytes.split_off(from) {
            self.place = self.step(byte, bytes);
        }
    }

    fn step(&mut self, byte: u8, kept: &mut Vec<u8>) -> Place {
        match (std::mem::take(&mut self.place), byte) {
            (_, 0x1b) => Place::Escape,
            // Whatever has no end by then has none.
            (_, b'\n' | b'\r') => {
                kept.push(byte);
                Place::Text
            }
            // A bell, and another set of characters.
            (Place::Text, 0x07 | 0x0e) | (Place::String, 0x07) => Place::Text,
            (Place::Text, _) => {
                kept.push(byte);
                Place::Text
            }
            (Place::Escape, b'[') => {
                self.sequence.clear();
                Place::Sequence
            }
            (Place::Escape, b']' | b'P' | b'X' | b'^' | b'_') | (Place::String, _) => Place::String,
            (Place::Escape | Place::Intermediate, b' '..=b'/') => Place::Intermediate,
            (Place::Escape | Place::Intermediate, _) => Place::Text,
            (Place::Sequence, b'@'..=b'~') => {
                let colour = byte == b'm' && self.sequence.iter().all(|byte| matches!(byte, b'0'..=b';'));
                if colour && self.sequence.len() < LONGEST {
                    kept.extend_from_slice(b"\x1b[");
                    kept.append(&mut self.sequence);
                    kept.push(b'm');
                }
                Place::Text
            }
            (Place::Sequence, _) => {
                if self.sequence.len() < LONGEST {
                    self.sequence.push(byte);
                }
                Place::Sequence
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_colours_stay_and_what_is_for_a_terminal_goes() {
        for (text, left) in [
            ("plain ä\n", "plain ä\n"),
            ("\x1b[1;31mred\x1b[0m\x1b[m\n", "\x1b[1;31mred\x1b[0m\x1b[m\n"),
            ("\x1b[?2004h$ ls\r\n\x1b[?2004l\r", "$ ls\r\n\r"),
            ("\x1b[?1049h\x1b[2J\x1b[H\x1b[>4;2mpicture", "picture"),
            ("\x1b]0;title\x07a\x1b]2;title\x1b\\b\x1bP+q\x1b\\c", "abc"),
            ("\x1b(B\x1b=\x1b#8a\x07b\x0e", "ab"),
            ("\x1b]0;no end\nnext", "\nnext"),
            ("10%\r20%\x08", "10%\r20%\x08"),
        ] {
            let mut whole = b"before".to_vec();
            whole.extend_from_slice(text.as_bytes());
            Plain::default().strip(&mut whole, 6);
            assert_eq!(String::from_utf8(whole).unwrap(), format!("before{left}"), "{text:?}");
            let (mut plain, mut pieces) = (Plain::default(), Vec::new());
            for byte in text.bytes() {
                let from = pieces.len();
                pieces.push(byte);
                plain.strip(&mut pieces, from);
            }
            assert_eq!(String::from_utf8(pieces).unwrap(), left, "{text:?} byte by byte");
        }
        let mut endless = format!("\x1b[{}mx", "1;".repeat(LONGEST)).into_bytes();
        Plain::default().strip(&mut endless, 0);
        assert_eq!(endless, b"x");
    }
}
