//! Who looks at logs over the socket: what is held is told, what follows is handed on as it comes, and where the files are is told at one
//! instant with both, so that no line is missing or twice. The files themselves are read by the client.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    logs,
    runner::Runner,
    sharing::{Sharing, Writer, Writers, untold},
};
use crate::{
    control::{Feed, Feeds, History, LogFile, LogSource, LogsRequest, Reply, Responder},
    log::{
        Held, Piece, Stream,
        file::{Answer, Done, Position},
    },
    model::{AppSpec, InstanceId, Level, Notice},
};

/// How long the runner waits at its end for those who follow to take what is left.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Why a file is not emptied that nobody answers for.
const OVER: &str = "nothing is written any more";

/// Who follows.
#[derive(Debug, Default)]
pub struct Follows {
    list: Vec<Follow>,
    /// What waits for all who look at logs.
    feeds: Feeds,
    /// Numbers them.
    next: u64,
    /// Instances have come or gone, or are called otherwise.
    stale: bool,
}

/// Somebody who follows.
#[derive(Debug)]
struct Follow {
    number: u64,
    targets: Vec<String>,
    stream: Option<Stream>,
    notices: bool,
    feed: Feed,
    /// Whose lines come, as it was told.
    told: BTreeMap<InstanceId, LogSource>,
}

/// Ends a feed once nobody has anything to say any more.
struct End(Feed);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What those have said.
#[derive(Default)]
struct Told {
    files: usize,
    bytes: u64,
    failed: Vec<String>,
    /// Of each of them, why.
    why: Vec<String>,
}

/// What became of log files; told once everybody who is to say something has.
struct Outcome {
    responder: Responder,
    said: Mutex<Told>,
}

impl Outcome {
    fn new(responder: &Responder) -> Arc<Self> {
        Arc::new(Self { responder: responder.clone(), said: Mutex::default() })
    }

    fn add(&self, done: Done<u64>, path: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(bytes) => (said.files, said.bytes) = (said.files + 1, said.bytes + bytes),
            Err(why) => {
                said.failed.push(path.to_owned());
                said.why.push(why);
            }
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let Told { files, bytes, failed, why } = std::mem::take(self.said.get_mut().unwrap_or_else(PoisonError::into_inner));
        self.responder.say(Reply::Files { files, bytes, failed, why });
    }
}

/// Lines that are held, as a reply when their turn comes.
fn told(id: usize, piece: Piece) -> Reply {
    match piece {
        Piece::Gone(lines) => Reply::LeftOut { lines },
        Piece::Lines(stream, kept) => {
            let time = kept.first().map_or(0, |first| first.time);
            let lines = kept.iter().map(|kept| String::from_utf8_lossy(&kept.line).into_owned()).collect();
            Reply::Lines { id, stream, time, lines }
        }
    }
}

/// Has a client told lines that are held: copied while there is room for that, so that an app that says much takes none of them away, else
/// when their turn comes. `in_files`: what goes meanwhile is read there.
fn hold(feed: &Feed, id: usize, mut held: Held, in_files: bool) {
    let lines = held.lines(Stream::Out) + held.lines(Stream::Err);
    let bytes = held.bytes();
    let copied = held.by_ref().filter_map(|piece| match piece {
        Piece::Gone(_) => None,
        Piece::Lines(stream, kept) => {
            let time = kept.first().map_or(0, |first| first.time);
            Some((stream, time, kept.into_iter().flat_map(|kept| [kept.line, b"\n".to_vec()]).flatten().collect()))
        }
    });
    if feed.takes(id, lines, bytes, copied) {
        return;
    }
    feed.draw(move || held.find(|piece| !(in_files && matches!(piece, Piece::Gone(_)))).map(|piece| told(id, piece)));
}

/// The file in which the lines of a stream are looked for: its own before that of both.
fn file_of(spec: &AppSpec, number: usize, stream: Stream) -> Option<PathBuf> {
    let own = match stream {
        Stream::Out => "out",
        Stream::Err => "error",
    };
    let mut paths: Vec<_> = logs::paths(&spec.logs, number).collect();
    paths.sort_by_key(|(what, _)| *what != own);
    paths.into_iter().find(|(what, _)| *what == own || *what == "file").map(|(_, path)| path)
}

