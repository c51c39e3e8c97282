//! Bytes of a terminal as keys (xterm's control sequences, which all others follow).

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest text that is pasted; more of it is left out.
const LONGEST_PASTE: usize = 64 * 1024;

/// What ends a pasted text.
const PASTED: &[u8] = b"\x1b[201~";

/// Something that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A key.
    Key(KeyEvent),
    /// A text, all at once.
    Paste(String),
}

/// What begins a text.
enum Piece {
    /// So many bytes are a key, or mean nothing.
    Whole(usize, Option<KeyEvent>),
    /// So many bytes say that a pasted text follows.
    Paste(usize),
    /// More has to come.
    Part,
}

/// Bytes that were read, and what they are.
#[derive(Debug, Default)]
pub struct Keys {
    bytes: Vec<u8>,
    pasting: bool,
    closed: bool,
}

impl Keys {
    /// More bytes were read.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.closed = false;
    }

    /// Nothing followed: what waits is all of a key.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether something waits for its rest.
    pub fn is_open(&self) -> bool {
        !self.pasting && !self.bytes.is_empty() && !self.closed
    }

    /// The next key or text; `None`: more has to be read first.
    pub fn next(&mut self) -> Option<Typed> {
        loop {
            if self.pasting {
                return self.pasted();
            }
            match piece(&self.bytes) {
                Piece::Whole(count, key) => {
                    self.bytes.drain(..count);
                    if let Some(key) = key {
                        return Some(Typed::Key(key));
                    }
                }
                Piece::Paste(count) => {
                    self.bytes.drain(..count);
                    self.pasting = true;
                }
                Piece::Part if self.closed && !self.bytes.is_empty() => {
                    // An escape character alone is a key; of anything else cut short, nobody knows what it was.
                    let is_escape = self.bytes == [0x1b];
                    self.bytes.clear();
                    return is_escape.then(|| Typed::Key(plain(KeyCode::Esc)));
                }
                Piece::Part => return None,
            }
        }
    }

    fn pasted(&mut self) -> Option<Typed> {
        let Some(end) = self.bytes.windows(PASTED.len()).position(|window| window == PASTED) else {
            // What may be the beginning of its end is kept.
            let most = LONGEST_PASTE + PASTED.len();
            if self.bytes.len() > most {
                self.bytes.drain(LONGEST_PASTE..self.bytes.len() - PASTED.len());
            }
            return None;
        };
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..end + PASTED.len());
        self.pasting = false;
        Some(Typed::Paste(text))
    }
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn piece(bytes: &[u8]) -> Piece {
    match bytes {
        [] | [0x1b] | [0x1b, b'O'] => Piece::Part,
        [0x1b, 0x1b, ..] => Piece::Whole(1, Some(plain(KeyCode::Esc))),
        [0x1b, b'O', letter, ..] => Piece::Whole(3, by_letter(*letter).map(plain)),
        [0x1b, b'[', rest @ ..] => sequence(rest),
        [0x1b, rest @ ..] => match piece(rest) {
            Piece::Whole(count, key) => {
                let with_alt = |key: KeyEvent| KeyEvent { modifiers: key.modifiers | KeyModifiers::ALT, ..key };
                Piece::Whole(count + 1, key.map(with_alt))
            }
            Piece::Paste(count) => Piece::Paste(count + 1),
            Piece::Part => Piece::Part,
        },
        [b'\r' | b'\n', ..] => Piece::Whole(1, Some(plain(KeyCode::Enter))),
        [b'\t', ..] => Piece::Whole(1, Some(plain(KeyCode::Tab))),
        [0x7f | 0x08, ..] => Piece::Whole(1, Some(plain(KeyCode::Backspace))),
        [control @ 1..=26, ..] => {
            Piece::Whole(1, Some(KeyEvent::new(KeyCode::Char(char::from(control - 1 + b'a')), KeyModifiers::CONTROL)))
        }
        [0..=31, ..] => Piece::Whole(1, None),
        _ => character(bytes),
    }
}

/// A character in UTF-8.
fn character(bytes: &[u8]) -> Piece {
    let known = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let text = match std::str::from_utf8(known) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => std::str::from_utf8(&known[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) if error.error_len().is_none() => return Piece::Part,
        Err(_) => return Piece::Whole(1, None),
    };
    match text.chars().next() {
        Some(char) => Piece::Whole(char.len_utf8(), Some(plain(KeyCode::Char(char)))),
        None => Piece::Part,
    }
}

