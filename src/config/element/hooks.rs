//! Command lines around the life of an app.

use super::{Fate, keyed, keyed_element};

keyed! {
    /// As written.
    pub struct RawHooks {
        /// Before each start; a failure is a failed start.
        before_start: String, [], r#""npm run migrate""#, Fate::Honoured;
        /// Once a run is ready.
        after_ready: String, [], r#""./warm-up.sh""#, Fate::Honoured;
        /// Before a run is stopped.
        before_stop: String, [], r#""./drain.sh""#, Fate::Honoured;
        /// After a run has ended.
        after_exit: String, [], r#""./clean-up.sh""#, Fate::Honoured;
    }
}
keyed_element!(RawHooks, "a map of command lines");

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn command_lines() {
        let hooks: RawHooks = read(r#"{"beforeStart": "make"}"#).unwrap();
        assert_eq!(hooks.before_start.map(|given| given.value).as_deref(), Some("make"));
        insta::assert_snapshot!(refused::<RawHooks>(r#""make""#), @r#"key is "make", but it takes a map of command lines"#);
    }
}
