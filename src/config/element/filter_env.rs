//! Which of the caller's variables are not passed on. As in PM2 a list drops names that contain an entry, and a text drops the one name;
//! `true`, which PM2 takes and forgets, passes nothing on; `false` passes everything on, also what production holds back.

use serde_json::{Value as Json, json};

use super::{Element, Reader, texts::Texts};
use crate::config::node::{Node, Value};

/// What is not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterEnv {
    /// Nothing is held back, whatever the profile.
    None,
    /// Everything is.
    All,
    /// The variable of this name.
    Named(String),
    /// Variables whose names contain one of these.
    Containing(Vec<String>),
}

impl FilterEnv {
    /// Whether a variable is held back.
    pub fn drops(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Named(dropped) => name == dropped,
            Self::Containing(parts) => parts.iter().any(|part| name.contains(part)),
        }
    }
}

impl Element for FilterEnv {
    const WHAT: &'static str = "true, false, a name, or a list of parts of names";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(all) => Some(if *all { Self::All } else { Self::None }),
            Value::Text(name) => Some(Self::Named(name.clone())),
            Value::List(_) => Texts::read(node, reader).map(|Texts(parts)| Self::Containing(parts)),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": ["boolean", "string"] }, { "type": "array", "items": { "type": "string" } }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn a_list_holds_parts_and_a_text_the_name() {
        let drops = |json: &str| ["AWS_KEY", "KEY", "HOME"].map(|name| read::<FilterEnv>(json).unwrap().drops(name));
        assert_eq!(drops(r#"["KEY"]"#), [true, true, false]);
        assert_eq!(drops(r#""KEY""#), [false, true, false]);
        assert_eq!(drops("true"), [true, true, true]);
        assert_eq!(drops("false"), [false, false, false]);
        insta::assert_snapshot!(refused::<FilterEnv>("{}"), @"key is a map of keys, but it takes true, false, a name, or a list of parts of names");
    }
}
