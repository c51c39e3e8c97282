//! What an app may use, and as what it runs.

use serde_json::{Value as Json, json};

use super::{
    Element,
    Fate::Honoured,
    Reader, keyed, keyed_element,
    number::{self, Limit, whole},
    size::Size,
};
use crate::{
    config::node::{Node, Value},
    model::UNLIMITED,
};

keyed! {
    /// As written.
    pub struct RawLimits {
        /// Memory of all its processes at which the app is restarted gracefully; the same as `max_memory_restart`.
        memory: Size, ["memory_soft"], r#""512M""#, Honoured;
        /// Memory of all its processes at which it is killed.
        memory_hard: Size, ["memory_max"], r#""1G""#, Honoured;
        /// Open files.
        nofile: Limit, [], "65536", Honoured;
        /// Processes of its user; root has no such limit.
        nproc: Limit, [], "512", Honoured;
        /// Core dumps, in bytes; 0: none, as in production; `unlimited`: as far as the system lets them be.
        core: CoreDump, [], "0", Honoured;
        /// Niceness, -20 to 19.
        nice: Niceness, [], "5", Honoured;
        /// How early the kernel kills it when memory runs out, -1000 to 1000.
        oom_score_adj: OomScore, [], "200", Honoured;
        /// Whether it can never gain rights, set-user-ID programs included, prctl(2); as in production.
        no_new_privs: bool, [], "true", Honoured;
        /// Whether it gets the descriptors that pmdev itself was started with, besides standard input, output and error; those that pmdev itself hands over come first.
        inherit_fds: bool, [], "false", Honoured;
    }
}
keyed_element!(RawLimits, "a map of limits");

/// The size of a core dump; [`UNLIMITED`] as far as the system lets it be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreDump(pub u64);

impl Element for CoreDump {
    const WHAT: &'static str = "a size (bytes, or a number with K, M or G), or unlimited";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let bytes = match &node.value {
            Value::Text(text) if text == "unlimited" => Some(UNLIMITED),
            Value::Text(text) => super::size::parse(text),
            _ => whole(node).and_then(|number| number.try_into().ok()),
        };
        bytes.map(Self).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "unlimited" }, Size::schema()] })
    }
}

/// nice(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Niceness(pub i32);

impl Element for Niceness {
    const WHAT: &'static str = "a whole number from -20 to 19";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        between(node, -20, 19).map(Self).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        number::schema(-20, Some(19))
    }
}

/// proc_pid_oom_score_adj(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OomScore(pub i32);

impl Element for OomScore {
    const WHAT: &'static str = "a whole number from -1000 to 1000";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        between(node, -1000, 1000).map(Self).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        number::schema(-1000, Some(1000))
    }
}

/// The kernel would take what is beyond for the end of the range, or refuse it at each start.
fn between(node: &Node, least: i32, most: i32) -> Option<i32> {
    whole(node).and_then(|number| number.try_into().ok()).filter(|number| (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn each_limit_has_its_kind() {
        let limits: RawLimits =
            read(r#"{"memory": "1G", "nofile": 100, "nproc": "unlimited", "core": "1M", "noNewPrivs": false}"#).unwrap();
        assert_eq!(limits.memory.map(|given| given.value), Some(Size(1 << 30)));
        assert_eq!(limits.nofile.map(|given| given.value), Some(Limit(Some(100))));
        assert_eq!(limits.nproc.map(|given| given.value), Some(Limit(None)));
        assert_eq!(limits.core.map(|given| given.value), Some(CoreDump(1 << 20)));
        assert_eq!(limits.no_new_privs.map(|given| given.value), Some(false));
        assert_eq!(read(r#""unlimited""#), Some(CoreDump(UNLIMITED)));
        assert_eq!((read("-20"), read("19")), (Some(Niceness(-20)), Some(Niceness(19))));
        assert_eq!((read("-1000"), read(r#""1000""#)), (Some(OomScore(-1000)), Some(OomScore(1000))));
        insta::assert_snapshot!(refused::<RawLimits>("5"), @"key is 5, but it takes a map of limits");
        insta::assert_snapshot!(refused::<Niceness>("20"), @"key is 20, but it takes a whole number from -20 to 19");
        insta::assert_snapshot!(refused::<OomScore>("-1001"), @"key is -1001, but it takes a whole number from -1000 to 1000");
        insta::assert_snapshot!(refused::<CoreDump>(r#""much""#), @r#"key is "much", but it takes a size (bytes, or a number with K, M or G), or unlimited"#);
        insta::assert_snapshot!(warned::<RawLimits>(r#"{"nofiles": 5, "nice": "hard"}"#), @r#"
        key.nice is "hard", but it takes a whole number from -20 to 19
        key.nofiles is no key that pmdev knows, and nothing reads it
        "#);
    }
}
