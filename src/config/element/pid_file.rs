//! Where the pid goes: a path, or yes for the runner's own folder, or nowhere.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// A pid file, before its path is made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pid {
    /// Nowhere.
    None,
    /// The runner's own folder.
    Default,
    /// This file.
    At(String),
}

impl Element for Pid {
    const WHAT: &'static str = "a path, true, or false";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(true) => Some(Self::Default),
            Value::Bool(false) => Some(Self::None),
            Value::Text(text) if !text.is_empty() && !text.ends_with('/') => Some(Self::At(text.clone())),
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
    fn a_path_or_yes() {
        assert_eq!(read("true"), Some(Pid::Default));
        assert_eq!(read("false"), Some(Pid::None));
        assert_eq!(read(r#""run/api.pid""#), Some(Pid::At("run/api.pid".into())));
        insta::assert_snapshot!(refused::<Pid>("4711"), @"key is 4711, but it takes a path, true, or false");
        insta::assert_snapshot!(refused::<Pid>(r#""run/""#), @r#"key is "run/", but it takes a path, true, or false"#);
    }
}
