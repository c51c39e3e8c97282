//! Reads one element from JSON text.

use std::path::Path;

use serde_json::Value as Json;

use super::{Element, Reader};
use crate::config::node::{Entry, Node, Place, Value};

/// A tree without places. `{"/": "source", "flags": "i"}` is a regular expression.
pub fn node(json: &Json) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::List(list.iter().map(node).collect()),
        Json::Object(map) if map.contains_key("/") => {
            let part = |key: &str| map.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
            Value::Regex { source: part("/"), flags: part("flags") }
        }
        Json::Object(map) => {
            let entry =
                |(key, value): (&String, &Json)| Entry { key: key.clone(), place: Place::Unknown, node: node(value), merged: false };
            Value::Map(map.iter().map(entry).collect())
        }
    };
    Node { value, place: Place::Unknown }
}

fn attempt<T: Element>(json: &str) -> (Option<T>, Vec<String>) {
    let node = node(&serde_json::from_str(json).unwrap());
    let mut reader = Reader::new(Path::new("/p/file"));
    let value = reader.inside("key", |reader| T::read(&node, reader));
    (value, reader.problems.into_iter().map(|problem| problem.message).collect())
}

/// The element, which must be read without a word.
#[track_caller]
pub fn read<T: Element>(json: &str) -> Option<T> {
    let (value, problems) = attempt(json);
    assert!(problems.is_empty(), "{json}: {problems:?}");
    value
}

/// What is said about a value that is refused.
#[track_caller]
pub fn refused<T: Element>(json: &str) -> String {
    let (value, problems) = attempt::<T>(json);
    assert!(value.is_none(), "{json} was taken");
    problems.join("\n")
}

/// What is said about a value that is taken.
#[track_caller]
pub fn warned<T: Element>(json: &str) -> String {
    let (value, problems) = attempt::<T>(json);
    assert!(value.is_some(), "{json} was refused: {problems:?}");
    problems.join("\n")
}
