//! Signals by number, with the names people type.

use std::{fmt, str::FromStr};

/// A signal number of this system, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

/// Linux names and numbers, signal(7), the x86 and ARM column.
const NAMES: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

impl Signal {
    /// Hang up: the terminal went away.
    pub const HUP: Self = Self(1);
    /// Interrupt: Ctrl-C, PM2's default stop signal.
    pub const INT: Self = Self(2);
    /// Quit: Ctrl-\.
    pub const QUIT: Self = Self(3);
    /// Kill: cannot be caught.
    pub const KILL: Self = Self(9);
    /// The first that has no meaning of its own.
    pub const USR1: Self = Self(10);
    /// The second that has no meaning of its own; to the runner: open log files again.
    pub const USR2: Self = Self(12);
    /// Terminate.
    pub const TERM: Self = Self(15);
    /// Continue a stopped process.
    pub const CONT: Self = Self(18);
    /// Stop: cannot be caught.
    pub const STOP: Self = Self(19);
    /// Stop from the keyboard: Ctrl-Z.
    pub const TSTP: Self = Self(20);
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signal {
    type Err = String;

    /// Reads `SIGTERM`, `TERM`, `term` or `15`. The error is a whole sentence with valid examples.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == bare) {
            return Ok(Self(*number));
        }
        match bare.parse::<i32>() {
            Ok(number @ 1..=64) => Ok(Self(number)),
            Ok(_) | Err(_) => Err(format!("{text:?} is not a signal; examples: SIGTERM, INT, 15")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_and_without_prefix_and_numbers() {
        for text in ["SIGTERM", "term", "TERM", "15", " sigterm "] {
            assert_eq!(text.parse::<Signal>(), Ok(Signal::TERM), "{text}");
        }
        for text in ["", "SIG", "0", "65", "TERMINATE", "-1"] {
            assert!(text.parse::<Signal>().unwrap_err().contains("SIGTERM"), "{text}");
        }
        assert_eq!(Signal(34).to_string(), "signal 34");
    }
}
