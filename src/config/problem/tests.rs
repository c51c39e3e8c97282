use super::*;

const TEXT: &str = "{\n  \"apps\": [{\n\t\"instances\": \"many\", \"env\": { \"TOKEN\": \"s3cret\", lower: 'hidden' }\n  }]\n}\n";

fn problem(line: u32, column: u32, len: u32) -> Problem {
    Problem::error(Path::new("/p/ecosystem.config.json"), Place::At { line, column, len }, "apps[0].instances is no number")
        .about("apps[0].instances")
        .example("instances: 4")
}

fn render(problems: Vec<Problem>, text: &str) -> String {
    Problems(problems).render(Some(text), Path::new("/p"))
}

#[test]
fn the_line_and_a_caret_below_the_offending_text() {
    insta::assert_snapshot!(render(vec![problem(3, 15, 6)], TEXT), @r#"
    ecosystem.config.json:3:15: apps[0].instances is no number
           3 |     "instances": "many", "env": { "TOKEN": …, lower: … }
             |                  ^^^^^^
        valid: instances: 4
    "#);
}

#[test]
fn values_of_variables_are_not_shown() {
    let wrong = problem(3, 58, 8).about("apps[0].env.lower").found("'hidden'").suggestion("upper");
    insta::assert_snapshot!(render(vec![wrong.clone()], TEXT), @r#"
    ecosystem.config.json:3:58: apps[0].env.lower: apps[0].instances is no number
           3 |     "instances": …, "env": { "TOKEN": …, lower: … }
             |                                                 ^
        valid: instances: 4
        did you mean upper?
    "#);
    let place = Place::Unknown;
    let unplaced = render(vec![Problem { place, ..wrong.clone() }, Problem { place, path: "apps[0].env_file".to_owned(), ..wrong }], TEXT);
    assert_eq!(unplaced.matches("hidden").count(), 1, "{unplaced}");
    for text in [
        "TOKEN = \"a\\\"bcd\"",
        "TOKEN=abcd",
        "export TOKEN: abcd",
        "- DB_URL: 'ab''cd",
        "{\"A1\": abcd }",
        "{env: {token: abcd, x: \"bcd\"}}",
    ] {
        let shown = render(vec![problem(1, 30, 1)], text);
        assert!(!shown.contains("bcd") && shown.contains('…'), "{shown}");
    }
    for text in [
        "env: {\n  token: abcd",
        "env_dev:\n  a: 1\n\n  token: abcd",
        "[apps.env]\ntoken = abcd",
        "x: {\n env: {\n  a: {\n   token: 'abcd'",
    ] {
        let shown = render(vec![problem(u32::try_from(text.lines().count()).unwrap(), 1, 1)], text);
        assert!(!shown.contains("bcd") && shown.contains('…'), "{shown}");
    }
    for text in ["env: {\n  A: 1\n}\nname: 'abcd'", "[apps.env]\n[apps]\nname = 'abcd'", "env_file: abcd"] {
        let shown = render(vec![problem(u32::try_from(text.lines().count()).unwrap(), 1, 1)], text);
        assert!(shown.contains("abcd"), "{shown}");
    }
}

#[test]
fn odd_places_and_odd_characters() {
    let long = format!("{}x{}", "名".repeat(90), "y".repeat(300));
    insta::assert_snapshot!(render(vec![problem(1, 91, 1)], &long), @"
    ecosystem.config.json:1:91: apps[0].instances is no number
           1 | …名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名名xyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
             |                                                                                  ^
        valid: instances: 4
    ");
    insta::assert_snapshot!(render(vec![problem(2, 2, 0)], "a\nb\u{1b}[2J\0"), @"
    ecosystem.config.json:2:2: apps[0].instances is no number
           2 | b�[2J�
             |  ^
        valid: instances: 4
    ");
    insta::assert_snapshot!(render(vec![problem(1, 99, 5)], "abc"), @"
    ecosystem.config.json:1:99: apps[0].instances is no number
           1 | abc
             |    ^
        valid: instances: 4
    ");
    assert_eq!(render(vec![problem(7, 1, 1), problem(0, 0, 0)], "abc").lines().count(), 4);
    assert_eq!(render(vec![problem(1, 1, 1)], "").lines().count(), 2);
}

#[test]
fn several_stand_in_the_order_of_the_file_and_one_failure_counts_them() {
    let warning = problem(1, 1, 1).warning();
    let error = Problems(vec![problem(4, 3, 1), problem(2, 4, 4), warning.clone()]).into_error(Some(TEXT), Path::new("/"));
    assert_eq!(error.exit_code(), 2);
    insta::assert_snapshot!(error.message, @r#"
    p/ecosystem.config.json has 2 errors
    warning: p/ecosystem.config.json:1:1: apps[0].instances is no number
           1 | {
             | ^
        valid: instances: 4
    p/ecosystem.config.json:2:4: apps[0].instances is no number
           2 |   "apps": [{
             |    ^^^^
        valid: instances: 4
    p/ecosystem.config.json:4:3: apps[0].instances is no number
           4 |   }]
             |   ^
        valid: instances: 4
    "#);
    let notice = warning.notice(Some(TEXT), Path::new("/p"));
    assert_eq!(notice.hint.as_deref(), Some("   1 | {\n     | ^\nvalid: instances: 4"));
    assert!(Problems(vec![problem(1, 1, 1), warning.clone()]).has_error() && !Problems(vec![warning]).has_error());
}

#[test]
fn secrets_among_arguments_are_not_shown() {
    let line =
        |text: &str| render(vec![Problem::error(Path::new("/p/a.yaml"), Place::At { line: 1, column: 1, len: 1 }, "it is wrong")], text);
    for text in [
        "args: --port 3 --password s3cret --token=s3cret",
        "args: ['--token', 's3cret', '--x', \"--apiKey\", \"s3cret\"]",
        "args: [--db, postgres://ann:s3cret@db/x]",
        "script: run --url=redis://:s3cret@h -v",
    ] {
        let shown = line(text);
        assert!(!shown.contains("s3cret") && shown.contains('…'), "{shown}");
    }
    let plain = "args: --keyboard de --no-auth app.js --token --port 3 http://a/b:c@d";
    assert!(line(plain).contains(plain), "{}", line(plain));
}
