//! What the YAML parser says, as sentences about what was written.

use std::path::Path;

use saphyr_parser::ScanError;

use super::{
    json::lower,
    text::{self, Lines},
    yaml,
};
use crate::config::problem::Problem;

/// A problem from the parser's.
pub fn problem(file: &Path, lines: &Lines<'_>, error: &ScanError) -> Problem {
    let mark = *error.marker();
    // The parser may notice it at the first sign after the tab, or at the line after.
    for number in [mark.line(), mark.line().saturating_sub(1)] {
        let mut indent = lines.line(number).chars().take_while(|char| char.is_whitespace());
        if let Some(tab) = indent.position(|char| char == '\t') {
            let place = text::place(number.saturating_sub(1), tab, 1);
            return Problem::error(file, place, "a tab stands in the indentation, which YAML forbids; indent with blanks");
        }
    }
    let info = error.info();
    let says = |words: &[&str]| words.iter().any(|word| info.contains(word));
    let place = yaml::place(lines, mark, mark);
    let (message, example) = if says(&["mapping values are not allowed"]) {
        (
            "this colon cannot stand here; a text that has \": \" in it needs quotes, and a key its own line".to_owned(),
            Some("script: \"a: b\""),
        )
    } else if says(&["unknown anchor", "undefined alias"]) {
        ("nothing was given this name with & before".to_owned(), Some("base: &name { … }, and below it: <<: *name"))
    } else if says(&["unexpected end of stream", "unexpected end of file", "unexpected eof"]) {
        ("the file ends inside of something that is not closed".to_owned(), None)
    } else {
        (format!("this cannot be read as YAML: {}", lower(info)), None)
    };
    let problem = Problem::error(file, place, message);
    match example {
        Some(example) => problem.example(example),
        None => problem,
    }
}
