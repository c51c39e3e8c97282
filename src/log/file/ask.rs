//! What is asked of a log file besides being written: where it is now, to be emptied, to be opened anew.

use std::{collections::VecDeque, fmt};

use jiff::Timestamp;

use super::times::Came;

/// Where a file was when everything was written that had been said at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The stamp of the newest of those that were put away before it; see [`rotate`](super::rotate).
    pub put_away: Option<String>,
    /// The file's inode; 0: there is none.
    pub inode: u64,
    /// How many of its bytes that is.
    pub length: u64,
}

/// Takes an answer, exactly one: `None` where there cannot be any.
pub struct Answer<T>(Option<Taker<T>>);

/// What became of something that was asked of a file; else why not, as people read it.
pub type Done<T> = Result<T, String>;

type Taker<T> = Box<dyn FnOnce(Option<T>) + Send>;

impl<T> Answer<T> {
    /// Has it taken by a function, which is called on the thread of the file and must not wait for anybody.
    pub fn new(taker: impl FnOnce(Option<T>) + Send + 'static) -> Self {
        Self(Some(Box::new(taker)))
    }

    pub(super) fn give(mut self, answer: Option<T>) {
        if let Some(taker) = self.0.take() {
            taker(answer);
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if let Some(taker) = self.0.take() {
            taker(None);
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").finish_non_exhaustive()
    }
}

/// What was asked of a file and not answered yet.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Bytes that were handed to the file ever.
    pushed: u64,
    /// Bytes of those that were taken from what waits.
    taken: u64,
    came: Came,
    /// Who wants to know where the file is once so many are written.
    marks: VecDeque<(u64, Answer<Position>)>,
    /// Who wants it emptied.
    pub empty: Vec<Answer<Done<u64>>>,
    /// Who wants it opened anew.
    pub reopen: Vec<Answer<Done<()>>>,
}

impl Asked {
    /// Bytes were added to what waits.
    pub fn pushed(&mut self, bytes: usize) {
        self.came.push(self.pushed, Timestamp::now().as_millisecond());
        self.pushed += bytes as u64;
    }

    /// Bytes were taken from what waits; from which of them on they came when.
    pub fn taken(&mut self, bytes: usize) -> Vec<(usize, i64)> {
        let from = self.taken;
        self.taken += bytes as u64;
        self.came.take(from, self.taken)
    }

    /// Somebody wants to know where the file is once all that waits now is written.
    pub fn mark(&mut self, answer: Answer<Position>) {
        self.marks.push_back((self.pushed, answer));
    }

    /// A mark that is reached.
    pub fn reached(&mut self) -> Option<Answer<Position>> {
        self.marks.front().filter(|(at, _)| *at <= self.taken)?;
        self.marks.pop_front().map(|(_, answer)| answer)
    }

    /// How much of the next bytes may be written before a mark.
    pub fn room(&self, bytes: usize) -> usize {
        let to_mark = self.marks.front().map_or(u64::MAX, |(at, _)| at - self.taken);
        bytes.min(usize::try_from(to_mark).unwrap_or(usize::MAX))
    }

    /// Whether nobody asks anything.
    pub fn is_nothing(&self) -> bool {
        self.marks.is_empty() && self.empty.is_empty() && self.reopen.is_empty()
    }

    /// Everything that was asked, since it will not be answered any more.
    pub fn all(&mut self) -> Self {
        let Self { pushed, taken, marks, empty, reopen, .. } = self;
        let (marks, empty, reopen) = (std::mem::take(marks), std::mem::take(empty), std::mem::take(reopen));
        Self { pushed: *pushed, taken: *taken, came: Came::default(), marks, empty, reopen }
    }
}
