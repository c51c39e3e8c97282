//! From what people typed to what shall run: targets, profiles, interpreters and flags become fully resolved [`AppSpec`](crate::model::AppSpec)s.
//! It starts nothing and keeps nothing: the folder, the environment and the way to ask a tool a question come in as a [`Host`], files are read as they are.
//! Start reading with [`request`] (what comes in) and [`resolve`](mod@resolve) (the order in which it is worked out).

pub mod diff;
pub mod logs;
pub mod node;
pub mod plan;
pub mod problem;
pub mod reference;
pub mod request;
pub mod resolve;
pub mod schedule;
pub mod schema;
pub mod source;
pub mod starter;

mod account;
mod build;
mod channel;
mod command;
mod detect;
mod draft;
mod duration;
mod ecosystem;
mod element;
mod environment;
mod flags;
mod interpreter;
mod keys;
mod lookup;
mod name;
mod near;
mod pipes;
mod place;
mod profile;
mod program;
mod raw;
mod secret;
mod seen;
mod target;
mod watching;
mod writable;

#[cfg(test)]
mod tests;

pub use account::user_name;
pub use channel::{Channel, channel};
pub use command::launch as command_line;
pub use diff::Plan;
pub use duration::{milliseconds, seconds};
pub use element::span::LEAST as LEAST_SPAN;
pub use environment::{EnvRecipe, secrets as secrets_of};
pub use flags::{Flag, flag, list_flag};
pub use logs::LogRequest;
pub use near::nearest;
pub use pipes::Pipes;
pub use place::{absolute, executable, home, shown};
pub use request::{End, Host, Output, Owner, Request, WatchArg};
pub use resolve::{Resolved, Watching, app_names, resolve, resolve_watch};
pub use secret::{hidden, line as without_secrets, words as words_without_secrets};
pub use seen::{Files, Seen};
pub use source::is_project_file;
pub use writable::{Writers, is_about_writers, refusing_nothing, writers};
