//! Command lines that are told what happens to an app.

use super::{Fate, keyed, keyed_element, span::Span};

keyed! {
    /// As written.
    pub struct RawHooks {
        /// A run is ready.
        on_ready: String, [], r#""./warm-up.sh""#, Fate::Honoured;
        /// The main process of a run has ended, as asked or by itself.
        on_exit: String, [], r#""./clean-up.sh""#, Fate::Honoured;
        /// A run failed: it died, was not ready in time, hung, or used too much memory.
        on_crash: String, [], r#""./tell-us.sh""#, Fate::Honoured;
        /// The app is given up.
        on_errored: String, [], r#""./page-us.sh""#, Fate::Honoured;
        /// A reload is over: every instance is of the new version.
        on_reload: String, [], r#""./flush-cache.sh""#, Fate::Honoured;
        /// How long each of them may take before it is killed with all it has started; 30 s if not given.
        timeout: Span, [], r#""1m""#, Fate::Honoured;
    }
}
keyed_element!(RawHooks, "a map of command lines");

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn command_lines() {
        let hooks: RawHooks = read(r#"{"onReady": "make", "timeout": "5s"}"#).unwrap();
        assert_eq!(hooks.timeout.map(|given| given.value), Some(Span(Duration::from_secs(5))));
        assert_eq!(hooks.on_ready.map(|given| given.value).as_deref(), Some("make"));
        let time = warned::<RawHooks>(r#"{"timeout": 0}"#);
        assert!(time.starts_with("key.timeout is 0, but it takes a duration of at least 10 ms"), "{time}");
        insta::assert_snapshot!(refused::<RawHooks>(r#""make""#), @r#"key is "make", but it takes a map of command lines"#);
    }
}
