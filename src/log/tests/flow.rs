//! Much output, slow terminals, and terminals that are gone.

use std::os::fd::AsFd;

use rustix::io::Errno;

use super::*;
use crate::log::pump::LONGEST_LINE;

/// What an app may have waiting for the terminal, in bytes.
const BUDGET: usize = 1 << 20;

/// What the pipes at both ends and the last read hold besides the budget.
const SLACK: usize = 4 * (64 << 10);

#[test]
fn a_stopped_terminal_holds_the_noisy_app_alone_and_nothing_is_lost() {
    run(false, async {
        let screen = Screen::new(text());
        let (noisy, quiet) = (screen.source("n | "), screen.source("q | "));
        let mut quiet_pipe = child(&quiet, Stream::Out);
        let bytes = numbered(200_000);
        let pipe = child(&noisy, Stream::Out);
        rustix::io::ioctl_fionbio(&pipe, true).unwrap();
        let (mut written, mut held) = (0, 0);
        while held < 100 {
            match rustix::io::write(&pipe, &bytes[written..(written + 4096).min(bytes.len())]) {
                Ok(count) => written += count,
                Err(Errno::AGAIN) if noisy.waiting() >= BUDGET => held += 1,
                Err(error) => assert_eq!(error, Errno::AGAIN),
            }
            tokio::task::yield_now().await;
        }
        assert!(written <= BUDGET + SLACK, "{written} bytes were taken");

        quiet_pipe.write_all(b"here\n").unwrap();
        settle().await;
        assert_eq!(quiet.ring(1), [b"here".to_vec()]);
        screen.say("[pmdev] here too\n");
        let before = noisy.waiting();
        noisy.drained(Duration::from_millis(20)).await;
        assert_eq!(noisy.waiting(), before, "it was held back, and yet drained");

        rustix::io::ioctl_fionbio(&pipe, false).unwrap();
        let rest = feed(pipe, Arc::new(bytes[written..].to_vec()));
        let (console, reader) = screen.read();
        rest.await.unwrap();
        noisy.drained(DEADLINE).await;
        finished(console).await;
        let shown = String::from_utf8(reader.join().unwrap()).unwrap();
        let noise: String = shown.lines().filter_map(|line| line.strip_prefix("n | ")).map(|line| format!("{line}\n")).collect();
        assert!(noise.as_bytes() == bytes, "lines are lost or changed");
        let others: Vec<&str> = shown.lines().filter(|line| !line.starts_with("n | ")).collect();
        assert_eq!(others, ["q | here", "[pmdev] here too"]);
    });
}

#[test]
fn whoever_says_much_can_wait_for_room() {
    run(false, async {
        let screen = Screen::new(text());
        let line = "[pmdev] h and Enter shows all keys\n";
        screen.console.room().await;
        for _ in 0..2 * BUDGET / line.len() {
            screen.say(line);
        }
        let room = async |console: &Console| tokio::time::timeout(Duration::from_millis(20), console.room()).await.is_ok();
        assert!(!room(&screen.console).await, "nobody has read anything");
        let console = screen.console.clone();
        let (own, reader) = screen.read();
        console.room().await;
        finished(own).await;
        assert_eq!(reader.join().unwrap().len(), 2 * BUDGET / line.len() * line.len(), "nothing is refused");
    });
}

#[test]
fn a_line_of_10_mb_stays_whole_and_a_longer_one_is_passed_in_pieces() {
    for (length, pieces) in [(10_000_000, 1), (LONGEST_LINE * 5 / 2, 3)] {
        for prefix in ["", "a | "] {
            let mut bytes = vec![b'x'; length];
            bytes.extend(b"\nnext\n");
            let bytes = Arc::new(bytes);
            let shown = run(false, async {
                let screen = Screen::new(text());
                let (source, _other) = (screen.source(prefix), screen.source("b | "));
                let writer = feed(child(&source, Stream::Out), Arc::clone(&bytes));
                let (console, reader) = screen.read();
                writer.await.unwrap();
                source.drained(DEADLINE).await;
                finished(console).await;
                reader.join().unwrap()
            });
            if prefix.is_empty() {
                assert!(shown == *bytes, "the bytes differ");
                continue;
            }
            let lines: Vec<&[u8]> = shown.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n').collect();
            assert_eq!(lines.len(), pieces + 1);
            let (last, long) = lines.split_last().unwrap();
            assert_eq!(*last, b"a | next");
            assert!(long.iter().all(|piece| piece.starts_with(b"a | x")));
            assert_eq!(long.iter().map(|piece| piece.len() - prefix.len()).sum::<usize>(), length);
        }
    }
}

#[test]
fn when_nobody_reads_any_more_it_is_told_and_apps_run_on() {
    run(false, async {
        let Screen { console, output } = Screen::new(text());
        let source = console.source(Label { app: "a".into(), instance: None, prefix: Vec::new() });
        let writer = feed(child(&source, Stream::Out), Arc::new(numbered(100_000)));
        drop(output);
        console.gone().await;
        console.say(b"into the void\n".to_vec());
        writer.await.unwrap();
        source.drained(DEADLINE).await;
        assert_eq!(source.ring(1), [format!("line 99999 {}", "-".repeat(99)).into_bytes()]);
        assert_eq!(source.waiting(), 0);
        finished(console).await;
    });
}

#[test]
fn the_end_waits_for_a_stopped_terminal_only_so_long() {
    run(true, async {
        let screen = Screen::new(text());
        screen.say(&("x".repeat(4000) + "\n").repeat(1000));
        screen.console.clone().finish(Duration::from_secs(2)).await;
        screen.say("too late\n");
        let shown = screen.end().await;
        assert!(shown.len() <= SLACK, "{} bytes were written after the end", shown.len());
    });
}

#[test]
fn a_terminal_that_another_program_made_non_blocking_gets_everything() {
    run(false, async {
        let (output, input) = pipe();
        rustix::io::ioctl_fionbio(input.as_fd(), true).unwrap();
        let screen = Screen { console: Console::on(input, text()).unwrap(), output };
        let bytes = numbered(20_000);
        screen.console.say(bytes.clone());
        assert!(screen.end().await == bytes);
    });
}

#[test]
fn a_full_disk_loses_lines_and_not_the_console() {
    run(false, async {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let console = Console::on(full.into(), text()).unwrap();
        console.say(b"lost\n".to_vec());
        finished(console.clone()).await;
        let gone = tokio::time::timeout(Duration::ZERO, console.gone()).await;
        assert!(gone.is_err(), "a full disk is no closed terminal");
    });
}

#[test]
fn a_file_is_no_pipe_and_the_error_says_so() {
    run(false, async {
        let screen = Screen::new(text());
        let file = File::open("/dev/null").unwrap();
        assert!(pump(file.into(), Stream::Out, screen.source("")).await.is_err());
    });
}
