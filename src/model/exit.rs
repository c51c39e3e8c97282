//! How a process ended.

use std::fmt;

use super::Signal;

/// How a process ended, as waitid(2) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned a code, 0 to 255.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// Which one.
        signal: Signal,
        /// Whether it left a core dump.
        core: bool,
    },
}

impl Exit {
    /// True for code 0 alone.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }

    /// The code a shell would show: the code itself, or 128 + the signal's number.
    pub fn shell_code(self) -> u8 {
        match self {
            Self::Code(code) => u8::try_from(code).unwrap_or(1),
            Self::Signal { signal, .. } => u8::try_from(128 + signal.0).unwrap_or(255),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal { signal, core: false } => write!(f, "{signal}"),
            Self::Signal { signal, core: true } => write!(f, "{signal}, core dumped"),
        }
    }
}
