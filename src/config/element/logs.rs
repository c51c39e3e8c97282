//! Where the lines of an app go; PM2's single keys (`out_file`, `merge_logs`, …) say the same one by one.

use serde_json::{Value as Json, json};

use super::{Element, Fate, Reader, keyed, keyed_element, log_file::File, log_time::LogTime, rotate_every::Every, size::Size};
use crate::config::node::{Node, Value};

/// `raw` or `json`: whether a line is an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Whether it is JSON.
    pub json: bool,
}

keyed! {
    /// As written.
    pub struct RawLogs {
        /// The file of standard output.
        out: File, ["out_file"], r#""logs/out.log""#, Fate::Honoured;
        /// The file of standard error.
        error: File, ["error_file"], r#""logs/error.log""#, Fate::Honoured;
        /// The file of both.
        file: File, ["log_file", "combined"], r#""logs/all.log""#, Fate::Honoured;
        /// Whether the instances share their files.
        merge: bool, [], "true", Fate::Honoured;
        /// Whether a line is written as it is or as a JSON object.
        format: Kind, ["type"], r#""json""#, Fate::Honoured;
        /// The time before each line, in day.js tokens.
        timestamp: LogTime, ["date_format"], r#""YYYY-MM-DD HH:mm:ss""#, Fate::Honoured;
        /// Whether output is kept nowhere at all.
        disabled: bool, [], "false", Fate::Honoured;
        /// The size at which a file is rotated; 0: never for its size.
        max_size: Size, [], r#""10M""#, Fate::Honoured;
        /// How often a file is rotated whatever its size, by the local calendar.
        rotate_every: Every, [], r#""day""#, Fate::Honoured;
        /// How many rotated files are kept of each file.
        keep: u32, [], "10", Fate::Honoured;
        /// Whether rotated files are compressed.
        compress: bool, [], "true", Fate::Honoured;
        /// What all files of the app may take together; the oldest rotated ones go first; 0: no limit.
        total_size: Size, [], r#""200M""#, Fate::Honoured;
    }
}
keyed_element!(RawLogs, "a map of log settings");

impl Element for Kind {
    const WHAT: &'static str = "raw or json";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "raw" => Some(Self { json: false }),
            Value::Text(text) if text == "json" => Some(Self { json: true }),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "enum": ["raw", "json"] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn files_formats_and_sizes() {
        let logs: RawLogs = read(r#"{"out": "a.log", "format": "json", "maxSize": "5M", "keep": 3}"#).unwrap();
        assert_eq!(logs.out.map(|given| given.value), Some(File::At("a.log".into())));
        assert_eq!(logs.format.map(|given| given.value.json), Some(true));
        insta::assert_snapshot!(refused::<RawLogs>(r#""a.log""#), @r#"key is "a.log", but it takes a map of log settings"#);
        insta::assert_snapshot!(warned::<RawLogs>(r#"{"format": "xml"}"#), @r#"key.format is "xml", but it takes raw or json"#);
    }
}