/// What follows `ESC [`: parameters, and a last letter.
fn sequence(rest: &[u8]) -> Piece {
    // The function keys of the Linux console have a second bracket.
    if let [b'[', after @ ..] = rest {
        return if after.is_empty() { Piece::Part } else { Piece::Whole(4, None) };
    }
    let Some(end) = rest.iter().position(|byte| !(b' '..=b'?').contains(byte)) else { return Piece::Part };
    let count = end + 3;
    let parameters = String::from_utf8_lossy(&rest[..end]).into_owned();
    let mut numbers = parameters.split(';').map(|number| number.parse::<u8>().unwrap_or(0));
    let (first, second) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let code = match (rest[end], first) {
        (b'~', 200) => return Piece::Paste(count),
        (b'~', 1 | 7) => Some(KeyCode::Home),
        (b'~', 4 | 8) => Some(KeyCode::End),
        (b'~', 3) => Some(KeyCode::Delete),
        (b'~', 5) => Some(KeyCode::PageUp),
        (b'~', 6) => Some(KeyCode::PageDown),
        (b'~', 11) => Some(KeyCode::F(1)),
        (letter, _) => by_letter(letter),
    };
    let held = second.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if held & bit != 0 {
            modifiers |= modifier;
        }
    }
    Piece::Whole(count, code.map(|code| KeyEvent::new(code, modifiers)))
}

fn by_letter(letter: u8) -> Option<KeyCode> {
    match letter {
        b'A' => Some(KeyCode::Up),
        b'B' => Some(KeyCode::Down),
        b'C' => Some(KeyCode::Right),
        b'D' => Some(KeyCode::Left),
        b'H' => Some(KeyCode::Home),
        b'F' => Some(KeyCode::End),
        b'P' => Some(KeyCode::F(1)),
        b'M' => Some(KeyCode::Enter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(keys: &mut Keys) -> Vec<String> {
        let one = |typed| match typed {
            Typed::Key(key) if key.modifiers.is_empty() => format!("{}", key.code),
            Typed::Key(key) => format!("{}+{}", key.modifiers, key.code),
            Typed::Paste(text) => format!("paste {text:?}"),
        };
        std::iter::from_fn(|| keys.next()).map(one).collect()
    }

    #[test]
    fn bytes_are_keys_however_they_are_cut() {
        for (bytes, expected) in [
            (&b"aR?"[..], vec!["a", "R", "?"]),
            ("名é".as_bytes(), vec!["名", "é"]),
            (b"\x1b[A\x1b[B\x1bOC\x1b[H\x1b[4~", vec!["Up", "Down", "Right", "Home", "End"]),
            (b"\x1b[1;2A\x1b[1;5B\x1b[5~\x1b[6;3~", vec!["Shift+Up", "Control+Down", "Page Up", "Alt+Page Down"]),
            (b"\x03\x1a\x0c\r\n\x7f", vec!["Control+c", "Control+z", "Control+l", "Enter", "Enter", "Backspace"]),
            (b"\x1bx\x1b\x1b[A", vec!["Alt+x", "Esc", "Up"]),
            (b"\x1b[[A\x1b[99~\x1b[?1;2c\x00q", vec!["q"]),
            (b"\xff\xfeq", vec!["q"]),
            (b"\x1b[200~x\ny\x1b[A\x1b[201~z", vec!["paste \"x\\ny\\u{1b}[A\"", "z"]),
        ] {
            let mut whole = Keys::default();
            whole.take(bytes);
            assert_eq!(shown(&mut whole), expected, "{bytes:?}");
            assert!(!whole.is_open());
            let mut cut = Keys::default();
            let pieces: Vec<String> = bytes
                .iter()
                .flat_map(|byte| {
                    cut.take(&[*byte]);
                    shown(&mut cut)
                })
                .collect();
            assert_eq!(pieces, expected, "{bytes:?} byte by byte");
        }
    }

    #[test]
    fn an_escape_that_nothing_follows_is_a_key_and_half_a_key_is_none() {
        let mut keys = Keys::default();
        keys.take(b"\x1b");
        assert_eq!(shown(&mut keys), [""; 0]);
        assert!(keys.is_open());
        keys.close();
        assert_eq!(shown(&mut keys), ["Esc"]);
        keys.take(b"\x1b[1;");
        keys.close();
        assert_eq!(shown(&mut keys), [""; 0]);
        keys.take(b"q");
        assert_eq!(shown(&mut keys), ["q"]);
    }

    #[test]
    fn a_huge_paste_is_cut() {
        let mut keys = Keys::default();
        keys.take(b"\x1b[200~");
        for _ in 0..100 {
            keys.take(&[b'x'; 4096]);
            assert_eq!(keys.next(), None);
            assert!(keys.bytes.len() <= LONGEST_PASTE + PASTED.len() + 4096);
        }
        keys.take(b"\x1b[20");
        assert_eq!(keys.next(), None);
        keys.take(b"1~q");
        assert!(matches!(keys.next(), Some(Typed::Paste(text)) if text.len() >= LONGEST_PASTE));
        assert_eq!(shown(&mut keys), ["q"]);
    }
}
