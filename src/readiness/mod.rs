//! Signs of life of a run: a port that takes connections, a URL that answers, a line of output, systemd's notify protocol.
//! It asks and listens, and decides nothing: how long a run has, how many bad answers are too many, and what follows is the supervisor's;
//! and it starts nothing: a command that is a probe is started by the runtime.
//! Start reading with [`tcp`], which is the simplest, then [`notify`], which is told things instead of asking.

pub mod http;
pub mod line;
pub mod notify;
pub mod pace;
pub mod tcp;

pub use line::Matcher;
pub use pace::Pace;

use std::io;

/// What the system says, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
