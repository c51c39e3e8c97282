//! The bytes that children write, brought to the terminal and into files: whole lines, labelled, in the order they came, with nothing lost unsaid.
//! It knows no supervisor, no process and no `ui`: labels and the runner's own words arrive rendered; and it never makes the rest of the
//! program wait for a slow terminal or disk, only the app that writes too much. Start reading with [`console`], then [`pump`](fn@pump) and [`file`].

pub mod console;
mod ear;
pub mod file;
mod footer;
mod held;
pub mod history;
mod input;
mod layout;
pub mod modes;
mod plain;
mod pump;
mod queries;
mod queue;
mod record;
mod ring;
pub mod screen;
pub mod source;
mod writer;

pub use console::{Console, ConsoleConfig, Format};
pub use ear::{Follower, Listener};
pub use file::{Files, News, Rotation};
pub use held::{Held, Piece};
pub use layout::Printer;
pub use pump::{pump, pump_terminal};
pub use record::{Form, Recording};
pub use ring::Kept;
pub use screen::Screen;
pub use source::{Label, Source};

pub use crate::model::Stream;

#[cfg(test)]
mod tests;
