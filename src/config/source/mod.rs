//! Project files of every format, read into one tree of values with places: TOML, YAML, JSON and JSON5, JavaScript, Procfile, `package.json`.
//! It gives keys no meaning and runs nothing: JavaScript comes back as the launch that evaluates it, and what that printed is handed in again.
//! Start reading with [`open`], then [`text`] (what may be read at all), [`json`] and [`javascript`].

pub mod javascript;

mod discover;
mod entries;
mod json;
mod package;
mod procfile;
mod scalar;
mod text;
mod toml;
mod yaml;
mod yaml_error;

#[cfg(test)]
mod tests;

pub use discover::{discover, is_project_file};

use std::path::Path;

use super::{
    Host,
    node::{Document, Node, Value},
    place,
    problem::{Problem, Problems},
};
use crate::model::Error;

/// How deep lists and maps may lie in one another. Project files need six; a file that needs a hundred is no project file, and
/// whoever walks the tree may recurse.
const DEPTH: usize = 100;

/// How many values a file may have, those an alias of YAML repeats included.
const VALUES: usize = 200_000;

/// What a project file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `*.toml`
    Toml,
    /// `*.yaml`, `*.yml`
    Yaml,
    /// `*.json`, `*.json5`, `*.jsonc`: comments, trailing commas, single quotes and bare keys are read in all of them, as PM2 does.
    Json,
    /// `*.js`, `*.cjs`, `*.mjs`
    JavaScript,
    /// `Procfile`, `Procfile.dev`
    Procfile,
    /// `package.json`, of which the key `pmdev` counts.
    Package,
}

/// A project file after the first step.
#[derive(Debug)]
pub enum Opened {
    /// It is data.
    Document(Document),
    /// It is a program.
    Evaluation(javascript::Evaluation),
}

/// A tree and what is doubtful about it, or everything that is wrong.
type Parsed = Result<(Node, Vec<Problem>), Problems>;

impl Format {
    /// By the name of the file; `None`: no project file has such a name.
    pub fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        if name == "package.json" {
            return Some(Self::Package);
        }
        if name == "Procfile" || name.starts_with("Procfile.") {
            return Some(Self::Procfile);
        }
        match file.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" | "json5" | "jsonc" => Some(Self::Json),
            "js" | "cjs" | "mjs" => Some(Self::JavaScript),
            _ => None,
        }
    }

    /// The least that is right, for messages.
    fn example(self) -> &'static str {
        match self {
            Self::Toml => "[[apps]], and below it: name = \"api\", script = \"api.js\"",
            Self::Yaml => "apps: [{ name: api, script: api.js }]",
            Self::Json => r#"{ "apps": [{ "name": "api", "script": "api.js" }] }"#,
            Self::JavaScript => "module.exports = { apps: [{ name: \"api\", script: \"api.js\" }] }",
            Self::Procfile => "api: node api.js",
            Self::Package => r#""pmdev": { "apps": [{ "name": "api", "script": "api.js" }] }"#,
        }
    }
}

/// Reads a project file to its end; JavaScript is run through [`Host::run`]. `careful`: it loads nothing that others can write.
///
/// # Errors
/// Everything that is wrong with it as text; nothing is said of its keys. Exit code 2.
pub fn read(file: &Path, careful: bool, host: &Host) -> Result<Document, Error> {
    match open(file, careful, host)? {
        Opened::Document(document) => Ok(document),
        Opened::Evaluation(evaluation) => {
            let output = (host.run)(&evaluation.launch, javascript::LIMIT)?;
            evaluation.finish(&output, host)
        }
    }
}

/// Reads a project file, as far as nothing has to run for it: for whoever runs children by other means than [`Host::run`].
///
/// # Errors
/// As [`read`].
pub fn open(file: &Path, careful: bool, host: &Host) -> Result<Opened, Error> {
    let file = place::absolute(&host.cwd, file);
    host.seen.own(&file);
    let refuse = |problems: Problems, text: Option<&str>| problems.into_error(text, &host.cwd);
    let Some(format) = Format::of(&file) else {
        let problem = Problem::error(&file, super::node::Place::Unknown, "the name does not tell what it is written in")
            .example("pmdev.toml, pmdev.yaml, ecosystem.config.json, ecosystem.config.js, Procfile");
        return Err(refuse(Problems(vec![problem]), None));
    };
    let text = match text::read(&file, format) {
        Ok(text) => text,
        Err((problem, text)) => return Err(refuse(Problems(vec![*problem]), text.as_deref())),
    };
    let parsed = match format {
        Format::Toml => toml::parse(&file, &text),
        Format::Yaml => yaml::parse(&file, &text),
        Format::Json => json::parse(&file, &text),
        Format::Procfile => procfile::parse(&file, &text),
        Format::Package => package::parse(&file, &text),
        Format::JavaScript => return javascript::Evaluation::new(file, text, careful, host).map(Opened::Evaluation),
    };
    match parsed {
        Ok((root, warnings)) => Ok(Opened::Document(Document { file, text: Some(text), root, modules: Vec::new(), warnings })),
        Err(problems) => Err(refuse(problems, Some(&text))),
    }
}

/// Whether a tree is deeper than [`DEPTH`]: the first value that is.
fn too_deep(root: &Node) -> Option<&Node> {
    let mut todo = vec![(root, 0)];
    while let Some((node, depth)) = todo.pop() {
        if depth > DEPTH {
            return Some(node);
        }
        match &node.value {
            Value::List(nodes) => todo.extend(nodes.iter().map(|node| (node, depth + 1))),
            Value::Map(entries) => todo.extend(entries.iter().map(|entry| (&entry.node, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Regex { .. } | Value::Other(_) => {}
        }
    }
    None
}

/// What is said of a value that lies too deep.
fn deep() -> String {
    format!("lists and maps lie deeper in one another than {DEPTH} levels, which no project file needs")
}
