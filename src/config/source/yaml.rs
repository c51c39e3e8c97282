//! YAML 1.2: one document, anchors, merge keys, the core schema. A key given twice is an error, as in PM2 and the specification.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::{
    DEPTH, Parsed, VALUES, deep,
    entries::{Entries, line_of},
    scalar,
    text::{self, Lines},
    yaml_error,
};
use crate::config::{
    node::{Entry, Node, Place, Value},
    problem::{Problem, Problems},
};

/// Reads a text.
pub fn parse(file: &Path, text: &str) -> Parsed {
    let mut reader =
        Reader { file, lines: Lines::new(text), open: Vec::new(), anchors: HashMap::new(), problems: Vec::new(), root: None, values: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let outcome = match next {
            Ok((event, span)) => reader.event(event, span),
            Err(error) => Err(Box::new(yaml_error::problem(file, &reader.lines, &error))),
        };
        if let Err(problem) = outcome {
            reader.problems.push(*problem);
            return Err(Problems(reader.problems));
        }
    }
    match reader.root {
        _ if !reader.problems.is_empty() => Err(Problems(reader.problems)),
        Some(built) => Ok((built.node, Vec::new())),
        None => {
            let problem = Problem::error(file, Place::Unknown, "it has comments alone, and no value");
            Err(Problems(vec![problem.example(super::Format::Yaml.example())]))
        }
    }
}

/// A value that is complete; what its copies cost is known before they are made.
#[derive(Clone)]
struct Built {
    node: Node,
    depth: usize,
    values: usize,
}

/// A list or map that is not complete.
struct Open {
    place: Place,
    anchor: usize,
    items: Items,
    depth: usize,
    values: usize,
}

enum Items {
    List(Vec<Node>),
    /// `merged`: what each `<<` takes over, the one that wins first.
    Map {
        entries: Entries,
        key: Option<Key>,
        merged: Vec<Vec<Entry>>,
    },
}

struct Key {
    text: String,
    place: Place,
    /// `<<` without quotes, <https://yaml.org/type/merge.html>
    merges: bool,
}

struct Reader<'a> {
    file: &'a Path,
    lines: Lines<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    /// What is wrong but lets reading go on.
    problems: Vec<Problem>,
    root: Option<Built>,
    /// All values so far.
    values: usize,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Problem>> {
        let place = self.place(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.error(place, "a second document begins here; a project file is one document"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => {
                let Some(built) = self.anchors.get(&anchor) else {
                    return Err(self.error(place, "this alias stands inside of what it names"));
                };
                if self.values + built.values > VALUES {
                    return Err(
                        self.error(place, format!("aliases make more than {VALUES} values of this file, which no project file needs"))
                    );
                }
                if self.open.len() + built.depth > DEPTH {
                    return Err(self.error(place, deep()));
                }
                let built = built.clone();
                self.add(built, false)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.quoted(place, style);
                let plain = style == ScalarStyle::Plain;
                let value = self.scalar(&text, plain, tag.as_deref(), place)?;
                // A key is what stands there: `8080: x` has the key 8080, `true: x` the key true.
                let (merges, value) = match &self.open.last().map(|open| &open.items) {
                    Some(Items::Map { key: None, .. }) => (plain && text == "<<", Value::Text(text.into_owned())),
                    Some(Items::Map { key: Some(_), .. } | Items::List(_)) | None => (false, value),
                };
                let built = Built { node: Node { value, place }, depth: 0, values: 1 };
                self.remember(anchor, &built);
                self.add(built, merges)
            }
            Event::SequenceStart(anchor, tag) => self.begin(place, anchor, tag.as_deref(), Items::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                let items = Items::Map { entries: Entries::default(), key: None, merged: Vec::new() };
                self.begin(place, anchor, tag.as_deref(), items)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, tag: Option<&Tag>, items: Items) -> Result<(), Box<Problem>> {
        if self.open.len() >= DEPTH {
            return Err(self.error(place, deep()));
        }
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "seq" | "map"))) {
            return Err(self.error(place, tagged(tag)));
        }
        self.open.push(Open { place, anchor, items, depth: 0, values: 1 });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Box<Problem>> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.items {
            Items::List(nodes) => Value::List(nodes),
            Items::Map { entries, key: _, merged } => Value::Map(under(entries.into_list(), merged)),
        };
        let built = Built { node: Node { value, place: open.place }, depth: open.depth + 1, values: open.values };
        self.remember(open.anchor, &built);
        self.add(built, false)
    }

    fn remember(&mut self, anchor: usize, built: &Built) {
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
    }

    /// Puts a value where it belongs: into the list or map around it, as a key or a value.
    fn add(&mut self, built: Built, merges: bool) -> Result<(), Box<Problem>> {
        self.values += built.values;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(built);
            return Ok(());
        };
        open.depth = open.depth.max(built.depth);
        open.values += built.values;
        let Built { node, .. } = built;
        match &mut open.items {
            Items::List(nodes) => nodes.push(node),
            Items::Map { key: key @ None, .. } => match node.value {
                Value::Text(text) => *key = Some(Key { text, place: node.place, merges }),
                other => {
                    let message = format!("a key is a text, and this is {}", other.kind());
                    return Err(self.error(node.place, message));
                }
            },
            Items::Map { entries, key, merged } => {
                let Some(Key { text, place, merges }) = key.take() else { return Ok(()) };
                if merges {
                    let problem = |place| {
                        Problem::error(self.file, place, "<< takes over the keys of a map, or of a list of maps").example("<<: *defaults")
                    };
                    return merge(merged, node).map_err(|place| Box::new(problem(place)));
                }
                if let Err(twice) = entries.add(Entry { key: text, place, node, merged: false }) {
                    let (entry, first) = *twice;
                    let message = format!("{} is given twice, first {}", entry.key, line_of(first));
                    self.problems.push(Problem::error(self.file, place, message));
                }
            }
        }
        Ok(())
    }

    /// A scalar by its tag, else by the core schema where it has no quotes.
    fn scalar(&self, text: &str, plain: bool, tag: Option<&Tag>, place: Place) -> Result<Value, Box<Problem>> {
        let as_text = || Value::Text(text.to_owned());
        let Some(tag) = tag else { return Ok(if plain { scalar::yaml_plain(text) } else { as_text() }) };
        // `!` alone means "as it stands".
        if tag.handle.is_empty() && tag.suffix == "!" {
            return Ok(as_text());
        }
        let known = tag.is_yaml_core_schema();
        let value = match tag.suffix.as_str() {
            "str" if known => Some(as_text()),
            "int" if known => scalar::yaml_int(text),
            "float" if known => scalar::yaml_float(text),
            "bool" | "null" if known => Some(scalar::yaml_plain(text)),
            _ => return Err(self.error(place, tagged(tag))),
        };
        value.ok_or_else(|| self.error(place, format!("the tag !!{} does not fit this value", tag.suffix)))
    }

    fn error(&self, place: Place, message: impl Into<String>) -> Box<Problem> {
        Box::new(Problem::error(self.file, place, message))
    }

    fn place(&self, span: Span) -> Place {
        place(&self.lines, span.start, span.end)
    }

    /// The place of a text in quotes up to the quote that closes it: to the parser, it goes on to the end of a comment behind it.
    fn quoted(&self, place: Place, style: ScalarStyle) -> Place {
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => return place,
        };
        let Place::At { line, column, len } = place else { return place };
        let (number, first) = (usize::try_from(line).unwrap_or(0), usize::try_from(column).unwrap_or(1) - 1);
        let Some(line_text) = short(&self.lines, number) else { return place };
        let mut chars = line_text.chars().skip(first).enumerate().skip_while(|(_, char)| *char != quote).skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' if quote == '"' => drop(chars.next()),
                // Two of them are one that is part of the text.
                '\'' if quote == '\'' && chars.next_if(|(_, next)| *next == '\'').is_some() => {}
                other if other == quote => return Place::At { line, column, len: u32::try_from(at + 1).unwrap_or(len) },
                _ => {}
            }
        }
        place
    }
}

