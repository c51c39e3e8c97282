//! What is written down is what is said.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::control::{How, Said, client};

const DOC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md"));

/// What is written down is what is said: every line is read, and said again with the same fields.
#[test]
fn the_written_protocol_is_the_spoken_one() {
    let lines: Vec<&str> = DOC.lines().filter(|line| line.starts_with('{')).collect();
    let (said, lines): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.starts_with("{\"say\""));
    let (asked, answered): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.contains("\"request\""));
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    for line in &asked {
        let request = parse(line.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal:?}: {line}"));
        let again = Envelope { protocol: VERSION, pmdev: "0.1.0".to_owned(), request };
        assert_eq!(serde_json::to_value(again).unwrap(), value(line));
    }
    for line in &answered {
        let reply: Reply = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_value(&reply).unwrap(), value(line));
        assert_eq!(client::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}")), reply);
    }
    for line in &said {
        let word: Said = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_value(word).unwrap(), value(line));
    }
    let all = asked.concat() + &answered.concat() + &said.concat();
    let names = [
        ("verb", names::<Request>(&json!({ "verb": "" }))),
        ("reply", names::<Reply>(&json!({ "reply": "" }))),
        ("say", names::<Said>(&json!({ "say": "" }))),
        ("action", names::<Action>(&json!(""))),
        ("how", names::<How>(&json!(""))),
    ];
    for (key, names) in names {
        assert!(names.len() > 1, "{key}: {names:?}");
        for name in names {
            assert!(all.contains(&format!("\"{key}\":\"{name}\"")), "{key} {name} is not written down in docs/protocol.md");
        }
    }
}

/// The names that the code knows for a kind of word, as it tells them to who says another one.
fn names<T: DeserializeOwned + Debug>(unknown: &Value) -> Vec<String> {
    let told = serde_json::from_value::<T>(unknown.clone()).unwrap_err().to_string();
    let (_, known) = told.split_once("expected ").unwrap_or_else(|| panic!("{told}"));
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_names_are_those_of_the_code() {
    assert_eq!(names::<Action>(&json!("")), ["start", "stop", "restart", "reload", "delete", "reset"]);
    assert_eq!(names::<Said>(&json!({ "say": "" })), ["keys", "size"]);
}

#[test]
fn another_version_gets_a_sentence_and_what_is_no_request_as_well() {
    let refused = |line: &str| match parse(line.as_bytes()) {
        Err(Reply::Refused { code, message, hint }) => format!("{code} {message} / {}", hint.unwrap_or_default()),
        other => panic!("{other:?}"),
    };
    let newer = refused(r#"{"protocol":9,"pmdev":"7.0.0","request":{"verb":"dance"}}"#);
    assert!(
        newer.starts_with("1 The runner is pmdev ") && newer.contains("speaks protocol 1; this pmdev is 7.0.0 and speaks 9 / restart"),
        "{newer}"
    );
    assert!(refused("GET / HTTP/1.1").starts_with("2 This is the socket of a pmdev runner"));
    assert!(refused(r#"{"protocol":1,"request":{"verb":"dance"}}"#).contains("does not know the verb dance (it is pmdev "));
    let named = refused(r#"{"protocol":1,"pmdev":"9.0.0","request":{"verb":"dance"}}"#);
    assert!(named.contains("; this is pmdev 9.0.0) / "), "{named}");
    assert!(
        refused(r#"{"protocol":1,"request":{"verb":"act","action":"dance","targets":[],"wait":true}}"#)
            .contains("does not understand this request: ")
    );
    assert!(refused("").starts_with("2 "));
}