impl Runner {
    /// Tells the last lines, and those that follow where they are wanted.
    pub fn look_at_logs(&mut self, asked: LogsRequest, responder: &Responder) -> Result<(), Reply> {
        let ids = self.meant_instances(&asked.targets)?;
        let feed = self.desk.follows.feeds.feed(asked.follow);
        let streams = [Stream::Out, Stream::Err].into_iter().filter(|stream| asked.stream.is_none_or(|only| only == *stream));
        let streams: Vec<Stream> = streams.collect();
        let (mut sources, mut lines) = (Vec::new(), Vec::new());
        let mut files: BTreeMap<PathBuf, Vec<Writer>> = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for id in &ids {
            let (Some(source), Some(about)) = (self.apps.source(*id).cloned(), self.log_source(*id)) else { continue };
            let spec = self.apps.spec(id.app).cloned();
            let held = source.held(&streams, asked.lines);
            for stream in &streams {
                if let Some(path) = spec.as_ref().and_then(|spec| file_of(spec, about.id, *stream)) {
                    if held.lines(*stream) < asked.lines || asked.history == History::Files {
                        missing.insert(path.clone());
                    }
                    files.entry(path).or_default().push((*id, *stream));
                }
            }
            lines.push(held);
            sources.push((*id, about));
        }
        let mut mixed: Vec<(InstanceId, PathBuf)> = Vec::new();
        if asked.history == History::None {
            files.clear();
        }
        let writers = if files.is_empty() { Writers::default() } else { self.writers() };
        files.retain(|path, users| match writers.sharing(path, users) {
            Sharing::Own => missing.contains(path),
            // Which lines are the last ones of all is known from the file alone.
            Sharing::Known => true,
            Sharing::Mixed => {
                if missing.contains(path) {
                    let ids: BTreeSet<InstanceId> = users.iter().map(|(id, _)| *id).collect();
                    mixed.extend(ids.into_iter().map(|id| (id, path.clone())));
                }
                false
            }
        });
        for (id, source) in &mut sources {
            for (path, users) in &files {
                let streams: Vec<Stream> = users.iter().filter(|(user, _)| user == id).map(|(_, stream)| *stream).collect();
                if !streams.is_empty() {
                    let lost = |stream: &Stream| self.apps.source(*id).is_some_and(|source| source.has_lost(*stream));
                    let more = streams.iter().copied().filter(lost).collect();
                    source.files.push(LogFile { path: path.to_string_lossy().into_owned(), streams, more });
                }
            }
            feed.say(Reply::Source(source.clone()));
        }
        for (held, (_, source)) in lines.into_iter().zip(&sources) {
            let in_files = source.files.iter().map(|file| file.streams.len()).sum::<usize>() >= streams.len();
            hold(&feed, source.id, held, in_files);
        }
        feed.say(Reply::Live);
        let end = (!asked.follow).then(|| Arc::new(End(feed.clone())));
        for (id, path) in mixed {
            let Some((_, source)) = sources.iter().find(|(own, _)| *own == id) else { continue };
            let (feed, end, known) = (feed.clone(), end.clone(), self.bytes_known(&path, &writers));
            let reply = untold(source, &path, Timestamp::now().as_millisecond());
            let tell = move |position: Option<Position>| {
                if position.is_some_and(|at| at.put_away.is_some() || at.length > known) {
                    feed.say(reply);
                }
                drop(end);
            };
            self.logs.files().mark(&path, Answer::new(tell));
        }
        for path in files.into_keys() {
            let (feed, end, shown) = (feed.clone(), end.clone(), path.to_string_lossy().into_owned());
            let tell = move |position: Option<Position>| {
                let (put_away, inode, length) = position.map_or((None, 0, None), |at| (at.put_away, at.inode, Some(at.length)));
                feed.say(Reply::Position { path: shown, put_away, inode, length });
                drop(end);
            };
            self.logs.files().mark(&path, Answer::new(tell));
        }
        responder.follow(&feed);
        if asked.follow {
            let LogsRequest { targets, stream, notices, .. } = asked;
            self.desk.follows.next += 1;
            let mut follow = Follow { number: self.desk.follows.next, targets, stream, notices, feed, told: BTreeMap::new() };
            for (id, source) in sources {
                self.follow(&mut follow, id, &source);
                follow.told.insert(id, LogSource { files: Vec::new(), ..source });
            }
            self.desk.follows.list.retain(|follow| !follow.feed.is_gone());
            self.desk.follows.list.push(follow);
        }
        Ok(())
    }

    fn meant_instances(&mut self, targets: &[String]) -> Result<Vec<InstanceId>, Reply> {
        if targets.is_empty() || targets == ["all"] { Ok(self.all_instances()) } else { self.targets(targets) }
    }

