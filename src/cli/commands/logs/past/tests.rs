use std::fs;

use super::*;

fn query(lines: Option<usize>) -> Query {
    Query { lines, since: None, stream: None, grep: None }
}

fn whose(id: usize, instance: Option<u16>) -> Whose {
    Whose { id: Some(id), name: "api".into(), instance }
}

/// A user who holds these lines, said at these times.
fn user(id: usize, stream: Stream, held: &[(i64, &str)]) -> User {
    let whose = whose(id, Some(u16::try_from(id).unwrap()));
    let line = |(time, line): &(i64, &str)| Line { whose: whose.clone(), stream, time: Some(*time), key: (*time, 0), line: (*line).into() };
    User { held: held.iter().map(line).collect(), whose: whose.clone(), stream, more: false }
}

/// What is found in a file with this text: who, on which stream, when, what.
fn found(text: &str, users: &[User], writing: &Writing, query: &Query) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, text).unwrap();
    let shown = |line: Line| {
        let time = line.time.map_or_else(|| "?".to_owned(), |time| time.to_string());
        format!("{} {:?} {time} {}", line.whose.shown(), line.stream, String::from_utf8(line.line).unwrap())
    };
    file(&path, None, users, writing, query).unwrap().into_iter().map(shown).collect()
}

#[test]
fn lines_that_the_runner_holds_have_its_times_and_those_before_have_none() {
    let users = [user(0, Stream::Out, &[(5, "b"), (6, "b"), (7, "c")])];
    assert_eq!(
        found("a\nx\nb\nb\nc\n", &users, &Writing::default(), &query(Some(4))),
        ["api:0 Out ? x", "api:0 Out 5 b", "api:0 Out 6 b", "api:0 Out 7 c"]
    );
    // From a line on that is another one, they do not agree.
    assert_eq!(found("b\nx\nc\n", &users, &Writing::default(), &query(None)), ["api:0 Out ? b", "api:0 Out ? x", "api:0 Out 7 c"]);
}

#[test]
fn of_a_file_of_several_each_gets_its_own_lines_as_far_as_the_runner_holds_them() {
    let users = [user(0, Stream::Out, &[(5, "a"), (7, "same")]), user(1, Stream::Out, &[(6, "b"), (8, "same")])];
    let text = "old\na\nb\nsame\nsame\n";
    assert_eq!(
        found(text, &users, &Writing::default(), &query(Some(3))),
        ["api:1 Out 6 b", "api:0 Out 7 same", "api:1 Out 8 same"],
        "they are counted together"
    );
    assert_eq!(found(text, &users, &Writing::default(), &query(None))[1], "api:0 Out 5 a");
    assert_eq!(found(text, &users, &Writing::default(), &query(None))[0], "api Out ? old");
    let both = [user(0, Stream::Out, &[(5, "a"), (7, "c")]), user(0, Stream::Err, &[(6, "b")])];
    let only = Query { stream: Some(Stream::Err), ..query(None) };
    assert_eq!(found("a\nb\nc\n", &both, &Writing::default(), &only), ["api:0 Err 6 b"]);
}

#[test]
fn who_has_said_more_than_is_held_may_have_said_what_another_said_as_well() {
    let one = user(0, Stream::Out, &[(6, "tick"), (8, "tick")]);
    let two = user(1, Stream::Out, &[(1, "up"), (3, "tick"), (5, "tick"), (7, "tick")]);
    let text = "up\ntick\ntick\ntick\ntick\ntick\n";
    let names = |users: &[User]| -> Vec<String> {
        let found = found(text, users, &Writing::default(), &query(None));
        found.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&[one.clone(), two.clone()]), ["api:1", "api:1", "api:1", "api:0", "api:1", "api:0"]);
    assert_eq!(names(&[User { more: true, ..one }, two]), ["api", "api", "api", "api:0", "api:1", "api:0"]);
}

#[test]
fn apps_that_share_a_file_are_named_together_where_nothing_tells_them_apart() {
    let mut other = user(1, Stream::Out, &[]);
    other.whose = Whose { instance: None, name: "web".into(), ..other.whose };
    let users = [user(0, Stream::Out, &[(5, "b")]), other];
    assert_eq!(found("a\nb\n", &users, &Writing::default(), &query(None)), ["api, web Out ? a", "api:0 Out 5 b"]);
}

#[test]
fn objects_say_whose_they_are_and_those_of_nobody_wanted_are_left_out() {
    let json = Writing { json: true, times: Vec::new() };
    let object = |number: usize, stream: &str, message: &str| {
        format!(
            r#"{{"message":"{message}","timestamp":"2026-03-04T18:37:0{number}Z","type":"{stream}","process_id":{number},"app_name":"api"}}"#
        ) + "\n"
    };
    let text = [object(0, "out", "a"), object(2, "out", "another's"), object(1, "err", "b"), object(1, "out", "c")].concat();
    let users = [user(0, Stream::Out, &[]), user(1, Stream::Out, &[]), user(1, Stream::Err, &[])];
    assert_eq!(found(&text, &users, &json, &query(Some(1))), ["api:1 Err 1772649421000 b", "api:1 Out 1772649421000 c"]);
    let held = [user(0, Stream::Out, &[(5, "c")]), user(1, Stream::Err, &[(5, "c")]), user(1, Stream::Out, &[(7, "c")])];
    assert_eq!(found(&text, &held, &json, &query(Some(1)))[1], "api:1 Out 7 c", "others who said the same did not say this");
    let since = Query { since: Some(1_772_649_421_000), ..query(None) };
    assert_eq!(found(&text, &users, &json, &since).len(), 2);
}

#[test]
fn places_are_merged_by_time_and_each_stays_in_order() {
    let line = |key: i64, line: &str| Line { whose: whose(0, None), stream: Stream::Out, time: None, key: (key, 0), line: line.into() };
    let all = merged(vec![vec![line(3, "a"), line(3, "b"), line(9, "c")], vec![line(2, "x"), line(3, "y")]]);
    let text: Vec<String> = all.into_iter().map(|line| String::from_utf8(line.line).unwrap()).collect();
    assert_eq!(text, ["x", "a", "b", "y", "c"]);
}

/// A line of which nothing else is known.
fn said(line: &[u8]) -> Said {
    Said { line: line.to_vec(), time: None, stream: None, number: None }
}

#[test]
fn long_lines_agree_by_their_ends_whatever_their_bytes() {
    let long = "é".repeat(HELD);
    let mut users = [user(0, Stream::Out, &[(5, &long[long.len() - HELD..])])];
    assert!(take_held(&mut users, &said(&[long.as_bytes(), b"\r"].concat())).is_some());
    let mut users = [user(0, Stream::Out, &[(5, "\u{fffd}x")])];
    assert!(take_held(&mut users, &said(b"\xffx")).is_some());
    assert!(take_held(&mut users, &said(b"x")).is_none(), "it was taken");
}
