//! Looking for a word in the lines.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// What is looked for: as typed, and where it is found. Case matters only where a capital letter was typed.
#[derive(Debug, Clone)]
pub struct Search {
    /// As typed.
    pub word: String,
    pattern: Regex,
}

impl Search {
    /// For a word that is not empty.
    pub fn new(word: &str) -> Option<Self> {
        if word.is_empty() {
            return None;
        }
        let ignore_case = !word.chars().any(char::is_uppercase);
        // Only a word too long for the engine makes no pattern.
        let pattern = RegexBuilder::new(&regex::escape(word)).case_insensitive(ignore_case).build().ok()?;
        Some(Self { word: word.to_owned(), pattern })
    }

    /// Whether a line has it.
    pub fn hits(&self, text: &str) -> bool {
        self.pattern.is_match(text)
    }

    /// Where a line has it, in bytes.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        self.pattern.find_iter(text).map(|found| found.range()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters_where_a_capital_was_typed_and_nothing_is_a_pattern() {
        let places = |word: &str, text: &str| {
            let found = Search::new(word).unwrap().places(text);
            found.into_iter().map(|place| (place.start, text[place].to_owned())).collect::<Vec<_>>()
        };
        let at = |start: usize, text: &str| (start, text.to_owned());
        assert_eq!(places("err", "Error err"), [at(0, "Err"), at(6, "err")]);
        assert_eq!(places("Err", "Error err"), [at(0, "Err")]);
        assert_eq!(places("a.c(", "abc( a.c("), [at(5, "a.c(")]);
        assert_eq!(places("größe", "GRÖSSE Größe"), [at(8, "Größe")]);
        assert!(Search::new("").is_none());
        assert!(!Search::new("x").unwrap().hits("abc"));
    }
}
