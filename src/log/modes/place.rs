//! Where in a sequence the bytes of a terminal have come, whatever pieces they come in.

/// The longest parameters that are read: longer ones are nobody's.
const LONGEST: usize = 256;

const ESCAPE: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// Where it is.
#[derive(Debug, Clone, Default)]
pub(super) enum Place {
    #[default]
    Text,
    Escape,
    /// What names a character set, as far as it has come.
    Set(Vec<u8>),
    Control(Control),
}

/// Something that changes a terminal.
#[derive(Debug)]
pub(super) enum Sign {
    /// Another character set is used.
    Use(usize),
    /// A character set is named: `(0`.
    Set(Vec<u8>),
    /// An escape character and one more.
    Escape(u8),
    Control(Control),
}

/// A control sequence.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// `?`, `>`, `<` or `=`; 0: none.
    pub kind: u8,
    /// The parameters.
    text: Vec<u8>,
    /// What stands before the end: a space, `!`, `$`; 0: nothing.
    pub between: u8,
    pub end: u8,
}

impl Control {
    /// The parameters as they came.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The parameters; one that is left out is 0.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        self.text.split(|byte| *byte == b';').map(number)
    }

    /// The first two, where they are not what they are by themselves.
    pub fn pair(&self) -> Option<(u16, u16)> {
        let mut numbers = self.numbers();
        let (from, to) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        (from > 1 || to > 0).then_some((from.max(1), to))
    }
}

/// A number, at most the largest there is; what follows it is not read.
pub(super) fn number(digits: &[u8]) -> u16 {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u16, |number, digit| number.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
}

impl Place {
    /// Where the next byte is that matters.
    pub fn next_sign(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Text => memchr::memchr3(ESCAPE, SHIFT_OUT, SHIFT_IN, bytes),
            Self::Escape | Self::Set(_) | Self::Control(_) => (!bytes.is_empty()).then_some(0),
        }
    }

    /// Takes a byte.
    pub fn step(&mut self, byte: u8) -> Option<Sign> {
        let (next, sign) = match (std::mem::take(self), byte) {
            (_, ESCAPE) => (Self::Escape, None),
            (place, SHIFT_OUT) => (place, Some(Sign::Use(1))),
            (place, SHIFT_IN) => (place, Some(Sign::Use(0))),
            (Self::Text, _) => (Self::Text, None),
            // Given up.
            (_, 0x18 | 0x1a) => (Self::Text, None),
            // Done at once, also in the middle of a sequence.
            (place, 0..0x20) => (place, None),
            (Self::Escape, b'[') => (Self::Control(Control::default()), None),
            (Self::Escape, b'('..=b'/') => (Self::Set(vec![byte]), None),
            (Self::Escape, b'n') => (Self::Text, Some(Sign::Use(2))),
            (Self::Escape, b'o') => (Self::Text, Some(Sign::Use(3))),
            (Self::Escape, _) => (Self::Text, Some(Sign::Escape(byte))),
            (Self::Set(mut name), b' '..=b'/') if name.len() < 3 => {
                name.push(byte);
                (Self::Set(name), None)
            }
            (Self::Set(mut name), b'0'..=b'~') => {
                name.push(byte);
                (Self::Text, Some(Sign::Set(name)))
            }
            (Self::Set(_), _) => (Self::Text, None),
            (Self::Control(control), _) => control.step(byte),
        };
        *self = next;
        sign
    }
}

impl Control {
    fn step(mut self, byte: u8) -> (Place, Option<Sign>) {
        match byte {
            b'<'..=b'?' if self.text.is_empty() && self.kind == 0 => self.kind = byte,
            b' '..=b'/' => self.between = byte,
            b'0'..=b'?' => {
                if self.text.len() <= LONGEST {
                    self.text.push(byte);
                }
            }
            b'@'..=b'~' => {
                self.end = byte;
                let is_read = self.text.len() <= LONGEST;
                return (Place::Text, is_read.then_some(Sign::Control(self)));
            }
            _ => return (Place::Text, None),
        }
        (Place::Control(self), None)
    }
}
