//! Log files: whole lines from the pumps into files that are rotated, compressed and bounded, each by a thread of its own.
//! Nothing here makes the main thread wait: a slow file holds back the apps that write into it, a failing one loses lines, which are counted.
//! Start reading with [`Files`], then `sink` (what waits and what fails) and [`rotate`] (which files there are, and for how long).

pub(super) mod archive;
mod ask;
mod pauses;
pub mod place;
pub mod rotate;
mod sink;
pub(super) mod times;
mod writer;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{
    Notify,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
};

pub use ask::{Answer, Done, Position};
pub use rotate::Rotation;

use archive::Compressor;
use sink::Sink;

/// How a file is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How it is rotated.
    pub rotation: Rotation,
    /// The files whose sizes count together, itself among them.
    pub together: Vec<PathBuf>,
    /// The folder that is made for the user alone, where it is missing.
    pub private: Option<PathBuf>,
    /// Whether it is kept beside it when its lines came, since they do not say so themselves.
    pub times: bool,
}

/// What people should know of log files.
#[derive(Debug)]
pub enum News {
    /// A file cannot be written, for the first time since it could.
    Failing {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is written again.
    Resumed {
        /// Which.
        path: PathBuf,
        /// How many lines are missing in it.
        lost: u64,
    },
    /// At the end there was no time, or no way, to write what was left.
    Lost {
        /// Where it is missing.
        path: PathBuf,
        /// How many lines that are, with those lost before.
        lost: u64,
    },
    /// A full file cannot be put away and grows on, for the first time since it could.
    Unrotated {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The terminal was too slow for an app whose lines are in files, so it does not show these.
    Unshown {
        /// Whose.
        app: String,
        /// How many lines.
        lines: u64,
    },
}

/// All log files of a runner. Clones share them.
#[derive(Debug, Clone)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sinks: Mutex<HashMap<PathBuf, Arc<Sink>>>,
    world: World,
}

/// What all sinks share.
#[derive(Debug, Clone)]
struct World {
    news: UnboundedSender<News>,
    compressor: Compressor,
    /// A thread of a sink has ended.
    rested: Arc<Notify>,
}

impl Files {
    /// None yet, and where their news come.
    pub fn new() -> (Self, UnboundedReceiver<News>) {
        let (news, receiver) = mpsc::unbounded_channel();
        let world = World { news, compressor: Compressor::default(), rested: Arc::default() };
        (Self(Arc::new(Inner { sinks: Mutex::default(), world })), receiver)
    }

    /// A file to write into, the same one for everybody who names this path; how it is kept is what was said last.
    pub fn open(&self, path: &Path, settings: Settings) -> Handle {
        let mut sinks = self.sinks();
        sinks.retain(|_, sink| !sink.is_done());
        let sink = sinks.entry(path.to_owned()).or_insert_with(|| Arc::new(Sink::new(path.to_owned(), self.0.world.clone())));
        sink.enter(settings);
        Handle(Arc::clone(sink))
    }

    /// Opens every file anew, for programs that have put them away themselves. `done`: told of each.
    pub fn reopen(&self, done: impl Fn(&Path) -> Answer<Done<()>>) {
        self.sinks().iter().for_each(|(path, sink)| sink.reopen(done(path)));
    }

    /// Tells where a file is once all that was said so far is written; at once where nobody writes into it.
    pub fn mark(&self, path: &Path, answer: Answer<Position>) {
        if let Some(sink) = self.sinks().get(path) {
            sink.mark(answer);
        }
    }

    /// Empties a file, between two whole lines, and tells how many bytes that were. Those put away stay.
    pub fn empty(&self, path: &Path, answer: Answer<Done<u64>>) {
        if let Some(sink) = self.sinks().get(path) {
            sink.empty(answer);
        }
    }

    /// Writes what waits, for so long; what is left then is lost, and its count among the news.
    pub async fn finish(&self, within: Duration) {
        self.sinks().values().for_each(|sink| sink.finish());
        let rested = async {
            loop {
                let rested = self.0.world.rested.notified();
                if self.sinks().values().all(|sink| sink.is_at_rest()) {
                    return;
                }
                rested.await;
            }
        };
        let _ = tokio::time::timeout(within, rested).await;
        self.sinks().values().for_each(|sink| sink.give_up());
    }

    pub(super) fn tell(&self, news: News) {
        self.0.world.tell(news);
    }

    fn sinks(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Sink>>> {
        self.0.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn tell(&self, news: News) {
        // Nobody listens any more at the very end.
        let _ = self.news.send(news);
    }
}

/// A file that somebody writes into; it is closed some time after the last of them has gone and everything is written.
#[derive(Debug)]
pub struct Handle(Arc<Sink>);

impl Handle {
    pub(super) fn sink(&self) -> &Arc<Sink> {
        &self.0
    }

    /// Whether it is the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        self.0.join();
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
pub(in crate::log) mod tests;
