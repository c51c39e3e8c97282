//! The thread that owns trees, batches, gates and guards, and the handle to it.
//! It waits for events or the next deadline and never for the rest of the program; while nothing happens, it sleeps.
//! Start with [`Watcher::start`], then [`Engine::run`]; `room` is what happens to an event.

mod disk;
mod form;
mod room;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    rc::Rc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::mpsc::UnboundedSender;

use disk::Disk;
pub use disk::stamp;
use room::{Project, Room, World};

use super::{
    Ctl, Out, Raw, Wanted, Watched,
    actions::Actions,
    backend::Shared,
    feed::{self, Feed, Inbox, Message},
    git::Repositories,
    group::Step,
    limits,
    tree::Tree,
};
use crate::model::{ActionRule, AppId, Error, Level, Notice, NoticeKind, WatchSpec};

/// Lost events are told at most this often.
const TELL_LOSS: Duration = Duration::from_secs(10);
/// A native watcher that ends twice within this time is given up.
const ENDS_TWICE: Duration = Duration::from_secs(60);

/// The handle to the engine; dropping it ends its threads.
#[derive(Debug)]
pub struct Watcher {
    feed: Feed,
}

impl Watcher {
    /// Starts watching. Patterns that cannot be read are a usage error at once; everything else happens in the thread, which tells
    /// [`Out::Ready`] when all is watched. No change is missed from then on that the kernel stamps later than this call (its clock for
    /// files lags by up to a tick, 10 ms at most): spawn after it. `explain`: every decision is told.
    pub fn start(wanted: Wanted, explain: bool, out: UnboundedSender<Out>) -> Result<Self, Error> {
        Self::with(wanted, explain, out, feed::channel())
    }

    #[expect(clippy::disallowed_methods, reason = "the beginning of watching, against which files' times are compared")]
    fn with(wanted: Wanted, explain: bool, out: UnboundedSender<Out>, (feed, inbox): (Feed, Inbox)) -> Result<Self, Error> {
        let began = (Instant::now(), SystemTime::now());
        let mut built = Vec::new();
        for Watched { spec, rules, .. } in &wanted.apps {
            Actions::new(rules, spec)?;
            if built.iter().all(|(known, _)| known != spec) {
                built.push((spec.clone(), Tree::new(spec)?));
            }
        }
        let source = feed.clone();
        thread::Builder::new()
            .name("pmdev-watch".to_owned())
            .spawn(move || Engine::new(built, explain, source, inbox, out).run(began, wanted))
            .map_err(|error| Error::failed("watching cannot be started").because(error))?;
        Ok(Self { feed })
    }

    /// Watches this from now on. Apps whose specs stay the same, and groups that have such an app, notice nothing. Patterns that [`check`]
    /// would refuse are told as a notice, and their app is not watched.
    pub fn watch(&self, wanted: Wanted) {
        self.feed.send(Message::Watch(wanted));
    }

    /// Tells the engine what an app does.
    pub fn tell(&self, app: AppId, ctl: Ctl) {
        self.feed.send(Message::Tell(app, ctl));
    }
}

/// Whether a spec can be watched, with these rules: a bad pattern is a usage error with the line to write instead.
pub fn check(spec: &WatchSpec, rules: &[ActionRule]) -> Result<(), Error> {
    Actions::new(rules, spec)?;
    Tree::new(spec).map(drop)
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.feed.send(Message::End);
    }
}

/// Why events were lost.
#[derive(Debug, Clone, Copy)]
enum Why {
    KernelQueue,
    OwnQueue,
    WatcherEnded,
}

/// What is remembered about lost events.
#[derive(Debug, Default)]
struct Loss {
    why: Option<Why>,
    told: Option<Instant>,
    ended: Option<Instant>,
    /// Events come no more: everything is polled.
    given_up: bool,
}

