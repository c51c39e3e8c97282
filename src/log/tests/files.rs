//! What of it goes into files, and what the console shows meanwhile.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;
use crate::log::{
    Form, News, Recording,
    file::tests::{BUDGET, Logs},
};

impl Logs {
    fn record(&self, source: &Source, out: &[&str], error: &[&str]) {
        let open = |names: &[&str]| names.iter().map(|name| self.open(name)).collect();
        source.record(Recording {
            out: open(out),
            error: open(error),
            form: Form::default(),
            muted: false,
            files: Some(self.files.clone()),
        });
    }

    /// What is in a file once everything is written.
    async fn written(&self, name: &str) -> String {
        self.files.finish(DEADLINE).await;
        self.read(name)
    }
}

#[test]
fn a_stopped_terminal_holds_nobody_whose_lines_are_in_a_file_and_says_what_it_did_not_show() {
    run(false, async {
        let mut logs = Logs::new();
        let screen = Screen::new(text());
        let (noisy, other) = (screen.source("n | "), screen.source("o | "));
        logs.record(&noisy, &["out.log"], &[]);
        let bytes = Arc::new(numbered(200_000));
        feed(child(&noisy, Stream::Out), Arc::clone(&bytes)).await.unwrap();
        noisy.drained(DEADLINE).await;
        assert!(noisy.waiting() < BUDGET + (64 << 10) * 4, "{} bytes wait for the terminal", noisy.waiting());
        let (console, reader) = screen.read();
        let News::Unshown { app, lines } = logs.heard().await else { panic!("other news") };
        console.say(format!("[pmdev] {lines}\n").into_bytes());
        let mut pipe = child(&noisy, Stream::Out);
        pipe.write_all(b"shown again\n").unwrap();
        drop(pipe);
        noisy.drained(DEADLINE).await;
        finished(console).await;
        let shown = String::from_utf8(reader.join().unwrap()).unwrap();
        let shown: Vec<&str> = shown.lines().collect();
        assert_eq!(app, "n");
        assert_eq!(shown.len() - 2 + usize::try_from(lines).unwrap(), 200_000);
        assert_eq!(shown[shown.len() - 2..], [format!("[pmdev] {lines}"), "n | shown again".to_owned()]);
        assert!(shown[..shown.len() - 2].iter().enumerate().all(|(at, line)| line.starts_with(&format!("n | line {at} "))));
        drop(other);
        assert!(logs.written("out.log").await.into_bytes() == [bytes.as_slice(), b"shown again\n"].concat(), "the file lacks lines");
    });
}

#[test]
fn a_slow_file_holds_its_app_back() {
    run(false, async {
        let logs = Logs::new();
        let pipe = logs.path("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let mut reader = File::options().read(true).write(true).open(&pipe).unwrap();
        let screen = Screen::new(text());
        let source = screen.source("");
        let (console, shown) = screen.read();
        logs.record(&source, &["pipe"], &[]);
        // Lines of 64 bytes: a writer that is interrupted has written whole pages, so no look into the pipe ends a line that goes on.
        let bytes: Arc<Vec<u8>> =
            Arc::new((0..200_000).flat_map(|line| format!("{:-<63}\n", format!("line {line} ")).into_bytes()).collect());
        let writer = feed(child(&source, Stream::Out), Arc::clone(&bytes));
        source.drained(Duration::from_millis(100)).await;
        assert!(!writer.is_finished(), "10 MB were taken, and nobody has read any");
        let length = bytes.len();
        let read = tokio::task::spawn_blocking(move || {
            let mut all = vec![0; length];
            reader.read_exact(&mut all).unwrap();
            all
        });
        writer.await.unwrap();
        assert!(read.await.unwrap() == *bytes);
        source.drained(DEADLINE).await;
        finished(console).await;
        // A screen that lags behind misses lines, which is told; what it shows is in order.
        let shown = String::from_utf8(shown.join().unwrap()).unwrap();
        let number = |line: &str| line.strip_prefix("line ")?.split(' ').next()?.parse::<u64>().ok();
        let numbers: Vec<u64> = shown.lines().filter_map(number).collect();
        assert!(!numbers.is_empty() && numbers.is_sorted());
    });
}

#[test]
fn files_get_whole_lines_whatever_is_shown_of_them() {
    run(true, async {
        let logs = Logs::new();
        let screen = Screen::new(text());
        let source = screen.source("");
        logs.record(&source, &["out.log", "all.log"], &["all.log"]);
        let (mut out, mut error) = (child(&source, Stream::Out), child(&source, Stream::Err));
        out.write_all(b"10%").unwrap();
        settle().await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(screen.console.unfinished());
        out.write_all(b"\r50%").unwrap();
        settle().await;
        error.write_all(b"oh\n").unwrap();
        settle().await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        out.write_all(b"\r100%\n\nlast").unwrap();
        drop(out);
        settle().await;
        source.drained(DEADLINE).await;
        assert_eq!(screen.end_text().await, "10%\noh\n\r50%\r100%\n\nlast");
        // The clock of the test runs ahead of the threads that write.
        tokio::time::resume();
        assert_eq!(logs.written("out.log").await, "10%\r50%\r100%\n\nlast\n");
        assert_eq!(logs.written("all.log").await, "oh\n10%\r50%\r100%\n\nlast\n");
    });
}

#[test]
fn other_files_take_over_from_the_next_line_on() {
    run(false, async {
        let logs = Logs::new();
        let screen = Screen::new(text());
        let source = screen.source("");
        logs.record(&source, &["one.log"], &[]);
        let mut out = child(&source, Stream::Out);
        out.write_all(b"one\n").unwrap();
        source.drained(DEADLINE).await;
        logs.record(&source, &["one.log", "two.log"], &[]);
        out.write_all(b"both\n").unwrap();
        source.drained(DEADLINE).await;
        logs.record(&source, &["two.log"], &[]);
        out.write_all(b"two\n").unwrap();
        source.drained(DEADLINE).await;
        source.record(Recording { muted: true, ..Recording::default() });
        out.write_all(b"nowhere\n").unwrap();
        source.drained(DEADLINE).await;
        assert_eq!((logs.written("one.log").await, logs.written("two.log").await), ("one\nboth\n".into(), "both\ntwo\n".into()));
        assert_eq!(screen.end_text().await, "one\nboth\ntwo\n");
        assert!(source.ring(9).is_empty() && source.ring_of(Stream::Out, 9).is_empty(), "it is shown to nobody");
        assert_eq!(source.evidence(1), [b"nowhere".to_vec()], "for those who look for a reason");
    });
}

#[test]
fn what_was_not_shown_is_told_even_when_its_instance_ends_first() {
    run(false, async {
        let mut logs = Logs::new();
        let screen = Screen::new(text());
        let source = screen.source("");
        logs.record(&source, &["out.log"], &[]);
        feed(child(&source, Stream::Out), Arc::new(numbered(200_000))).await.unwrap();
        source.drained(DEADLINE).await;
        drop(source);
        // Nobody has read the screen yet.
        let News::Unshown { lines, .. } = logs.heard().await else { panic!("other news") };
        let (console, reader) = screen.read();
        finished(console).await;
        let shown = String::from_utf8(reader.join().unwrap()).unwrap();
        assert_eq!(shown.lines().count() + usize::try_from(lines).unwrap(), 200_000);
    });
}
