//! The live monitor: what it knows, what keys and news make of that, and its picture.
//! It speaks with nobody: whoever runs it reads keys and the socket, tells the [`State`] what came and when, does the [`Command`]s that come
//! back, and brings the picture to a terminal. Start reading with [`state`], then [`view`].

mod ansi;
mod figures;
mod pane;
mod press;
mod rows;
mod search;
mod state;
mod view;

#[cfg(test)]
mod tests;

pub use figures::size;
pub use pane::Entry;
pub use state::{Command, Listing, Message, State};
pub use view::draw;
