//! The console: everything that is shown goes through here, in one order, and one thread writes it.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Zoned;

use super::{
    Label, Source,
    layout::lead,
    queue::{Queue, StreamId},
    writer,
};
use crate::model::TimestampFormat;

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How output is shown.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// Its form.
    pub format: Format,
    /// The time before every line of a text; not with `raw`. JSON has its own.
    pub timestamp: Option<TimestampFormat>,
    /// Text without labels: the bytes of the apps as they are. JSON is never raw.
    pub raw: bool,
}

/// State that the console shares with its sources.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Arc<Queue>,
    pub(super) config: ConsoleConfig,
    pub(super) sources: AtomicUsize,
    streams: AtomicU64,
}

impl Shared {
    pub(super) fn next_stream(&self) -> StreamId {
        StreamId(self.streams.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether an unfinished line may be shown: with several apps it would stand in another's way, and half an object is no JSON.
    pub(super) fn shows_unfinished_lines(&self) -> bool {
        self.config.format == Format::Text && self.sources.load(Ordering::Relaxed) == 1
    }
}

/// A handle to the thread `pmdev-console`, which alone writes to standard output. A stopped terminal stops that thread, never a caller.
#[derive(Debug, Clone)]
pub struct Console {
    shared: Arc<Shared>,
    terminal: bool,
}

impl Console {
    /// Starts writing to standard output.
    ///
    /// # Errors
    /// Standard output cannot be duplicated, or no thread can be started.
    pub fn start(config: ConsoleConfig) -> io::Result<Self> {
        Self::on(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?, config)
    }

    /// Starts writing to a descriptor, which is left in the mode it has: others share a terminal.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn on(out: OwnedFd, config: ConsoleConfig) -> io::Result<Self> {
        let terminal = rustix::termios::isatty(out.as_fd());
        let queue = Arc::new(Queue::new());
        let work = Arc::clone(&queue);
        std::thread::Builder::new().name("pmdev-console".into()).spawn(move || writer::run(&work, &out))?;
        Ok(Self { shared: Arc::new(Shared { queue, config, sources: AtomicUsize::new(0), streams: AtomicU64::new(0) }), terminal })
    }

    /// An instance whose output is to be shown. While exactly one exists, its unfinished lines are shown as well.
    pub fn source(&self, label: Label) -> Source {
        Source::new(Arc::clone(&self.shared), label)
    }

    /// Shows whole lines of the runner itself, as rendered; in a text each gets the time. Neither blocks nor loses anything.
    pub fn say(&self, rendered: Vec<u8>) {
        let config = &self.shared.config;
        let bytes = match &config.timestamp {
            Some(format) if config.format == Format::Text && !config.raw => {
                let time = lead(format, &Zoned::now());
                rendered.split_inclusive(|&byte| byte == b'\n').flat_map(|line| [time.as_slice(), line]).flatten().copied().collect()
            }
            Some(_) | None => rendered,
        };
        self.shared.queue.say(bytes);
    }

    /// Waits while a megabyte of what was said waits: for callers that can leave off saying more.
    pub async fn room(&self) {
        self.shared.queue.room().await;
    }

    /// Empties the screen and its scrollback, where there is a screen.
    pub fn clear(&self) {
        if self.terminal && self.shared.config.format == Format::Text {
            self.shared.queue.control(b"\x1b[H\x1b[2J\x1b[3J");
        }
    }

    /// Lines that stay below everything else, where there is a screen: each no wider than it, and not as many as it has lines.
    pub fn set_footer(&self, lines: &[String]) {
        if self.has_footer() {
            self.shared.queue.set_footer(lines);
        }
    }

    /// Takes them away, and returns once they are gone, or after so long: before the terminal is left to another program.
    pub fn drop_footer(&self, within: Duration) {
        if self.has_footer() {
            self.shared.queue.drop_footer(within);
        }
    }

    /// Whether there is a place for them.
    pub fn has_footer(&self) -> bool {
        self.terminal && self.shared.config.format == Format::Text && !self.shared.config.raw
    }

    /// Whether standard output is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns when nobody reads the output any more: the terminal was closed, the reader of the pipe has ended. Everything said later is
    /// dropped, and no app is held back any more.
    pub async fn gone(&self) {
        self.shared.queue.gone().await;
    }

    /// Writes what waits, for so long; after that nothing is written any more.
    pub async fn finish(self, within: Duration) {
        let queue = &self.shared.queue;
        queue.close();
        if tokio::time::timeout(within, queue.over()).await.is_err() {
            queue.end();
        }
    }

    /// Whether an unfinished line is shown.
    #[cfg(test)]
    pub(super) fn unfinished(&self) -> bool {
        self.shared.queue.is_unfinished()
    }
}
