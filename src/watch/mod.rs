//! Files into change sets: which paths count, when a batch of changes has settled, and whether the app causes them itself.
//! It decides about files alone: it knows no process and no terminal, and never waits for the rest of the program.
//! Pure, with time and file system passed in: `rules`, `settle`, `guard`, `classify`, `plan`. The world: `tree`, `gate`, `backend`,
//! `mounts`, `limits`. Start reading with `engine`, the thread that owns them all.

pub mod api;
pub mod why;

pub use api::{Ctl, FileKind, Fs, Out, Raw, Stat, WatchError, WatchSet, Watched};

/// stub
pub struct Watcher;
impl Watcher {
    /// stub
    pub fn start(_: Vec<Watched>, _: bool, _: tokio::sync::mpsc::UnboundedSender<Out>) -> Result<Self, crate::model::Error> {
        Ok(Self)
    }
    /// stub
    pub fn tell(&self, _: crate::model::AppId, _: Ctl) {}
}
