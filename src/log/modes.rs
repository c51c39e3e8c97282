//! What a program has made of a terminal: modes, margins, character sets, looks and keyboards
//! (<https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>), so that another terminal can be brought there, and any terminal back.

mod keyboards;
mod looks;
mod place;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write as _};

use self::{
    keyboards::Keyboards,
    looks::Looks,
    place::{Control, Place, Sign},
};

/// Private modes (DECSET) that are on in a fresh terminal: lines wrap, the cursor is seen.
const USUALLY_ON: [u16; 2] = [7, 25];

/// Private modes that show another screen.
const OTHER_SCREEN: [u16; 3] = [47, 1047, 1049];

/// The one of them that has the cursor where it was, once it is switched off.
const KEEPS_CURSOR: u16 = 1049;

/// Lines count from the upper margin. Switching it moves the cursor.
const ORIGIN: u16 = 6;

/// There are margins at the sides.
const SIDES: u16 = 69;

/// A frame under way; whoever comes in its middle must not wait for its end.
const FRAME: u16 = 2026;

/// Modes of ANSI that outlive a program: a locked keyboard, inserting, no local echo (usually on), and new lines.
const ANSI: [u16; 4] = [2, 4, 12, 20];
const ANSI_USUALLY_ON: [u16; 1] = [12];

/// Private modes that a soft reset (DECSTR) puts back.
const SOFT: [u16; 6] = [1, ORIGIN, 7, 25, 66, SIDES];

/// More are not kept: no program sets so many.
const MOST: usize = 64;

/// The modes of a terminal, read off what is written to it.
#[derive(Debug, Clone, Default)]
pub struct Modes {
    place: Place,
    made: Made,
    /// What the cursor took along when it was saved (DECSC).
    saved: (Sets, Looks, bool),
}

/// What is not as in a fresh terminal.
#[derive(Debug, Clone, Default)]
struct Made {
    /// Private modes.
    private: BTreeSet<u16>,
    ansi: BTreeSet<u16>,
    /// The first and the last line that scroll; 0: that of the screen.
    margins: Option<(u16, u16)>,
    /// The same of columns.
    sides: Option<(u16, u16)>,
    /// Margins are of another size of the terminal, which has none since.
    old: bool,
    sets: Sets,
    /// How the cursor looks; 0: as usual.
    cursor: u16,
    looks: Looks,
    keyboards: Keyboards,
    /// Whether the keypad sends sequences.
    keypad: bool,
}

/// Character sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sets {
    /// What has named those that are not ASCII, without the escape character: `(0`.
    named: [Option<Vec<u8>>; 4],
    /// Which is used.
    used: usize,
}

/// What names each of them.
const NAMES: [char; 4] = ['(', ')', '*', '+'];

/// What has each of them used.
const USES: [&str; 4] = ["\x0f", "\x0e", "\x1bn", "\x1bo"];

impl Sets {
    fn name(&mut self, name: &[u8]) {
        let slot = match name.first() {
            Some(b'(') => 0,
            Some(b')' | b'-') => 1,
            Some(b'*' | b'.') => 2,
            _ => 3,
        };
        self.named[slot] = (name.get(1..) != Some(b"B")).then(|| name.to_vec());
    }
}

impl Modes {
    /// Reads what is written to the terminal, in whatever pieces.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(at) = self.place.next_sign(bytes) {
            if let Some(sign) = self.place.step(bytes[at]) {
                self.sign(sign);
            }
            bytes = &bytes[at + 1..];
        }
    }

    fn sign(&mut self, sign: Sign) {
        let made = &mut self.made;
        match sign {
            Sign::Use(set) => made.sets.used = set,
            Sign::Set(name) => made.sets.name(&name),
            Sign::Escape(b'c') => *self = Self::default(),
            Sign::Escape(byte @ (b'=' | b'>')) => made.keypad = byte == b'=',
            Sign::Escape(b'7') => self.saved = (made.sets.clone(), made.looks.clone(), made.private.contains(&ORIGIN)),
            Sign::Escape(b'8') => {
                let (sets, looks, origin) = self.saved.clone();
                (made.sets, made.looks) = (sets, looks);
                made.switch(ORIGIN, origin);
            }
            Sign::Escape(_) => {}
            Sign::Control(control) => made.control(&control),
        }
    }

    /// Whether the program draws on a screen of its own, so that its last lines are none.
    pub fn draws(&self) -> bool {
        self.made.draws()
    }

    /// The terminal has another size, and so no margins, as terminals have it; one that looked on and kept its own size may still have them.
    pub fn resized(&mut self) {
        self.made.old = true;
    }

    /// Whether a terminal in these modes is in those.
    pub fn is_as(&self, other: &Self) -> bool {
        self.made.private == other.made.private && self.enter() == other.enter()
    }

    /// What brings a fresh terminal to these modes. The cursor stays, except where lines count from a margin.
    pub fn enter(&self) -> Vec<u8> {
        self.made.enter().into_bytes()
    }

    /// What makes the terminal a usual one again. The cursor stays, or is where it was before the program had a screen of its own; where
    /// lines counted from a margin, it is in the last one.
    pub fn leave(&self) -> Vec<u8> {
        self.made.leave().into_bytes()
    }
}