fn tagged(tag: &Tag) -> String {
    let shown = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
    format!("the tag {shown} asks for more than data, and a project file is data alone")
}

/// Puts what was taken over below what a map says itself: what counts less comes first.
fn under(own: Vec<Entry>, merged: Vec<Vec<Entry>>) -> Vec<Entry> {
    if merged.is_empty() {
        return own;
    }
    let mut taken: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    let mut layers = vec![own];
    for layer in merged {
        let kept = layer.into_iter().filter(|entry| taken.insert(entry.key.clone()));
        layers.push(kept.map(|entry| Entry { merged: true, ..entry }).collect());
    }
    layers.into_iter().rev().flatten().collect()
}

/// Takes keys over; what is there wins, of a list the earlier maps. `Err`: the place of something that has no keys.
fn merge(merged: &mut Vec<Vec<Entry>>, node: Node) -> Result<(), Place> {
    match node.value {
        Value::Map(entries) => {
            merged.push(entries);
            Ok(())
        }
        Value::List(nodes) if nodes.iter().all(|node| matches!(node.value, Value::Map(_))) => {
            nodes.into_iter().try_for_each(|node| merge(merged, node))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Regex { .. }
        | Value::Other(_) => Err(node.place),
    }
}

/// A line, where it is short enough to be looked at for each value that it has: a file may be one long line.
fn short<'a>(lines: &Lines<'a>, number: usize) -> Option<&'a str> {
    const LONGEST: usize = 1000;
    Some(lines.line(number)).filter(|line| line.len() <= LONGEST)
}

/// The place between two marks, as far as the first line goes; what has no extent (the start of a block) has its whole line.
pub fn place(lines: &Lines<'_>, start: Marker, end: Marker) -> Place {
    // The parser may stand behind the last line.
    if lines.is_over(start.line()) {
        return lines.end();
    }
    let len = if start.line() == end.line() && end.col() > start.col() {
        let len = end.col() - start.col();
        match short(lines, start.line()) {
            // A bracket takes the blanks behind it along.
            Some(line) => {
                let blanks =
                    line.chars().skip(start.col()).take(len).fold(0, |blanks, char| if char.is_whitespace() { blanks + 1 } else { 0 });
                len - blanks.min(len - 1)
            }
            None => len,
        }
    } else {
        lines.line(start.line()).trim_end().chars().count().saturating_sub(start.col())
    };
    text::place(start.line().saturating_sub(1), start.col(), len)
}
