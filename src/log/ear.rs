//! Somebody who listens to what a run says, as it is read.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Stream;

/// Is given the bytes of a stream in the order in which they come, in whatever pieces; false: it has heard enough.
pub type Listener = Box<dyn FnMut(Stream, &[u8]) -> bool + Send>;

/// Is given whole lines of a stream in the order in which they come, with the time at which they came, in milliseconds since 1970; false: it
/// has heard enough. Must not wait for anybody.
pub type Follower = Box<dyn FnMut(Stream, i64, &[u8]) -> bool + Send>;

/// Those who follow an instance over all its runs.
#[derive(Default)]
pub(super) struct Followers(Mutex<Vec<(u64, Follower)>>);

impl Followers {
    /// One more, in the place of the one with the same number.
    pub(super) fn add(&self, number: u64, follower: Follower) {
        let mut followers = self.lock();
        followers.retain(|(known, _)| *known != number);
        followers.push((number, follower));
    }

    pub(super) fn hear(&self, stream: Stream, time: i64, lines: &[u8]) {
        self.lock().retain_mut(|(_, follower)| follower(stream, time, lines));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Follower)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Followers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Followers").field(&self.lock().len()).finish()
    }
}

/// The listener of one run, shared by its pipes.
pub(super) struct Ear(Mutex<Option<Listener>>);

impl Ear {
    pub(super) fn new(listener: Listener) -> Self {
        Self(Mutex::new(Some(listener)))
    }

    pub(super) fn hear(&self, stream: Stream, bytes: &[u8]) {
        let mut listener = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if listener.as_mut().is_some_and(|listener| !listener(stream, bytes)) {
            *listener = None;
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ear").finish_non_exhaustive()
    }
}
