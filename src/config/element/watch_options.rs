//! `watch_options`: chokidar's, of which those that still mean something are honoured.

use super::{Fate, anything::Anything, keyed, keyed_element, patterns::Patterns, span::Span};

const OWN_TIMING: Fate = Fate::Ignored("a save is settled when its writer has finished; `watch_delay` sets a time of your own");
const NO_MEANING: Fate = Fate::Ignored("it steers chokidar, which is not used here");

keyed! {
    /// chokidar's options, <https://github.com/paulmillr/chokidar/tree/3.6.0#api>.
    pub struct WatchOptions {
        /// Look at the files from time to time instead of waiting for events.
        use_polling: bool, [], "true", Fate::Honoured;
        /// How often, when polling.
        interval: Span, [], "500", Fate::Honoured;
        /// Whether links to folders are followed.
        follow_symlinks: bool, [], "false", Fate::Honoured;
        /// The same as `ignore_watch`, on top of it.
        ignored: Patterns, [], r#"["logs"]"#, Fate::Honoured;
        /// chokidar's own settling.
        await_write_finish: Anything, [], "true", OWN_TIMING;
        /// chokidar's own settling of atomic writes.
        atomic: Anything, [], "true", OWN_TIMING;
        /// Whether the files of the start count as new; they never do.
        ignore_initial: Anything, [], "true", NO_MEANING;
        /// Whether watching keeps chokidar's process alive.
        persistent: Anything, [], "true", NO_MEANING;
        /// How deep folders are watched.
        depth: Anything, [], "3", Fate::Ignored("folders are watched to their full depth; `ignore_watch` leaves some out");
        /// The folder that paths are relative to.
        cwd: Anything, [], r#""src""#, Fate::Ignored("paths are relative to the app's `cwd`");
        /// Whether globs are names.
        disable_globbing: Anything, [], "false", NO_MEANING;
        /// The interval for binary files.
        binary_interval: Anything, [], "300", Fate::Ignored("`interval` is for all files");
        /// Whether more is asked about each file.
        always_stat: Anything, [], "false", NO_MEANING;
        /// Whether unreadable files are passed over in silence.
        ignore_permission_errors: Anything, [], "false", NO_MEANING;
        /// Events of macOS.
        use_fs_events: Anything, [], "false", NO_MEANING;
    }
}
keyed_element!(WatchOptions, "a map of watch options");

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn chokidars_camel_case() {
        let options: WatchOptions =
            read(r#"{"usePolling": true, "interval": 500, "followSymlinks": false, "awaitWriteFinish": {}}"#).unwrap();
        assert_eq!(options.use_polling.map(|given| given.value), Some(true));
        assert_eq!(options.interval.map(|given| given.value), Some(Span(Duration::from_millis(500))));
        assert_eq!(options.follow_symlinks.map(|given| given.value), Some(false));
        insta::assert_snapshot!(refused::<WatchOptions>("true"), @"key is true, but it takes a map of watch options");
        insta::assert_snapshot!(warned::<WatchOptions>(r#"{"usePoling": true}"#), @"key.usePoling is no key that pmdev knows, and nothing reads it");
    }
}
