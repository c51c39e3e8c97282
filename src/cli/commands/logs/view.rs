//! How lines look: names before them, the time, what is marked.

use std::collections::BTreeMap;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::past::{Line, Whose};
use crate::{
    log::{ConsoleConfig, Format, Label, Printer, Stream},
    model::{Level, Notice, NoticeKind, TimestampFormat},
    ui::{Labels, Style, notice},
};

/// The time in PM2's `--format`.
const TIME: &str = "YYYY-MM-DD-HH:mm:ss";

/// Shows lines.
#[derive(Debug)]
pub struct View {
    console: ConsoleConfig,
    style: Style,
    /// PM2's `--format`.
    keyed: bool,
    highlight: Option<String>,
    labels: Labels,
    printers: BTreeMap<Whose, Printer>,
    /// The time that an app has put before its own lines, in files and here.
    times: BTreeMap<Whose, TimestampFormat>,
}

impl View {
    /// Nobody is known yet.
    pub fn new(console: ConsoleConfig, style: Style, keyed: bool, highlight: Option<String>) -> Self {
        let highlight = highlight.filter(|word| !word.is_empty() && style.colour);
        Self { console, style, keyed, highlight, labels: Labels::default(), printers: BTreeMap::new(), times: BTreeMap::new() }
    }

    /// Those whose lines come, with the time that is before their lines.
    pub fn set(&mut self, all: BTreeMap<Whose, Option<TimestampFormat>>) {
        let names: Vec<String> = all.keys().map(Whose::shown).collect();
        let prefixes = self.labels.prefixes(&names, self.style);
        let printer = |whose: &Whose, prefix: Vec<u8>| {
            let label = Label { app: whose.name.clone(), instance: whose.instance, prefix };
            Printer::new(&self.console, label)
        };
        self.printers = all.keys().zip(prefixes).map(|(whose, prefix)| (whose.clone(), printer(whose, prefix))).collect();
        self.times = all.into_iter().filter_map(|(whose, time)| Some((whose, time?))).collect();
    }

    /// A line as it is shown.
    pub fn line(&self, line: &Line) -> Vec<u8> {
        let time = line.time.and_then(|time| Timestamp::from_millisecond(time).ok()).map(|time| time.to_zoned(TimeZone::system()));
        if self.keyed {
            return self.keyed(line, time.as_ref());
        }
        let Some(printer) = self.printers.get(&line.whose) else { return Vec::new() };
        let own = self.times.get(&line.whose).filter(|_| self.console.timestamp.is_none() && !self.console.raw);
        let mut text = Vec::new();
        if let (Some(format), Some(time), Format::Text) = (own, &time, self.console.format) {
            text = format!("{}: ", format.shown(time)).into_bytes();
        }
        text.extend(self.marked(&line.line));
        printer.line(&text, line.stream, time.as_ref())
    }

    /// PM2's `--format`.
    fn keyed(&self, line: &Line, time: Option<&Zoned>) -> Vec<u8> {
        let format: TimestampFormat = TIME.parse().expect("it is a format");
        let time = time.map(|time| format!("timestamp={} ", format.shown(time))).unwrap_or_default();
        let id = line.whose.id.map(|id| format!("id={id} ")).unwrap_or_default();
        let stream = match line.stream {
            Stream::Out => "out",
            Stream::Err => "err",
        };
        let mut text = format!("{time}app={} {id}type={stream} message=", line.whose.name).into_bytes();
        text.extend(self.marked(&line.line));
        text.push(b'\n');
        text
    }

    /// With the word that is to be marked in reverse.
    fn marked(&self, line: &[u8]) -> Vec<u8> {
        let Some(word) = &self.highlight else { return line.to_vec() };
        let mut marked = Vec::with_capacity(line.len() + 16);
        let mut rest = line;
        while let Some(at) = memchr::memmem::find(rest, word.as_bytes()) {
            marked.extend_from_slice(&rest[..at]);
            marked.extend_from_slice(b"\x1b[7m");
            marked.extend_from_slice(word.as_bytes());
            marked.extend_from_slice(b"\x1b[27m");
            rest = &rest[at + word.len()..];
        }
        marked.extend_from_slice(rest);
        marked
    }

    /// Words of our own, which happened now or at that time.
    pub fn say(&self, level: Level, text: impl Into<String>) -> Vec<u8> {
        self.notice(&Notice::new(level, NoticeKind::Log, text), Timestamp::now())
    }

    /// A notice.
    pub fn notice(&self, notice: &Notice, time: Timestamp) -> Vec<u8> {
        notice::render(notice, self.style, self.console.format == Format::Json, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(raw: bool, json: bool, keyed: bool, colour: bool) -> View {
        let format = if json { Format::Json } else { Format::Text };
        let console = ConsoleConfig { format, timestamp: None, raw };
        View::new(console, Style { colour }, keyed, Some("no".into()))
    }

    fn shown(mut view: View, several: bool) -> String {
        let whose = |id: usize, instance| Whose { id: Some(id), name: "api".into(), instance };
        let mut all = BTreeMap::from([(whose(0, Some(0)), None)]);
        if several {
            all.insert(whose(1, Some(1)), Some("YYYY".parse().unwrap()));
        }
        view.set(all);
        let one = Line { whose: whose(0, Some(0)), stream: Stream::Err, time: Some(1_772_649_429_042), key: (0, 0), line: b"no!".to_vec() };
        let two = Line { whose: whose(1, Some(1)), time: None, ..one.clone() };
        let three = Line { time: one.time, ..two.clone() };
        String::from_utf8([view.line(&one), view.line(&two), view.line(&three)].concat()).unwrap()
    }

    #[test]
    fn lines_as_everywhere_else() {
        insta::assert_snapshot!(shown(view(false, false, false, false), true), @r"
        api:0 | no!
        api:1 | no!
        api:1 | 2026: no!
        ");
        assert_eq!(shown(view(false, false, false, false), false), "no!\n");
        assert_eq!(shown(view(true, false, false, false), true), "no!\nno!\nno!\n");
        assert!(shown(view(false, false, false, true), false).contains("\x1b[7mno\x1b[27m!"));
        insta::assert_snapshot!(shown(view(false, true, false, false), true), @r#"
        {"time":"2026-03-04T18:37:09.042Z","app":"api","instance":0,"stream":"err","line":"no!"}
        {"time":null,"app":"api","instance":1,"stream":"err","line":"no!"}
        {"time":"2026-03-04T18:37:09.042Z","app":"api","instance":1,"stream":"err","line":"no!"}
        "#);
        let keyed = shown(view(false, false, true, false), true);
        assert!(keyed.starts_with("timestamp=2026-03-0") && keyed.contains("app=api id=1 type=err message=no!\n"), "{keyed}");
    }
}
