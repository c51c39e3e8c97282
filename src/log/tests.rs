//! The room as a whole: bytes into pipes at one end, bytes out of a pipe at the other.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use tokio::task::LocalSet;

use super::{Console, ConsoleConfig, Format, Label, Source, Stream, pump};
use crate::model::TimestampFormat;

mod files;
mod flow;
mod lines;

/// No wait of a test is longer.
const DEADLINE: Duration = Duration::from_secs(60);

fn text() -> ConsoleConfig {
    ConsoleConfig { format: Format::Text, timestamp: None, raw: false }
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap()
}

/// A console that writes into a pipe; nothing reads it until [`Screen::read`].
struct Screen {
    console: Console,
    output: OwnedFd,
}

impl Screen {
    fn new(config: ConsoleConfig) -> Self {
        let (output, input) = pipe();
        Self { console: Console::on(input, config).unwrap(), output }
    }

    fn source(&self, prefix: &str) -> Source {
        let app = prefix.trim_end_matches([' ', '|']).to_owned();
        self.console.source(Label { app, instance: None, prefix: prefix.into() })
    }

    fn say(&self, line: &str) {
        self.console.say(line.into());
    }

    /// Reads everything from now on, to the end.
    fn read(self) -> (Console, JoinHandle<Vec<u8>>) {
        let mut output = File::from(self.output);
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).unwrap();
            bytes
        });
        (self.console, reader)
    }

    /// Everything that was shown.
    async fn end(self) -> Vec<u8> {
        let (console, reader) = self.read();
        finished(console).await;
        reader.join().unwrap()
    }

    async fn end_text(self) -> String {
        String::from_utf8(self.end().await).unwrap()
    }
}

/// Writes out what waits, however the clock of the test goes.
async fn finished(console: Console) {
    console.finish(Duration::MAX).await;
}

/// Starts to pump; returns the app's end of the pipe.
fn child(source: &Source, stream: Stream) -> File {
    let (read, write) = pipe();
    tokio::task::spawn_local(pump(read, stream, source.clone()));
    File::from(write)
}

fn numbered(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|line| format!("line {line} {}\n", "-".repeat(line % 100)).into_bytes()).collect()
}

/// Writes all from a thread of its own, as a child would.
fn feed(mut pipe: File, bytes: Arc<Vec<u8>>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || pipe.write_all(&bytes).unwrap())
}

/// Lets pumps read what is there.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

/// Runs a test on a runtime like the runner's.
fn run<T>(paused: bool, test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build().unwrap();
    let bounded = async {
        // A paused clock runs ahead whenever the runtime waits for another thread.
        if paused { test.await } else { tokio::time::timeout(DEADLINE, test).await.expect("the test takes too long") }
    };
    LocalSet::new().block_on(&runtime, bounded)
}
