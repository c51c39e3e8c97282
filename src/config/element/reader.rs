//! Walks the tree and collects what is wrong, with the path and place of each.

use std::path::Path;

use super::{Element, Fate, Key};
use crate::config::{
    near,
    node::{Node, Place, Value},
    problem::Problem,
    secret,
};

/// A value that was given, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
    /// The path of its key: `apps[0].watch`.
    pub path: String,
}

/// A key whose use has to be told: what is ignored, or comes later.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The key as written, behind that of the key it is in: `limits.nice`.
    pub key: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Where it was used.
    pub path: String,
    /// As above.
    pub place: Place,
}

/// Collects what is wrong while elements read.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a Path,
    path: String,
    /// How much of the path is that of the app.
    app: usize,
    /// A valid line for the key that is being read.
    example: String,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
    /// What has to be told so far.
    pub notes: Vec<Note>,
}

impl<'a> Reader<'a> {
    /// For a file.
    pub fn new(file: &'a Path) -> Self {
        Self { file, path: String::new(), app: 0, example: String::new(), problems: Vec::new(), notes: Vec::new() }
    }

    /// The path of what is being read.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads something inside: `.key` or `[0]`.
    pub fn inside<T>(&mut self, part: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        self.path.push_str(if outer == 0 { part.trim_start_matches('.') } else { part });
        let result = read(self);
        self.path.truncate(outer);
        result
    }

    /// Reads an element and keeps its place.
    pub fn given<T: Element>(&mut self, node: &Node) -> Option<Given<T>> {
        let value = T::read(node, self)?;
        Some(Given { value, place: node.place, path: self.path.clone() })
    }

    /// The items of a list, each read; `None` if one of them is wrong.
    pub fn items<T: Element>(&mut self, list: &[Node]) -> Option<Vec<T>> {
        let items: Vec<Option<T>> =
            list.iter().enumerate().map(|(at, node)| self.inside(&format!("[{at}]"), |reader| T::read(node, reader))).collect();
        items.into_iter().collect()
    }

    /// Refuses a value of another kind than the element's.
    pub fn wrong<T: Element>(&mut self, node: &Node) -> Option<T> {
        let message = format!("{} is {}, but it takes {}", self.path, shown(&node.value), T::WHAT);
        self.refuse(node, message)
    }

    /// Refuses a value; the sentence begins with the path.
    pub fn refuse<T>(&mut self, node: &Node, message: String) -> Option<T> {
        let mut problem = self.error(node.place, message).found(shown(&node.value));
        if !self.example.is_empty() {
            problem = problem.example(&self.example);
        }
        self.problems.push(problem);
        None
    }

    /// A problem with what is being read.
    pub fn error(&self, place: Place, message: String) -> Problem {
        Problem::error(self.file, place, message).about(&self.path)
    }

    /// Warns about something.
    pub fn warn(&mut self, place: Place, message: String, suggestion: Option<String>) {
        let problem = self.error(place, message).warning();
        self.problems.push(Problem { suggestion, ..problem });
    }

    /// Reads the entries of a map by its table of keys. Keys the table does not have go to `other`, which says whether it took them.
    pub fn keys<S>(
        &mut self,
        node: &Node,
        table: &'static [Key<S>],
        all: &mut S,
        mut other: impl FnMut(&mut Self, &str, &Node, &mut S) -> bool,
    ) {
        let Value::Map(entries) = &node.value else { return };
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let found = table.iter().find(|key| key.about.is(&entry.key));
            if entry.merged && found.is_some_and(|key| entries[at + 1..].iter().any(|later| key.about.is(&later.key))) {
                continue;
            }
            self.inside(&format!(".{}", entry.key), |reader| match found {
                Some(key) => {
                    if let Some((_, earlier)) = seen.iter().find(|(name, _)| *name == key.about.name) {
                        let message = format!("{} is {earlier} by another name, and both are given; this one counts", reader.path);
                        reader.warn(entry.place, message, None);
                    }
                    seen.push((key.about.name, &entry.key));
                    reader.key(key, &entry.node, all);
                }
                None => {
                    if !other(reader, &entry.key, &entry.node, all) {
                        let names = table.iter().flat_map(|key| key.about.names());
                        let meant = near::nearest(&super::keyed::snake(&entry.key), names);
                        // As it would be written here.
                        let humped = entry.key.contains(|c: char| c.is_ascii_uppercase());
                        let meant = meant.map(|name| if humped { super::keyed::camel(name) } else { name.to_owned() });
                        let path = &reader.path;
                        reader.warn(entry.place, format!("{path} is no key that pmdev knows, and nothing reads it"), meant);
                    }
                }
            });
        }
    }

    fn key<S>(&mut self, key: &'static Key<S>, node: &Node, all: &mut S) {
        if node.value == Value::Null {
            return;
        }
        let outer = std::mem::replace(&mut self.example, format!("{}: {}", key.about.name, key.about.example));
        let told = match key.about.fate {
            Fate::Honoured => false,
            Fate::Later(told) => told.says(&node.value),
            Fate::Ignored(_) => !is_off(&node.value),
        };
        if told {
            self.notes.push(Note {
                key: self.path[self.app..].trim_start_matches('.').to_owned(),
                fate: key.about.fate,
                path: self.path.clone(),
                place: node.place,
            });
        }
        (key.set)(all, node, self);
        self.example = outer;
    }

    /// Reads an app: paths inside it are told without it.
    pub fn app<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.app, self.path.len());
        let result = read(self);
        self.app = outer;
        result
    }
}

/// Whether a value asks for nothing: `false`, `0`, `""`, an empty list or map.
pub fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Text(text) => matches!(text.as_str(), "" | "0" | "false"),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(true) | Value::Int(_) | Value::Float(_) | Value::Regex { .. } | Value::Other(_) => false,
    }
}

/// A value as it is named in a sentence.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) => {
            let text = secret::line(text);
            let more = if text.chars().count() > 40 { "…" } else { "" };
            format!("{:?}{more}", text.chars().take(40).collect::<String>())
        }
        Value::Regex { source, flags } => format!("/{source}/{flags}"),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Other(_) => value.kind().to_owned(),
    }
}
