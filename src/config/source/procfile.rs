//! A `Procfile`: a name, a colon and a command in each line, and the variables of a `.env` beside it
//! (<https://devcenter.heroku.com/articles/procfile>, foreman(1)).

use std::{collections::HashMap, path::Path};

use super::{Parsed, entries::line_of, text};
use crate::config::{
    node::{Entry, Node, Place, Value},
    place,
    problem::{Problem, Problems},
};

/// Reads a text; the tree is that of the same apps in another format.
pub fn parse(file: &Path, content: &str) -> Parsed {
    let dot_env = Some(place::folder(file).join(".env")).filter(|file| file.is_file()).map(|file| file.display().to_string());
    let (mut apps, mut problems, mut names) = (Vec::new(), Vec::new(), HashMap::new());
    for (number, line) in content.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let at = |column: usize, len: usize| text::place(number, column, len);
        let before = line.chars().take_while(|char| char.is_whitespace()).count();
        let whole = at(before, line.trim().chars().count());
        let Some((name, command)) = line.split_once(':').map(|(name, command)| (name.trim(), command.trim())) else {
            problems.push(Problem::error(file, whole, "this line has no name before its command").example("web: node server.js"));
            continue;
        };
        let name_place = at(before, name.chars().count());
        if name.is_empty() || !name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '-')) {
            let message = "a name is made of letters, digits, - and _";
            problems.push(Problem::error(file, name_place, message).example("web: node server.js"));
            continue;
        }
        if command.is_empty() {
            problems.push(Problem::error(file, whole, format!("{name} has no command")).example(format!("{name}: node server.js")));
            continue;
        }
        if let Some(first) = names.insert(name, name_place) {
            problems.push(Problem::error(file, name_place, format!("{name} is given twice, first {}", line_of(first))));
            continue;
        }
        let length = command.chars().count();
        let command_place = at(line.trim_end().chars().count() - length, length);
        let entry = |key: &str, text: &str, place| Entry {
            key: key.to_owned(),
            place,
            node: Node { value: Value::Text(text.to_owned()), place },
            merged: false,
        };
        let mut app = vec![entry("name", name, name_place), entry("command", command, command_place)];
        app.extend(dot_env.as_ref().map(|file| entry("env_file", file, whole)));
        apps.push(Node { value: Value::Map(app), place: whole });
    }
    let place = text::place(0, 0, 0);
    if apps.is_empty() && problems.is_empty() {
        problems.push(Problem::error(file, Place::Unknown, "it has comments alone").example(super::Format::Procfile.example()));
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let list = Entry { key: "apps".to_owned(), place, node: Node { value: Value::List(apps), place }, merged: false };
    Ok((Node { value: Value::Map(vec![list]), place }, Vec::new()))
}