    /// How an instance is told of; `None`: nothing it says is kept or shown, or it is gone.
    fn log_source(&mut self, id: InstanceId) -> Option<LogSource> {
        let spec = self.apps.spec(id.app)?.clone();
        if spec.logs.disabled {
            return None;
        }
        Some(LogSource {
            id: self.apps.number_of(id),
            name: spec.name.clone(),
            instance: id.slot,
            instances: spec.instances,
            json: spec.logs.json,
            time: spec.logs.timestamp.as_ref().map(|format| format.text().to_owned()),
            files: Vec::new(),
        })
    }

    fn follow(&self, follow: &mut Follow, id: InstanceId, about: &LogSource) {
        let Some(source) = self.apps.source(id) else { return };
        let (feed, only, id) = (follow.feed.clone(), follow.stream, about.id);
        source.follow(
            follow.number,
            Box::new(
                move |stream, time, lines| {
                    if only.is_some_and(|only| only != stream) { !feed.is_gone() } else { feed.lines(id, stream, time, lines) }
                },
            ),
        );
    }

    /// Instances have come or gone, or are called otherwise.
    pub fn instances_changed(&mut self) {
        self.desk.follows.stale = true;
    }

    /// Has those who follow hear the instances that have come.
    pub fn refresh_follows(&mut self) {
        if !std::mem::take(&mut self.desk.follows.stale) || self.desk.follows.list.is_empty() {
            return;
        }
        for mut follow in std::mem::take(&mut self.desk.follows.list) {
            if follow.feed.is_gone() {
                continue;
            }
            let mut ids = Vec::new();
            for word in if follow.targets.is_empty() { vec!["all".to_owned()] } else { follow.targets.clone() } {
                // Who is not there may come again.
                ids.extend(self.meant_instances(&[word]).unwrap_or_default());
            }
            follow.told.retain(|id, _| ids.contains(id));
            follow.feed.retain_sources(|number| follow.told.values().any(|source| source.id == number));
            for id in ids {
                let Some(source) = self.log_source(id).filter(|source| follow.told.get(&id) != Some(source)) else { continue };
                follow.feed.tell(Reply::Source(source.clone()));
                if follow.told.insert(id, source.clone()).is_none() {
                    self.follow(&mut follow, id, &source);
                }
            }
            self.desk.follows.list.push(follow);
        }
    }

    /// Tells a notice to those who want them.
    pub fn tell_followers(&self, notice: &Notice) {
        for follow in self.desk.follows.list.iter().filter(|follow| follow.notices) {
            let level = match notice.level {
                Level::Info => "info",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            let reply = Reply::Notice {
                time: Timestamp::now().as_millisecond(),
                level: level.to_owned(),
                app: notice.app.clone(),
                text: notice.text.clone(),
                hint: notice.hint.clone(),
            };
            follow.feed.tell(reply);
        }
    }

    /// Tells those who follow that the runner has ended, and gives them a moment to take what is left.
    pub async fn end_follows(&mut self) {
        let follows = std::mem::take(&mut self.desk.follows.list);
        for follow in &follows {
            follow.feed.tell(Reply::Ended);
            follow.feed.end();
        }
        let all = async {
            for follow in &follows {
                follow.feed.left().await;
            }
        };
        // Whoever is slower than this has to do without.
        let _ = tokio::time::timeout(LAST_LINES, all).await;
    }

    /// Empties the log files of targets; the answer comes when they are empty.
    pub fn flush(&mut self, targets: &[String], responder: &Responder) -> Result<(), Reply> {
        let ids = self.meant_instances(targets)?;
        let mut files = BTreeSet::new();
        for id in ids {
            let number = self.apps.number_of(id);
            if let Some(source) = self.apps.source(id) {
                source.forget();
            }
            if let Some(spec) = self.apps.spec(id.app) {
                files.extend(logs::paths(&spec.logs, number).map(|(_, path)| path).filter(|path| !path.starts_with("/dev")));
            }
        }
        let outcome = Outcome::new(responder);
        for path in files {
            let (outcome, shown) = (Arc::clone(&outcome), path.to_string_lossy().into_owned());
            self.logs
                .files()
                .empty(&path, Answer::new(move |done: Option<_>| outcome.add(done.unwrap_or_else(|| Err(OVER.to_owned())), &shown)));
        }
        Ok(())
    }

    /// Opens all log files anew; the answer comes when they are.
    pub fn reopen_on_request(&self, responder: &Responder) {
        let outcome = Outcome::new(responder);
        self.reopen_logs("on request", |path| {
            let (outcome, shown) = (Arc::clone(&outcome), path.to_string_lossy().into_owned());
            Answer::new(move |done: Option<Done<()>>| {
                // Nobody writes into a file that has no answer.
                if let Some(done) = done {
                    outcome.add(done.map(|()| 0), &shown);
                }
            })
        });
    }
}
