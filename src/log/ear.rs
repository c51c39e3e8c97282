//! Somebody who listens to what a run says, as it is read.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use super::Stream;

/// Is given the bytes of a stream in the order in which they come, in whatever pieces; false: it has heard enough.
pub type Listener = Box<dyn FnMut(Stream, &[u8]) -> bool + Send>;

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