struct Engine {
    inbox: Inbox,
    out: UnboundedSender<Out>,
    rooms: Vec<Room>,
    set: Shared,
    fs: Disk,
    git: Repositories,
    /// What is to be sent.
    notices: Vec<Out>,
    /// Every event that the kernel had then was handled.
    handed_over: Option<Instant>,
    loss: Loss,
    /// Every decision is told.
    explain: bool,
    /// The files that say what shall run.
    project: Rc<Project>,
    /// Trees that were made to see whether they can be.
    built: Vec<(WatchSpec, (Tree, Vec<Notice>))>,
    /// Troubles told already.
    told: HashSet<String>,
}

/// Whether the thread goes on.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    On,
    End,
}

impl Engine {
    /// Made in its own thread: to ask about mounts may take long.
    fn new(built: Vec<(WatchSpec, (Tree, Vec<Notice>))>, explain: bool, feed: Feed, inbox: Inbox, out: UnboundedSender<Out>) -> Self {
        Self {
            inbox,
            out,
            rooms: Vec::new(),
            set: Shared::new(feed),
            fs: Disk::default(),
            git: Repositories::default(),
            notices: Vec::new(),
            handed_over: None,
            loss: Loss::default(),
            explain,
            project: Rc::default(),
            built,
            told: HashSet::new(),
        }
    }

    fn run(mut self, began: (Instant, SystemTime), wanted: Wanted) {
        self.begin(began, wanted);
        while self.turn() == Flow::On {
            self.fs.end_turn();
        }
    }

    /// One message, or what is due while there is none.
    fn turn(&mut self) -> Flow {
        let message = match self.inbox.take() {
            Some(message) => Some(message),
            None => match self.rest() {
                Rest::Busy => None,
                Rest::Until(deadline) => self.inbox.wait(deadline),
            },
        };
        if let Some(message) = message
            && self.handle(message) == Flow::End
        {
            return Flow::End;
        }
        self.send()
    }

    fn begin(&mut self, (began, wall): (Instant, SystemTime), wanted: Wanted) {
        let formed = self.form(wanted, wall);
        let kept = self.walk();
        self.know_project(&formed);
        let (dirs, files, polled) = (self.set.dirs(), kept.iter().sum(), self.set.polled());
        self.notices.push(Out::Ready { dirs, files, took: now().saturating_duration_since(began), polled });
        self.send();
        self.catch_up(formed.into_iter().zip(kept));
        self.notices.extend(self.set.notices().into_iter().map(Out::Notice));
        self.send();
    }

    fn walk(&mut self) -> Vec<usize> {
        (0..self.rooms.len()).map(|index| self.walk_room(index)).collect()
    }

    fn walk_room(&mut self, index: usize) -> usize {
        let room = &mut self.rooms[index];
        let mut set = self.set.group(room.number);
        room.walk(&mut World { set: &mut set, fs: &mut self.fs, out: &mut self.notices })
    }

    fn handle(&mut self, message: Message) -> Flow {
        match message {
            Message::Raw(_, Raw::Error(text)) => {
                if self.told.insert(text.clone()) {
                    self.notice(Level::Warning, format!("watch: {text}"));
                }
            }
            Message::Raw(at, raw) => {
                if raw == Raw::Rescan {
                    self.loss.why = Some(Why::KernelQueue);
                }
                self.offer(at, &raw);
            }
            Message::Tell(app, ctl) => self.rooms.iter_mut().for_each(|room| room.group.told(app, ctl)),
            Message::Watch(wanted) => self.reform(wanted),
            Message::SourceEnded(number) if number == self.set.source() && !self.loss.given_up => self.source_ended(),
            Message::SourceEnded(_) => {}
            Message::End => return Flow::End,
        }
        Flow::On
    }

    fn offer(&mut self, at: Instant, raw: &Raw) {
        for room in &mut self.rooms {
            let mut set = self.set.group(room.number);
            room.offer(at, raw, &mut World { set: &mut set, fs: &mut self.fs, out: &mut self.notices });
            room.group.after_event(at, &room.project.modules, &mut self.fs, &mut self.git, &mut self.notices);
        }
    }

