//! Durations: a bare number counts milliseconds, as in PM2; `5s`, `2m`, `1.5h`.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::{
    milliseconds,
    node::{Node, Value},
};

impl Element for Duration {
    const WHAT: &'static str = "a duration: milliseconds, or a number with ms, s, m or h";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => return reader.wrong(node),
        };
        milliseconds(&text).ok().or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": r"^\s*[0-9.]+\s*(ms|s|m|min|h)?\s*$" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn bare_numbers_are_milliseconds() {
        for (text, ms) in [("1600", 1600), (r#""5s""#, 5000), (r#""2m""#, 120_000), ("0", 0), (r#""100""#, 100)] {
            assert_eq!(read(text), Some(Duration::from_millis(ms)), "{text}");
        }
        insta::assert_snapshot!(refused::<Duration>(r#""soon""#), @r#"key is "soon", but it takes a duration: milliseconds, or a number with ms, s, m or h"#);
        insta::assert_snapshot!(refused::<Duration>("-1"), @"key is -1, but it takes a duration: milliseconds, or a number with ms, s, m or h");
    }
}