impl Made {
    fn draws(&self) -> bool {
        OTHER_SCREEN.iter().any(|mode| self.private.contains(mode))
    }

    fn switch(&mut self, mode: u16, on: bool) {
        if on == USUALLY_ON.contains(&mode) {
            self.private.remove(&mode);
        } else if self.private.len() < MOST {
            self.private.insert(mode);
        }
        if mode == SIDES {
            self.sides = None;
        }
    }

    fn control(&mut self, control: &Control) {
        let Control { kind, between, end, .. } = *control;
        match (kind, between, end) {
            (b'?', 0, b'h' | b'l') => control.numbers().for_each(|mode| self.switch(mode, end == b'h')),
            (0, 0, b'h' | b'l') => {
                for mode in control.numbers().filter(|mode| ANSI.contains(mode)) {
                    if (end == b'h') == ANSI_USUALLY_ON.contains(&mode) {
                        self.ansi.remove(&mode);
                    } else {
                        self.ansi.insert(mode);
                    }
                }
            }
            (0, 0, b'r') => (self.margins, self.old) = (control.pair(), false),
            (0, 0, b's') if self.private.contains(&SIDES) => (self.sides, self.old) = (control.pair(), false),
            (0, 0, b'm') => self.looks.change(control.text()),
            (0, b' ', b'q') => self.cursor = control.numbers().next().unwrap_or(0),
            (0, b'!', b'p') => {
                SOFT.into_iter().for_each(|mode| self.switch(mode, USUALLY_ON.contains(&mode)));
                let (private, keyboards) = (std::mem::take(&mut self.private), std::mem::take(&mut self.keyboards));
                *self = Self { private, keyboards, cursor: self.cursor, ..Self::default() };
            }
            (b'>' | b'<' | b'=', 0, b'u' | b'm') => {
                let draws = self.draws();
                self.keyboards.change(control, draws);
            }
            _ => {}
        }
    }

    fn enter(&self) -> String {
        let mut text = self.keyboards.enter(false);
        for mode in self.private.iter().filter(|mode| ![FRAME, ORIGIN].contains(mode)) {
            let _ = write!(text, "\x1b[?{mode}{}", if USUALLY_ON.contains(mode) { 'l' } else { 'h' });
        }
        text.push_str(&self.keyboards.enter(true));
        let margins = [(self.margins, 'r'), (self.sides, 's')].into_iter().filter(|_| !self.old).filter_map(|(margins, end)| {
            let (from, to) = margins?;
            Some(if to == 0 { format!("\x1b[{from}{end}") } else { format!("\x1b[{from};{to}{end}") })
        });
        text.push_str(&self.in_place(margins.collect()));
        if self.private.contains(&ORIGIN) {
            let _ = write!(text, "\x1b[?{ORIGIN}h");
        }
        for mode in &self.ansi {
            let _ = write!(text, "\x1b[{mode}{}", if ANSI_USUALLY_ON.contains(mode) { 'l' } else { 'h' });
        }
        for name in self.sets.named.iter().flatten() {
            let _ = write!(text, "\x1b{}", String::from_utf8_lossy(name));
        }
        if self.sets.used > 0 {
            text.push_str(USES[self.sets.used]);
        }
        if self.cursor > 0 {
            let _ = write!(text, "\x1b[{} q", self.cursor);
        }
        if self.keypad {
            text.push_str("\x1b=");
        }
        text.push_str(&self.looks.enter());
        text
    }

    fn leave(&self) -> String {
        let mut text = self.keyboards.leave(true);
        let mut margins = String::new();
        if self.margins.is_some() {
            margins.push_str("\x1b[r");
        }
        if self.sides.is_some() {
            margins.push_str("\x1b[s");
        }
        text.push_str(&self.in_place(margins));
        for mode in &self.private {
            let _ = write!(text, "\x1b[?{mode}{}", if USUALLY_ON.contains(mode) { 'h' } else { 'l' });
        }
        if self.private.contains(&ORIGIN) && !self.draws() {
            text.push_str("\x1b[9999H");
        }
        text.push_str(&self.keyboards.leave(false));
        for mode in &self.ansi {
            let _ = write!(text, "\x1b[{mode}{}", if ANSI_USUALLY_ON.contains(mode) { 'h' } else { 'l' });
        }
        for (slot, _) in self.sets.named.iter().enumerate().filter(|(_, name)| name.is_some()) {
            let _ = write!(text, "\x1b{}B", NAMES[slot]);
        }
        if self.sets.used > 0 {
            text.push_str(USES[0]);
        }
        if self.cursor > 0 {
            text.push_str("\x1b[0 q");
        }
        if self.keypad {
            text.push_str("\x1b>");
        }
        text.push_str("\x1b[0m");
        text
    }

    /// Margins move the cursor to the first line. On a screen that gives back where it was, that does not matter.
    fn in_place(&self, margins: String) -> String {
        if margins.is_empty() || self.private.contains(&KEEPS_CURSOR) { margins } else { format!("\x1b7{margins}\x1b8") }
    }
}
