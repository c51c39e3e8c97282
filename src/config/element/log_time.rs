//! The time before a line of a log file, in day.js tokens; PM2 turns it off with an empty text.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::{
    config::node::{Node, Value},
    model::TimestampFormat,
};

/// A format; `None` where it is turned off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTime(pub Option<TimestampFormat>);

impl Element for LogTime {
    const WHAT: &'static str = "a time format in day.js tokens, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(false) => Some(Self(None)),
            Value::Text(text) if text.is_empty() => Some(Self(None)),
            Value::Text(text) => match text.parse() {
                Ok(format) => Some(Self(Some(format))),
                Err(why) => {
                    let message = format!("{}: {why}", reader.path());
                    reader.refuse(node, message)
                }
            },
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "const": false }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn tokens_and_off() {
        let format = |text: &str| read::<LogTime>(text).unwrap().0.map(|format| format.text().to_owned());
        assert_eq!(format(r#""YYYY-MM-DD HH:mm Z""#).as_deref(), Some("YYYY-MM-DD HH:mm Z"));
        assert_eq!(format("false"), None);
        assert_eq!(format(r#""""#), None);
        insta::assert_snapshot!(refused::<LogTime>("true"), @"key is true, but it takes a time format in day.js tokens, or false");
        insta::assert_snapshot!(refused::<LogTime>(r#""%H:%M""#), @r#"key: "%H:%M" is no time format: it has the tokens of strftime, not YYYY MM DD HH mm ss SSS; for example "YYYY-MM-DDTHH:mm:ss.SSS""#);
    }
}
