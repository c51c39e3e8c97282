//! How long a batch waits, and what it turns out to be.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    Asked, Batch, Item, Settle, Settled, What,
    timing::{GAP_FACTOR, GIT_LOCK_MAX, GIT_LOOK, GROWING, GROWING_LOOK, GROWING_MAX, QUIET_MANIFEST, QUIET_MAX, WRITER_HOLD},
    unused,
};
use crate::watch::{FileKind, Fs};

/// How many paths of a batch are looked at before it is sent, once a change is among them: a checkout of 20,000 files is not stat'ed first.
const LOOK_FIRST: usize = 256;
/// How many of those are read.
const READ_FIRST: usize = 64;

/// Where git locks the index.
pub trait Locks {
    /// The lock file of the repository that this folder belongs to; it need not exist.
    fn lock_of(&mut self, dir: &Path) -> Option<PathBuf>;
}

/// What the deadline brought.
#[derive(Debug)]
pub enum Verdict {
    /// Not yet.
    Wait,
    /// Not yet, and people should know: so many paths so far, this one last.
    StillChanging {
        /// Paths in the batch.
        files: usize,
        /// The last one with an event.
        latest: PathBuf,
        /// Whether a git lock is what holds it.
        git: bool,
    },
    /// The folders must be looked at again first; then [`Settle::rescanned`].
    Rescan,
    /// It is settled.
    Settled(Settled),
}

impl Settle {
    /// When [`Settle::expire`] wants to be called, as things stand.
    pub fn deadline(&self) -> Option<Instant> {
        let batch = self.batch.as_ref()?;
        let due = self.due(batch);
        Some(if batch.told { due } else { due.min(batch.first + self.timing.tell_after) })
    }

    /// When the batch is over because nothing more has happened, as things stand.
    pub fn quiet_at(&self) -> Option<Instant> {
        let batch = self.batch.as_ref()?;
        Some(self.quieted(batch).max(batch.again.unwrap_or(batch.first)))
    }

    fn quiet(&self, batch: &Batch) -> Duration {
        let alone = batch.single().is_some_and(|entry| entry.done && !entry.gone);
        let quick = alone && !batch.hot && !batch.lost && !batch.no_close && self.writers.is_empty();
        let mut quiet = if quick { self.timing.one } else { self.timing.many };
        if batch.manifest {
            quiet = quiet.max(QUIET_MANIFEST);
        }
        if batch.paths.len() > 1 {
            quiet = quiet.max((GAP_FACTOR * batch.max_gap).min(QUIET_MAX));
        }
        quiet.max(self.floor)
    }

    fn quieted(&self, batch: &Batch) -> Instant {
        let quiet = batch.last + self.quiet(batch);
        self.writers.values().map(|since| *since + WRITER_HOLD).fold(quiet, Instant::max)
    }

    fn due(&self, batch: &Batch) -> Instant {
        let settled = self.quieted(batch).min(batch.first + self.timing.batch_max);
        settled.max(batch.again.unwrap_or(batch.first))
    }

    /// Looks whether the batch is settled now.
    pub fn expire(&mut self, now: Instant, fs: &mut dyn Fs, locks: &mut dyn Locks) -> Verdict {
        let Some(batch) = &self.batch else { return Verdict::Wait };
        let due = self.due(batch);
        if now < due {
            return self.tell(now);
        }
        if self.git_is_at_work(now, fs, locks) || self.is_growing(now, fs) {
            return self.tell(now);
        }
        let Some(batch) = self.batch.take_if(|batch| !batch.need_rescan) else { return Verdict::Rescan };
        let streams = self.writers.extract_if(|_, since| now.saturating_duration_since(*since) >= WRITER_HOLD);
        self.streams.extend(streams);
        self.attr.clear();
        self.dropped.clear();
        Verdict::Settled(self.look(now, batch, fs))
    }

    fn tell(&mut self, now: Instant) -> Verdict {
        match &mut self.batch {
            Some(batch) if !batch.told && now >= batch.first + self.timing.tell_after => {
                batch.told = true;
                Verdict::StillChanging { files: batch.paths.len(), latest: batch.latest.clone(), git: batch.lock.is_some() }
            }
            Some(_) | None => Verdict::Wait,
        }
    }

