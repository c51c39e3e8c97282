//! The apps that share one set of watch rules: settled batches become change sets, probes and notices for each of them.
//! Pure like [`Settle`] and [`Guard`], which it joins: one settle for all, one guard and the rules of its own for each.

#[cfg(test)]
mod tests;
mod wording;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    Ctl, Fs, Out,
    actions::{Actions, Matches},
    guard::{Guard, Ruling},
    paths,
    settle::{Item, Locks, Settle, Settled, Verdict, What},
};
use crate::model::{AppId, Cause, ChangeKind, ChangeSet, Level, Notice, NoticeKind, WatchSpec};

/// How many paths a change set names.
const NAMED: usize = 100;

/// How many of a batch that was no change are told where decisions are not explained.
const TOLD: usize = 10;

/// One app of a group.
#[derive(Debug)]
pub struct Member {
    /// Which app.
    pub app: AppId,
    name: String,
    guard: Guard,
    actions: Actions,
    /// It was told to stop for this path already: a change set must follow.
    owed: Option<PathBuf>,
}

/// What the engine has to do after [`Group::expire`].
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    None,
    /// Look at the folders again, then call [`Settle::rescanned`].
    Rescan,
}

/// The apps that share one set of watch rules.
#[derive(Debug)]
pub struct Group {
    /// The events go in here, filtered by the rules.
    pub settle: Settle,
    base: PathBuf,
    early_stop: bool,
    explain: bool,
    /// It is about the files that say what shall run, and has no apps.
    project: bool,
    members: Vec<Member>,
    /// What was sent, and when; not all of it was read.
    sent: Option<(Instant, Vec<Item>)>,
}

impl Group {
    /// A group without apps. `base`: the spec's, with its links resolved, as the paths of events are; `explain`: every decision is told.
    pub fn new(spec: &WatchSpec, base: PathBuf, explain: bool) -> Self {
        let settle = Settle::new(spec.delay, spec.gate);
        Self { settle, base, early_stop: spec.early_stop, explain, project: false, members: Vec::new(), sent: None }
    }

    /// The group of the files that say what shall run.
    pub fn of_project(spec: &WatchSpec, base: PathBuf, explain: bool) -> Self {
        Self { project: true, ..Self::new(spec, base, explain) }
    }

    /// Whether it is that of the files that say what shall run.
    pub fn is_project(&self) -> bool {
        self.project
    }

    /// Adds an app, with what is known of it from another group.
    pub fn join(&mut self, member: Member) {
        self.members.push(member);
    }

    /// Whether an app is one of it.
    pub fn has(&self, app: AppId) -> bool {
        self.members.iter().any(|member| member.app == app)
    }

    /// The rules of an app from now on.
    pub fn act(&mut self, app: AppId, actions: Actions) {
        if let Some(member) = self.members.iter_mut().find(|member| member.app == app) {
            member.actions = actions;
        }
    }

    /// The files it is about are those of another group now.
    pub fn retire(&mut self) {
        self.project = false;
    }

