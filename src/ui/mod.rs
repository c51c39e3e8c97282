//! A stand-in for the room that renders.
pub mod error;

use std::ffi::OsString;

/// Whether things are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether they are.
    pub colour: bool,
}

impl Style {
    /// Decides for one output.
    pub fn decide(no_color: bool, env: impl Fn(&str) -> Option<OsString>, terminal: bool) -> Self {
        Self { colour: terminal && !no_color && env("NO_COLOR").is_none() }
    }
}
