//! Exit codes: one, or a list.

use serde_json::{Value as Json, json};

use super::{Element, Reader, number};
use crate::config::node::{Node, Value};

/// Exit codes, 0 to 255.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitCodes(pub Vec<i32>);

/// One of them.
struct ExitCode(i32);

impl Element for ExitCode {
    const WHAT: &'static str = "an exit code, 0 to 255";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match number::whole(node).and_then(|number| u8::try_from(number).ok()) {
            Some(code) => Some(Self(i32::from(code))),
            None => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        number::schema(0, Some(255))
    }
}

impl Element for ExitCodes {
    const WHAT: &'static str = "an exit code, or a list of them";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::List(list) => reader.items::<ExitCode>(list).map(|codes| Self(codes.into_iter().map(|ExitCode(code)| code).collect())),
            _ => ExitCode::read(node, reader).map(|ExitCode(code)| Self(vec![code])),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [ExitCode::schema(), { "type": "array", "items": ExitCode::schema() }] })
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
        assert_eq!(read("0"), Some(ExitCodes(vec![0])));
        assert_eq!(read(r#"[0, "143"]"#), Some(ExitCodes(vec![0, 143])));
        assert_eq!(read("[]"), Some(ExitCodes::default()));
        insta::assert_snapshot!(refused::<ExitCodes>("[0, 256]"), @"key[1] is 256, but it takes an exit code, 0 to 255");
    }
}
