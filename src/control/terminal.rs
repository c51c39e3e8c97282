//! What an `attach` is asked for, and what its client goes on to say.

use serde::{Deserialize, Serialize};

use super::protocol::Request;

/// Which terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachRequest {
    /// Whose: it has to mean one instance.
    pub target: String,
    /// How many characters of a line the client's own terminal shows; 0: it has none.
    pub columns: u16,
    /// How many lines, likewise.
    pub lines: u16,
}

/// What the client says after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Said {
    /// What was typed.
    Keys {
        /// As the terminal gives it.
        #[serde(with = "super::latin")]
        bytes: Vec<u8>,
    },
    /// Its terminal has another size.
    Size {
        /// Characters of a line.
        columns: u16,
        /// Lines.
        lines: u16,
    },
}

/// What a terminal shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// As the app wrote them.
    #[serde(with = "super::latin")]
    pub bytes: Vec<u8>,
}

impl Request {
    /// Whether the client may go on to speak.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Attach(_))
    }
}
