//! What a line of a log file says: its text, and who said it when, as far as that stands there.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{log::Stream, model::TimestampFormat};

/// How lines were written into a file.
#[derive(Debug, Clone, Default)]
pub struct Writing {
    /// Each is an object, as `log_type: json` writes it.
    pub json: bool,
    /// Each, or each object, has the time in one of these formats; the first that fits counts.
    pub times: Vec<TimestampFormat>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The line as the app said it.
    pub line: Vec<u8>,
    /// When, where that stands there.
    pub time: Option<Timestamp>,
    /// On which stream.
    pub stream: Option<Stream>,
    /// The number of the instance among all of the runner's.
    pub number: Option<usize>,
}

/// A line as [`record`](crate::log::Form) writes it.
#[derive(serde::Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    timestamp: Option<Cow<'a, str>>,
    r#type: Option<Stream>,
    process_id: Option<usize>,
}

impl Writing {
    /// As files are written unless somebody says otherwise, where nobody can be asked.
    pub fn unknown() -> Self {
        let mut times = Vec::new();
        for between in ["T", " "] {
            for fraction in [".SSS", ""] {
                for zone in [" Z", "Z", ""] {
                    let format = format!("YYYY-MM-DD{between}HH:mm:ss{fraction}{zone}");
                    times.push(format.parse().expect("these are formats"));
                }
            }
        }
        Self { json: true, times }
    }

    /// Reads a line.
    pub fn read(&self, line: Vec<u8>) -> Said {
        if self.json
            && line.first() == Some(&b'{')
            && let Ok(Object { message, timestamp, r#type: stream, process_id: number }) = serde_json::from_slice(&line)
        {
            let time = timestamp.and_then(|text| text.parse().ok().or_else(|| self.time(&text, "").map(|(time, _)| time)));
            return Said { line: message.into_owned().into_bytes(), time, stream, number };
        }
        let head = &line[..line.len().min(128)];
        let valid = std::str::from_utf8(head).or_else(|error| std::str::from_utf8(&head[..error.valid_up_to()])).unwrap_or_default();
        let found = self.time(valid, ": ").map(|(time, rest)| (time, rest.len()));
        let Some((time, rest)) = found else { return Said { line, time: None, stream: None, number: None } };
        let start = valid.len() - rest;
        Said { line: line[start..].to_vec(), time: Some(time), stream: None, number: None }
    }

    /// The time with which a text begins, and what follows it and these signs.
    fn time<'a>(&self, text: &'a str, signs: &str) -> Option<(Timestamp, &'a str)> {
        self.times.iter().find_map(|format| {
            let (time, rest) = format.read(text)?;
            Some((time, rest.strip_prefix(signs)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(writing: &Writing, line: &str) -> String {
        let Said { line, time, stream, number } = writing.read(line.into());
        format!("{} {:?} {:?} {:?}", String::from_utf8(line).unwrap(), time.map(|time| time.to_string()), stream, number)
    }

    #[test]
    fn lines_objects_and_times() {
        let utc = Writing { json: true, times: vec!["YYYY-MM-DD HH:mm:ssZ".parse().unwrap()] };
        insta::assert_snapshot!(shown(&utc, "plain: text"), @"plain: text None None None");
        insta::assert_snapshot!(shown(&utc, "2026-03-04 18:37:09+00:00: said: so"), @r#"said: so Some("2026-03-04T18:37:09Z") None None"#);
        insta::assert_snapshot!(
            shown(&utc, r#"{"message":"a\"b","timestamp":"2026-03-04T18:37:09.042Z","type":"err","process_id":3,"app_name":"api"}"#),
            @r#"a"b Some("2026-03-04T18:37:09.042Z") Some(Err) Some(3)"#
        );
        insta::assert_snapshot!(shown(&utc, r#"{"message":"a","timestamp":"18 h"}"#), @"a None None None");
        insta::assert_snapshot!(shown(&utc, r#"{"level":"info"}"#), @r#"{"level":"info"} None None None"#);
        let plain = Writing::default();
        insta::assert_snapshot!(shown(&plain, r#"{"message":"a"}"#), @r#"{"message":"a"} None None None"#);
        let unknown = Writing::unknown();
        assert!(shown(&unknown, "2026-03-04T18:37:09: said").starts_with("said Some("));
        assert!(shown(&unknown, "2026-03-04 18:37:09.042+01:00: said").starts_with("said Some(\"2026-03-04T17:37:09.042Z\")"));
        assert_eq!(unknown.read(b"2026-03-04T18:37:09: \xff\n".to_vec()).line, b"\xff\n");
    }
}
