//! Polling: yes, no, or how often.

use serde_json::{Value as Json, json};

use super::{Element, Reader, span::Span};
use crate::{
    config::node::{Node, Value},
    model::PollMode,
};

impl Element for PollMode {
    const WHAT: &'static str = "true, false, or a duration";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(true) => Some(Self::Always(None)),
            Value::Bool(false) => Some(Self::Never),
            Value::Text(_) | Value::Int(_) | Value::Float(_) => Span::read(node, reader).map(|interval| Self::Always(Some(interval.0))),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "boolean" }, Span::schema()] })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn yes_no_and_how_often() {
        assert_eq!(read("true"), Some(PollMode::Always(None)));
        assert_eq!(read("false"), Some(PollMode::Never));
        assert_eq!(read(r#""1s""#), Some(PollMode::Always(Some(Duration::from_secs(1)))));
        insta::assert_snapshot!(refused::<PollMode>("[]"), @"key is a list, but it takes true, false, or a duration");
    }
}
