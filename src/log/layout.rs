//! How the bytes of an app become what is shown.

use std::borrow::Cow;

use jiff::Zoned;

use super::{ConsoleConfig, Format, Label, Stream};
use crate::model::TimestampFormat;

/// How a piece of output ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a newline.
    Line,
    /// Within a line whose rest is to come.
    Unfinished,
    /// Within a line whose rest will not come, or comes much later: the process died, the line is too long.
    Cut,
}

/// How the output of one source is shown.
#[derive(Debug)]
pub(super) enum Layout {
    /// As it is.
    Plain,
    /// Lines with something before them.
    Labelled { timestamp: Option<TimestampFormat>, prefix: Vec<u8> },
    /// Objects.
    Json { app: String, instance: Option<u16> },
}

/// One line as an object.
#[derive(serde::Serialize)]
struct Object<'a> {
    time: Option<&'a str>,
    app: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u16>,
    stream: Stream,
    line: Cow<'a, str>,
}

impl Layout {
    pub(super) fn new(config: &ConsoleConfig, label: Label) -> Self {
        let Label { app, instance, prefix } = label;
        match config.format {
            Format::Json => Self::Json { app, instance },
            Format::Text if config.raw || (prefix.is_empty() && config.timestamp.is_none()) => Self::Plain,
            Format::Text => Self::Labelled { timestamp: config.timestamp.clone(), prefix },
        }
    }

    /// Whether bytes before a line's last `\r` are never shown, so that they need not be kept.
    pub(super) fn shows_last_segment_only(&self) -> bool {
        matches!(self, Self::Labelled { .. })
    }

    /// What is shown for these bytes, and whether that ends within a line. `continues`: the line they begin with is shown in part already.
    pub(super) fn render<'a>(
        &self,
        bytes: Cow<'a, [u8]>,
        stream: Stream,
        end: End,
        continues: bool,
        now: impl FnOnce() -> Zoned,
    ) -> (Cow<'a, [u8]>, bool) {
        match self {
            // A newline that the app did not write would be a byte that it did not write: only what follows of others ends such a line.
            Self::Plain => (bytes, end != End::Line),
            Self::Labelled { timestamp, prefix } => {
                let mut lead = timestamp.as_ref().map(|format| self::lead(format, &now())).unwrap_or_default();
                lead.extend_from_slice(prefix);
                (label(&bytes, &lead, end, continues).into(), end == End::Unfinished)
            }
            Self::Json { app, instance } => (objects(&bytes, app, *instance, stream, Some(&now())).into(), false),
        }
    }
}

/// Shows lines that were said at another time and place, as the console does.
#[derive(Debug)]
pub struct Printer(Layout);

impl Printer {
    /// For the lines of one label.
    pub fn new(config: &ConsoleConfig, label: Label) -> Self {
        Self(Layout::new(config, label))
    }

    /// A line, given and shown without and with its end; `time`: when it was said, where that is known.
    pub fn line(&self, line: &[u8], stream: Stream, time: Option<&Zoned>) -> Vec<u8> {
        match &self.0 {
            Layout::Plain => [line, b"\n"].concat(),
            Layout::Labelled { timestamp, prefix } => {
                let mut lead = timestamp.as_ref().zip(time).map(|(format, time)| lead(format, time)).unwrap_or_default();
                lead.extend_from_slice(prefix);
                label(&[line, b"\n"].concat(), &lead, End::Line, false)
            }
            Layout::Json { app, instance } => objects(&[line, b"\n"].concat(), app, *instance, stream, time),
        }
    }
}

/// The time as it stands before a line of the console.
pub(super) fn lead(format: &TimestampFormat, now: &Zoned) -> Vec<u8> {
    let mut lead = format.shown(now).into_bytes();
    lead.push(b' ');
    lead
}

/// Splits into lines without their newlines; a newline at the end makes no empty last line.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    (!bytes.is_empty()).then(|| whole.split(|&byte| byte == b'\n')).into_iter().flatten()
}

fn label(bytes: &[u8], lead: &[u8], end: End, continues: bool) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len() + 8 * (lead.len() + 1));
    for (number, line) in lines(bytes).enumerate() {
        if number > 0 {
            shown.push(b'\n');
        }
        let line = without_final_returns(line);
        let segment = last_segment(line);
        if number > 0 || !continues {
            shown.extend_from_slice(lead);
        } else if segment.len() < line.len() {
            // The new segment overwrites what is shown of the line, its lead with it.
            shown.push(b'\r');
            shown.extend_from_slice(lead);
        }
        shown.extend_from_slice(segment);
        // The next line is another app's, or the runner's.
        if leaves_colour(segment) && end != End::Unfinished {
            shown.extend_from_slice(b"\x1b[0m");
        }
    }
    if end != End::Unfinished {
        shown.push(b'\n');
    }
    shown
}

