//! What clap refuses, said as everything else is said.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use clap::CommandFactory as _;

use super::{Cli, verb::is_called};
use crate::model::Error;

/// Verbs behind which `--` begins what is the app's.
const TAKES_ARGUMENTS: [&str; 4] = ["start", "check", "startOrRestart", "startOrReload"];

/// Verbs that take some options of `start`.
const REPLACES: [&str; 2] = ["restart", "reload"];

/// What to do where one of the others is given; `None`: it is none of `start`.
fn of_start(arg: &str) -> Option<&'static str> {
    let command = Cli::command();
    let mut options = command.find_subcommand("start")?.get_arguments();
    options.find(|option| is_called(option, arg))?;
    Some(match arg {
        "-i" | "--instances" => "another number of instances: pmdev scale NAME N",
        "-n" | "--name" => "under another name it begins anew: pmdev delete NAME, then pmdev start -d with the new one",
        _ => "put it into the project file, whose edits act at once; or begin anew: pmdev delete NAME, then pmdev start -d with it",
    })
}

/// Why parsing ended without a command.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for.
    Text(String),
    /// The arguments are wrong.
    Error(Error),
}

/// Translates clap's answer about a verb and what was typed behind it.
pub fn stop(error: &clap::Error, verb: &str) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Text(error.to_string()),
        _ => Stop::Error(translate(error, verb)),
    }
}

fn translate(error: &clap::Error, verb: &str) -> Error {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if REPLACES.contains(&verb) && of_start(&arg).is_some() => {
            Error::usage(format!("{arg} is not changed by {verb}")).hint(of_start(&arg).unwrap_or_default())
        }
        ErrorKind::UnknownArgument => {
            let near = text(error, ContextKind::SuggestedArg).map(|near| format!("did you mean {near}?"));
            let beyond =
                TAKES_ARGUMENTS.contains(&verb).then(|| format!("arguments for the app go after --: pmdev {verb} app.js -- {arg}"));
            let all = near.is_none().then(|| format!("how it is used: pmdev {verb} --help"));
            let hint: Vec<String> = near.into_iter().chain(beyond).chain(all).collect();
            let here = if arg.starts_with('-') { "not an option here" } else { "one word too many here" };
            Error::usage(format!("{arg} is {here}")).hint(hint.join("\n"))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            Error::usage(format!("{arg} needs a value")).hint(format!("what it takes: pmdev {verb} --help"))
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
            let missing: Vec<&str> = arg.split(", ").map(|arg| arg.trim_matches(|c: char| !c.is_ascii_alphanumeric())).collect();
            let are = if missing.len() == 1 { "is" } else { "are" };
            Error::usage(format!("{} {are} missing", missing.join(" and "))).hint(format!("how it is used: pmdev {verb} --help"))
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            Error::usage(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
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
