//! What is wrong with a project file, with its place, and how people read it: `file:line:column: sentence`, the line, a caret below it.

mod line;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::{node::Place, place};
use crate::model::{Error, Level, Notice, NoticeKind};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Warning or error.
    pub level: Level,
    /// The file, absolute.
    pub file: PathBuf,
    /// The offending text.
    pub place: Place,
    /// The key: `apps[0].watch`; empty: the file.
    pub path: String,
    /// A sentence; where it does not begin with the path, the path is put before it.
    pub message: String,
    /// What stands there, for files whose lines cannot be shown. Nothing of it is shown for variables, which may be secrets.
    pub found: Option<String>,
    /// What would be right, as it would be written.
    pub example: Option<String>,
    /// What may have been meant.
    pub suggestion: Option<String>,
    /// Whether it is only that a program is not on this machine.
    pub missing: bool,
}

/// All that is wrong with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    /// An error at a place, about the file as a whole.
    pub fn error(file: &Path, place: Place, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            file: file.to_owned(),
            place,
            path: String::new(),
            message: message.into(),
            found: None,
            example: None,
            suggestion: None,
            missing: false,
        }
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.level = Level::Warning;
        self
    }

    /// The same, about a key.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same, with what stands there.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// The same, with what would be right.
    #[must_use]
    pub fn example(mut self, example: impl Into<String>) -> Self {
        self.example = Some(example.into());
        self
    }

    /// The same, with what may have been meant.
    #[must_use]
    pub fn suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// As a notice: the sentence, and below it the line, the example and the suggestion. `base`: the folder that paths are shown from.
    pub fn notice(&self, text: Option<&str>, base: &Path) -> Notice {
        let notice = Notice::new(self.level, NoticeKind::Config, self.sentence(base));
        let details = self.details(text);
        if details.is_empty() { notice } else { notice.hint(details.join("\n")) }
    }

    /// `ecosystem.config.json:3:14: apps[0].instances is no number`.
    fn sentence(&self, base: &Path) -> String {
        let file = place::shown(base, &self.file);
        let at = match self.place {
            Place::At { line, column, .. } => format!("{file}:{line}:{column}"),
            Place::Unknown => file,
        };
        let path = if self.path.is_empty() || self.message.starts_with(&self.path) { String::new() } else { format!("{}: ", self.path) };
        format!("{at}: {path}{}", self.message)
    }

    /// What stands below the sentence, in lines.
    fn details(&self, text: Option<&str>) -> Vec<String> {
        let secret = self.is_variable();
        let mut lines = match (self.place, text) {
            (Place::At { line, column, len }, Some(text)) => line::shown(text, line, column, len, secret),
            (Place::At { .. } | Place::Unknown, _) => Vec::new(),
        };
        if lines.is_empty() && !secret {
            let label = if self.level == Level::Info { "" } else { "found: " };
            lines.extend(self.found.iter().map(|found| format!("{label}{found}")));
        }
        lines.extend(self.example.iter().map(|example| format!("valid: {example}")));
        lines.extend(self.suggestion.iter().map(|meant| format!("did you mean {meant}?")));
        lines
    }

    /// Whether it is about a variable of the environment: `apps[0].env.TOKEN`, `env_production.TOKEN`.
    fn is_variable(&self) -> bool {
        let mut keys = self.path.split('.');
        keys.any(|key| key == "env" || key.starts_with("env_") && key != "env_file") && keys.next().is_some()
    }
}

impl Problems {
    /// Whether one of them is an error.
    pub fn has_error(&self) -> bool {
        self.0.iter().any(|problem| problem.level == Level::Error)
    }

    /// All of them as lines, in the order of the file. `text`: that of the file, where it has lines; `base`: the folder that paths are shown from.
    pub fn render(&self, text: Option<&str>, base: &Path) -> String {
        let mut problems: Vec<&Problem> = self.0.iter().collect();
        problems.sort_by_key(|problem| match problem.place {
            Place::At { line, column, .. } => (line, column),
            Place::Unknown => (0, 0),
        });
        let mut lines = Vec::new();
        for problem in problems {
            let warning = if problem.level == Level::Warning { "warning: " } else { "" };
            lines.push(format!("{warning}{}", problem.sentence(base)));
            lines.extend(problem.details(text).into_iter().map(|line| format!("    {line}")));
        }
        lines.join("\n")
    }

    /// All of them as one failure, exit code 2.
    pub fn into_error(self, text: Option<&str>, base: &Path) -> Error {
        let rendered = self.render(text, base);
        let errors = || self.0.iter().filter(|problem| problem.level == Level::Error);
        let text = match self.0.first() {
            Some(first) if self.0.len() > 1 => {
                let count = if errors().count() == 1 { "1 error".to_owned() } else { format!("{} errors", errors().count()) };
                format!("{} has {count}\n{rendered}", place::shown(base, &first.file))
            }
            Some(_) | None => rendered,
        };
        if errors().all(|problem| problem.missing) { Error::missing(text) } else { Error::usage(text) }
    }
}
