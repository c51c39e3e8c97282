//! How often a log file is rotated, by the calendar.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::{
    config::node::{Node, Value},
    model::RotateEvery,
};

/// A span; `None` where it is turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every(pub Option<RotateEvery>);

/// The words, each with another form; the first is ours.
const WORDS: [(&str, &str, RotateEvery); 4] = [
    ("hour", "hourly", RotateEvery::Hour),
    ("day", "daily", RotateEvery::Day),
    ("week", "weekly", RotateEvery::Week),
    ("month", "monthly", RotateEvery::Month),
];

/// A span as it is written.
pub fn word(every: RotateEvery) -> &'static str {
    match every {
        RotateEvery::Hour => "hour",
        RotateEvery::Day => "day",
        RotateEvery::Week => "week",
        RotateEvery::Month => "month",
    }
}

impl Element for Every {
    const WHAT: &'static str = "hour, day, week, month, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(false) => Some(Self(None)),
            Value::Text(text) => match WORDS.iter().find(|(one, other, _)| text == one || text == other) {
                Some((.., every)) => Some(Self(Some(*every))),
                None => reader.wrong(node),
            },
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        let words: Vec<&str> = WORDS.iter().flat_map(|(one, other, _)| [*one, *other]).collect();
        json!({ "anyOf": [{ "enum": words }, { "const": false }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn words_of_the_calendar() {
        for (one, other, every) in WORDS {
            for text in [one, other] {
                assert_eq!(read(&format!("{text:?}")), Some(Every(Some(every))), "{text}");
            }
            assert_eq!(word(every), one);
        }
        assert_eq!(read("false"), Some(Every(None)));
        insta::assert_snapshot!(refused::<Every>("24"), @"key is 24, but it takes hour, day, week, month, or false");
        insta::assert_snapshot!(refused::<Every>(r#""dayly""#), @r#"key is "dayly", but it takes hour, day, week, month, or false"#);
    }
}