/// A line, or a part of one, without the `\r` at its end: they overwrite nothing yet.
pub(super) fn without_final_returns(line: &[u8]) -> &[u8] {
    &line[..line.len() - line.iter().rev().take_while(|&&byte| byte == b'\r').count()]
}

/// What a terminal would show last of a line that overwrites itself.
fn last_segment(line: &[u8]) -> &[u8] {
    &line[memchr::memrchr(b'\r', line).map_or(0, |at| at + 1)..]
}

/// Whether the last SGR sequence (ECMA-48, 8.3.117: `ESC [ … m`) is anything but a full reset.
fn leaves_colour(line: &[u8]) -> bool {
    memchr::memrchr_iter(0x1b, line)
        .find_map(|at| {
            let rest = line[at + 1..].strip_prefix(b"[")?;
            let length = rest.iter().take_while(|byte| matches!(byte, b'0'..=b';')).count();
            (rest.get(length) == Some(&b'm')).then(|| !matches!(&rest[..length], b"" | b"0"))
        })
        .unwrap_or(false)
}

fn objects(bytes: &[u8], app: &str, instance: Option<u16>, stream: Stream, time: Option<&Zoned>) -> Vec<u8> {
    let time = time.map(|time| format!("{:.3}", time.timestamp()));
    let time = time.as_deref();
    let mut shown = Vec::with_capacity(bytes.len() + 128);
    for line in lines(bytes) {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        serde_json::to_writer(&mut shown, &Object { time, app, instance, stream, line }).expect("strings and numbers always serialize");
        shown.push(b'\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &str, end: End, continues: bool) -> String {
        String::from_utf8(label(bytes.as_bytes(), b"a | ", end, continues)).unwrap()
    }

    #[test]
    fn every_line_has_its_label_and_blank_ones_stay() {
        assert_eq!(shown("one\n\ntwo\r\n", End::Line, false), "a | one\na | \na | two\n");
        assert_eq!(shown("\n", End::Line, false), "a | \n");
        assert_eq!(shown("tail", End::Cut, false), "a | tail\n");
    }

    #[test]
    fn of_a_line_that_overwrites_itself_the_last_state_is_shown() {
        assert_eq!(shown("10%\r50%\r100%\r\r\n", End::Line, false), "a | 100%\n");
        assert_eq!(shown("\r\r\n", End::Line, false), "a | \n");
    }

    #[test]
    fn an_unfinished_line_goes_on_where_it_stands() {
        assert_eq!(shown("10%", End::Unfinished, false), "a | 10%");
        assert_eq!(shown(" of 9\nnext\n", End::Line, true), " of 9\na | next\n");
        assert_eq!(shown("\r20%", End::Unfinished, true), "\ra | 20%");
        assert_eq!(shown("\r\nnext\n", End::Line, true), "\na | next\n");
        assert_eq!(shown("", End::Cut, true), "\n");
    }

    #[test]
    fn a_colour_left_on_does_not_reach_the_next_line() {
        assert_eq!(shown("\x1b[31mred\nplain\n", End::Line, false), "a | \x1b[31mred\x1b[0m\na | plain\n");
        for closed in ["\x1b[31mred\x1b[0m", "\x1b[1;31mred\x1b[m!", "\x1b[31mred\x1b[0m\x1b[K", "no colour \x1b[2K", "\x1b[", "\x1b"] {
            assert_eq!(shown(&format!("{closed}\n"), End::Line, false), format!("a | {closed}\n"));
        }
        assert_eq!(shown("\x1b[38;5;9mred", End::Unfinished, false), "a | \x1b[38;5;9mred");
    }

    #[test]
    fn objects_hold_any_bytes() {
        let now = jiff::Timestamp::constant(1_772_649_429, 42_000_000).to_zoned(jiff::tz::TimeZone::UTC);
        let bytes = b"\xff \"q\" \\ \x1b[1m\t\x00\r\n\n{}\n";
        let text = String::from_utf8(objects(bytes, "a\"pi", Some(2), Stream::Err, Some(&now))).unwrap();
        let head = "{\"time\":\"2026-03-04T18:37:09.042Z\",\"app\":\"a\\\"pi\",\"instance\":2,\"stream\":\"err\",\"line\":";
        assert_eq!(text, format!("{head}\"\u{fffd} \\\"q\\\" \\\\ \\u001b[1m\\t\\u0000\"}}\n{head}\"\"}}\n{head}\"{{}}\"}}\n"));
        let single = String::from_utf8(objects(b"x", "api", None, Stream::Out, Some(&now))).unwrap();
        assert!(single.contains("\"app\":\"api\",\"stream\":\"out\""), "{single}");
    }
}
