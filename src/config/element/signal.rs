//! A signal by name or number.

use serde_json::{Value as Json, json};

use super::{Element, Reader, number};
use crate::{
    config::node::{Node, Value},
    model::Signal,
};

impl Element for Signal {
    const WHAT: &'static str = "a signal: SIGTERM, INT or a number";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let signal = match &node.value {
            Value::Text(text) => text.parse().ok(),
            _ => number::whole(node).and_then(|number| number.to_string().parse().ok()),
        };
        signal.or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 1, "maximum": 64 }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn names_and_numbers() {
        for text in [r#""SIGTERM""#, r#""term""#, "15", r#""15""#] {
            assert_eq!(read(text), Some(Signal::TERM), "{text}");
        }
        insta::assert_snapshot!(refused::<Signal>(r#""SIGTREM""#), @r#"key is "SIGTREM", but it takes a signal: SIGTERM, INT or a number"#);
        insta::assert_snapshot!(refused::<Signal>("65"), @"key is 65, but it takes a signal: SIGTERM, INT or a number");
    }
}
