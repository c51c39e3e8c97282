//! What is written down is what is said.

use serde_json::Value;

use super::*;
use crate::control::Said;

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
        assert_eq!(serde_json::to_value(reply).unwrap(), value(line));
    }
    for line in &said {
        let word: Said = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_value(word).unwrap(), value(line));
    }
    for word in ["keys", "size"].map(|say| format!("\"say\":\"{say}\"")) {
        assert!(said.concat().contains(&word), "{word} is not written down");
    }
    let all = asked.concat() + &answered.concat();
    for word in [
        "hello",
        "list",
        "act",
        "scale",
        "watch",
        "pause",
        "signal",
        "send",
        "attach",
        "why",
        "run",
        "update",
        "save",
        "logs",
        "flush",
        "reopen_logs",
        "kill",
    ]
    .map(|verb| format!("\"verb\":\"{verb}\""))
    {
        assert!(all.contains(&word), "{word} is not written down");
    }
    for word in [
        "hello", "list", "done", "saved", "text", "attached", "bytes", "note", "missed", "detached", "why", "source", "lines", "live",
        "position", "left_out", "notice", "ended", "files", "refused",
    ]
    .map(|reply| format!("\"reply\":\"{reply}\""))
    {
        assert!(all.contains(&word), "{word} is not written down");
    }
    for word in ["start", "stop", "restart", "reload", "delete", "reset"].map(|action| format!("\"action\":\"{action}\"")) {
        assert!(all.contains(&word), "{word} is not written down");
    }
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
    assert!(refused(r#"{"protocol":1,"request":{"verb":"dance"}}"#).contains("does not know this request"));
    assert!(refused("").starts_with("2 "));
}
