//! A cron pattern, kept as text.

use serde_json::{Value as Json, json};

use super::{
    Element, Reader,
    reader::{is_off, shown},
};
use crate::config::{
    node::{Node, Value},
    schedule::Schedule,
};

/// A pattern; `None` where `false` or `0` turns it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(pub Option<String>);

impl Element for Cron {
    const WHAT: &'static str = "a cron pattern of 5 or 6 fields, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            value @ (Value::Bool(_) | Value::Int(_) | Value::Text(_)) if is_off(value) => Some(Self(None)),
            Value::Text(text) => match text.parse::<Schedule>() {
                Ok(_) => Some(Self(Some(text.trim().to_owned()))),
                Err(why) => {
                    let message = format!("{} is {}, but it takes {}: {why}", reader.path(), shown(&node.value), Self::WHAT);
                    reader.refuse(node, message)
                }
            },
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "enum": [false, 0] }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn patterns_and_off() {
        for text in ["0 3 * * *", "*/10 * * * * *", "0 0 * * MON-FRI", "@daily", "0 0 L * ?", "0/15 * * * *", "0 0 0 1 1 * 2099"] {
            assert_eq!(read(&format!("{text:?}")), Some(Cron(Some(text.into()))), "{text}");
        }
        for off in ["0", r#""0""#, "false"] {
            assert_eq!(read(off), Some(Cron(None)), "{off}");
        }
        insta::assert_snapshot!(refused::<Cron>(r#""every day""#), @r#"key is "every day", but it takes a cron pattern of 5 or 6 fields, or false: Invalid pattern: Pattern must have between 5 and 7 fields"#);
        insta::assert_snapshot!(refused::<Cron>(r#""0 0 30 2 *""#), @r#"key is "0 0 30 2 *", but it takes a cron pattern of 5 or 6 fields, or false: there is no such date"#);
        insta::assert_snapshot!(refused::<Cron>("5"), @"key is 5, but it takes a cron pattern of 5 or 6 fields, or false");
    }
}
