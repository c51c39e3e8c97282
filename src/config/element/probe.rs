//! Signs of life: what makes a run ready, and what tells that it hangs.

use std::time::Duration;

use regex::Regex;
use serde_json::{Value as Json, json};

use super::{Element, Fate, Given, Reader, keyed, keyed_element, listen::Near, span::Span};
use crate::{
    config::node::{Node, Value},
    model::{Health, HttpUrl, Probe, Ready, Signal},
};

/// When a run is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The sign.
    pub by: Probe,
    /// How long it has, where said.
    pub timeout: Option<Duration>,
}

/// Whether a run is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkup {
    health: Health,
    start_period: Option<Duration>,
}

impl Checkup {
    /// With a start period of what was said, else as long as an app has to become ready that gives no sign of it: `listen_timeout`.
    pub fn of(self, ready: &Ready) -> Health {
        let unsaid = if ready.by == Probe::Started { ready.timeout } else { Duration::ZERO };
        Health { start_period: self.start_period.unwrap_or(unsaid), ..self.health }
    }
}

/// A regex for lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(String);

keyed! {
    /// A sign of life as written.
    pub struct RawProbe {
        /// A port that takes connections.
        tcp: Near, [], "3000", Fate::Honoured;
        /// A URL that answers with a status below 400.
        http: HttpUrl, [], r#""http://localhost:3000/healthz""#, Fate::Honoured;
        /// A line of output that matches this regex.
        log: Line, [], r#""listening on""#, Fate::Honoured;
        /// A command line that ends with code 0.
        command: String, [], r#""pg_isready""#, Fate::Honoured;
        /// systemd's notify protocol, sd_notify(3).
        notify: bool, [], "true", Fate::Honoured;
        /// `process.send('ready')` of a Node app.
        message: bool, [], "true", Fate::Honoured;
        /// How long it may take.
        timeout: Span, [], r#""30s""#, Fate::Honoured;
        /// For `health`: how often it is asked.
        interval: Span, [], r#""10s""#, Fate::Honoured;
        /// For `health`: how many failures in a row mean that the app hangs.
        failures: u32, ["retries"], "3", Fate::Honoured;
        /// For `health`: how long a starting app may fail it: until the first good answer, failures count only after this time.
        start_period: Duration, [], r#""30s""#, Fate::Honoured;
        /// For `health`: a signal that makes a hung app tell where it hangs, a second before it is stopped.
        dump_signal: Signal, [], r#""SIGQUIT""#, Fate::Honoured;
    }
}
keyed_element!(RawProbe, "a port, a URL, or a map with one of tcp, http, log, command, notify, message");

impl Element for Line {
    const WHAT: &'static str = "a regex for a line of output";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let source = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Regex { source, flags } if flags.contains('i') => format!("(?i){source}"),
            Value::Regex { source, .. } => source.clone(),
            _ => return reader.wrong(node),
        };
        if Regex::new(&source).is_err() {
            let message = format!("{} is {source:?}, which is not a regex", reader.path());
            return reader.refuse(node, message);
        }
        Some(Self(source))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// The map form, and the short ones: a port, a URL. Nothing where anything in it is refused: a sign that was refused is not missing.
fn raw(node: &Node, reader: &mut Reader) -> Option<RawProbe> {
    let before = reader.problems.len();
    let given = |reader: &Reader, near| Some(Given { value: near, place: node.place, path: reader.path().to_owned() });
    let raw = match &node.value {
        Value::Text(text) if text.starts_with("http") => {
            let url = HttpUrl::read(node, reader)?;
            let http = Some(Given { value: url, place: node.place, path: reader.path().to_owned() });
            Some(RawProbe { http, ..RawProbe::default() })
        }
        Value::Int(_) | Value::Text(_) => Near::read(node, reader).map(|near| RawProbe { tcp: given(reader, near), ..RawProbe::default() }),
        Value::Map(_) => RawProbe::read(node, reader),
        _ => reader.wrong(node),
    };
    raw.filter(|_| reader.problems.len() == before)
}

/// The one sign that was given.
fn probe(raw: &RawProbe, node: &Node, reader: &mut Reader) -> Option<Probe> {
    let on = |flag: &Option<Given<bool>>| flag.as_ref().is_some_and(|given| given.value);
    let signs = [
        raw.tcp.as_ref().map(|given| Probe::Tcp(given.value.0.clone())),
        raw.http.as_ref().map(|given| Probe::Http(given.value.clone())),
        raw.log.as_ref().map(|given| Probe::Log(given.value.0.clone())),
        raw.command.as_ref().map(|given| Probe::Command(given.value.clone())),
        on(&raw.notify).then_some(Probe::Notify),
        on(&raw.message).then_some(Probe::Message),
    ];
    let mut signs = signs.into_iter().flatten();
    match (signs.next(), signs.next()) {
        (Some(one), None) => Some(one),
        (None, _) => {
            let message = format!("{} names no sign: it has one of tcp, http, log, command, notify, message", reader.path());
            reader.refuse(node, message)
        }
        (Some(_), Some(_)) => {
            let message = format!("{} names several signs, but one decides", reader.path());
            reader.refuse(node, message)
        }
    }
}

