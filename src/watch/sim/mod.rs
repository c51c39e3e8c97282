//! Virtual time for the pure parts: a group, a file system in memory, and an app with a supervisor, all driven by one queue.
//! Nothing here decides about files. Start with [`Sim::at`], which scripts what hands and tools do, and [`Sim::run`].

mod app;
mod fs;

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

pub use app::Script;
use app::{App, AppAct};
pub use fs::{FakeFs, GIT_LOCK, OneRepository};

use super::{
    FileKind, Fs, Out,
    actions::Actions,
    group::{Group, Member, Step},
};
use crate::model::{ActionRule, AppId, ChangeSet, NoticeKind, SaveAction, WatchRoot, WatchSpec};

/// What hands, tools and apps do to files; each makes the events that inotify makes.
#[derive(Debug, Clone)]
pub enum Op {
    /// Open, truncate, write, close.
    Save(&'static str, String),
    /// The same over a descriptor that stays open: all but the close.
    Write(&'static str, String),
    /// The close after `Write`.
    Close(&'static str),
    /// Opened read-write and closed.
    OpenClose(&'static str),
    /// `touch` of a file that is there.
    Touch(&'static str),
    /// utimensat(2) on the path, without opening it.
    Utime(&'static str),
    /// chmod(2).
    Chmod(&'static str),
    /// unlink(2).
    Delete(&'static str),
    /// rename(2) of a file.
    Rename(&'static str, &'static str),
    /// link(2).
    Link(&'static str, &'static str),
    /// symlink(2).
    Symlink(&'static str),
    /// A file that git or a save-all writes, by number.
    Numbered(usize),
    /// git takes or leaves its lock; nothing of it is seen.
    Git(bool),
    /// A watched folder ends, reported twice.
    FolderGone(&'static str, bool),
    /// The kernel's queue overflowed.
    Overflow,
    /// Polling sees a new state of a file.
    Polled(&'static str, String),
    /// Polling sees that a path is gone.
    PolledGone(&'static str),
    /// Contents grow unseen, between two looks of polling.
    Grow(&'static str, String),
}

/// Saves with given bytes.
pub fn save(path: &'static str, bytes: impl ToString) -> Op {
    Op::Save(path, bytes.to_string())
}

#[derive(Debug)]
enum Act {
    User(Op),
    App(AppAct),
}

/// A world.
pub struct Sim {
    zero: Instant,
    now: Instant,
    pub fs: FakeFs,
    pub group: Group,
    queue: BTreeMap<(Instant, usize), Act>,
    queued: usize,
    app: App,
    rules: Vec<ActionRule>,
    pub changes: Vec<(u64, Arc<ChangeSet>)>,
    pub early: Vec<(u64, PathBuf)>,
    pub skipped: Vec<String>,
    pub notices: Vec<(u64, String)>,
    pub probes: Vec<u64>,
    pub rescans: usize,
    timeline: String,
}

/// The only app.
pub const APP: AppId = AppId(0);

/// The spec of everything in `/w`.
pub fn spec() -> WatchSpec {
    WatchSpec::new(vec![WatchRoot::Tree { path: "/w".into(), explicit: false }], "/w".into())
}

impl Sim {
    /// An app that writes nothing, under the usual rules.
    pub fn new() -> Self {
        Self::with(&spec(), Script::default())
    }

    /// Any app and rules; the app starts at 0.
    #[expect(clippy::disallowed_methods, reason = "instants have no other origin; nothing depends on which it is")]
    pub fn with(spec: &WatchSpec, script: Script) -> Self {
        let zero = Instant::now();
        let mut group = Group::new(spec, spec.base.clone(), true);
        group.join(Member::new(APP, "api".into()));
        let mut sim = Self {
            zero,
            now: zero,
            fs: FakeFs::new(),
            group,
            queue: BTreeMap::new(),
            queued: 0,
            app: App::new(script),
            rules: Vec::new(),
            changes: Vec::new(),
            early: Vec::new(),
            skipped: Vec::new(),
            notices: Vec::new(),
            probes: Vec::new(),
            rescans: 0,
            timeline: String::new(),
        };
        sim.begin();
        sim
    }

    /// The app has these rules from now on.
    pub fn acting(mut self, rules: Vec<ActionRule>) -> Self {
        self.group.act(APP, Actions::new(&rules, &spec()).expect("tests write globs that can be read"));
        self.rules = rules;
        self
    }

    /// A file that was there before anything was watched.
    pub fn old(mut self, path: &str, bytes: &str) -> Self {
        let now = self.fs.now;
        self.fs.now = now - Duration::from_secs(3600);
        self.fs.put(Path::new(path), FileKind::File, bytes);
        self.fs.now = now;
        self
    }

    /// Somebody does something, so many milliseconds after the beginning.
    pub fn at(&mut self, ms: u64, op: Op) -> &mut Self {
        let at = self.zero + Duration::from_millis(ms);
        self.schedule(at, Act::User(op));
        self
    }

    /// Lets everything happen up to then, in milliseconds.
    pub fn run(&mut self, until: u64) -> &mut Self {
        let end = self.zero + Duration::from_millis(until);
        for _ in 0..2_000_000 {
            let act = self.queue.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.group.deadline();
            let Some(next) = act.into_iter().chain(deadline).min().filter(|next| *next <= end) else {
                self.advance(end);
                return self;
            };
            self.advance(next);
            let mut out = Vec::new();
            if act == Some(next) {
                let (_, act) = self.queue.pop_first().expect("it was just looked at");
                match act {
                    Act::User(op) => self.perform(op, &mut out),
                    Act::App(act) => self.app_act(act, &mut out),
                }
                self.group.idle(self.now, &mut self.fs, &mut out);
                self.group.after_event(self.now, &HashSet::new(), &mut self.fs, &mut OneRepository, &mut out);
            } else if self.group.expire(self.now, &mut self.fs, &mut OneRepository, &mut out) == Step::Rescan {
                self.rescans += 1;
                self.group.settle.rescanned();
            }
            self.deliver(out);
            self.group.learn(self.now, &mut self.fs);
        }
        panic!("no end:\n{}", &self.timeline[self.timeline.len().saturating_sub(4000)..]);
    }

    /// How many change sets there were.
    pub fn fired(&self) -> usize {
        self.changes.len()
    }

    /// How often the app was started, the first time included.
    pub fn starts(&self) -> usize {
        self.app.starts
    }

    /// What happened, for a failing test.
    pub fn timeline(&self) -> &str {
        &self.timeline
    }

    fn ms(&self) -> u64 {
        (self.now - self.zero).as_millis() as u64
    }

    fn note(&mut self, what: &str) {
        writeln!(self.timeline, "{:>7} {what}", self.ms()).expect("a String takes everything");
    }

    fn advance(&mut self, to: Instant) {
        let to = to.max(self.now);
        self.fs.now += to - self.now;
        self.now = to;
    }

    fn schedule(&mut self, at: Instant, act: Act) {
        self.queued += 1;
        self.queue.insert((at, self.queued), act);
    }

    fn deliver(&mut self, out: Vec<Out>) {
        for out in out {
            let ms = self.ms();
            match out {
                Out::Changed { changes, .. } => {
                    self.note(&format!("CHANGED {} ({})", changes.shown, changes.total));
                    let replaces = |at: &usize| matches!(self.rules[*at].action, SaveAction::Restart | SaveAction::Reload);
                    let due = changes.unmatched || changes.matched.iter().any(replaces);
                    self.changes.push((ms, changes));
                    if due {
                        self.restart();
                    }
                }
                Out::Early { path, .. } => {
                    self.note("EARLY");
                    self.early.push((ms, path));
                    self.stop(true);
                }
                Out::Skipped { why, .. } => {
                    self.note(&format!("skipped {why:?}"));
                    self.skipped.extend(why);
                }
                Out::Probe { path, .. } => {
                    self.note(&format!("PROBE {}", path.display()));
                    self.probes.push(ms);
                    self.stop(false);
                }
                Out::ProbeOver { .. } => {
                    self.note("PROBE OVER");
                    self.restart();
                }
                Out::Notice(notice) => {
                    self.note(&format!("notice {}", notice.text));
                    if notice.kind != NoticeKind::Explain {
                        self.notices.push((ms, format!("{} | {}", notice.text, notice.hint.unwrap_or_default())));
                    }
                }
                Out::Ready { .. } | Out::ProjectFile { .. } => unreachable!("a group of apps is never ready and has no project file"),
            }
        }
    }

    fn perform(&mut self, op: Op, out: &mut Vec<Out>) {
        self.note(&format!("{op:?}"));
        let (at, fs) = (self.now, &mut self.fs);
        let settle = &mut self.group.settle;
        match op {
            Op::Save(path, bytes) => {
                let path = Path::new(path);
                if fs.put(path, FileKind::File, &bytes) {
                    let stat = fs.lstat(path);
                    settle.created(at, path, stat, fs);
                }
                settle.wrote(at, path);
                settle.closed(at, path, fs);
            }
            Op::Write(path, bytes) => {
                let path = Path::new(path);
                if fs.put(path, FileKind::File, &bytes) {
                    let stat = fs.lstat(path);
                    settle.created(at, path, stat, fs);
                }
                settle.wrote(at, path);
            }
            Op::Close(path) | Op::OpenClose(path) => settle.closed(at, Path::new(path), fs),
            Op::Touch(path) => {
                let now = fs.now;
                fs.change(Path::new(path), |stat| stat.mtime = now);
                settle.meta(Path::new(path));
                settle.closed(at, Path::new(path), fs);
            }
            Op::Utime(path) => {
                let now = fs.now;
                fs.change(Path::new(path), |stat| stat.mtime = now);
                settle.meta(Path::new(path));
            }
            Op::Chmod(path) => {
                fs.change(Path::new(path), |_| ());
                settle.meta(Path::new(path));
            }
            Op::Delete(path) => {
                assert!(fs.remove(Path::new(path)), "{path} is not there");
                if !backup(path) && settle.gone(at, Path::new(path)) {
                    self.group.skip(vec![format!("{path} was made and removed")], out);
                }
            }
            Op::Rename(from, to) => {
                fs.rename(Path::new(from), Path::new(to));
                settle.gone(at, Path::new(from));
                if !backup(to) {
                    settle.arrived(at, Path::new(to), fs);
                }
            }
            Op::Link(from, to) => {
                fs.link(Path::new(from), Path::new(to));
                settle.meta(Path::new(from));
                let stat = fs.lstat(Path::new(to));
                settle.created(at, Path::new(to), stat, fs);
            }
            Op::Symlink(path) => {
                fs.put(Path::new(path), FileKind::Link, "target");
                let stat = fs.lstat(Path::new(path));
                settle.created(at, Path::new(path), stat, fs);
            }
            Op::Numbered(n) => {
                let path = PathBuf::from(format!("/w/src/f{n}.js"));
                fs.put(&path, FileKind::File, &format!("{n} {at:?}"));
                settle.wrote(at, &path);
                settle.closed(at, &path, fs);
            }
            Op::Git(true) => drop(fs.put(Path::new(GIT_LOCK), FileKind::File, "")),
            Op::Git(false) => drop(fs.remove(Path::new(GIT_LOCK))),
            Op::FolderGone(dir, held) => {
                settle.folder_gone(at, Path::new(dir), held);
                if !settle.was_folder(Path::new(dir)) {
                    settle.gone(at, Path::new(dir));
                }
            }
            Op::Overflow => settle.lost(at),
            Op::Polled(path, bytes) => {
                fs.put(Path::new(path), FileKind::File, &bytes);
                settle.touched(at, Path::new(path), fs);
            }
            Op::PolledGone(path) => {
                fs.remove(Path::new(path));
                settle.touched(at, Path::new(path), fs);
            }
            Op::Grow(path, bytes) => drop(fs.put(Path::new(path), FileKind::File, &bytes)),
        }
    }
}

/// The only rule here: editors' backups do not count.
fn backup(path: &str) -> bool {
    path.ends_with('~')
}
