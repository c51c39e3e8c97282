//! What a project file says, whatever its format: a tree of values, each with its place.

use std::path::PathBuf;

use super::problem::Problem;

/// A project file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file, absolute.
    pub file: PathBuf,
    /// Its text; `None` for JavaScript, whose values have no lines.
    pub text: Option<String>,
    /// What it says.
    pub root: Node,
    /// The files that it loads, absolute, where it is JavaScript: those below its folder or the caller's, packages left out.
    pub modules: Vec<PathBuf>,
    /// What is doubtful about how it says it (a key given twice); never an error.
    pub warnings: Vec<Problem>,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// What can stand in a project file.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing after a key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; also one that no `i64` holds.
    Float(f64),
    /// Text; dates of TOML and YAML are text as well.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys in the order of the file, each once: of a key given twice the last value stands, and a warning tells.
    Map(Vec<Entry>),
    /// `/source/flags`, which JavaScript alone has.
    Regex {
        /// Between the slashes.
        source: String,
        /// After them.
        flags: String,
    },
    /// What JSON cannot say (`a function`, `undefined`, `a bigint`), by the words for it.
    Other(&'static str),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, without quotes.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
    /// Whether `<<` of YAML took it over: what the map says itself wins, also under another name of the key. Such entries come first.
    pub merged: bool,
}

/// Where something stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the text.
    At {
        /// From 1.
        line: u32,
        /// From 1, in characters.
        column: u32,
        /// In characters, of the first line where it has several; 0 where nothing stands (the end of the file).
        len: u32,
    },
    /// In JavaScript: known by its path alone.
    Unknown,
}

impl Value {
    /// Its kind with an article, for messages: `a list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map of keys",
            Self::Regex { .. } => "a regular expression",
            Self::Other(what) => what,
        }
    }
}

impl Node {
    /// The entry of a key, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// Takes the value of a key out, where this is a map that has it.
    pub fn take(&mut self, key: &str) -> Option<Self> {
        let Value::Map(entries) = &mut self.value else { return None };
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at).node)
    }
}
