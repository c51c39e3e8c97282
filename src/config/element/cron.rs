//! A cron pattern, kept as text: its number of fields and its signs are checked, the calendar comes with the restarts by the clock.

use serde_json::{Value as Json, json};

use super::{Element, Reader, reader::is_off};
use crate::config::node::{Node, Value};

/// A pattern; `None` where `false` or `0` turns it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(pub Option<String>);

const NICKNAMES: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Five fields, six with seconds, seven with years.
fn is_pattern(text: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "*/,-?#+".contains(c);
    let fields = text.split_whitespace().count();
    NICKNAMES.contains(&text) || (5..=7).contains(&fields) && text.split_whitespace().all(|field| field.chars().all(sign))
}

impl Element for Cron {
    const WHAT: &'static str = "a cron pattern of 5 or 6 fields, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            value @ (Value::Bool(_) | Value::Int(_) | Value::Text(_)) if is_off(value) => Some(Self(None)),
            Value::Text(text) if is_pattern(text.trim()) => Some(Self(Some(text.trim().to_owned()))),
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
        for text in ["0 3 * * *", "*/10 * * * * *", "0 0 * * MON-FRI", "@daily", "0 0 L * ?"] {
            assert_eq!(read(&format!("{text:?}")), Some(Cron(Some(text.into()))), "{text}");
        }
        for off in ["0", r#""0""#, "false"] {
            assert_eq!(read(off), Some(Cron(None)), "{off}");
        }
        insta::assert_snapshot!(refused::<Cron>(r#""every day""#), @r#"key is "every day", but it takes a cron pattern of 5 or 6 fields, or false"#);
    }
}
