//! The key `pmdev` of a `package.json`.

use std::path::Path;

use super::{Format, Parsed, json};
use crate::config::problem::{Problem, Problems};

/// The key.
const KEY: &str = "pmdev";

/// Reads the value of the key; what is doubtful elsewhere in the file is npm's to tell.
pub fn parse(file: &Path, text: &str) -> Parsed {
    let (mut root, _) = json::parse(file, text)?;
    let place = root.place;
    match root.take(KEY) {
        Some(node) => Ok((node, Vec::new())),
        None => {
            let message = format!("it has no key {KEY}, so it is no project file");
            Err(Problems(vec![Problem::error(file, place, message).example(Format::Package.example())]))
        }
    }
}

/// Whether a `package.json` has the key. A broken one has not: whoever reads it for another reason tells.
pub fn has_key(file: &Path) -> bool {
    let text = super::text::read(file, Format::Package).unwrap_or_default();
    // Most have not; they need not be parsed.
    text.contains(KEY) && parse(file, &text).is_ok()
}
