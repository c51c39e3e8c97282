//! What people look at: the runner's words, labels, tables and errors as bytes, and the keys they type.
//! Everything here is a function from values to values: it writes nowhere, reads no environment and no clock, and decides nothing about apps.
//! Start reading with [`style`], then [`notice`].

pub mod checklist;
pub mod clean;
pub mod error;
pub mod findings;
pub mod keys;
pub mod list;
pub mod monitor;
pub mod notice;
pub mod style;
pub mod table;

pub use clean::plain;
pub use keys::Key;
pub use style::{Labels, Style};
