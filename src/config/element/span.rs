//! Durations that cannot be nothing: how often something is done, and how long something has that takes time.

use std::time::Duration;

use serde_json::Value as Json;

use super::{Element, Reader};
use crate::config::node::Node;

/// The shortest one. What is asked more often than this keeps a core busy, and nothing that is waited for comes sooner.
pub const LEAST: Duration = Duration::from_millis(10);

/// A duration of at least 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Element for Span {
    const WHAT: &'static str = "a duration of at least 10 ms: milliseconds, or a number with ms, s, m or h";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let before = reader.problems.len();
        // What is no duration at all is told as what belongs here, which is more than that.
        match Duration::read(node, reader) {
            Some(duration) if duration >= LEAST => Some(Self(duration)),
            Some(_) | None => {
                reader.problems.truncate(before);
                reader.wrong(node)
            }
        }
    }

    fn schema() -> Json {
        Duration::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn nothing_is_no_time() {
        assert_eq!(read("10"), Some(Span(LEAST)));
        assert_eq!(read(r#""5s""#), Some(Span(Duration::from_secs(5))));
        insta::assert_snapshot!(refused::<Span>("0"), @"key is 0, but it takes a duration of at least 10 ms: milliseconds, or a number with ms, s, m or h");
        insta::assert_snapshot!(refused::<Span>(r#""9ms""#), @r#"key is "9ms", but it takes a duration of at least 10 ms: milliseconds, or a number with ms, s, m or h"#);
        insta::assert_snapshot!(refused::<Span>(r#""soon""#), @r#"key is "soon", but it takes a duration of at least 10 ms: milliseconds, or a number with ms, s, m or h"#);
    }
}
