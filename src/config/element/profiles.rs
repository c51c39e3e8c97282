//! Overrides for one profile: a map of the app's own keys for `dev`, and one for `prod`.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// Overrides, not yet read: each is laid over the app they are for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiles {
    /// Those of dev: the key as written, and the map.
    pub dev: Option<(String, Node)>,
    /// Those of prod.
    pub prod: Option<(String, Node)>,
}

impl Element for Profiles {
    const WHAT: &'static str = "a map with dev, prod or both";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return reader.wrong(node) };
        let mut profiles = Self::default();
        for entry in entries {
            reader.inside(&format!(".{}", entry.key), |reader| {
                let found = match entry.key.as_str() {
                    "dev" | "development" => &mut profiles.dev,
                    "prod" | "production" => &mut profiles.prod,
                    _ => {
                        let message = format!("{} is no profile; there are dev and prod", reader.path());
                        return reader.warn(entry.place, message, None);
                    }
                };
                match &entry.node.value {
                    Value::Map(_) => *found = Some((entry.key.clone(), entry.node.clone())),
                    Value::Null => {}
                    _ => {
                        let message = format!("{} is {}, but it takes a map of the app's keys", reader.path(), entry.node.value.kind());
                        reader.refuse::<()>(&entry.node, message);
                    }
                }
            });
        }
        Some(profiles)
    }

    fn schema() -> Json {
        let app = json!({ "$ref": "#/$defs/overrides" });
        json!({ "type": "object", "properties": { "dev": app, "prod": app, "development": app, "production": app } })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn two_profiles_by_short_and_long_names() {
        let profiles: Profiles = read(r#"{"development": {"watch": true}, "prod": {}}"#).unwrap();
        assert_eq!(profiles.dev.unwrap().0, "development");
        assert!(profiles.prod.is_some());
        insta::assert_snapshot!(refused::<Profiles>("true"), @"key is true, but it takes a map with dev, prod or both");
        insta::assert_snapshot!(warned::<Profiles>(r#"{"staging": {}, "dev": 3}"#), @r"
        key.dev is a number, but it takes a map of the app's keys
        key.staging is no profile; there are dev and prod
        ");
    }
}
