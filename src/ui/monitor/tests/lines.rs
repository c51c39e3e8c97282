//! The lines: scrollback, search, and what happens while more come.

use super::*;

/// `web` with numbered lines.
fn bench(count: usize) -> Bench {
    let mut bench = Bench::new(80, 24);
    bench.list(vec![app(0, "web")]);
    bench.print("web", (0..count).map(|number| format!("line {number}")));
    bench
}

/// The lines of the app that are seen.
fn seen(bench: &Bench) -> Vec<String> {
    bench.screen().lines().filter(|line| line.starts_with("line ")).map(str::to_owned).collect()
}

#[test]
fn the_newest_lines_are_seen_until_somebody_scrolls() {
    let mut bench = bench(100);
    assert_eq!(seen(&bench).last().unwrap(), "line 99");
    bench.sees("live");
    bench.press("<PgUp>");
    let before = seen(&bench);
    assert!(!before.contains(&"line 99".to_owned()));
    bench.print("web", (100..150).map(|number| format!("line {number}")));
    assert_eq!(seen(&bench), before, "what is read stays where it is");
    bench.sees("of 150, End: live");
    bench.press("<End>");
    assert_eq!(seen(&bench).last().unwrap(), "line 149");
    bench.press("<Home>");
    assert_eq!(seen(&bench)[0], "line 0");
    bench.press("<PgUp>K<C-u>");
    assert_eq!(seen(&bench)[0], "line 0");
    bench.press("J");
    assert_eq!(seen(&bench)[0], "line 1");
    bench.press(&"<PgDn>".repeat(20)).sees("live");
}

#[test]
fn pages_meet() {
    let mut bench = bench(100);
    let newest = seen(&bench);
    bench.press("<PgUp>");
    assert_eq!(seen(&bench).last(), newest.first());
    bench.press("<PgDn>").sees("live");
    assert_eq!(seen(&bench), newest);
}

#[test]
fn few_lines_do_not_scroll() {
    let mut bench = bench(3);
    for keys in ["<PgUp>", "<Home>", "K"] {
        bench.press(keys).sees("live");
        assert_eq!(seen(&bench), ["line 0", "line 1", "line 2"]);
    }
}

#[test]
fn what_is_read_stays_even_when_no_more_can_be_kept() {
    let mut bench = bench(100);
    bench.press("<Home>");
    let before = seen(&bench);
    bench.print("web", (0..20_000).map(|number| format!("line more {number}")));
    assert_eq!(seen(&bench), before);
    bench.sees("of 10000, End: live");
    bench.taken();
    // Those that were not kept are asked for again.
    bench.press("<End>").pass(200);
    assert_eq!(bench.followed().unwrap().1, "web");
    assert!(seen(&bench).is_empty());
}

#[test]
fn memory_is_bounded_while_the_newest_are_seen() {
    let mut bench = bench(0);
    bench.print("web", (0..20_000).map(|number| format!("line {number}")));
    assert_eq!(seen(&bench).last().unwrap(), "line 19999");
    bench.press("<Home>");
    assert_eq!(seen(&bench)[0], "line 10000");
    bench.press("<End>");
    bench.print("web", (0..800).map(|number| format!("line {number} {}", "x".repeat(16_000))));
    let (_, count) = bench.state.pane.position(ratatui::layout::Size::new(80, 10));
    assert!(count < 600, "{count}");
}

#[test]
fn long_lines_are_wrapped_or_shifted() {
    let mut bench = bench(0);
    let long: String = (0..30).map(|number| format!("{number:02}名前 ")).collect();
    bench.print("web", [long.as_str()]);
    bench.sees("29名前");
    bench.press("w").misses("29名前");
    bench.sees("00名前 01名前");
    bench.press("<Right><Right>").misses("00名前");
    bench.press("<Left><Left><Left>").sees("00名前 01名前");
    bench.press("w").sees("29名前");
}

#[test]
fn a_wrapped_line_scrolls_row_by_row() {
    let mut bench = bench(0);
    bench.print("web", [format!("line {}", (0..400).map(|number| format!("{number:03}|")).collect::<String>())]);
    bench.sees("399|");
    bench.press("<Home>").sees("000|");
    bench.misses("399|");
    bench.press("JJ").misses("000|");
    bench.press("KK").sees("000|");
    bench.tell(Message::Resized(180, 24)).sees("000|");
    bench.press("<End>").tell(Message::Resized(70, 24)).sees("399|");
}

