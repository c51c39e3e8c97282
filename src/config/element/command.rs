//! A command: a line, or a list of words that needs no shell.

use serde_json::{Value as Json, json};

use super::{Element, Reader, words::Words};
use crate::config::{
    command,
    node::{Node, Value},
};

/// A command, or its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// None, whatever the interpreter would do.
    Off,
    /// Words, or a line for a shell.
    Run(command::Command),
}

impl Element for Line {
    const WHAT: &'static str = "a command line, a list of words, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(false) => Some(Self::Off),
            Value::Text(text) => match command::parse(text) {
                Ok(command) => Some(Self::Run(command)),
                Err(why) => {
                    let message = format!("{} is {text:?}, which cannot be read as a command line: {why}", reader.path());
                    reader.refuse(node, message)
                }
            },
            Value::List(list) if !list.is_empty() => {
                Words::read(node, reader).map(|Words(words)| Self::Run(command::Command::Simple(words)))
            }
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "const": false }, { "type": "array", "items": { "type": ["string", "number"] }, "minItems": 1 }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        command::Command,
        *,
    };

    #[test]
    fn lines_words_and_none() {
        let simple = |words: &[&str]| Some(Line::Run(Command::Simple(words.iter().map(|word| (*word).to_owned()).collect())));
        assert_eq!(read(r#""cargo build -q""#), simple(&["cargo", "build", "-q"]));
        assert_eq!(read(r#"["tsc", "-p", "a b"]"#), simple(&["tsc", "-p", "a b"]));
        assert_eq!(read(r#""make && make install""#), Some(Line::Run(Command::Shell("make && make install".into()))));
        assert_eq!(read("false"), Some(Line::Off));
        insta::assert_snapshot!(refused::<Line>(r#""make '""#), @r#"key is "make '", which cannot be read as a command line: a quote is not closed"#);
        insta::assert_snapshot!(refused::<Line>("[]"), @"key is a list, but it takes a command line, a list of words, or false");
    }
}