impl Element for Readiness {
    const WHAT: &'static str = RawProbe::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let raw = raw(node, reader)?;
        Some(Self { by: probe(&raw, node, reader)?, timeout: raw.timeout.map(|given| given.value.0) })
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": ["integer", "string"] }, RawProbe::schema()] })
    }

    fn inner() -> Vec<super::About> {
        RawProbe::inner()
    }
}

impl Element for Checkup {
    const WHAT: &'static str = RawProbe::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let raw = raw(node, reader)?;
        let or = |given: &Option<Given<Span>>, seconds| given.as_ref().map_or(Duration::from_secs(seconds), |given| given.value.0);
        let probe = probe(&raw, node, reader)?;
        let once = match probe {
            Probe::Log(_) => "a line of output",
            Probe::Message => "the message of a Node app",
            Probe::Started | Probe::Listening | Probe::Tcp(_) | Probe::Http(_) | Probe::Command(_) | Probe::Notify => "",
        };
        if !once.is_empty() {
            let message = format!(
                "{} asks for {once}, which comes once and cannot be asked for again; health has tcp, http, command or notify",
                reader.path()
            );
            return reader.refuse(node, message);
        }
        let start_period = raw.start_period.as_ref().map(|given| given.value);
        let health = Health {
            probe,
            interval: or(&raw.interval, 10),
            timeout: or(&raw.timeout, 5),
            failures: raw.failures.as_ref().map_or(3, |given| given.value.max(1)),
            start_period: Duration::ZERO,
            dump: raw.dump_signal.as_ref().map(|given| given.value),
        };
        Some(Self { health, start_period })
    }

    fn schema() -> Json {
        Readiness::schema()
    }

    fn inner() -> Vec<super::About> {
        RawProbe::inner()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn short_and_long_forms() {
        let by = |json: &str| read::<Readiness>(json).unwrap().by;
        assert_eq!(by("3000"), Probe::Tcp(vec!["127.0.0.1:3000".parse().unwrap(), "[::1]:3000".parse().unwrap()]));
        assert!(matches!(by(r#""http://localhost/x""#), Probe::Http(url) if url.to_string() == "http://localhost/x"));
        assert_eq!(by(r#"{"log": {"/": "up", "flags": "i"}}"#), Probe::Log("(?i)up".into()));
        assert_eq!(by(r#"{"notify": true}"#), Probe::Notify);
        let ready: Readiness = read(r#"{"command": "pg_isready", "timeout": "30s"}"#).unwrap();
        assert_eq!(ready, Readiness { by: Probe::Command("pg_isready".into()), timeout: Some(Duration::from_secs(30)) });
        let checkup: Checkup = read(r#"{"tcp": "localhost:5432", "failures": 0}"#).unwrap();
        let health = checkup.of(&Ready::default());
        assert_eq!((health.interval, health.timeout, health.failures), (Duration::from_secs(10), Duration::from_secs(5), 1));
    }

    #[test]
    fn an_app_without_another_sign_may_fail_as_long_as_it_starts() {
        let with = |keys: &str, by: Probe| {
            let checkup: Checkup = read(&format!(r#"{{"tcp": 1, {keys} "retries": 2}}"#)).unwrap();
            let health = checkup.of(&Ready { by, timeout: Duration::from_secs(9) });
            assert_eq!(health.failures, 2);
            health.start_period.as_secs()
        };
        assert_eq!((with("", Probe::Started), with("", Probe::Message)), (9, 0));
        assert_eq!((with(r#""start_period": "20s","#, Probe::Started), with(r#""start_period": "20s","#, Probe::Message)), (20, 20));
    }

    #[test]
    fn what_comes_once_is_no_sign_of_health() {
        insta::assert_snapshot!(refused::<Checkup>(r#"{"log": "up"}"#), @"key asks for a line of output, which comes once and cannot be asked for again; health has tcp, http, command or notify");
        insta::assert_snapshot!(refused::<Checkup>(r#"{"message": true}"#), @"key asks for the message of a Node app, which comes once and cannot be asked for again; health has tcp, http, command or notify");
    }

    #[test]
    fn nothing_is_asked_without_a_pause_or_given_no_time() {
        for key in ["interval", "timeout"] {
            let refused = refused::<Checkup>(&format!(r#"{{"tcp": 1, "{key}": 0}}"#));
            assert!(refused.starts_with(&format!("key.{key} is 0, but it takes a duration of at least 10 ms")), "{refused}");
        }
        assert!(refused::<Readiness>(r#"{"tcp": 1, "timeout": 0}"#).starts_with("key.timeout is 0, but"));
    }

    #[test]
    fn exactly_one_sign() {
        insta::assert_snapshot!(refused::<Readiness>("{}"), @"key names no sign: it has one of tcp, http, log, command, notify, message");
        insta::assert_snapshot!(refused::<Checkup>(r#"{"tcp": 1, "notify": true}"#), @"key names several signs, but one decides");
        insta::assert_snapshot!(refused::<Readiness>(r#"{"log": "("}"#), @r#"key.log is "(", which is not a regex"#);
        insta::assert_snapshot!(refused::<Readiness>(r#""https://x""#), @r#"key is "https://x", but it takes a URL that begins with http://"#);
        insta::assert_snapshot!(refused::<Readiness>("true"), @"key is true, but it takes a port, a URL, or a map with one of tcp, http, log, command, notify, message");
    }
}
