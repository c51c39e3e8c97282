//! How lines look: names before them, the time, what is marked.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::past::{Line, Whose};
use crate::{
    log::{ConsoleConfig, Format, Label, Printer, Stream},
    model::{Level, Notice, NoticeKind, TimestampFormat},
    ui::{Labels, Style, notice},
};

/// The time in PM2's `--format`.
pub const TIME: &str = "YYYY-MM-DD-HH:mm:ssZZ";

/// A line as `pm2 logs --json` prints it, and which of its app's instances said it.
#[derive(serde::Serialize)]
struct Object<'a> {
    message: Cow<'a, str>,
    timestamp: Option<String>,
    r#type: Stream,
    process_id: Option<usize>,
    app_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u16>,
}

/// Words of our own among such lines: no `message`, which is what an app said.
#[derive(serde::Serialize)]
struct Event<'a> {
    timestamp: String,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<&'a str>,
    level: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

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
        if self.console.format == Format::Json {
            return self.object(line, time.as_ref());
        }
        if let (true, Some(format)) = (self.console.raw, &self.console.timestamp) {
            let lead = time.as_ref().map(|time| format!("{} ", format.shown(time))).unwrap_or_default();
            return [lead.as_bytes(), &self.marked(&line.line), b"\n"].concat();
        }
        let Some(printer) = self.printers.get(&line.whose) else { return Vec::new() };
        let own = self.times.get(&line.whose).filter(|_| self.console.timestamp.is_none() && !self.console.raw);
        let mut text = Vec::new();
        if let (Some(format), Some(time)) = (own, &time) {
            text = format!("{}: ", format.shown(time)).into_bytes();
        }
        text.extend(self.marked(&line.line));
        printer.line(&text, line.stream, time.as_ref())
    }

    /// PM2's `--format`.
    fn keyed(&self, line: &Line, time: Option<&Zoned>) -> Vec<u8> {
        let usual = || TIME.parse().expect("it is a format");
        let format = self.console.timestamp.clone().unwrap_or_else(usual);
        let time = time.map(|time| format!("timestamp={} ", format.shown(time))).unwrap_or_default();
        let id = line.whose.id.map(|id| format!("id={id} ")).unwrap_or_default();
        let stream = match line.stream {
            Stream::Out => "out",
            Stream::Err => "error",
        };
        let mut text = format!("{time}app={} {id}type={stream} message=", line.whose.name).into_bytes();
        text.extend(self.marked(&line.line));
        text.push(b'\n');
        text
    }

    fn object(&self, line: &Line, time: Option<&Zoned>) -> Vec<u8> {
        object(&Object {
            message: String::from_utf8_lossy(line.line.strip_suffix(b"\r").unwrap_or(&line.line)),
            timestamp: time.map(|time| self.timestamp(time)),
            r#type: line.stream,
            process_id: line.whose.id,
            app_name: &line.whose.name,
            instance: line.whose.instance,
        })
    }

    /// The time of an object.
    fn timestamp(&self, time: &Zoned) -> String {
        self.console.timestamp.as_ref().map_or_else(|| format!("{:.3}", time.timestamp()), |format| format.shown(time))
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
        if self.console.format == Format::Text {
            return notice::render(notice, self.style, false, time);
        }
        let level = match notice.level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        object(&Event {
            timestamp: self.timestamp(&time.to_zoned(TimeZone::system())),
            r#type: "event",
            app_name: notice.app.as_deref(),
            level,
            text: &notice.text,
            hint: notice.hint.as_deref(),
        })
    }
}

fn object(object: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(object).expect("strings and numbers always serialize");
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(raw: bool, json: bool, keyed: bool, colour: bool) -> View {
        timed(raw, json, keyed, colour, None)
    }

    fn timed(raw: bool, json: bool, keyed: bool, colour: bool, timestamp: Option<&str>) -> View {
        let format = if json { Format::Json } else { Format::Text };
        let console = ConsoleConfig { format, timestamp: timestamp.map(|format| format.parse().unwrap()), raw };
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
        {"message":"no!","timestamp":"2026-03-04T18:37:09.042Z","type":"err","process_id":0,"app_name":"api","instance":0}
        {"message":"no!","timestamp":null,"type":"err","process_id":1,"app_name":"api","instance":1}
        {"message":"no!","timestamp":"2026-03-04T18:37:09.042Z","type":"err","process_id":1,"app_name":"api","instance":1}
        "#);
        let keyed = shown(view(false, false, true, false), true);
        assert!(keyed.starts_with("timestamp=2026-03-0") && keyed.contains("app=api id=1 type=error message=no!\n"), "{keyed}");
        let (time, rest) = keyed["timestamp=".len()..].split_once(' ').unwrap();
        assert!(time.len() == 24 && matches!(&time[19..20], "+" | "-") && rest.starts_with("app=api id=0 "), "{keyed}");
    }

    #[test]
    fn a_time_that_is_asked_for_is_there_in_every_form() {
        assert_eq!(shown(timed(true, false, false, false, Some("[at] YYYY")), true), "at 2026 no!\nno!\nat 2026 no!\n");
        assert!(shown(timed(false, false, true, false, Some("[at] YYYY")), false).starts_with("timestamp=at 2026 app=api id=0 "));
        assert!(shown(timed(false, true, false, false, Some("[at] YYYY")), false).contains("\"timestamp\":\"at 2026\","));
    }

    #[test]
    fn words_of_our_own_have_the_keys_of_lines_among_objects() {
        let notice = Notice::new(Level::Warning, NoticeKind::Log, "api is slow").about("api".to_owned()).hint("wait");
        let shown = view(false, true, false, false).notice(&notice, Timestamp::constant(1_772_649_429, 42_000_000));
        insta::assert_snapshot!(String::from_utf8(shown).unwrap().trim_end(), @r#"{"timestamp":"2026-03-04T18:37:09.042Z","type":"event","app_name":"api","level":"warning","text":"api is slow","hint":"wait"}"#);
    }
}
