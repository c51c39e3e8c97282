//! JSON as PM2's users write it: with comments, trailing commas, single quotes and bare keys, which is JSON5 too. Data, never evaluated.

use std::path::Path;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{ObjectProp, ObjectPropName, Value as Ast},
    common::{Range, Ranged as _},
    errors::{ParseError, ParseErrorKind},
    parse_to_ast,
};

use super::{
    Parsed, deep,
    entries::{Entries, line_of},
    scalar,
    text::Lines,
    too_deep,
};
use crate::config::{
    node::{Entry, Node, Place, Value},
    problem::{Problem, Problems},
};

/// Reads a text.
pub fn parse(file: &Path, text: &str) -> Parsed {
    let lines = Lines::new(text);
    let options = ParseOptions { allow_missing_commas: false, ..ParseOptions::default() };
    let refuse = |problem| Err(Problems(vec![problem]));
    let value = match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(result) => result.value,
        Err(error) => return refuse(problem(file, text, &lines, &error)),
    };
    let Some(value) = value else {
        return refuse(Problem::error(file, lines.end(), "it has comments alone, and no value").example(super::Format::Json.example()));
    };
    let mut reader = Reader { file, lines, warnings: Vec::new() };
    let root = reader.node(value);
    match too_deep(&root) {
        Some(node) => refuse(Problem::error(file, node.place, deep())),
        None => Ok((root, reader.warnings)),
    }
}

/// What values look like.
const VALUES_OF_JSON: &str = "\"text\", 5, true, null, [...], {...}";

struct Reader<'a> {
    file: &'a Path,
    lines: Lines<'a>,
    warnings: Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, range: Range) -> Place {
        self.lines.place(range.start..range.end)
    }

    /// The parser allows 512 levels, so recursion is safe.
    fn node(&mut self, ast: Ast<'_>) -> Node {
        let place = self.place(ast.range());
        let value = match ast {
            Ast::StringLit(text) => Value::Text(text.value.into_owned()),
            Ast::NumberLit(number) => scalar::json_number(number.value),
            Ast::BooleanLit(literal) => Value::Bool(literal.value),
            Ast::NullKeyword(_) => Value::Null,
            Ast::Array(array) => Value::List(array.elements.into_iter().map(|element| self.node(element)).collect()),
            Ast::Object(object) => Value::Map(self.entries(object.properties)),
        };
        Node { value, place }
    }

    /// JSON.parse and JavaScript take the last value of a key that is given twice, and so did PM2: it is kept, and told.
    fn entries(&mut self, properties: Vec<ObjectProp<'_>>) -> Vec<Entry> {
        let mut entries = Entries::default();
        for property in properties {
            let (key, range) = match property.name {
                ObjectPropName::String(name) => (name.value.into_owned(), name.range),
                ObjectPropName::Word(name) => (name.value.to_owned(), name.range),
            };
            let entry = Entry { place: self.place(range), node: self.node(property.value), key, merged: false };
            if let Err(twice) = entries.add(entry) {
                let (entry, first) = *twice;
                let message = format!("{} is given twice, first {}; this second value counts", entry.key, line_of(first));
                self.warnings.push(Problem::error(self.file, entry.place, message).warning());
                entries.replace(entry);
            }
        }
        entries.into_list()
    }
}

fn problem(file: &Path, text: &str, lines: &Lines<'_>, error: &ParseError) -> Problem {
    use ParseErrorKind as Kind;
    let range = error.range();
    // It may be a secret, so it is shown in its line alone, where values of variables are hidden.
    let word =
        text[range.start.min(text.len())..].chars().take_while(|char| char.is_alphanumeric() || matches!(char, '_' | '$' | '.')).count();
    let evaluated = || ("this is no value; a text needs quotes, and nothing is evaluated".to_owned(), Some(VALUES_OF_JSON));
    let first = |range: Range| lines.place(range.start..range.start + 1);
    let whole = lines.place(range.start..range.end);
    let at_end = range.start >= text.trim_end().len();
    let (place, message, example) = match error.kind() {
        Kind::UnterminatedObject => (first(range), "this { is never closed by a }; is the file cut off?".to_owned(), None),
        Kind::UnterminatedArray => (first(range), "this [ is never closed by a ]; is the file cut off?".to_owned(), None),
        Kind::UnterminatedCommentBlock => (first(range), "this comment is never closed by */".to_owned(), None),
        Kind::ExpectedComma => (whole, "a comma is missing after this value".to_owned(), None),
        Kind::ExpectedColonAfterObjectKey => (whole, "a colon is missing after this key".to_owned(), Some("\"name\": \"api\"")),
        Kind::ExpectedObjectValue => (whole, "a value is missing after the colon".to_owned(), Some("\"name\": \"api\"")),
        Kind::MultipleRootJsonValues => (first(range), "the file is over before this: it holds one value".to_owned(), None),
        Kind::UnexpectedWord => {
            let (message, example) = evaluated();
            (whole, message, example)
        }
        Kind::UnexpectedCloseBrace => (whole, "this } closes nothing that is open here".to_owned(), None),
        Kind::UnexpectedCloseBracket => (whole, "this ] closes nothing that is open here".to_owned(), None),
        Kind::UnexpectedComma => (whole, "a value is missing before this comma".to_owned(), None),
        Kind::UnexpectedColon => (whole, "a colon stands after a key alone".to_owned(), Some("{ \"name\": \"api\" }")),
        Kind::UnexpectedTokenInObject => (first(range), "a key is needed here".to_owned(), Some("\"name\": \"api\"")),
        Kind::UnexpectedToken if word > 0 => {
            let (message, example) = evaluated();
            (lines.place(range.start..range.start + word), message, example)
        }
        Kind::UnexpectedToken if at_end => (whole, "the file ends where a value is needed".to_owned(), None),
        Kind::UnexpectedToken => (first(range), "this is neither a value nor a key".to_owned(), None),
        Kind::NestingDepthExceeded => (first(range), deep(), None),
        Kind::String(jsonc_parser::ParseStringErrorKind::UnterminatedStringLiteral) => {
            (first(range), "this text is never closed by a quote".to_owned(), None)
        }
        Kind::String(other) => (whole, format!("this text cannot be read: {}", lower(&other.to_string())), None),
        other => (whole, format!("this cannot be read: {}", lower(&other.to_string())), None),
    };
    let problem = Problem::error(file, place, message);
    match example {
        Some(example) => problem.example(example),
        None => problem,
    }
}

/// A sentence of a parser as part of one of ours.
pub fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
