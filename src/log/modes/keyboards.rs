//! How keys are told: the protocol of kitty (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>), which each screen has for itself, and
//! xterm's `modifyOtherKeys` and its kin.

use std::{collections::BTreeMap, fmt::Write as _};

use super::place::Control;

/// More are not kept; terminals keep fewer.
const MOST: usize = 32;

/// Both screens' keyboards.
#[derive(Debug, Clone, Default)]
pub(super) struct Keyboards {
    first: Stack,
    /// Those of the screen that a program draws on.
    other: Stack,
    /// xterm's, by their numbers.
    xterm: BTreeMap<u16, u16>,
}

/// What was asked for of kitty's.
#[derive(Debug, Clone, Default)]
struct Stack {
    /// Without pushing anything.
    flags: u16,
    pushed: Vec<u16>,
}

impl Keyboards {
    /// Takes a sequence that ends in `u` or `m`.
    pub fn change(&mut self, control: &Control, draws: bool) {
        let mut numbers = control.numbers();
        let (first, second) = (numbers.next().unwrap_or(0), numbers.next());
        let stack = if draws { &mut self.other } else { &mut self.first };
        match (control.kind, control.end) {
            (b'>', b'u') if stack.pushed.len() < MOST => stack.pushed.push(first),
            (b'<', b'u') => {
                let kept = stack.pushed.len().saturating_sub(usize::from(first.max(1)));
                stack.pushed.truncate(kept);
            }
            (b'=', b'u') => {
                let flags = stack.pushed.last_mut().unwrap_or(&mut stack.flags);
                match second {
                    Some(2) => *flags |= first,
                    Some(3) => *flags &= !first,
                    _ => *flags = first,
                }
            }
            (b'>', b'm') => match second {
                _ if control.text().is_empty() => self.xterm.clear(),
                None | Some(0) => {
                    self.xterm.remove(&first);
                }
                Some(value) if self.xterm.len() < MOST => {
                    self.xterm.insert(first, value);
                }
                Some(_) => {}
            },
            _ => {}
        }
    }

    /// What brings the keyboards of a screen there, which is the one that is shown.
    pub fn enter(&self, draws: bool) -> String {
        let stack = self.stack(draws);
        let mut text = String::new();
        if stack.flags > 0 {
            let _ = write!(text, "\x1b[={}u", stack.flags);
        }
        for flags in &stack.pushed {
            let _ = write!(text, "\x1b[>{flags}u");
        }
        for (number, value) in self.xterm.iter().filter(|_| !draws) {
            let _ = write!(text, "\x1b[>{number};{value}m");
        }
        text
    }

    /// The reverse.
    pub fn leave(&self, draws: bool) -> String {
        let stack = self.stack(draws);
        let mut text = String::new();
        if !stack.pushed.is_empty() {
            let _ = write!(text, "\x1b[<{}u", stack.pushed.len());
        }
        if stack.flags > 0 {
            text.push_str("\x1b[=0u");
        }
        for number in self.xterm.keys().filter(|_| !draws) {
            let _ = write!(text, "\x1b[>{number}m");
        }
        text
    }

    fn stack(&self, draws: bool) -> &Stack {
        if draws { &self.other } else { &self.first }
    }
}
