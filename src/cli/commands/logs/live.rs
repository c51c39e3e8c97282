//! What comes over the socket of a runner.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel, sync_channel},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Query,
    past::{self, Line, User, Whose},
    pen::Pen,
    view::View,
};
use crate::{
    cli::reach::Reached,
    control::{Connection, LogSource, LogsRequest, Reply, Request, client},
    log::{Stream, file::Position, history::Writing},
    model::{Error, Level, Notice, NoticeKind, TimestampFormat},
};

/// Replies read ahead, while files are read or the terminal takes nothing: about 8 MiB. Beyond, the runner counts what is left out.
const AHEAD: usize = 256;

/// How long the runner has to say where its log files are.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a runner's logs.
#[derive(Default)]
struct Session {
    sources: BTreeMap<usize, LogSource>,
    /// Apps whose instances cannot be told apart in a file.
    apart: BTreeMap<Whose, Option<TimestampFormat>>,
    /// In the order in which they were told, which of an instance is that in which they came.
    held: Vec<(usize, Stream, Line)>,
    /// Where files were; `None`: that is not known.
    positions: BTreeMap<String, Option<Position>>,
}

/// Where lines come from that are counted together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File(String),
    Instance(usize),
}

/// What the reader of the socket has to say.
enum Heard {
    Reply(Reply),
    /// Nothing more comes, or why.
    Over(Option<Error>),
}

/// Shows what comes, until it ends, nobody reads it any more, or somebody types Ctrl-C, which is how one leaves, and no failure.
pub fn show_all(runner: Reached, request: LogsRequest, query: Query, view: View) -> Result<u8, Error> {
    let pen = Arc::new(Pen::default());
    let (leaves, result) = channel();
    let (own, left) = (Arc::clone(&pen), leaves.clone());
    std::thread::spawn(move || left.send(show(&runner, request, &query, view, &own)));
    std::thread::spawn(move || {
        if interrupted().is_ok() {
            pen.put_down();
            // The other one may have come to its end first.
            let _ = leaves.send(Ok(0));
        }
    });
    result.recv().unwrap_or(Ok(0))
}

fn show(runner: &Reached, request: LogsRequest, query: &Query, mut view: View, pen: &Pen) -> Result<u8, Error> {
    let mut connection = runner.connect()?;
    let follow = request.follow;
    connection.ask(Request::Logs(request))?;
    let replies = read(connection);
    let mut session = Session::default();
    let later = session.gather(&replies)?;
    if !pen.write(&session.past(query, &mut view)) {
        return Ok(0);
    }
    for heard in later.into_iter().chain(replies) {
        let bytes = match heard {
            Heard::Reply(Reply::Ended) => {
                pen.write(&view.say(Level::Info, "the runner has ended"));
                return Ok(0);
            }
            Heard::Reply(reply) => session.next(reply, query, &mut view),
            Heard::Over(None) if !follow => return Ok(0),
            Heard::Over(error) => return Err(error.unwrap_or_else(|| Error::failed("The runner is gone"))),
        };
        if !pen.write(&bytes) {
            return Ok(0);
        }
    }
    Ok(0)
}

/// Reads replies on a thread of its own.
fn read(mut connection: Connection) -> Receiver<Heard> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        loop {
            let heard = match connection.reply() {
                Ok(Some(reply)) => Heard::Reply(reply),
                Ok(None) => Heard::Over(None),
                Err(error) => Heard::Over(Some(error)),
            };
            let over = matches!(heard, Heard::Over(_));
            if sender.send(heard).is_err() || over {
                return;
            }
        }
    });
    receiver
}

/// Returns when somebody types Ctrl-C.
fn interrupted() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        signal(SignalKind::interrupt())?.recv().await;
        Ok(())
    })
}

