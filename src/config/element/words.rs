//! Words of a command line: text that is split as a shell would, or a list whose items stay as they are.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::{
    node::{Node, Value},
    secret,
};

/// Words of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

/// One word of a list.
struct Word(String);

impl Element for Word {
    const WHAT: &'static str = "a word";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(Self(value.to_string())),
            Value::Text(_) | Value::Int(_) | Value::Float(_) => String::read(node, reader).map(Self),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "number", "boolean"] })
    }
}

impl Element for Words {
    const WHAT: &'static str = "a text of words, or a list of them";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) => match shell_words::split(text) {
                Ok(words) => Some(Self(words)),
                Err(_) => {
                    let text = secret::line(text);
                    let message = format!("{} is {text:?}, in which a quote is not closed", reader.path());
                    reader.refuse(node, message)
                }
            },
            Value::Int(number) => Some(Self(vec![number.to_string()])),
            Value::List(list) => reader.items::<Word>(list).map(|words| Self(words.into_iter().map(|Word(word)| word).collect())),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [String::schema(), { "type": "array", "items": Word::schema() }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn text_is_split_with_quotes_and_lists_stay() {
        let words = |list: &[&str]| Some(Words(list.iter().map(|word| (*word).to_owned()).collect()));
        assert_eq!(read(r#""--port 3 --name 'a b'""#), words(&["--port", "3", "--name", "a b"]));
        assert_eq!(read(r#"["a b", 3, true]"#), words(&["a b", "3", "true"]));
        assert_eq!(read("3000"), words(&["3000"]));
        insta::assert_snapshot!(refused::<Words>(r#""a 'b""#), @r#"key is "a 'b", in which a quote is not closed"#);
        insta::assert_snapshot!(refused::<Words>(r#"["a", {}]"#), @"key[1] is a map of keys, but it takes a word");
    }
}
