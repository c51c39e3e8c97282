//! The bytes that children write, brought to the terminal: whole lines, labelled, in the order they came, with nothing lost.
//! It knows no supervisor, no process and no `ui`: labels and the runner's own words arrive rendered; and it never makes the rest of the
//! program wait for a slow terminal, only the app that writes too much. Start reading with [`console`], then [`pump`](fn@pump).

pub mod console;
mod ear;
mod footer;
mod layout;
mod pump;
mod queue;
mod ring;
pub mod source;
pub mod timestamp;
mod writer;

pub use console::{Console, ConsoleConfig, Format};
pub use ear::Listener;
pub use pump::pump;
pub use source::{Label, Source, Stream};
pub use timestamp::TimestampFormat;

#[cfg(test)]
mod tests;