    /// Whether git holds the index of a repository of the batch; then the next look is set.
    pub(super) fn git_is_at_work(&mut self, now: Instant, fs: &mut dyn Fs, locks: &mut dyn Locks) -> bool {
        let Some(batch) = &mut self.batch else { return false };
        if now.saturating_duration_since(batch.first) >= GIT_LOCK_MAX {
            return false;
        }
        let wall = fs.now();
        let mut held = |lock: &Path| {
            fs.lstat(lock).is_some_and(|stat| wall.duration_since(stat.ctime).is_ok_and(|age| age < GIT_LOCK_MAX) || stat.ctime > wall)
        };
        if !batch.lock.as_deref().is_some_and(&mut held) {
            let dirs: HashSet<&Path> = batch.paths.keys().filter_map(|path| path.parent()).collect();
            let candidates: HashSet<PathBuf> = dirs.into_iter().filter_map(|dir| locks.lock_of(dir)).collect();
            batch.lock = candidates.into_iter().find(|lock| held(lock));
        }
        if batch.lock.is_none() {
            return false;
        }
        batch.again = Some(now + GIT_LOOK);
        true
    }

    /// Without close events: whether a file of the batch changed a moment ago or has another length than at the last look.
    fn is_growing(&mut self, now: Instant, fs: &mut dyn Fs) -> bool {
        let Some(batch) = self.batch.as_mut().filter(|batch| batch.no_close) else { return false };
        let since = *batch.growing_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= GROWING_MAX {
            return false;
        }
        let wall = fs.now();
        let mut growing = false;
        for (path, entry) in &mut batch.paths {
            let Some(stat) = fs.lstat(path).filter(|stat| stat.kind == FileKind::File) else { continue };
            growing |= wall.duration_since(stat.mtime).is_ok_and(|age| age < GROWING) || entry.len.is_some_and(|len| len != stat.len);
            entry.len = Some(stat.len);
        }
        if growing {
            batch.again = Some(now + GROWING_LOOK);
        }
        growing
    }

    fn look(&mut self, now: Instant, batch: Batch, fs: &mut dyn Fs) -> Settled {
        let Batch { first, last, lost, paths, .. } = batch;
        let written = paths.iter().filter(|(_, entry)| entry.real).map(|(path, _)| path.clone()).collect();
        self.last_written = (Some(now), written);
        let mut paths: Vec<_> = paths.into_iter().collect();
        paths.sort_unstable_by_key(|(_, entry)| entry.order);
        let mut known = false;
        let mut items = Vec::with_capacity(paths.len());
        for (nth, (path, entry)) in paths.into_iter().enumerate() {
            let mut item = Item {
                what: What::Unfinished,
                at: entry.at.unwrap_or(last),
                written_since: entry.written_since,
                mtime: None,
                read: entry.gate.is_some(),
                path,
            };
            if known && nth >= LOOK_FIRST && entry.done {
                item.what = if entry.gone { What::Removed } else { What::Changed };
            } else if entry.done {
                item.what = self.judge(now, first, &mut item, &entry, known && nth >= READ_FIRST, fs);
                known |= item.what.why_not().is_none();
            }
            items.push(item);
        }
        Settled { first, last, items, lost }
    }

    fn judge(&mut self, now: Instant, first: Instant, item: &mut Item, entry: &super::batch::Entry, assume: bool, fs: &mut dyn Fs) -> What {
        let Some(stat) = fs.lstat(&item.path) else {
            return if entry.gone { What::Removed } else { What::Vanished };
        };
        item.mtime = Some(stat.mtime);
        if matches!(stat.kind, FileKind::Dir | FileKind::Other) {
            return What::NoFile;
        }
        if entry.touch {
            return What::Touched;
        }
        match entry.gate {
            Some(Asked::Same) => return What::Same,
            Some(Asked::Changed) => return What::Changed,
            None if !entry.real && unused(now, first, &item.path, &stat, fs) => return What::Unused,
            None if assume => return What::Changed,
            Some(Asked::ChangedBefore) | None => {}
        }
        item.read = true;
        let changed = self.gate.ask(&item.path, &stat, fs);
        if changed || entry.gate.is_some() { What::Changed } else { What::Same }
    }
}
