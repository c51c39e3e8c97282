//! The lines of what is selected.

use super::{Newsroom, link::Link};

/// Lines on their way. Dropping it ends them.
#[derive(Debug)]
pub struct Feed;

impl Feed {
    /// Asks for the last lines of a target, and those to come.
    pub fn open(_link: &Link, _number: u64, _target: String, _room: &Newsroom) -> Self {
        Self
    }
}
