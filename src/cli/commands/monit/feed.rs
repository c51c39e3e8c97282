//! The lines of what is selected: the last ones that the runner holds, then those to come, and the runner's own words about it.

use std::{
    collections::HashMap,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{Newsroom, link, link::Link, spawn};
use crate::{
    control::{Connection, History, LogSource, LogsRequest, Reply, Request},
    model::called,
    ui::monitor::{Entry, Message},
};

/// The last lines of each stream of each instance that are asked for, and those where all apps are.
const LAST: usize = 1000;
const LAST_OF_ALL: usize = 100;

/// Lines on their way. Dropping it ends them.
#[derive(Debug)]
pub struct Feed(Arc<Mutex<Line>>);

/// The connection they come over.
#[derive(Debug, Default)]
struct Line {
    handle: Option<UnixStream>,
    dropped: bool,
}

impl Feed {
    /// Asks for the lines of a target.
    pub fn open(link: &Link, number: u64, target: String, room: &Newsroom) -> Self {
        let line = Arc::new(Mutex::new(Line::default()));
        let (ours, socket) = (Arc::clone(&line), link.runner().socket);
        let begun = spawn("pmdev-lines", room, move |room| {
            let told = |entries| room.lines.blocking_send(Message::Lines { number, entries }).is_ok();
            let end = match Connection::open(&socket) {
                Ok(connection) if keep(&ours, &connection) => read(connection, target, told),
                Ok(_) => return,
                Err(_) => End::again("the runner has ended"),
            };
            let End { why, again } = end;
            let _ = room.lines.blocking_send(Message::LinesEnded { number, why, again });
        });
        if let Err(error) = begun {
            room.leave(Message::LinesEnded { number, why: format!("the lines cannot be read: {error}"), again: true });
        }
        Self(line)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut line = self.0.lock().expect("nobody panics with it");
        line.dropped = true;
        if let Some(handle) = line.handle.take() {
            // Whoever reads from it is at its end then.
            let _ = handle.shutdown(Shutdown::Both);
        }
    }
}

/// Keeps what ends the connection; false: it is not wanted any more.
fn keep(line: &Mutex<Line>, connection: &Connection) -> bool {
    let mut line = line.lock().expect("nobody panics with it");
    line.handle = connection.handle().ok();
    !line.dropped && line.handle.is_some()
}

/// Why no more lines come.
struct End {
    why: String,
    again: bool,
}

impl End {
    fn again(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: true }
    }
}

/// Reads until the lines end, or nobody takes them.
fn read(mut connection: Connection, target: String, told: impl Fn(Vec<Entry>) -> bool) -> End {
    let is_all = target == "all";
    let lines = if is_all { LAST_OF_ALL } else { LAST };
    let request = LogsRequest { targets: vec![target], lines, history: History::None, stream: None, follow: true, notices: true };
    if let Err(error) = connection.ask(Request::Logs(request)) {
        return End::again(link::sentence(&error));
    }
    let mut sources: HashMap<usize, LogSource> = HashMap::new();
    // What is held comes instance by instance, and is shown in the order in which it was said.
    let mut held = Some(Vec::new());
    loop {
        let (time, entries) = match connection.reply() {
            Ok(Some(Reply::Source(source))) => {
                sources.insert(source.id, source);
                continue;
            }
            Ok(Some(Reply::Lines { id, time, lines, .. })) => {
                let label = sources.get(&id).map(name).unwrap_or_default();
                let shown = clock(time);
                (time, lines.into_iter().map(|text| Entry::Line { label: label.clone(), time: shown.clone(), text }).collect())
            }
            Ok(Some(Reply::Live)) => {
                let mut lines = held.take().unwrap_or_default();
                lines.sort_by_key(|(time, _): &(i64, Vec<Entry>)| *time);
                if !told(lines.into_iter().flat_map(|(_, entries)| entries).collect()) {
                    return End::again("");
                }
                continue;
            }
            Ok(Some(Reply::LeftOut { lines })) => {
                let text = if lines == 1 { "1 line was left out".to_owned() } else { format!("{lines} lines were left out") };
                (i64::MAX, vec![Entry::Note(format!("{text}: this terminal is too slow"))])
            }
            Ok(Some(Reply::Notice { time, app, text, .. })) => {
                let is_about = |app: &String| sources.values().any(|source| source.name == *app);
                if !is_all && !app.as_ref().is_some_and(is_about) {
                    continue;
                }
                (time, vec![Entry::Note(format!("[pmdev] {text}"))])
            }
            Ok(Some(Reply::Refused { code, message, hint })) => {
                let why = hint.map_or_else(|| message.clone(), |hint| format!("{message}; {hint}"));
                return End { why, again: code == 1 };
            }
            Ok(Some(Reply::Ended)) => return End::again("the runner has ended"),
            Ok(None) => return End::again("these lines have ended"),
            Ok(Some(_)) => continue,
            Err(error) => return End::again(link::sentence(&error)),
        };
        match &mut held {
            Some(held) => held.push((time, entries)),
            None if !told(entries) => return End::again(""),
            None => {}
        }
    }
}

fn name(source: &LogSource) -> String {
    called(&source.name, source.instances, source.instance)
}

/// The time of day here: `09:30:00.123`.
fn clock(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis).map(|time| time.to_zoned(TimeZone::system()));
    time.map(|time| time.strftime("%H:%M:%S%.3f").to_string()).unwrap_or_default()
}
