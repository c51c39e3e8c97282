//! A text, or a list of texts: paths, globs, endings.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// Texts, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Element for Texts {
    const WHAT: &'static str = "a text, or a list of texts";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(Self(vec![text.clone()])),
            Value::List(list) => reader.items::<String>(list).map(Self),
            Value::Bool(false) => Some(Self::default()),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "const": false }, { "type": "array", "items": { "type": ["string", "number"] } }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn one_or_several() {
        assert_eq!(read(r#"".env""#), Some(Texts(vec![".env".into()])));
        assert_eq!(read(r#"["a b", "c"]"#), Some(Texts(vec!["a b".into(), "c".into()])));
        assert_eq!(read("false"), Some(Texts::default()));
        insta::assert_snapshot!(refused::<Texts>("3"), @"key is 3, but it takes a text, or a list of texts");
    }
}
