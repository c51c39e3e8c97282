//! The commands, one file each. A command parses, asks the rooms below, and returns an exit code.
//! None of them prints a failure: that is done in one place, above. Start reading with [`start`].

pub mod start;
pub mod why;

use clap::Subcommand;

use crate::model::Error;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run apps here, and restart them when their files change
    Start(Box<start::Start>),
    /// Tell which rule watches or ignores a path
    Why(Box<why::Why>),
}

impl Verb {
    /// Does it; the exit code comes back.
    pub fn run(self) -> Result<u8, Error> {
        match self {
            Self::Start(start) => start.run(),
            Self::Why(why) => why.run(),
        }
    }
}
