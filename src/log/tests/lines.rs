//! What is shown of what was written.

use super::*;

/// Lines of all kinds; no line is longer than `longest` bytes.
fn noise(random: &mut fastrand::Rng, lines: usize, longest: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..lines {
        let alphabet: &[u8] = random.choice([b"ab\xff\xc3\xa4 ".as_slice(), b"x\r", b"\x1b[m0;1"]).unwrap();
        let length = random.usize(..longest);
        bytes.extend((0..length).map(|_| *random.choice(alphabet).unwrap()));
        bytes.push(b'\n');
    }
    bytes
}

/// What a label makes of whole lines, done the slow and plain way.
fn labelled(prefix: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
    let line = |line: &[u8]| {
        let mut line = line.to_vec();
        while line.last() == Some(&b'\r') {
            line.pop();
        }
        let mut shown = prefix.as_bytes().to_vec();
        shown.extend(line.split(|&byte| byte == b'\r').next_back().unwrap());
        shown
    };
    bytes.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n').map(line).collect()
}

fn without_resets(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes.to_vec();
    while let Some(at) = rest.windows(5).position(|window| window == b"\x1b[0m\n") {
        rest.drain(at..at + 4);
    }
    rest
}

async fn write_in_chunks(random: &mut fastrand::Rng, mut pipe: File, bytes: &[u8], largest: usize) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(random.usize(1..=largest.min(rest.len())));
        pipe.write_all(chunk).unwrap();
        rest = after;
        settle().await;
    }
}

#[test]
fn any_chunking_of_the_same_bytes_gives_the_same_lines() {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..60 {
        let bytes = noise(&mut random, 40, 60);
        let largest = random.choice([1, 3, 40, 4000]).unwrap();
        let (plain, label) = run(false, async {
            let screen = Screen::new(text());
            let source = screen.source("");
            write_in_chunks(&mut random, child(&source, Stream::Out), &bytes, largest).await;
            source.drained(DEADLINE).await;
            let plain = screen.end().await;
            let screen = Screen::new(text());
            let (source, _other) = (screen.source("a | "), screen.source("b | "));
            write_in_chunks(&mut random, child(&source, Stream::Out), &bytes, largest).await;
            source.drained(DEADLINE).await;
            (plain, screen.end().await)
        });
        assert_eq!(plain, bytes, "round {round}");
        let mut expected = labelled("a | ", &bytes).join(&b'\n');
        expected.push(b'\n');
        // Whether a colour is reset is the layout's own matter; the noise has no line that ends in a reset.
        assert_eq!(without_resets(&label), without_resets(&expected), "round {round}, chunks up to {largest}");
    }
}

#[test]
fn lines_of_several_apps_are_never_mixed_and_keep_their_order() {
    let mut random = fastrand::Rng::with_seed(2);
    run(false, async {
        let screen = Screen::new(text());
        let sources: Vec<Source> = (0..4).map(|number| screen.source(&format!("{number} | "))).collect();
        let mut writers = Vec::new();
        for (number, source) in sources.iter().enumerate() {
            for stream in [Stream::Out, Stream::Err] {
                let text: String =
                    (0..300).map(|line| format!("{number} {stream:?} {line} {}\n", "=".repeat(random.usize(..90)))).collect();
                let pipe = child(source, stream);
                let mut random = random.fork();
                writers.push(tokio::task::spawn_local(async move { write_in_chunks(&mut random, pipe, text.as_bytes(), 70).await }));
            }
        }
        for writer in writers {
            writer.await.unwrap();
            screen.say("[pmdev] hello\n");
        }
        for source in &sources {
            source.drained(DEADLINE).await;
        }
        let shown = screen.end_text().await;
        for number in 0..4 {
            for stream in [Stream::Out, Stream::Err] {
                let head = format!("{number} | {number} {stream:?} ");
                let lines = shown.lines().filter_map(|line| line.strip_prefix(&head));
                let numbers: Vec<usize> = lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
                assert_eq!(numbers, (0..300).collect::<Vec<_>>(), "{head}");
            }
        }
        assert_eq!(shown.lines().filter(|line| *line == "[pmdev] hello").count(), 8);
        assert_eq!(shown.lines().count(), 4 * 2 * 300 + 8, "{shown}");
    });
}

#[test]
fn an_unfinished_line_is_shown_after_200_ms_while_there_is_one_source() {
    run(true, async {
        let screen = Screen::new(text());
        let source = screen.source("");
        let mut pipe = child(&source, Stream::Out);
        let is_shown = || screen.console.unfinished();
        pipe.write_all(b"Password: ").unwrap();
        settle().await;
        tokio::time::advance(Duration::from_millis(190)).await;
        settle().await;
        assert!(!is_shown(), "too early");
        tokio::time::advance(Duration::from_millis(20)).await;
        settle().await;
        assert!(is_shown(), "too late");
        screen.say("[pmdev] hello\n");
        pipe.write_all(b"ok\n").unwrap();
        settle().await;
        let other = screen.source("");
        pipe.write_all(b"half").unwrap();
        settle().await;
        tokio::time::advance(Duration::from_secs(9)).await;
        settle().await;
        assert!(!is_shown(), "shown although there are two sources");
        drop(other);
        pipe.write_all(b" of").unwrap();
        settle().await;
        tokio::time::advance(Duration::from_millis(210)).await;
        settle().await;
        assert!(is_shown(), "not shown although there is one source again");
        pipe.write_all(b" it\n").unwrap();
        settle().await;
        assert_eq!(screen.end_text().await, "Password: \n[pmdev] hello\nok\nhalf of it\n");
    });
}

