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

/// The name that is not known, where that is what is wrong with what came: it stands under `key`, or under `key` of the request.
pub fn unknown(line: &[u8], key: &str, error: &serde_json::Error) -> Option<String> {
    let said: serde_json::Value = serde_json::from_slice(line).ok()?;
    let name = said.get("request").unwrap_or(&said).get(key)?.as_str()?.to_owned();
    error.to_string().starts_with(&format!("unknown variant `{name}`")).then_some(name)
}
