//! Any bytes as a text of JSON: each is the character of its number, ISO 8859-1. Every language has that conversion, and what people type
//! stays readable.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// Writes them.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&bytes.iter().copied().map(char::from).collect::<String>())
}

/// Reads them.
///
/// # Errors
/// There is a character above 255.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.chars()
        .map(|char| u8::try_from(u32::from(char)))
        .collect::<Result<_, _>>()
        .map_err(|_| D::Error::custom("a character above 255 is no byte"))
}
