//! `true` or `false`. PM2 refuses the words as text; here `"true"` and `"false"` are taken, because `process.env` has nothing but text.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

impl Element for bool {
    const WHAT: &'static str = "true or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "enum": [true, false, "true", "false"] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, refused};

    #[test]
    fn words_and_values_but_no_numbers() {
        assert_eq!(read("true"), Some(true));
        assert_eq!(read(r#""false""#), Some(false));
        insta::assert_snapshot!(refused::<bool>("1"), @"key is 1, but it takes true or false");
        insta::assert_snapshot!(refused::<bool>(r#""yes""#), @r#"key is "yes", but it takes true or false"#);
    }
}
