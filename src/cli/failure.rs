//! What clap refuses, said as everything else is said.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::model::Error;

/// Why parsing ended without a command.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for.
    Text(String),
    /// The arguments are wrong.
    Error(Error),
}

/// Translates clap's answer.
pub fn stop(error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Text(error.to_string()),
        _ => Stop::Error(translate(error)),
    }
}

fn translate(error: &clap::Error) -> Error {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let verb = verb(error);
            let near = text(error, ContextKind::SuggestedArg).map(|near| format!("did you mean {near}?"));
            let apps = format!("arguments for the app go after --: pmdev start app.js -- {arg}");
            let usage = format!("all options: pmdev {verb}--help");
            let hint = match (near, verb.as_str()) {
                (Some(near), "start ") => format!("{near}\n{apps}"),
                (Some(near), _) => near,
                (None, "start ") => format!("{apps}\n{usage}"),
                (None, _) => usage.replace("all options", "how it is used"),
            };
            let here = if arg.starts_with('-') { "not an option here" } else { "one word too many here" };
            Error::usage(format!("{arg} is {here}")).hint(hint)
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            Error::usage(format!("{arg} needs a value")).hint("what it takes: pmdev start --help")
        }
        ErrorKind::InvalidValue => {
            Error::usage(format!("{value:?} is none of {}", text(error, ContextKind::ValidValue).unwrap_or_default()))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_else(|| format!("{value:?} is not valid"));
            Error::usage(format!("{arg}: {why}"))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg).unwrap_or_default();
            if other == arg {
                Error::usage(format!("{arg} was given twice")).hint("give it once")
            } else {
                Error::usage(format!("{arg} and {other} contradict each other")).hint("leave one of them out")
            }
        }
        ErrorKind::TooManyValues => Error::usage(format!("{arg} takes no value, but was given {value:?}")),
        ErrorKind::MissingRequiredArgument => {
            Error::usage(format!("{} is missing", arg.trim_matches(|c: char| !c.is_ascii_alphanumeric())))
                .hint(format!("how it is used: pmdev {}--help", verb(error)))
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            Error::usage(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
}

/// The verb that was typed, as clap's line on its usage names it, with a space behind it.
fn verb(error: &clap::Error) -> String {
    let shown = error.to_string();
    let usage = shown.lines().find_map(|line| line.trim().strip_prefix("Usage: pmdev "));
    let verb = usage.and_then(|usage| usage.split(' ').next()).filter(|verb| !verb.starts_with(['[', '<']));
    verb.map(|verb| format!("{verb} ")).unwrap_or_default()
}

/// A piece of context: an option as `--name`, without the placeholder of its value.
fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let plain = |text: &str| {
        let is_option = text.starts_with('-') && kind != ContextKind::InvalidValue;
        let end = if is_option { text.find([' ', '[', '=']).unwrap_or(text.len()) } else { text.len() };
        text[..end].to_owned()
    };
    match error.get(kind)? {
        ContextValue::String(text) => Some(plain(text)),
        ContextValue::Strings(list) => Some(list.iter().map(|text| plain(text)).collect::<Vec<_>>().join(", ")),
        _ => None,
    }
}
