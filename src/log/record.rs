//! What of an instance's output goes into files, and in which form.

use std::{borrow::Cow, sync::Arc};

use jiff::Zoned;

use super::{
    Stream,
    file::{Files, Handle},
    layout::lines,
    queue::Budget,
};
use crate::model::TimestampFormat;

/// How a line stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Whose lines they are, for JSON.
    pub app: String,
    /// The number of the instance among all of the runner's, PM2's `pm_id`.
    pub number: usize,
    /// Whether each is an object; else as it is.
    pub json: bool,
    /// The time of each; JSON has one in any case.
    pub timestamp: Option<TimestampFormat>,
}

/// Where the lines of an instance go besides the console.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The files of standard output.
    pub out: Vec<Handle>,
    /// The files of standard error.
    pub error: Vec<Handle>,
    /// The form of the lines there.
    pub form: Form,
    /// Whether nothing is shown either.
    pub muted: bool,
    /// Who is told what the console did not show.
    pub files: Option<Files>,
}

/// A line as an object, as PM2 writes it.
#[derive(serde::Serialize)]
struct Object<'a> {
    message: Cow<'a, str>,
    timestamp: &'a str,
    r#type: Stream,
    process_id: usize,
    app_name: &'a str,
}

/// A recording under way.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    out: Vec<Attachment>,
    error: Vec<Attachment>,
    form: Form,
    pub(super) muted: bool,
    pub(super) files: Option<Files>,
}

/// A file, and what waits there of this instance.
#[derive(Debug, Clone)]
struct Attachment {
    file: Handle,
    budget: Arc<Budget>,
}

impl Recorder {
    /// Goes on with what waits in files that stay.
    pub(super) fn after(before: &Self, recording: Recording) -> Self {
        let Recording { out, error, form, muted, files } = recording;
        let mut known: Vec<Attachment> = before.out.iter().chain(&before.error).cloned().collect();
        let mut attach = |file: Handle| match known.iter().find(|known| known.file.is_same(&file)) {
            Some(known) => known.clone(),
            None => {
                known.push(Attachment { file, budget: Arc::default() });
                known[known.len() - 1].clone()
            }
        };
        let (out, error) = (out.into_iter().map(&mut attach).collect(), error.into_iter().map(&mut attach).collect());
        Self { out, error, form, muted, files }
    }

    fn of(&self, stream: Stream) -> &[Attachment] {
        match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.error,
        }
    }

    /// Whether lines of this stream are kept in a file.
    pub(super) fn keeps(&self, stream: Stream) -> bool {
        !self.of(stream).is_empty()
    }

    /// Writes whole lines.
    pub(super) fn write(&self, stream: Stream, bytes: &[u8]) {
        let lines = self.form.render(bytes, stream, Zoned::now);
        for Attachment { file, budget } in self.of(stream) {
            file.sink().push(Cow::Borrowed(&lines), budget);
        }
    }

    /// Waits while too much waits in a file that can be written.
    pub(super) async fn room(&self, stream: Stream) {
        for Attachment { file, budget } in self.of(stream) {
            budget.room_unless(|| file.sink().is_failing()).await;
        }
    }
}

impl Form {
    /// Whole lines as they stand in a file.
    fn render<'a>(&self, bytes: &'a [u8], stream: Stream, now: impl FnOnce() -> Zoned) -> Cow<'a, [u8]> {
        match (&self.timestamp, self.json) {
            (None, false) => Cow::Borrowed(bytes),
            (format, true) => {
                let now = now();
                let time = format.as_ref().map_or_else(|| format!("{:.3}", now.timestamp()), |format| format.shown(&now));
                self.objects(bytes, stream, &time).into()
            }
            (Some(format), false) => {
                let lead = format!("{}: ", format.shown(&now()));
                let mut text = Vec::with_capacity(bytes.len() + 8 * lead.len());
                for line in lines(bytes) {
                    text.extend_from_slice(lead.as_bytes());
                    text.extend_from_slice(line);
                    text.push(b'\n');
                }
                text.into()
            }
        }
    }

    fn objects(&self, bytes: &[u8], stream: Stream, timestamp: &str) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() + 128);
        for line in lines(bytes) {
            let message = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            let object = Object { message, timestamp, r#type: stream, process_id: self.number, app_name: &self.app };
            serde_json::to_writer(&mut text, &object).expect("strings and numbers always serialize");
            text.push(b'\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    fn shown(form: &Form, bytes: &[u8]) -> String {
        let now = || Timestamp::constant(1_772_649_429, 42_000_000).to_zoned(TimeZone::UTC);
        String::from_utf8(form.render(bytes, Stream::Err, now).into_owned()).unwrap()
    }

    #[test]
    fn lines_as_they_are_with_a_time_or_as_objects() {
        let mut form = Form { app: "a\"pi".into(), number: 3, ..Form::default() };
        let bytes = b"one\r\n\n\x1b[1mtwo\n";
        assert_eq!(shown(&form, bytes).as_bytes(), bytes);
        form.timestamp = Some("YYYY-MM-DD HH:mm:ss".parse().unwrap());
        assert_eq!(shown(&form, bytes), "2026-03-04 18:37:09: one\r\n2026-03-04 18:37:09: \n2026-03-04 18:37:09: \x1b[1mtwo\n");
        form.json = true;
        assert_eq!(
            shown(&form, b"\xffone\r\n"),
            "{\"message\":\"\u{fffd}one\",\"timestamp\":\"2026-03-04 18:37:09\",\"type\":\"err\",\"process_id\":3,\"app_name\":\"a\\\"pi\"}\n"
        );
        form.timestamp = None;
        assert_eq!(
            shown(&form, b"\n"),
            "{\"message\":\"\",\"timestamp\":\"2026-03-04T18:37:09.042Z\",\"type\":\"err\",\"process_id\":3,\"app_name\":\"a\\\"pi\"}\n"
        );
    }
}
