//! One kind of value a file: what it takes, how it is read from a [`Node`], its JSON Schema.
//! An element reads what is written and looks at nothing else: no file, no other key, no profile; what is wrong goes to the [`Reader`], which knows the place.
//! Start reading with [`reader`], then [`keyed`] (maps with known keys); [`flag`] is the simplest element, [`watch`] the richest.

pub mod anything;
pub mod command;
pub mod cron;
pub mod depends;
pub mod exec_mode;
pub mod exit_codes;
pub mod filter_env;
pub mod flag;
pub mod hooks;
pub mod instances;
pub mod interpreters;
pub mod keyed;
pub mod limits;
pub mod listen;
pub mod log_file;
pub mod log_time;
pub mod logs;
pub mod number;
pub mod patterns;
pub mod poll;
pub mod probe;
pub mod profiles;
pub mod reader;
pub mod rotate_every;
pub mod signal;
pub mod size;
pub mod span;
pub mod text;
pub mod texts;
pub mod time;
pub mod umask;
pub mod url;
pub mod variables;
pub mod watch;
pub mod watch_options;
pub mod words;

#[cfg(test)]
pub mod tests;

pub use keyed::{About, Fate, Key, Told};
pub(in crate::config) use keyed::{keyed, keyed_element};
pub use reader::{Given, Reader};

use serde_json::Value as Json;

use super::node::Node;

/// A kind of value.
pub trait Element: Sized {
    /// What belongs here, with an article: `a duration`.
    const WHAT: &'static str;

    /// Reads it; `None` after the reader was told what is wrong.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self>;

    /// What a JSON file may have here, as JSON Schema 2020-12.
    fn schema() -> Json;

    /// The keys inside, where it is a map that knows its keys.
    fn inner() -> Vec<About> {
        Vec::new()
    }
}
