//! Files into change sets: which paths count, when a batch of changes has settled, and whether the app causes them itself.
//! It decides about files alone: it knows no process and no terminal, and never waits for the rest of the program.
//! Pure, with time and file system passed in: `settle` and `gate`, `guard`, `group`, `actions`, `classify`, `rules`, `plan`. The world: `tree`,
//! `backend`, `mounts`, `limits`, `survey`, `git`. Start reading with `engine`, the thread that owns them all.

pub mod actions;
pub mod api;
pub mod backend;
pub mod classify;
pub mod engine;
pub mod feed;
pub mod gate;
pub mod git;
pub mod group;
pub mod guard;
pub mod limits;
mod mounts;
mod paths;
mod pattern;
mod plan;
mod rules;
pub mod settle;
#[cfg(test)]
mod sim;
pub mod survey;
pub mod tree;
mod walk;
pub mod why;

pub use api::{Ctl, FileKind, Fs, Out, Raw, Stat, Wanted, WatchError, WatchSet, Watched};
pub use engine::{Watcher, check, stamp};
