//! What to ignore: globs, regexes as text, and regular expressions of JavaScript. A text is split at blanks, as in PM2.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// Patterns as the watch room reads them, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(pub Vec<String>);

/// One of them.
struct Pattern(String);

/// A regular expression so that it is recognised as one: a backslash, a leading `^` or a trailing `$` tells it from a glob.
fn regex(source: &str, flags: &str) -> String {
    let known: String = flags.chars().filter(|flag| matches!(flag, 'i' | 'm' | 's')).collect();
    let flagged = if known.is_empty() { source.to_owned() } else { format!("(?{known}:{source})") };
    let tells_itself = flagged.contains('\\') || flagged.starts_with('^') || flagged.ends_with('$');
    if tells_itself && !flagged.starts_with('!') { flagged } else { format!("^.*(?:{flagged})") }
}

impl Element for Pattern {
    const WHAT: &'static str = "a pattern";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Regex { source, flags } => Some(Self(regex(source, flags))),
            Value::Text(text) => Some(Self(text.clone())),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

impl Element for Patterns {
    const WHAT: &'static str = "a pattern, or a list of patterns";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(Self(text.split_whitespace().map(str::to_owned).collect())),
            Value::Bool(false) => Some(Self::default()),
            Value::List(list) => reader.items::<Pattern>(list).map(|list| Self(list.into_iter().map(|Pattern(text)| text).collect())),
            Value::Regex { .. } => Pattern::read(node, reader).map(|Pattern(text)| Self(vec![text])),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "const": false }, { "type": "array", "items": Pattern::schema() }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn text_is_split_and_regexes_stay_regexes() {
        let list = |json: &str| read::<Patterns>(json).unwrap().0;
        assert_eq!(list(r#""node_modules  logs/*.log""#), ["node_modules", "logs/*.log"]);
        assert_eq!(list(r#"["a b", "!keep"]"#), ["a b", "!keep"]);
        assert_eq!(list(r#"{"/": "[\\/\\\\]\\."}"#), [r"[\/\\]\."]);
        assert_eq!(list(r#"[{"/": "node_modules", "flags": "gi"}]"#), ["^.*(?:(?i:node_modules))"]);
        assert_eq!(list(r#"{"/": "tmp"}"#), ["^.*(?:tmp)"]);
        insta::assert_snapshot!(refused::<Patterns>("true"), @"key is true, but it takes a pattern, or a list of patterns");
        insta::assert_snapshot!(refused::<Patterns>("[3]"), @"key[0] is 3, but it takes a pattern");
    }
}
