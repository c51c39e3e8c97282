//! How scripts are run by extension, above the table: `{".ts": "tsx", py: "python3 -u"}`.

use serde_json::{Value as Json, json};

use super::{Element, Reader, words::Words};
use crate::config::node::{Node, Value};

/// Program and arguments by extension, without dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interpreters(pub Vec<(String, Vec<String>)>);

impl Element for Interpreters {
    const WHAT: &'static str = "a map from extension to program";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return reader.wrong(node) };
        let read = entries.iter().map(|entry| {
            reader.inside(&format!(".{}", entry.key), |reader| {
                let Words(words) = Words::read(&entry.node, reader)?;
                if words.is_empty() {
                    let message = format!("{} names no program", reader.path());
                    return reader.refuse(&entry.node, message);
                }
                Some((entry.key.trim_start_matches("*.").trim_start_matches('.').to_owned(), words))
            })
        });
        let read: Vec<_> = read.collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "object", "additionalProperties": Words::schema() })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn extensions_with_and_without_dots() {
        let Interpreters(all) = read(r#"{".ts": "tsx", "*.zig": ["zig", "run"]}"#).unwrap();
        assert_eq!(all, [("zig".into(), vec!["zig".into(), "run".into()]), ("ts".into(), vec!["tsx".into()])]);
        insta::assert_snapshot!(refused::<Interpreters>(r#"{"ts": "", "x": true}"#), @r"
        key.ts names no program
        key.x is true, but it takes a text of words, or a list of them
        ");
    }
}
