//! Text; a number is taken as its digits, because YAML and TOML make numbers of names like `3000`.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

impl Element for String {
    const WHAT: &'static str = "a text";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "number"] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, refused};

    #[test]
    fn text_and_digits() {
        assert_eq!(read(r#""api""#), Some("api".to_owned()));
        assert_eq!(read("3000"), Some("3000".to_owned()));
        insta::assert_snapshot!(refused::<String>("[]"), @"key is a list, but it takes a text");
    }
}
