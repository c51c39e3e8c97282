//! What a program has made of a terminal: private modes (DECSET, <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>) and what else
//! outlives it, so that another terminal can be brought there, and any terminal back.

use std::{collections::BTreeSet, fmt::Write as _};

/// Modes that are on in a fresh terminal: lines wrap, the cursor is seen.
const USUALLY_ON: [u16; 2] = [7, 25];

/// Modes that show another screen.
const OTHER_SCREEN: [u16; 3] = [47, 1047, 1049];

/// A frame under way; whoever comes in its middle must not wait for its end.
const FRAME: u16 = 2026;

/// More are not kept: no program sets so many.
const MOST: usize = 64;

/// The modes of a terminal, read off what is written to it.
#[derive(Debug, Clone, Default)]
pub struct Modes {
    place: Place,
    /// Those that are not as usual.
    unusual: BTreeSet<u16>,
    /// How often the kitty keyboard protocol was switched on.
    keyboards: u16,
    /// Whether the keypad sends sequences.
    keypad: bool,
}

/// Where in a sequence the bytes have come.
#[derive(Debug, Clone, Default)]
enum Place {
    #[default]
    Text,
    Escape,
    Sequence {
        /// `?`, `>` or `<`; 0: none.
        kind: u8,
        numbers: Vec<u16>,
    },
}

impl Modes {
    /// Reads what is written to the terminal, in whatever pieces.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if matches!(self.place, Place::Text) {
                let Some(at) = memchr::memchr(0x1b, bytes) else { return };
                self.place = Place::Escape;
                bytes = &bytes[at + 1..];
                continue;
            }
            self.step(bytes[0]);
            bytes = &bytes[1..];
        }
    }

    fn step(&mut self, byte: u8) {
        self.place = match (std::mem::take(&mut self.place), byte) {
            (_, 0x1b) => Place::Escape,
            (Place::Escape, b'[') => Place::Sequence { kind: 0, numbers: vec![0] },
            (Place::Escape, b'c') => {
                *self = Self::default();
                Place::Text
            }
            (Place::Escape, b'=' | b'>') => {
                self.keypad = byte == b'=';
                Place::Text
            }
            (Place::Text | Place::Escape, _) => Place::Text,
            (Place::Sequence { kind: 0, numbers }, b'?' | b'>' | b'<') => Place::Sequence { kind: byte, numbers },
            (Place::Sequence { kind, mut numbers }, b'0'..=b'9') => {
                if let Some(last) = numbers.last_mut() {
                    *last = last.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                }
                Place::Sequence { kind, numbers }
            }
            (Place::Sequence { kind, mut numbers }, b';') if numbers.len() < MOST => {
                numbers.push(0);
                Place::Sequence { kind, numbers }
            }
            (Place::Sequence { kind, numbers }, end) => {
                self.sequence(kind, &numbers, end);
                Place::Text
            }
        };
    }

    fn sequence(&mut self, kind: u8, numbers: &[u16], end: u8) {
        match (kind, end) {
            (b'?', b'h' | b'l') => {
                for mode in numbers {
                    if (end == b'h') == USUALLY_ON.contains(mode) {
                        self.unusual.remove(mode);
                    } else if self.unusual.len() < MOST {
                        self.unusual.insert(*mode);
                    }
                }
            }
            (b'>', b'u') => self.keyboards = self.keyboards.saturating_add(1),
            (b'<', b'u') => self.keyboards = self.keyboards.saturating_sub(numbers.first().map_or(1, |count| (*count).max(1))),
            _ => {}
        }
    }

    /// Whether the program draws on a screen of its own, so that its last lines are none.
    pub fn draws(&self) -> bool {
        OTHER_SCREEN.iter().any(|mode| self.unusual.contains(mode))
    }

    /// What brings a fresh terminal to these modes.
    pub fn enter(&self) -> Vec<u8> {
        let mut text = String::new();
        for mode in self.unusual.iter().filter(|mode| **mode != FRAME) {
            let _ = write!(text, "\x1b[?{mode}{}", if USUALLY_ON.contains(mode) { 'l' } else { 'h' });
        }
        if self.keypad {
            text.push_str("\x1b=");
        }
        text.into_bytes()
    }

    /// What makes the terminal a usual one again.
    pub fn leave(&self) -> Vec<u8> {
        let mut text = String::new();
        if self.keyboards > 0 {
            let _ = write!(text, "\x1b[<{}u", self.keyboards);
        }
        for mode in &self.unusual {
            let _ = write!(text, "\x1b[?{mode}{}", if USUALLY_ON.contains(mode) { 'h' } else { 'l' });
        }
        if self.keypad {
            text.push_str("\x1b>");
        }
        text.push_str("\x1b[0m");
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Modes {
        let mut modes = Modes::default();
        modes.feed(text.as_bytes());
        modes
    }

    fn shown(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace('\x1b', "^")
    }

    #[test]
    fn what_was_switched_on_is_switched_off_and_the_other_way_round() {
        let editor = after("x\x1b[?1049h\x1b[22;0;0t\x1b[?25l\x1b[?1000;1006h\x1b=\x1b[>1u\x1b[31mred");
        assert_eq!(shown(&editor.enter()), "^[?25l^[?1000h^[?1006h^[?1049h^=");
        assert_eq!(shown(&editor.leave()), "^[<1u^[?25h^[?1000l^[?1006l^[?1049l^>^[0m");
        assert!(editor.draws());
        let left = after("\x1b[?1049h\x1b[?25l\x1b[>1ux\x1b[<u\x1b[?25h\x1b[?1049l");
        assert_eq!((shown(&left.enter()), shown(&left.leave())), (String::new(), "^[0m".to_owned()));
        assert!(!left.draws());
        assert_eq!(shown(&after("\x1b[?2004h\x1bc").leave()), "^[0m", "a reset");
        assert_eq!(shown(&after("\x1b[?2026h").enter()), "", "a frame under way");
    }

    #[test]
    fn pieces_of_any_size_mean_the_same() {
        let text = "a\x1b[?1049;2004hb\x1b[?25l";
        let mut modes = Modes::default();
        text.bytes().for_each(|byte| modes.feed(&[byte]));
        assert_eq!(modes.enter(), after(text).enter());
    }

    #[test]
    fn nonsense_costs_nothing() {
        let mut modes = Modes::default();
        for mode in 0..1000 {
            modes.feed(format!("\x1b[?{mode}h").as_bytes());
        }
        modes.feed(format!("\x1b[?{}h", "9;".repeat(10_000)).as_bytes());
        modes.feed(b"\x1b[?99999999999999h");
        assert!(modes.unusual.len() <= MOST);
    }
}
