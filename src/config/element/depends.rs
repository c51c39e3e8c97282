//! What an app needs: a name, a list of names, or a map from name to how far it must be.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::{
    config::node::{Node, Place, Value},
    model::{Condition, Dependency},
};

/// What an app needs, each with the place of its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DependsOn(pub Vec<(Dependency, Place)>);

impl Element for Condition {
    const WHAT: &'static str = "started, ready or completed";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "started" => Some(Self::Started),
            Value::Text(text) if text == "ready" => Some(Self::Ready),
            Value::Text(text) if text == "completed" => Some(Self::Completed),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "enum": ["started", "ready", "completed"] })
    }
}

impl Element for DependsOn {
    const WHAT: &'static str = "a name, a list of names, or a map from name to started, ready or completed";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let ready = |app: String| Dependency { app, condition: Condition::Ready };
        match &node.value {
            Value::Text(name) => Some(Self(vec![(ready(name.clone()), node.place)])),
            Value::List(list) => {
                let names = reader.items::<String>(list)?;
                Some(Self(names.into_iter().map(ready).zip(list.iter().map(|item| item.place)).collect()))
            }
            Value::Map(entries) => {
                let read: Vec<_> = entries
                    .iter()
                    .map(|entry| {
                        let condition = reader.inside(&format!(".{}", entry.key), |reader| Condition::read(&entry.node, reader))?;
                        Some((Dependency { app: entry.key.clone(), condition }, entry.place))
                    })
                    .collect();
                read.into_iter().collect::<Option<_>>().map(Self)
            }
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" } },
            { "type": "object", "additionalProperties": Condition::schema() },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn names_and_conditions() {
        let needs = |json: &str| {
            let DependsOn(all) = read(json).unwrap();
            all.into_iter().map(|(needed, _)| (needed.app, needed.condition)).collect::<Vec<_>>()
        };
        assert_eq!(needs(r#""db""#), [("db".into(), Condition::Ready)]);
        assert_eq!(needs(r#"["db", "cache"]"#), [("db".into(), Condition::Ready), ("cache".into(), Condition::Ready)]);
        assert_eq!(
            needs(r#"{"db": "started", "migrate": "completed"}"#),
            [("db".into(), Condition::Started), ("migrate".into(), Condition::Completed)]
        );
        insta::assert_snapshot!(refused::<DependsOn>(r#"{"db": "up"}"#), @r#"key.db is "up", but it takes started, ready or completed"#);
        insta::assert_snapshot!(refused::<DependsOn>("true"), @"key is true, but it takes a name, a list of names, or a map from name to started, ready or completed");
    }
}
