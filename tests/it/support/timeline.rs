//! What was said and done, by whom and when; printed when a test fails.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use super::clock::now;

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The test: something it did.
    Test,
    /// Standard output of the runner with this number.
    Out(usize),
    /// Its standard error.
    Err(usize),
}

/// One line, without its line feed.
#[derive(Debug, Clone)]
pub struct Line {
    /// When, from the project's beginning.
    pub at: Duration,
    /// Who.
    pub source: Source,
    /// As it came.
    pub bytes: Vec<u8>,
}

impl Line {
    /// The line as text, bad UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl fmt::Display for Line {
    /// `  1.234  out1  text`, cut where it gets long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 300;
        let source = match self.source {
            Source::Test => "test".to_owned(),
            Source::Out(number) => format!("out{number}"),
            Source::Err(number) => format!("err{number}"),
        };
        let shown = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(LONGEST)]);
        let rest = if self.bytes.len() > LONGEST { format!(" … {} bytes", self.bytes.len()) } else { String::new() };
        write!(f, "{:9.3}  {source}  {shown}{rest}", self.at.as_secs_f64())
    }
}

/// The lines of a project in the order in which they were seen. Clones share them.
#[derive(Debug, Clone)]
pub struct Timeline {
    begin: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Timeline {
    /// An empty one that begins now.
    pub fn new() -> Self {
        Self { begin: now(), lines: Arc::default() }
    }

    /// Adds a line.
    pub fn add(&self, source: Source, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let mut lines = self.lines();
        lines.push(Line { at: self.begin.elapsed(), source, bytes });
    }

    /// Adds something the test did.
    pub fn note(&self, what: impl Into<String>) {
        self.add(Source::Test, what.into());
    }

    /// All lines.
    pub fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().expect("no thread dies while it holds the timeline")
    }
}

impl fmt::Display for Timeline {
    /// The last 400 lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 400;
        let lines = self.lines();
        let skipped = lines.len().saturating_sub(MOST);
        writeln!(f, "--- timeline, {} lines{}", lines.len(), if skipped > 0 { ", the last of them:" } else { ":" })?;
        for line in lines.iter().skip(skipped) {
            writeln!(f, "{line}")?;
        }
        write!(f, "---")
    }
}
