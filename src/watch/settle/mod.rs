//! When a series of file events is over, and what of it is a change: the engine behind every group of equal watch rules.
//! Pure: time, file system and git locks are passed in, events come filtered by the rules, and nothing here knows an app.
//! Start with [`Settle`], whose methods are the steps for each event; `deadline` has the waits and the verdict, `batch` the state.

mod batch;
mod deadline;
#[cfg(test)]
mod tests;
pub mod timing;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use batch::{Asked, Batch};
pub use batch::{Item, Settled, What};
pub use deadline::{Locks, Verdict};
use timing::{BARE_CLOSE, COOL, TOUCH, Timing};

use super::{FileKind, Fs, Stat, gate::Gate};

/// How many ended folders are remembered while no batch is open.
const DROPPED_MAX: usize = 1024;

/// Settles the events of one group.
#[derive(Debug)]
pub struct Settle {
    timing: Timing,
    gate: Gate,
    batch: Option<Batch>,
    /// Paths being written, with the time of the first write seen.
    writers: HashMap<PathBuf, Instant>,
    /// Paths written without a close for longer than a batch waits.
    streams: HashMap<PathBuf, Instant>,
    /// Paths with a metadata event that nothing explained yet.
    attr: HashSet<PathBuf>,
    /// Folders that ended: their end is reported twice, by themselves and by their parent.
    dropped: HashSet<PathBuf>,
    /// What the last batch wrote, and when it ended.
    last_written: (Option<Instant>, HashSet<PathBuf>),
    last_fire: Option<Instant>,
    /// The least quiet period while restarts run away.
    floor: Duration,
}

impl Settle {
    /// Nothing seen yet. `delay`: the user's settle time; `gate`: whether saves that leave the bytes as they were are no change.
    pub fn new(delay: Option<Duration>, gate: bool) -> Self {
        Self {
            timing: Timing::new(delay),
            gate: Gate::new(gate),
            batch: None,
            writers: HashMap::new(),
            streams: HashMap::new(),
            attr: HashSet::new(),
            dropped: HashSet::new(),
            last_written: (None, HashSet::new()),
            last_fire: None,
            floor: Duration::ZERO,
        }
    }

    /// Bytes were written (MODIFY): never a change by itself, but the batch waits for the close.
    pub fn wrote(&mut self, at: Instant, path: &Path) {
        if self.streams.contains_key(path) || self.writers.contains_key(path) {
            return;
        }
        self.writers.insert(path.to_path_buf(), at);
        if let Some(batch) = &mut self.batch {
            batch.beat(at);
        }
    }

    /// A name that is no folder appeared (CREATE). `stat`: what it is, if it is still there.
    pub fn created(&mut self, at: Instant, path: &Path, stat: Option<Stat>, fs: &mut dyn Fs) {
        self.dropped.remove(path);
        // Links and devices are complete at once: nobody will close them.
        if stat.is_some_and(|stat| stat.kind != FileKind::File || stat.links > 1) {
            self.arrived(at, path, fs);
            return;
        }
        let entry = self.open(at).entry(at, path);
        let known = entry.gone || entry.done;
        entry.born |= !known;
        entry.gone = false;
        entry.done = false;
        entry.real = true;
        self.writers.entry(path.to_path_buf()).or_insert(at);
    }

    /// A descriptor that could write was closed (CLOSE_WRITE).
    pub fn closed(&mut self, at: Instant, path: &Path, fs: &mut dyn Fs) {
        let since = self.written_since(path);
        let touch = self.attr.remove(path) && since.is_none();
        let entry = self.open(at).entry(at, path);
        if since.is_some() {
            entry.real = true;
            entry.touch = false;
            entry.written_since = since;
        } else {
            entry.touch |= touch;
        }
        self.finish(at, path, fs);
    }

    /// A whole file came to this name: renamed here (MOVED_TO), linked, or found by a walk.
    pub fn arrived(&mut self, at: Instant, path: &Path, fs: &mut dyn Fs) {
        self.dropped.remove(path);
        self.attr.remove(path);
        self.written_since(path);
        let entry = self.open(at).entry(at, path);
        entry.real = true;
        entry.touch = false;
        self.finish(at, path, fs);
    }

