use super::*;

fn all(view: &View) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut seen = Vec::new();
        loop {
            tokio::select! {
                biased;
                next = view.next() => match next {
                    Some(next) => seen.push(next),
                    None => return seen,
                },
                () = tokio::task::yield_now() => return seen,
            }
        }
    })
}

#[test]
fn who_comes_sees_the_last_lines_and_then_everything() {
    let screen = Screen::default();
    screen.feed(b"one\r\ntwo\r\nthree\r\n$ ");
    let (view, first, draw) = screen.view(2);
    assert_eq!((String::from_utf8(first).unwrap(), draw), ("three\r\n$ ".to_owned(), false));
    let (_, whole, _) = screen.view(24);
    assert!(whole.starts_with(b"one"));
    assert!(screen.is_seen());
    screen.feed(b"ls");
    screen.feed(b"\r\n");
    screen.note("api restarted");
    screen.end("it is stopped");
    assert_eq!(all(&view), [Seen::Bytes(b"ls\r\n".into()), Seen::Note("api restarted".into()), Seen::End("it is stopped".into())]);
    assert!(!screen.is_seen());
}

#[test]
fn what_an_app_has_asked_its_terminal_is_asked_once() {
    let screen = Screen::default();
    let (view, ..) = screen.view(24);
    screen.feed(b"\x1b[6nwho \x1b]11;?\x07are you\x1b[c\r\n");
    assert_eq!(text(&all(&view)), "\x1b[6nwho \x1b]11;?\x07are you\x1b[c\r\n");
    assert_eq!(String::from_utf8(screen.view(24).1).unwrap(), "who are you\r\n");
}

#[test]
fn of_several_who_look_the_latest_terminal_answers() {
    let screen = Screen::default();
    let (first, ..) = screen.view(24);
    let (second, ..) = screen.view(50);
    let (script, ..) = screen.view(0);
    screen.feed(b"a\x1b[6nb");
    assert_eq!([&first, &second, &script].map(|view| text(&all(view))), ["ab", "a\x1b[6nb", "ab"]);
    drop(second);
    screen.feed(b"a\x1b[6nb");
    assert_eq!([&first, &script].map(|view| text(&all(view))), ["a\x1b[6nb", "ab"]);
    drop(first);
    screen.feed(b"a\x1b[6nb");
    assert_eq!(text(&all(&script)), "a\x1b[6nb", "it sees what there is, and may answer");
}

#[test]
fn what_an_app_draws_is_drawn_anew_and_a_new_run_begins_with_a_fresh_terminal() {
    let screen = Screen::default();
    screen.feed(b"\x1b[?1049h\x1b[?25lpicture");
    let (view, first, draw) = screen.view(24);
    assert_eq!((first, draw), (b"\x1b[?25l\x1b[?1049h".to_vec(), true));
    screen.renew();
    assert_eq!(all(&view), [Seen::Bytes(b"\x1b[?25h\x1b[?1049l\x1b[0m".to_vec())]);
    assert!(!screen.view(24).2);
}

#[test]
fn who_comes_is_brought_where_the_app_has_brought_its_terminal() {
    let screen = Screen::default();
    let first = |screen: &Screen| String::from_utf8(screen.view(1).1).unwrap();
    screen.feed(b"\x1b[1;10r\x1b[4hx\r\n$ ");
    assert_eq!(first(&screen), "$ \x1b7\x1b[1;10r\x1b8\x1b[4h");
    screen.resized();
    assert_eq!(first(&screen), "$ \x1b[4h", "no terminal keeps margins when its size changes");
    screen.feed(b"\r\n\x1b[4l\x1b[1m$ ");
    assert_eq!(first(&screen), "\x1b[4l\x1b[1m$ ", "these lines do it themselves");
    screen.feed(b"\r\n\x1b[2;5r$ ");
    screen.resized();
    assert_eq!(first(&screen), "\x1b[2;5r$ \x1b7\x1b[r\x1b8\x1b[0m\x1b[1m");
}

fn text(seen: &[Seen]) -> String {
    let text = |seen: &Seen| if let Seen::Bytes(bytes) = seen { String::from_utf8(bytes.clone()).unwrap() } else { String::new() };
    seen.iter().map(text).collect()
}

#[test]
fn who_reads_too_slowly_costs_a_bounded_amount_is_told_what_is_missing_and_sees_the_end() {
    let screen = Screen::default();
    let (slow, ..) = screen.view(24);
    let lines = 10 * ROOM / 100;
    (0..lines).for_each(|line| screen.feed(format!("{line:098}\r\n").as_bytes()));
    screen.feed(b"$ ");
    assert!(slow.queue.lock().bytes <= ROOM);
    let seen = all(&slow);
    let missing = seen.iter().map(|seen| if let Seen::LeftOut(count) = seen { *count } else { 0 }).sum::<u64>();
    let text = text(&seen);
    assert_eq!(usize::try_from(missing).unwrap() + text.len(), lines * 100 + 2);
    assert!(missing > 0);
    assert!(text.lines().all(|line| line.len() == 98 || line == "$ "), "it goes on with a whole line");
    assert!(text.ends_with(&format!("{:098}\r\n$ ", lines - 1)), "it ends with what stands there now");
    screen.feed(b"again");
    assert_eq!(all(&slow), [Seen::Bytes(b"again".into())]);
    assert!(screen.lock().last.len() <= KEPT);
}

#[test]
fn who_missed_that_a_picture_came_or_went_gets_there() {
    let screen = Screen::default();
    let (slow, ..) = screen.view(24);
    let much = vec![b'x'; ROOM];
    screen.feed(&much);
    screen.feed(b"\x1b[?1049h\x1b[?25lpicture");
    assert!(screen.draws());
    assert!(text(&all(&slow)).ends_with("x\x1b[0m\x1b[?25l\x1b[?1049h"), "the app draws it anew");
    screen.feed(&much);
    screen.feed(b"\x1b[?25h\x1b[?1049l$ ");
    screen.end("it is stopped");
    let seen = all(&slow);
    assert!(text(&seen).ends_with("x\x1b[?25h\x1b[?1049l\x1b[0m\x1b[?25h\x1b[?1049l$ "), "{:?}", seen.last());
    assert_eq!(seen.last(), Some(&Seen::End("it is stopped".into())));
}