impl Session {
    /// Takes what the runner holds and where its files are; what is said meanwhile comes back.
    fn gather(&mut self, replies: &Receiver<Heard>) -> Result<Vec<Heard>, Error> {
        let mut later = Vec::new();
        let mut live = false;
        let end = Timestamp::now() + PATIENCE;
        while !(live && self.files().all(|path| self.positions.contains_key(path))) {
            let left = Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default();
            match replies.recv_timeout(left) {
                Ok(Heard::Reply(Reply::Refused { code, message, hint })) => return Err(client::refusal(code, message, hint)),
                Ok(Heard::Reply(Reply::Source(source))) if !live => drop(self.sources.insert(source.id, source)),
                Ok(Heard::Reply(Reply::Lines { id, stream, time, lines })) if !live => {
                    let Some(source) = self.sources.get(&id) else { continue };
                    let whose = whose(source);
                    for text in lines {
                        let key = (time, self.held.len() as u64 + 1);
                        self.held.push((id, stream, Line { whose: whose.clone(), stream, time: Some(time), key, line: text.into_bytes() }));
                    }
                }
                Ok(Heard::Reply(Reply::Live)) => live = true,
                Ok(Heard::Reply(Reply::Position { path, put_away, inode, length })) => {
                    self.positions.insert(path, length.map(|length| Position { put_away, inode, length }));
                }
                Ok(over @ Heard::Over(_)) => {
                    later.push(over);
                    break;
                }
                Ok(heard) => later.push(heard),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(later)
    }

    fn files(&self) -> impl Iterator<Item = &String> {
        self.sources.values().flat_map(|source| &source.files).map(|file| &file.path)
    }

    /// What was said before, as it is shown.
    fn past(&mut self, query: &Query, view: &mut View) -> Vec<u8> {
        let mut places = Vec::new();
        let mut troubles = Vec::new();
        for (path, position) in std::mem::take(&mut self.positions) {
            let users: Vec<User> = self.users(&path);
            let Some(position) = position else { continue };
            let Some(writing) = self.writing(&users) else { continue };
            match past::file(Path::new(&path), Some(&position), &users, &writing, query) {
                Ok(lines) => {
                    self.held.retain(|(id, stream, _)| !users.iter().any(|user| user.whose.id == Some(*id) && user.stream == *stream));
                    for whose in lines.iter().map(|line| &line.whose).filter(|whose| whose.id.is_none()) {
                        self.apart.entry(whose.clone()).or_insert_with(|| writing.times.first().cloned());
                    }
                    places.push(lines);
                }
                Err(error) => troubles.push(format!("{path} cannot be read ({error}), so what stands there alone is missing")),
            }
        }
        let mut held: BTreeMap<(Place, bool), Vec<Line>> = BTreeMap::new();
        for (id, stream, line) in std::mem::take(&mut self.held) {
            held.entry((self.place(id, stream), stream == Stream::Err)).or_default().push(line);
        }
        places.extend(held.into_values().map(|lines| past::held(lines, query)));
        self.label(view);
        let troubles = troubles.into_iter().flat_map(|trouble| view.say(Level::Warning, trouble)).collect::<Vec<u8>>();
        past::merged(places).iter().flat_map(|line| view.line(line)).chain(troubles).collect()
    }

    /// Where lines stand together with others', of which so many are wanted as of one.
    fn place(&self, id: usize, stream: Stream) -> Place {
        let mut files = self.sources.get(&id).into_iter().flat_map(|source| &source.files);
        match files.find(|file| file.streams.contains(&stream)) {
            Some(file) => Place::File(file.path.clone()),
            None => Place::Instance(id),
        }
    }

    /// Those whose lines go into a file.
    fn users(&self, path: &str) -> Vec<User> {
        let mut users = Vec::new();
        for source in self.sources.values() {
            for (file, stream) in
                source.files.iter().filter(|file| file.path == path).flat_map(|file| file.streams.iter().map(move |stream| (file, stream)))
            {
                let own = |(id, of, _): &&(usize, Stream, Line)| *id == source.id && of == stream;
                let held = self.held.iter().filter(own).map(|(_, _, line)| line.clone()).collect();
                users.push(User { whose: whose(source), stream: *stream, held, more: file.more.contains(stream) });
            }
        }
        users
    }

    /// How a file is written: as the first of them has it.
    fn writing(&self, users: &[User]) -> Option<Writing> {
        let source = self.sources.get(&users.first()?.whose.id?)?;
        Some(Writing { json: source.json, times: time(source).into_iter().collect() })
    }

    fn label(&self, view: &mut View) {
        let own = self.sources.values().map(|source| (whose(source), time(source)));
        view.set(own.chain(self.apart.clone()).collect());
    }

    /// What is said now, as it is shown.
    fn next(&mut self, reply: Reply, query: &Query, view: &mut View) -> Vec<u8> {
        match reply {
            Reply::Source(source) => {
                self.sources.insert(source.id, source);
                self.label(view);
                Vec::new()
            }
            Reply::Lines { id, stream, time, lines } => {
                let Some(whose) = self.sources.get(&id).map(whose) else { return Vec::new() };
                let mut shown = Vec::new();
                let mut line = Line { whose, stream, time: Some(time), key: (time, 0), line: Vec::new() };
                for text in lines.into_iter().filter(|text| query.wants(text.as_bytes())) {
                    line.line = text.into_bytes();
                    shown.extend(view.line(&line));
                }
                shown
            }
            Reply::LeftOut { lines } => {
                let text = match lines {
                    1 => "1 line left out: this terminal is too slow".to_owned(),
                    _ => format!("{lines} lines left out: this terminal is too slow"),
                };
                view.say(Level::Warning, text)
            }
            Reply::Notice { time, level, app, text, hint } => {
                let level = match level.as_str() {
                    "error" => Level::Error,
                    "warning" => Level::Warning,
                    _ => Level::Info,
                };
                let notice = Notice { app, hint, ..Notice::new(level, NoticeKind::Log, text) };
                view.notice(&notice, Timestamp::from_millisecond(time).unwrap_or_else(|_| Timestamp::now()))
            }
            // Others are for those who did not ask for logs.
            _ => Vec::new(),
        }
    }
}

fn whose(source: &LogSource) -> Whose {
    Whose { id: Some(source.id), name: source.name.clone(), instance: (source.instances > 1).then_some(source.instance) }
}

/// The time before the lines of an instance, where it has any that can be shown.
fn time(source: &LogSource) -> Option<TimestampFormat> {
    source.time.as_ref()?.parse().ok()
}