    /// A file's name is gone (DELETE, MOVED_FROM). True: with it, nothing is left of the batch.
    pub fn gone(&mut self, at: Instant, path: &Path) -> bool {
        self.written_since(path);
        self.attr.remove(path);
        if let Some(batch) = &mut self.batch
            && batch.paths.get(path).is_some_and(|entry| entry.born)
        {
            batch.beat(at);
            batch.paths.remove(path);
            self.batch.take_if(|batch| batch.paths.is_empty() && !batch.forced());
            return self.batch.is_none();
        }
        let entry = self.open(at).entry(at, path);
        entry.gone = true;
        entry.done = true;
        entry.touch = false;
        entry.gate = None;
        false
    }

    /// A watched folder is gone. `held`: it ever had a file that counts.
    pub fn folder_gone(&mut self, at: Instant, dir: &Path, held: bool) {
        self.writers.retain(|path, _| !path.starts_with(dir));
        self.streams.retain(|path, _| !path.starts_with(dir));
        self.attr.retain(|path| !path.starts_with(dir));
        self.folder_seen(dir);
        if held {
            self.gone(at, dir);
        } else {
            self.gate.forget(dir);
        }
    }

    /// This name is or was a folder's: its end is no deleted file.
    pub fn folder_seen(&mut self, dir: &Path) {
        if self.batch.is_none() && self.dropped.len() >= DROPPED_MAX {
            self.dropped.clear();
        }
        self.dropped.insert(dir.to_path_buf());
    }

    /// Whether this name was a folder's a moment ago.
    pub fn was_folder(&self, path: &Path) -> bool {
        self.dropped.contains(path)
    }

    /// Metadata changed (ATTRIB): what it means shows when nothing else follows, in [`Settle::idle`].
    pub fn meta(&mut self, path: &Path) {
        self.attr.insert(path.to_path_buf());
    }

    /// A backend without close events saw a difference. False: it saw an end that is old news, because another backend told of it.
    pub fn touched(&mut self, at: Instant, path: &Path, fs: &mut dyn Fs) -> bool {
        let stat = fs.lstat(path);
        if stat.is_none() && self.gate.is_gone(path) {
            return false;
        }
        let batch = self.open(at);
        batch.no_close = true;
        let entry = batch.entry(at, path);
        entry.real = true;
        entry.done = true;
        entry.gone = stat.is_none();
        entry.len = stat.map(|stat| stat.len);
        entry.gate = None;
        true
    }

