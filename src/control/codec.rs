//! Lines with limits, on either end.

use std::{io, time::Duration};

/// The longest request.
pub const LONGEST_REQUEST: usize = 1 << 20;

/// The longest reply.
pub const LONGEST_REPLY: usize = 128 << 20;

/// How long a client has to say what it wants.
pub const TO_ASK: Duration = Duration::from_secs(5);

/// How long a client may take to read what waits for it.
pub const TO_READ: Duration = Duration::from_secs(10);

/// A value as a line.
///
/// # Errors
/// It has a key that is no text.
pub fn line(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