#[test]
fn a_tail_is_shown_at_the_end_of_the_pipe() {
    for (prefixes, raw, expected) in [
        (["", ""], false, "tail\n[pmdev] bye\n"),
        (["a | ", "b | "], false, "a | tail\n[pmdev] bye\n"),
        (["a | ", "b | "], true, "tail\n[pmdev] bye\n"),
    ] {
        let shown = run(false, async {
            let screen = Screen::new(ConsoleConfig { raw, ..text() });
            let sources = prefixes.map(|prefix| screen.source(prefix));
            let (read, write) = pipe();
            File::from(write).write_all(b"tail").unwrap();
            pump(read, Stream::Out, sources[0].clone()).await.unwrap();
            screen.say("[pmdev] bye\n");
            assert_eq!(sources[0].ring(50), [b"tail".to_vec()]);
            sources[0].begin_run(None);
            assert!(sources[0].ring(50).is_empty());
            screen.end_text().await
        });
        assert_eq!(shown, expected, "{prefixes:?} {raw}");
    }
    let unchanged = run(false, async {
        let screen = Screen::new(text());
        let (read, write) = pipe();
        File::from(write).write_all(b"no newline").unwrap();
        pump(read, Stream::Out, screen.source("")).await.unwrap();
        screen.end_text().await
    });
    assert_eq!(unchanged, "no newline");
}

#[test]
fn the_last_words_stand_before_the_news_of_the_death() {
    run(true, async {
        let screen = Screen::new(text());
        let (source, _other) = (screen.source("a | "), screen.source("b | "));
        let (mut out, mut err) = (child(&source, Stream::Out), child(&source, Stream::Err));
        // The pumps were never polled, and somebody holds the pipes open.
        out.write_all(b"working\nand wor").unwrap();
        err.write_all(b"boom").unwrap();
        let before = tokio::time::Instant::now();
        source.drained(DEADLINE).await;
        screen.say("[pmdev] a crashed\n");
        source.drained(DEADLINE).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        err.write_all(b"late\n").unwrap();
        settle().await;
        assert_eq!(screen.end_text().await, "a | working\na | and wor\na | boom\n[pmdev] a crashed\na | late\n");
    });
}

#[test]
fn a_time_stands_before_every_line_and_a_progress_bar_starts_over_behind_it() {
    run(true, async {
        let timestamp: TimestampFormat = "[<]YYYY[>]".parse().unwrap();
        let screen = Screen::new(ConsoleConfig { timestamp: Some(timestamp), ..text() });
        let source = screen.source("");
        let mut pipe = child(&source, Stream::Out);
        for state in ["10%", "\r20%", "\r30%"] {
            pipe.write_all(state.as_bytes()).unwrap();
            settle().await;
            tokio::time::advance(Duration::from_millis(210)).await;
            settle().await;
        }
        pipe.write_all(b"\r100%\r\ndone\n").unwrap();
        settle().await;
        screen.say("[pmdev] a\n        hint\n");
        let shown = screen.end_text().await;
        let lead = &shown[..7];
        let expected = "T10%\rT20%\rT30%\rT100%\nTdone\nT[pmdev] a\nT        hint\n".replace('T', lead);
        assert!(lead.starts_with("<20") && lead.ends_with("> "), "{shown}");
        assert_eq!(shown, expected);
    });
}

#[test]
fn json_is_one_object_a_line_and_holds_no_half_lines() {
    run(true, async {
        let screen = Screen::new(ConsoleConfig { format: Format::Json, timestamp: Some(TimestampFormat::default()), raw: true });
        let source = screen.console.source(Label { app: "api".into(), instance: Some(1), prefix: b"api | ".to_vec() });
        let mut pipe = child(&source, Stream::Err);
        pipe.write_all(b"10%\r20%\r\n\xffhalf").unwrap();
        settle().await;
        tokio::time::advance(Duration::from_secs(1)).await;
        settle().await;
        assert!(!screen.console.unfinished());
        source.drained(DEADLINE).await;
        screen.say("{\"event\":\"x\"}\n");
        let shown = screen.end_text().await;
        let objects: Vec<serde_json::Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let lines: Vec<_> = objects.iter().map(|object| object["line"].as_str()).collect();
        assert_eq!(lines, [Some("10%\r20%"), Some("\u{fffd}half"), None]);
        assert_eq!((objects[0]["app"].as_str(), objects[0]["instance"].as_u64()), (Some("api"), Some(1)));
    });
}