    /// What came last came from a backend without close events.
    pub fn no_closes(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.no_close = true;
        }
    }

    /// Events were lost.
    pub fn lost(&mut self, at: Instant) {
        let batch = self.open(at);
        batch.lost = true;
        batch.need_rescan = true;
    }

    /// The folders were looked at again; who wrote before is not known any more.
    pub fn rescanned(&mut self) {
        self.writers.clear();
        self.streams.clear();
        if let Some(batch) = &mut self.batch {
            batch.need_rescan = false;
        }
    }

    /// No event waits: metadata events that no close followed are looked at. A time set on purpose is a change; what comes back are the
    /// paths with any other metadata change.
    pub fn idle(&mut self, now: Instant, fs: &mut dyn Fs) -> Vec<PathBuf> {
        let mut nothing = Vec::new();
        for path in std::mem::take(&mut self.attr) {
            let Some(stat) = fs.lstat(&path).filter(|stat| stat.kind == FileKind::File) else { continue };
            let together = match stat.ctime.duration_since(stat.mtime) {
                Ok(apart) => apart <= TOUCH,
                Err(ahead) => ahead.duration() <= TOUCH,
            };
            if together && !self.wrote_lately(now, &path) {
                let entry = self.open(now).entry(now, &path);
                entry.touch = true;
                self.finish(now, &path, fs);
            } else {
                nothing.push(path);
            }
        }
        nothing
    }

    /// The first path of the batch that is known to be changed, told once, unless git is at work then.
    pub fn first_change(&mut self, now: Instant, fs: &mut dyn Fs, locks: &mut dyn Locks) -> Option<PathBuf> {
        // A long settle time would keep a stopped app down for as long.
        if self.timing.one > timing::QUIET_MAX || self.floor > timing::QUIET_MAX {
            return None;
        }
        let batch = self.batch.as_mut().filter(|batch| !batch.early_asked)?;
        let path = batch.changed.clone()?;
        batch.early_asked = true;
        if self.git_is_at_work(now, fs, locks) { None } else { Some(path) }
    }

    /// When the batch that waits to settle began.
    pub fn pending(&self) -> Option<Instant> {
        self.batch.as_ref().map(|batch| batch.first)
    }

    /// The file's bytes are known: a first save that leaves them as they are is no change.
    pub fn know(&mut self, path: &Path, stat: &Stat, fs: &mut dyn Fs) {
        self.gate.know(path, stat, fs);
    }

    /// An app is being stopped for this batch: it fires whatever is found.
    pub fn owe(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.owed = true;
        }
    }

    /// A change set was sent.
    pub fn fired(&mut self, now: Instant) {
        self.last_fire = Some(now);
    }

    /// The least quiet period from now on; zero in normal times.
    pub fn slow_down(&mut self, floor: Duration) {
        self.floor = floor;
    }

    /// Its end was told, or is none of a file: whatever comes back under this name counts.
    pub fn forget(&mut self, path: &Path) {
        self.gate.forget(path);
    }

    /// Reads what a change set had that nobody needed to read before it was sent.
    pub fn learn(&mut self, now: Instant, sent: Instant, items: &[Item], fs: &mut dyn Fs) {
        let sent = fs.now() - now.saturating_duration_since(sent);
        for item in items.iter().filter(|item| !item.read && matches!(item.what, What::Changed | What::Touched)) {
            self.gate.learn(&item.path, sent, fs);
        }
    }

    fn open(&mut self, at: Instant) -> &mut Batch {
        let hot = self.last_fire.is_some_and(|fire| at.saturating_duration_since(fire) < COOL);
        let batch = self.batch.get_or_insert_with(|| Batch::new(at, hot));
        batch.beat(at);
        batch
    }

    /// Takes a path out of those being written.
    fn written_since(&mut self, path: &Path) -> Option<Instant> {
        self.writers.remove(path).or_else(|| self.streams.remove(path))
    }

    /// The path is whole. While no change of the batch is known, the gate is asked at once: an app may begin to stop.
    fn finish(&mut self, at: Instant, path: &Path, fs: &mut dyn Fs) {
        let Some(batch) = &mut self.batch else { return };
        let entry = batch.entry(at, path);
        entry.done = true;
        entry.gone = false;
        entry.gate = match entry.gate {
            Some(Asked::Changed | Asked::ChangedBefore) => Some(Asked::ChangedBefore),
            Some(Asked::Same) | None => None,
        };
        let (touch, real, born) = (entry.touch, entry.real, entry.born);
        // A new name may be that of a temporary file, renamed or gone in a moment: nothing stops for it.
        if born || batch.changed.is_some() {
            return;
        }
        let first = batch.first;
        let Some(stat) = fs.lstat(path).filter(|stat| matches!(stat.kind, FileKind::File | FileKind::Link)) else { return };
        if !touch && !real && unused(at, first, path, &stat, fs) {
            return;
        }
        let changed = self.gate.ask(path, &stat, fs);
        batch.entry(at, path).gate = Some(if changed { Asked::Changed } else { Asked::Same });
        if changed || touch {
            batch.changed = Some(path.to_path_buf());
        }
    }

    fn wrote_lately(&self, now: Instant, path: &Path) -> bool {
        let in_batch = self.batch.as_ref().and_then(|batch| batch.paths.get(path)).is_some_and(|entry| entry.real);
        let (ended, last) = &self.last_written;
        let in_last = ended.is_some_and(|ended| now.saturating_duration_since(ended) < COOL) && last.contains(path);
        in_batch || in_last || self.writers.contains_key(path) || self.streams.contains_key(path)
    }
}

/// Whether a bare close belongs to a descriptor that nobody wrote to: the file's ctime is older than the batch.
fn unused(now: Instant, first: Instant, path: &Path, stat: &Stat, fs: &mut dyn Fs) -> bool {
    let age = now.saturating_duration_since(first) + BARE_CLOSE;
    fs.keeps_our_time(path, stat) && fs.now().duration_since(stat.ctime).is_ok_and(|since| since > age)
}
