//! The commands, one file each. A command parses, asks the rooms below, and returns an exit code.
//! None of them prints a failure: that is done in one place, above. Start reading with [`start`].

pub mod check;
pub mod init;
pub mod schema;
pub mod start;
pub mod startup;
pub mod unstartup;
pub mod why;

use clap::Subcommand;

use crate::model::Error;

/// What to do; each variant's help is that of its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Start(Box<start::Start>),
    #[command(alias = "ecosystem")]
    Init(init::Init),
    Check(Box<check::Check>),
    Schema(schema::Schema),
    Why(Box<why::Why>),
    Startup(Box<startup::Startup>),
    Unstartup(Box<unstartup::Unstartup>),
}

impl Verb {
    /// Does it; the exit code comes back.
    pub(crate) fn run(self) -> Result<u8, Error> {
        match self {
            Self::Start(start) => start.run(),
            Self::Init(init) => init.run(),
            Self::Check(check) => check.run(),
            Self::Schema(schema) => Ok(schema.run()),
            Self::Why(why) => why.run(),
            Self::Startup(startup) => startup.run(),
            Self::Unstartup(unstartup) => unstartup.run(),
        }
    }
}
