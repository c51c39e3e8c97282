//! A writer that notes the gaps between its own acts: on a slow machine a burst may fall apart, and then more than one restart is right.

use std::time::{Duration, Instant};

use super::{Project, clock};

/// How long files must be quiet after one finished save: the shortest settle time there is.
pub const SETTLE: Duration = Duration::from_millis(10);

/// Acts and the time between them.
pub struct Writer<'a> {
    /// Where it writes.
    pub project: &'a Project,
    settle: Duration,
    begun: Option<Instant>,
    gaps: Vec<Duration>,
}

impl<'a> Writer<'a> {
    /// A writer whose gaps count from the shortest settle time on.
    pub fn new(project: &'a Project) -> Self {
        Self::settling(project, SETTLE)
    }

    /// The same for another settle time.
    pub fn settling(project: &'a Project, settle: Duration) -> Self {
        Self { project, settle, begun: None, gaps: Vec::new() }
    }

    /// Does something and notes how long ago the last thing began: the runner may have seen anything from then on.
    pub fn act(&mut self, act: impl FnOnce(&Project)) {
        let begun = clock::now();
        act(self.project);
        if let Some(last) = self.begun.replace(begun) {
            self.gaps.push(clock::now().duration_since(last));
        }
    }

    /// How many restarts are right at most: one, and one for each gap in which the files may have settled.
    pub fn allowed(&self) -> usize {
        1 + self.gaps.iter().filter(|gap| **gap > self.settle).count()
    }
}
