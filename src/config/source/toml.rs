//! TOML 1.1; all that is wrong is told at once, as far as the parser can go on after an error.

use std::path::Path;

use toml::de::{DeTable, DeValue, Error};
use toml_parser::{Source, lexer::TokenKind};

use super::{DEPTH, Parsed, deep, entries::line_of, json::lower, text::Lines, too_deep};
use crate::config::{
    node::{Entry, Node, Place, Value},
    problem::{Problem, Problems},
};

/// Reads a text.
pub fn parse(file: &Path, text: &str) -> Parsed {
    let lines = Lines::new(text);
    let error = |place: Place, message: String| Problems(vec![Problem::error(file, place, message)]);
    // The parser bounds brackets, not dotted keys, and a tree as deep as those can be could not even be dropped.
    if let Some(at) = long_key(text) {
        return Err(error(lines.place(at..at + 1), deep()));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut problems: Vec<Problem> = errors.iter().map(|error| problem(file, text, &lines, table.get_ref(), error)).collect();
        problems.dedup_by_key(|problem| problem.place);
        return Err(Problems(problems));
    }
    let place = lines.place(0..0);
    let root = Node { value: Value::Map(entries(table.into_inner(), &lines)), place };
    match too_deep(&root) {
        Some(node) => Err(error(node.place, deep())),
        None => Ok((root, Vec::new())),
    }
}

/// Where a dotted key passes [`DEPTH`] parts.
fn long_key(text: &str) -> Option<usize> {
    let mut dots = 0;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Whitespace | TokenKind::Atom | TokenKind::LiteralString | TokenKind::BasicString => {}
            _ => dots = 0,
        }
        if dots > DEPTH {
            return Some(token.span().start());
        }
    }
    None
}

fn entries(table: DeTable<'_>, lines: &Lines<'_>) -> Vec<Entry> {
    let entry = |(key, value): (toml::Spanned<std::borrow::Cow<'_, str>>, toml::Spanned<DeValue<'_>>)| {
        let place = lines.place(key.span());
        let span = value.span();
        Entry { key: key.into_inner().into_owned(), place, node: node(value.into_inner(), lines.place(span), lines), merged: false }
    };
    table.into_iter().map(entry).collect()
}

/// The depth is bounded: by the parser for brackets, by [`long_key`] for dots.
fn node(value: DeValue<'_>, place: Place, lines: &Lines<'_>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.as_str().parse().map_or_else(|_| Value::Text(number.as_str().to_owned()), Value::Float), Value::Int),
        DeValue::Float(number) => number.as_str().parse().map_or_else(|_| Value::Text(number.as_str().to_owned()), Value::Float),
        DeValue::Boolean(boolean) => Value::Bool(boolean),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(array) => Value::List(
            array
                .into_iter()
                .map(|element| {
                    let place = lines.place(element.span());
                    node(element.into_inner(), place, lines)
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Map(entries(table, lines)),
    };
    Node { value, place }
}

fn problem(file: &Path, text: &str, lines: &Lines<'_>, table: &DeTable<'_>, error: &Error) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    let place = lines.place(span.clone());
    let said = error.message();
    let word = text.get(span.clone()).unwrap_or_default();
    let (message, example) = if said.contains("duplicate key") {
        let first = first_of(table, word.trim_matches(['"', '\'']), span.start);
        let first = first.map(|at| format!(", first {}", line_of(lines.place(at..at)))).unwrap_or_default();
        (format!("{word} is given twice{first}"), None)
    } else if said.contains("string values must be quoted") && word.trim().is_empty() {
        ("a value is missing after =".to_owned(), Some("script = \"api.js\""))
    } else if said.contains("string values must be quoted") {
        ("this needs quotes, as every text does".to_owned(), Some("script = \"api.js\""))
    } else {
        (format!("this cannot be read as TOML: {}", lower(said).trim_end_matches(", expected nothing")), None)
    };
    let problem = Problem::error(file, place, message);
    match example {
        Some(example) => problem.example(example),
        None => problem,
    }
}

/// Where a key that is given twice stood first: the parser does not tell, and the nearest of that name before it is the one, unless
/// tables are interleaved.
fn first_of(table: &DeTable<'_>, key: &str, before: usize) -> Option<usize> {
    let mut nearest = None;
    let mut todo: Vec<&DeValue<'_>> = Vec::new();
    let mut tables = vec![table];
    while let Some(table) = tables.pop() {
        for (name, value) in table {
            let start = name.span().start;
            if name.get_ref() == key && start < before {
                nearest = nearest.max(Some(start));
            }
            todo.push(value.get_ref());
        }
        while let Some(value) = todo.pop() {
            match value {
                DeValue::Table(table) => tables.push(table),
                DeValue::Array(array) => todo.extend(array.iter().map(toml::Spanned::get_ref)),
                DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
            }
        }
    }
    nearest
}
