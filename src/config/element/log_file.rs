//! A file that the runner writes for an app, of lines or its pid: a path, yes for the default one, or none.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// Such a file, before its path is made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    /// None.
    None,
    /// The runner's own.
    Default,
    /// This one.
    At(String),
}

impl File {
    /// What a text means; PM2's words for none are taken, and an empty one is the runner's own.
    pub fn named(text: &str) -> Self {
        match text {
            "" => Self::Default,
            "NULL" | "/dev/null" => Self::None,
            path => Self::At(path.to_owned()),
        }
    }
}

impl Element for File {
    const WHAT: &'static str = "a path, true, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(true) => Some(Self::Default),
            Value::Bool(false) => Some(Self::None),
            Value::Text(text) if !text.is_empty() => Some(Self::named(text)),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "boolean"] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn pm2s_ways_to_say_none() {
        for none in ["false", r#""NULL""#, r#""/dev/null""#] {
            assert_eq!(read(none), Some(File::None), "{none}");
        }
        assert_eq!(read("true"), Some(File::Default));
        assert_eq!(read(r#""logs/out.log""#), Some(File::At("logs/out.log".into())));
        insta::assert_snapshot!(refused::<File>("1"), @"key is 1, but it takes a path, true, or false");
    }
}