#[test]
fn a_search_goes_to_the_newest_line_found_and_on_from_there() {
    let mut bench = bench(0);
    bench.print("web", (0..100).map(|number| if number % 25 == 7 { format!("line {number} ERROR") } else { format!("line {number}") }));
    bench.press("/err").sees("/err▏");
    bench.sees("line 82 ERROR");
    bench.sees("\"err\" 1 of 4");
    bench.press("<Enter>n").sees("line 57 ERROR");
    bench.press("n").sees("\"err\" 3 of 4");
    bench.press("nn").sees("\"err\" 1 of 4");
    bench.press("N").sees("line 7 ERROR");
    // Lines that come are found as well, and move nothing.
    bench.print("web", ["line 100 error"]);
    bench.sees("\"err\" 5 of 5");
    bench.sees("line 7 ERROR");
    bench.press("<Esc>").sees("live");
    bench.misses("\"err\"");
    bench.press("/nowhere").sees("\"nowhere\" not found");
    bench.press("<BS><BS><BS><BS><BS><BS><BS>").sees("/▏");
    bench.press("<BS>").misses("/▏");
    bench.press("/line 5<Esc>").sees("live");
}

#[test]
fn what_is_found_is_marked() {
    let mut bench = bench(0);
    bench.print("web", ["one \x1b[31mtwo\x1b[0m three two"]);
    bench.press("/two<Enter>");
    let buffer = bench.buffer();
    let y = (0..24).find(|y| buffer[(0, *y)].symbol() == "o").expect("the line is there");
    let marked: String = (0..80)
        .filter(|x| buffer[(*x, y)].modifier.contains(ratatui::style::Modifier::REVERSED))
        .map(|x| buffer[(x, y)].symbol())
        .collect();
    assert_eq!(marked, "twotwo");
}

#[test]
fn lines_of_what_was_selected_before_are_not_taken_for_the_next_ones() {
    let mut bench = Bench::new(80, 24);
    bench.list(shop());
    let old = bench.followed().unwrap().0;
    bench.print("web", ["old line"]).sees("old line");
    bench.press("<Down>");
    let late = Entry::Line { label: "web".to_owned(), time: String::new(), text: "late line".to_owned() };
    bench.tell(Message::Lines { number: old, entries: vec![late] }).misses("e line");
    bench.pass(200).print("api:0", ["new line"]).sees("new line");
    bench.tell(Message::LinesEnded { number: old, why: "stale".to_owned(), again: true }).misses("stale");
}

#[test]
fn lines_that_end_are_asked_for_again_where_that_helps() {
    let mut bench = bench(1);
    let number = bench.followed().unwrap().0;
    bench.taken();
    bench.tell(Message::LinesEnded { number, why: "the runner has ended".to_owned(), again: true }).sees("the runner has ended");
    bench.tell(Message::Lost("the runner with pid 4711 has ended".to_owned())).pass(5000);
    assert_eq!(bench.followed(), None, "there is nobody to ask");
    bench.list(vec![app(0, "web")]).pass(2000);
    let number = bench.followed().expect("it is asked for again").0;
    bench.taken();
    bench.tell(Message::LinesEnded { number, why: "no such verb".to_owned(), again: false }).pass(5000);
    assert_eq!(bench.followed(), None);
}

#[test]
fn names_stand_before_lines_of_several_and_times_where_they_are_wanted() {
    let mut bench = Bench::new(80, 24);
    bench.list(shop());
    bench.print("api:0", ["hello"]).print("worker", ["there"]);
    assert_eq!(bench.lines_with("hello"), ["api:0  | hello"]);
    bench.press("t");
    assert_eq!(bench.lines_with("there"), ["09:30:00.123 worker | there"]);
    let mut single = self::bench(1);
    assert_eq!(single.lines_with("line 0"), ["line 0"]);
    single.press("t");
    assert_eq!(single.lines_with("line 0"), ["09:30:00.123 line 0"]);
}