    /// Whether nobody needs it any more.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && !self.project
    }

    /// Lets the apps go that do not stay. One that was told to stop for a change gets that change now.
    pub fn leave(&mut self, now: Instant, stays: impl Fn(AppId) -> bool, out: &mut Vec<Out>) -> Vec<Member> {
        let mut gone: Vec<Member> = self.members.extract_if(.., |member| !stays(member.app)).collect();
        for member in &mut gone {
            if let Some(path) = member.owed.take() {
                let shown = self.shown(&path);
                let matched = member.actions.of([path.as_path()]).matched;
                let paths = vec![(path, ChangeKind::Written)];
                let changes = ChangeSet { paths, total: 1, first: now, last: now, cause: Cause::Files, shown, matched, unmatched: true };
                out.push(Out::Changed { app: member.app, changes: Arc::new(changes) });
            }
        }
        gone
    }

    /// What an app does; other groups' apps are nothing to it.
    pub fn told(&mut self, app: AppId, ctl: Ctl) {
        for member in self.members.iter_mut().filter(|member| member.app == app) {
            member.guard.told(ctl);
        }
    }

    /// A path as people are shown it.
    pub fn shown(&self, path: &Path) -> String {
        paths::shown(path, &self.base).to_string()
    }

    /// Tells why a path that had an event is no change; only where decisions are explained.
    pub fn skip(&self, why: Vec<String>, out: &mut Vec<Out>) {
        if self.explain && !why.is_empty() {
            out.extend(self.members.iter().map(|member| Out::Skipped { app: member.app, paths: Vec::new(), why: why.clone() }));
        }
    }

    /// Tells a decision; only where decisions are explained.
    pub fn explain(&self, text: impl FnOnce() -> String, out: &mut Vec<Out>) {
        if self.explain {
            out.push(Out::Notice(Notice::new(Level::Info, NoticeKind::Explain, text())));
        }
    }

    /// After an event: the first confirmed change lets apps begin to stop, unless it is one of those paths.
    pub fn after_event(&mut self, now: Instant, waits: &HashSet<PathBuf>, fs: &mut dyn Fs, locks: &mut dyn Locks, out: &mut Vec<Out>) {
        if !self.early_stop {
            return;
        }
        let Some(path) = self.settle.first_change(now, fs, locks).filter(|path| !waits.contains(path)) else { return };
        for member in &mut self.members {
            let actions = &member.actions;
            if actions.restarts_at_once(&actions.of([path.as_path()])) && member.guard.may_stop_early(now, &path) {
                member.owed = Some(path.clone());
                self.settle.owe();
                out.push(Out::Early { app: member.app, path: path.clone() });
            }
        }
    }

    /// No event waits.
    pub fn idle(&mut self, now: Instant, fs: &mut dyn Fs, out: &mut Vec<Out>) {
        let floor = self.members.iter_mut().map(|member| member.guard.floor(now)).max().unwrap_or_default();
        self.settle.slow_down(floor);
        let metadata = self.settle.idle(now, fs);
        let why = metadata.iter().map(|path| format!("{} changed in its metadata alone", self.shown(path))).collect();
        self.skip(why, out);
    }

    /// When [`Group::expire`] wants to be called.
    pub fn deadline(&self) -> Option<Instant> {
        self.settle.deadline().into_iter().chain(self.probes()).min()
    }

    /// The last time by now at which it matters that nothing has happened before.
    pub fn quiet_by(&self, now: Instant) -> Option<Instant> {
        self.settle.quiet_at().into_iter().chain(self.probes()).filter(|quiet| *quiet <= now).max()
    }

    /// When the probes of the restart-loop guard end.
    fn probes(&self) -> impl Iterator<Item = Instant> {
        self.members.iter().filter_map(|member| member.guard.deadline())
    }

    /// The deadline has come.
    pub fn expire(&mut self, now: Instant, fs: &mut dyn Fs, locks: &mut dyn Locks, out: &mut Vec<Out>) -> Step {
        match self.settle.expire(now, fs, locks) {
            Verdict::Rescan => return Step::Rescan,
            Verdict::Wait => {}
            Verdict::StillChanging { files, latest, git } => out.push(Out::Notice(self.still_changing(files, &latest, git))),
            Verdict::Settled(settled) => self.settled(now, settled, fs, out),
        }
        // A change that settles at the very end of a probe ends it first.
        for member in &mut self.members {
            if member.guard.expire(now) {
                out.push(Out::ProbeOver { app: member.app });
            }
        }
        Step::None
    }

    /// After what was found was sent on: reads what nobody needed to read before.
    pub fn learn(&mut self, now: Instant, fs: &mut dyn Fs) {
        if let Some((sent, items)) = self.sent.take() {
            self.settle.learn(now, sent, &items, fs);
        }
    }

    fn settled(&mut self, now: Instant, settled: Settled, fs: &mut dyn Fs, out: &mut Vec<Out>) {
        if self.project {
            self.project_settled(now, &settled, out);
            self.sent = Some((now, settled.items));
            return;
        }
        let wall = fs.now();
        let wall = |at: Instant| wall - now.saturating_duration_since(at);
        let mut members = std::mem::take(&mut self.members);
        for member in &mut members {
            if let Some(kept) = self.settle_for(member, now, &settled, wall, out) {
                self.settle.fired(now);
                for item in kept.into_iter().filter(|item| item.what == What::Removed) {
                    self.settle.forget(&item.path);
                }
            }
        }
        self.members = members;
        self.sent = Some((now, settled.items));
    }

    fn project_settled(&mut self, now: Instant, settled: &Settled, out: &mut Vec<Out>) {
        let mut paths = Vec::new();
        for item in &settled.items {
            let reason = match item.what {
                What::Touched => Some("was touched, and says what it said"),
                other => other.why_not(),
            };
            match reason {
                None => paths.push(item.path.clone()),
                Some(reason) => self.explain(|| format!("{} {reason}", self.shown(&item.path)), out),
            }
            if item.what == What::Removed {
                self.settle.forget(&item.path);
            }
        }
        if !paths.is_empty() || settled.lost {
            self.settle.fired(now);
            let shown: Vec<_> = paths.iter().map(|path| self.shown(path)).collect();
            self.explain(|| format!("what shall run was edited: {}", shown.join(", ")), out);
            out.push(Out::ProjectFile { paths });
        }
    }

    /// What the app gets a change set of; `None`: it gets none.
    fn settle_for<'a>(
        &self,
        member: &mut Member,
        now: Instant,
        settled: &'a Settled,
        wall: impl Fn(Instant) -> std::time::SystemTime,
        out: &mut Vec<Out>,
    ) -> Option<Vec<&'a Item>> {
        let mut kept = Vec::new();
        let (mut paths, mut why) = (Vec::new(), Vec::new());
        let told = if self.explain { usize::MAX } else { TOLD };
        for item in &settled.items {
            let any_save = item.what == What::Same && member.guard.is_down();
            let reason = item.what.why_not().filter(|_| !any_save).or_else(|| member.guard.own(item, &wall));
            match reason {
                None => kept.push(item),
                Some(reason) if why.len() < told => {
                    paths.push(item.path.clone());
                    why.push(format!("{} {reason}", self.shown(&item.path)));
                }
                Some(_) => {}
            }
        }
        let owed = member.owed.take();
        if kept.is_empty() && !settled.lost && owed.is_none() {
            if !why.is_empty() {
                out.push(Out::Skipped { app: member.app, paths, why });
            }
            return None;
        }
        let changes: Vec<(&Path, Instant)> = kept.iter().map(|item| (item.path.as_path(), item.at)).collect();
        let mut matches = member.actions.of(changes.iter().map(|(path, _)| *path).chain(owed.as_deref().filter(|_| kept.is_empty())));
        // What was lost may be anything; and an app that was stopped already has to be started.
        matches.unmatched |= settled.lost || owed.is_some() && !member.actions.restarts(&matches);
        // An app that is down is started by any save.
        let ruling = if !member.actions.replaces(&matches) && !member.guard.is_down() {
            // It proves nothing about restarts, and is none.
            Ruling::Fire
        } else if settled.lost || kept.is_empty() {
            member.guard.unrelated(now)
        } else {
            member.guard.rule(now, settled.first, &changes)
        };
        if member.guard.ran_away() {
            out.push(Out::Notice(wording::runaway(&member.name)));
        }
        let change_set = || Out::Changed { app: member.app, changes: Arc::new(self.change_set(settled, &kept, owed, matches)) };
        match ruling {
            Ruling::Fire => {
                let changed = change_set();
                out.push(changed);
            }
            Ruling::EndProbe => {
                let changed = change_set();
                out.extend([changed, Out::ProbeOver { app: member.app }]);
            }
            Ruling::Probe(path) => {
                self.explain(|| format!("{} is suspected to be written by {} itself: holding it", self.shown(&path), member.name), out);
                out.push(Out::Probe { app: member.app, path });
                return None;
            }
            Ruling::Absorb(absorbed) => {
                out.push(Out::Notice(self.restart_loop(&member.name, &absorbed)));
                self.skip(changes.iter().map(|(path, _)| format!("{} is written by the app itself", self.shown(path))).collect(), out);
                return None;
            }
            Ruling::Held => {
                self.skip(vec![format!("{} is being held; what it writes while it ends is its own", member.name)], out);
                return None;
            }
        }
        self.explain(|| self.explanation(member, now, settled, &kept), out);
        Some(kept)
    }

    fn change_set(&self, settled: &Settled, kept: &[&Item], owed: Option<PathBuf>, matches: Matches) -> ChangeSet {
        let Matches { matched, unmatched } = matches;
        let mut paths: Vec<(PathBuf, ChangeKind)> = kept.iter().take(NAMED).map(|item| (item.path.clone(), kind(item.what))).collect();
        let mut total = kept.len();
        if let (true, Some(path)) = (paths.is_empty(), owed) {
            paths.push((path, ChangeKind::Written));
            total = 1;
        }
        let shown = match paths.first() {
            None => String::new(),
            Some((first, _)) if total == 1 => self.shown(first),
            Some((first, _)) => format!("{} and {} more", self.shown(first), total - 1),
        };
        let cause = if settled.lost { Cause::Rescan } else { Cause::Files };
        ChangeSet { paths, total, first: settled.first, last: settled.last, cause, shown, matched, unmatched }
    }

    fn explanation(&self, member: &Member, now: Instant, settled: &Settled, kept: &[&Item]) -> String {
        let waited = now.saturating_duration_since(settled.last).as_millis();
        let mut named: Vec<String> = kept.iter().take(5).map(|item| self.shown(&item.path)).collect();
        let more = kept.len().saturating_sub(named.len());
        named.extend((more > 0).then(|| format!("{more} more")));
        named.extend(settled.lost.then(|| "events were lost".to_owned()));
        format!("{} settled {waited} ms after the last event: {}", member.name, named.join(", "))
    }
}

impl Member {
    /// An app of which nothing is known.
    pub fn new(app: AppId, name: String) -> Self {
        Self { app, name, guard: Guard::default(), actions: Actions::default(), owed: None }
    }

    /// The same with these rules from now on.
    #[must_use]
    pub fn acting(mut self, actions: Actions) -> Self {
        self.actions = actions;
        self
    }

    /// Whether the restart-loop guard holds it: the end of that has to be told.
    pub fn is_held(&self) -> bool {
        self.guard.deadline().is_some()
    }
}

fn kind(what: What) -> ChangeKind {
    match what {
        What::Removed => ChangeKind::Removed,
        What::Touched => ChangeKind::Touched,
        What::Changed | What::Same | What::Unused | What::Unfinished | What::Vanished | What::NoFile => ChangeKind::Written,
    }
}
