//! What `evaluate.mjs` writes: the exported value with tags for what JSON cannot say, or what was thrown.

use std::{path::PathBuf, slice};

use serde_json::Value as Json;

use crate::config::{
    node::{Entry, Node, Place, Value},
    source::{deep, scalar},
};

/// One answer.
pub enum Answer {
    /// The export.
    Value(Node),
    /// An exception.
    Thrown(Thrown),
    /// It was about to load something that others can write.
    Refused {
        /// What.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The program ended before either; `left`: through `process.exit()`.
    Unfinished {
        /// Whether it asked to end.
        left: bool,
    },
}

/// An exception.
pub struct Thrown {
    /// `TypeError`; empty for what is no error.
    pub name: String,
    /// Its own message.
    pub message: String,
    /// Path, line and column, nearest first; a column may be 0, unknown.
    pub places: Vec<(PathBuf, u32, u32)>,
    /// The messages of its causes.
    pub causes: Vec<String>,
}

impl Answer {
    /// Reads an answer, and the files that were loaded; `Err`: why it is none, `missing` where there is nothing.
    pub fn read(bytes: &[u8], missing: &str) -> Result<(Self, Vec<PathBuf>), String> {
        if bytes.is_empty() {
            return Err(missing.to_owned());
        }
        let answer: Json = serde_json::from_slice(bytes).map_err(|error| format!("its result was cut off: {error}"))?;
        let modules = answer["modules"].as_array().into_iter().flatten().filter_map(Json::as_str).map(PathBuf::from).collect();
        if let Some(left) = answer["unfinished"].as_bool() {
            return Ok((Self::Unfinished { left }, modules));
        }
        if let Some(thrown) = answer.get("error") {
            return Ok((Self::Thrown(Thrown::new(thrown)), modules));
        }
        if let Some(refused) = answer.get("refused") {
            return Ok((Self::Refused { path: PathBuf::from(text(&refused[0])), mode: number(&refused[1]) }, modules));
        }
        let parts = answer["value"].as_array().map(Vec::as_slice).unwrap_or_default();
        node(&mut parts.iter()).map(|node| (Self::Value(node), modules))
    }
}

impl Thrown {
    fn new(json: &Json) -> Self {
        let place = |place: &Json| (PathBuf::from(text(&place[0])), number(&place[1]), number(&place[2]));
        Self {
            name: text(&json["name"]),
            message: text(&json["message"]),
            places: json["places"].as_array().into_iter().flatten().map(place).collect(),
            causes: json["causes"].as_array().into_iter().flatten().map(text).collect(),
        }
    }
}

/// The next value of the flat list. Its depth is bounded where it is written.
fn node(parts: &mut slice::Iter<'_, Json>) -> Result<Node, String> {
    let value = match parts.next() {
        None => return Err("its result was cut off".to_owned()),
        Some(Json::Null) => Value::Null,
        Some(Json::Bool(boolean)) => Value::Bool(*boolean),
        Some(Json::Number(number)) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => scalar::double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(tagged) => match tagged.as_object().and_then(|tagged| tagged.iter().next()).map(|(tag, content)| (tag.as_str(), content)) {
            Some(("list", count)) => Value::List((0..count.as_u64().unwrap_or_default()).map(|_| node(parts)).collect::<Result<_, _>>()?),
            Some(("map", count)) => {
                let mut entries: Vec<Entry> = (0..count.as_u64().unwrap_or_default()).map(|_| entry(parts)).collect::<Result<_, _>>()?;
                // As in JSON.stringify: `env: { TOKEN: process.env.TOKEN }` declares nothing where TOKEN is unset.
                entries.retain(|entry| !matches!(entry.node.value, Value::Other("undefined")));
                Value::Map(entries)
            }
            Some(("regex", both)) => Value::Regex { source: text(&both[0]), flags: text(&both[1]) },
            Some(("float", number)) => Value::Float(number.as_str().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)),
            Some(("other", what)) => Value::Other(other(what.as_str().unwrap_or_default())?),
            Some(_) | None => Value::Other("an unknown value"),
        },
    };
    Ok(Node { value, place: Place::Unknown })
}

fn entry(parts: &mut slice::Iter<'_, Json>) -> Result<Entry, String> {
    let key = parts.next().map(text).unwrap_or_default();
    Ok(Entry { key, place: Place::Unknown, node: node(parts)?, merged: false })
}

fn number(json: &Json) -> u32 {
    json.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

/// The words for what JSON cannot say.
fn other(what: &str) -> Result<&'static str, String> {
    Ok(match what {
        "undefined" => "undefined",
        "function" => "a function",
        "bigint" => "a bigint",
        "symbol" | "Symbol" => "a symbol",
        "Promise" => "a promise",
        "Map" => "a Map",
        "Set" => "a Set",
        "circle" => return Err("a value contains itself, so it has no end".to_owned()),
        "deep" => return Err(deep()),
        _ => "an unknown value",
    })
}
