//! What an app may use, and as what it runs.

use super::{Fate, keyed, keyed_element, size::Size};

keyed! {
    /// As written.
    pub struct RawLimits {
        /// Memory of the whole process set at which the app is reloaded; the same as `max_memory_restart`.
        memory: Size, ["memory_soft"], r#""512M""#, Fate::Honoured;
        /// Memory of the whole process set at which it is killed.
        memory_hard: Size, ["memory_max"], r#""1G""#, Fate::Honoured;
        /// Open files.
        nofile: u32, [], "65536", Fate::Honoured;
        /// Processes of its user.
        nproc: u32, [], "512", Fate::Honoured;
        /// Core dumps, in bytes; 0: none.
        core: Size, [], "0", Fate::Honoured;
        /// Niceness, -20 to 19.
        nice: i32, [], "5", Fate::Honoured;
        /// How early the kernel kills it when memory runs out, -1000 to 1000.
        oom_score_adj: i32, [], "200", Fate::Honoured;
        /// Whether it can never gain rights, prctl(2).
        no_new_privs: bool, [], "true", Fate::Honoured;
    }
}
keyed_element!(RawLimits, "a map of limits");

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn each_limit_has_its_kind() {
        let limits: RawLimits = read(r#"{"memory": "1G", "nofile": 100, "noNewPrivs": false}"#).unwrap();
        assert_eq!(limits.memory.map(|given| given.value), Some(Size(1 << 30)));
        assert_eq!(limits.no_new_privs.map(|given| given.value), Some(false));
        insta::assert_snapshot!(refused::<RawLimits>("5"), @"key is 5, but it takes a map of limits");
        insta::assert_snapshot!(warned::<RawLimits>(r#"{"nofiles": 5, "nice": "hard"}"#), @r#"
        key.nice is "hard", but it takes a whole number
        key.nofiles is no key that pmdev knows, and nothing reads it
        "#);
    }
}