    fn source_ended(&mut self) {
        let now = now();
        self.loss.given_up |= self.loss.ended.is_some_and(|before| now.saturating_duration_since(before) < ENDS_TWICE);
        self.loss.ended = Some(now);
        self.loss.why = Some(Why::WatcherEnded);
        self.offer(now, &Raw::Rescan);
    }

    /// No message waits: what is due is done.
    fn rest(&mut self) -> Rest {
        let now = now();
        if self.inbox.lost() {
            self.loss.why = Some(Why::OwnQueue);
            self.offer(now, &Raw::Rescan);
        }
        for room in &mut self.rooms {
            room.group.idle(now, &mut self.fs, &mut self.notices);
            room.group.after_event(now, &room.project.modules, &mut self.fs, &mut self.git, &mut self.notices);
        }
        // A reader that got no processor for a while must not make a burst look quiet.
        if self.rooms.iter().filter_map(|room| room.group.quiet_by(now)).max() > self.handed_over {
            self.set.hand_over();
            self.handed_over = Some(now);
            return Rest::Busy;
        }
        let mut due = false;
        let mut rescan = false;
        // What says what shall run first: an app's change of the same file is held until its plan is known.
        let (project, apps): (Vec<_>, Vec<_>) = self.rooms.iter_mut().partition(|room| room.group.is_project());
        for room in project.into_iter().chain(apps).filter(|room| room.group.deadline().is_some_and(|deadline| deadline <= now)) {
            due = true;
            rescan |= room.group.expire(now, &mut self.fs, &mut self.git, &mut self.notices) == Step::Rescan;
        }
        if rescan {
            self.rescan(now);
        }
        if due {
            // Sent first: what is read now keeps nobody waiting.
            self.send();
            self.rooms.iter_mut().for_each(|room| room.group.learn(now, &mut self.fs));
            self.git.forget();
            return Rest::Busy;
        }
        if !self.notices.is_empty() {
            return Rest::Busy;
        }
        Rest::Until(self.rooms.iter().filter_map(|room| room.group.deadline()).min())
    }

    /// New watchers and a new walk: re-adding to the old ones is not enough, they believe in folders that are others now.
    fn rescan(&mut self, now: Instant) {
        self.set.renew(!self.loss.given_up);
        self.handed_over = None;
        for room in &mut self.rooms {
            room.tree.clear();
            room.group.settle.rescanned();
        }
        self.walk();
        self.notices.extend(self.set.notices().into_iter().map(Out::Notice));
        let why = self.loss.why.take().unwrap_or(Why::KernelQueue);
        if self.loss.told.is_none_or(|told| now.saturating_duration_since(told) >= TELL_LOSS) {
            self.loss.told = Some(now);
            let what = match why {
                Why::KernelQueue => "the kernel dropped file events (queue full)",
                Why::OwnQueue => "more file events came than could be kept",
                Why::WatcherEnded => "the kernel's file events ended unexpectedly",
            };
            let dirs = match self.set.dirs() {
                1 => "1 directory".to_owned(),
                dirs => format!("{} directories", limits::thousands(dirs)),
            };
            self.notice(Level::Warning, format!("watch: {what}; looked again at {dirs} and restarted once"));
        }
    }

    fn notice(&mut self, level: Level, text: String) {
        self.notices.push(Out::Notice(Notice::new(level, NoticeKind::Watch, text)));
    }

    fn send(&mut self) -> Flow {
        for out in self.notices.drain(..) {
            if self.out.send(out).is_err() {
                return Flow::End;
            }
        }
        Flow::On
    }
}

/// What follows when no message waits.
enum Rest {
    /// Something was done: look for messages again.
    Busy,
    /// Nothing to do until then.
    Until(Option<Instant>),
}

#[expect(clippy::disallowed_methods, reason = "the thread's shell: everything below it is told the time")]
fn now() -> Instant {
    Instant::now()
}
