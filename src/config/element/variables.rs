//! Variables of the environment: a map, whose objects and lists become JSON text as in PM2, or a text of `NAME=value` words.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// Variables in the order written; `None` takes one away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(pub Vec<(String, Option<String>)>);

impl Element for Variables {
    const WHAT: &'static str = "a map of variables";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                let mut whole = true;
                for entry in entries {
                    match reader.inside(&format!(".{}", entry.key), |reader| variable(&entry.key, &entry.node, reader)) {
                        Some(value) => all.push((entry.key.clone(), value)),
                        None => whole = false,
                    }
                }
                whole.then_some(Self(all))
            }
            Value::Text(text) => {
                let words = shell_words::split(text).ok();
                let pair = |word: String| {
                    word.split_once('=').filter(|(name, _)| !name.is_empty()).map(|(n, v)| (n.to_owned(), Some(v.to_owned())))
                };
                let pairs = words.and_then(|words| words.into_iter().map(pair).collect::<Option<Vec<_>>>());
                pairs.map(Self).or_else(|| {
                    let message = format!("{} is a text, but not one of NAME=value words", reader.path());
                    reader.refuse(node, message)
                })
            }
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["object", "string"] })
    }
}

fn variable(name: &str, node: &Node, reader: &mut Reader) -> Option<Option<String>> {
    // Neither can be said to execve(2).
    if name.is_empty() || name.contains(['=', '\0']) {
        let message = format!("{} is no name for a variable", reader.path());
        return reader.refuse(node, message);
    }
    let text = match &node.value {
        Value::Null => return Some(None),
        Value::Text(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::List(_) | Value::Map(_) => {
            let mut text = String::new();
            if let Err(what) = write_json(node, &mut text) {
                let message = format!("{} has {what} inside, which JSON cannot say", reader.path());
                return reader.refuse(node, message);
            }
            text
        }
        Value::Regex { .. } | Value::Other(_) => {
            let message = format!("{} is {}, but a variable is a text", reader.path(), node.value.kind());
            return reader.refuse(node, message);
        }
    };
    if text.contains('\0') {
        let message = format!("{} has a zero byte, which no variable can have", reader.path());
        return reader.refuse(node, message);
    }
    Some(Some(text))
}

/// As `JSON.stringify` writes it: without blanks, in the order written.
fn write_json(node: &Node, out: &mut String) -> Result<(), &'static str> {
    let quoted = |text: &str| Json::from(text).to_string();
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&Json::from(*number).to_string()),
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Regex { .. } => out.push_str("{}"),
        Value::Other(what) => return Err(what),
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write_json(item, out)?;
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                out.push_str(&quoted(&entry.key));
                out.push(':');
                write_json(&entry.node, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn values_become_text_and_null_takes_away() {
        let Variables(all) = read(r#"{"A":"x","B":1,"C":false,"D":{"b":[1,null],"a":"\""},"E":null,"F":1.5}"#).unwrap();
        let shown: Vec<_> = all.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("(gone)"))).collect();
        assert_eq!(shown, ["A=x", "B=1", "C=false", r#"D={"a":"\"","b":[1,null]}"#, "E=(gone)", "F=1.5"]);
        let Variables(all) = read(r#""A=1 B='x y' C=""#).unwrap();
        assert_eq!(all, [("A".into(), Some("1".into())), ("B".into(), Some("x y".into())), ("C".into(), Some(String::new()))]);
    }

    #[test]
    fn what_no_environment_can_hold_is_refused() {
        insta::assert_snapshot!(refused::<Variables>("[]"), @"key is a list, but it takes a map of variables");
        insta::assert_snapshot!(refused::<Variables>(r#""A B""#), @"key is a text, but not one of NAME=value words");
        insta::assert_snapshot!(refused::<Variables>(r#"{"A=B":"1","Z":"a\u0000b","OK":"1"}"#), @r"
        key.A=B is no name for a variable
        key.Z has a zero byte, which no variable can have
        ");
    }
}
