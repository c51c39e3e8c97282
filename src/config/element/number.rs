//! Whole numbers, also written as text: counts, ports, exit codes, a limit that may be `unlimited`.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// A whole number, or one written as text.
pub fn whole(node: &Node) -> Option<i64> {
    match &node.value {
        Value::Int(number) => Some(*number),
        // JavaScript has no other numbers; `1e3` is whole.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}").parse().ok(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The schema of a whole number in a range, which may be written as text.
pub fn schema(least: i64, most: Option<i64>) -> Json {
    let mut number = json!({ "type": "integer", "minimum": least });
    if let (Some(most), Some(object)) = (most, number.as_object_mut()) {
        object.insert("maximum".to_owned(), most.into());
    }
    json!({ "anyOf": [number, { "type": "string", "pattern": r"^\s*-?\d+\s*$" }] })
}

impl Element for u32 {
    const WHAT: &'static str = "a whole number of 0 or more";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        whole(node).and_then(|number| number.try_into().ok()).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        schema(0, None)
    }
}

impl Element for i32 {
    const WHAT: &'static str = "a whole number";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        whole(node).and_then(|number| number.try_into().ok()).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        schema(i64::from(i32::MIN), None)
    }
}

impl Element for u16 {
    const WHAT: &'static str = "a port, 0 to 65535";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        whole(node).and_then(|number| number.try_into().ok()).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        schema(0, Some(65535))
    }
}

/// How often something may happen; `None`: without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<u32>);

impl Element for Limit {
    const WHAT: &'static str = "a whole number of 0 or more, or unlimited";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "unlimited" => Some(Self(None)),
            _ => match whole(node).map(u32::try_from) {
                Some(Ok(number)) => Some(Self(Some(number))),
                Some(Err(_)) | None => reader.wrong(node),
            },
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "unlimited" }, u32::schema()] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn numbers_and_numbers_written_as_text() {
        assert_eq!(read::<u32>("0"), Some(0));
        assert_eq!(read::<u32>(r#""16""#), Some(16));
        assert_eq!(read::<u32>("2.0"), Some(2));
        assert_eq!(read::<i32>("-5"), Some(-5));
        assert_eq!(read::<u16>(r#" "3000" "#), Some(3000));
        assert_eq!(read(r#""unlimited""#), Some(Limit(None)));
        assert_eq!(read("0"), Some(Limit(Some(0))));
        insta::assert_snapshot!(refused::<u32>("-1"), @"key is -1, but it takes a whole number of 0 or more");
        insta::assert_snapshot!(refused::<u32>("1.5"), @"key is 1.5, but it takes a whole number of 0 or more");
        insta::assert_snapshot!(refused::<u16>("65536"), @"key is 65536, but it takes a port, 0 to 65535");
        insta::assert_snapshot!(refused::<Limit>(r#""many""#), @r#"key is "many", but it takes a whole number of 0 or more, or unlimited"#);
    }
}
