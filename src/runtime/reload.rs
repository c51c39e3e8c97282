//! Live edits: the files that say what shall run are read again, and what differs is told and carried out.
//! Reading them happens on a thread of its own; it starts nothing itself (see `tool`), and there is at most one at a time.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::{
    runner::{Inbox, Runner, now},
    sources::Sources,
    tool::Link,
    warnings::Warnings,
};
use crate::{
    config::{self, Files, Host, Plan, Request, Resolved, Seen, diff::Step},
    model::{AppId, AppSpec, ChangeSet, Error, Level, Notice, NoticeKind},
    supervisor::Event,
    watch,
};

/// How long a pipe that an edit names has to be written to its end.
const PIPE: Duration = Duration::from_secs(2);

/// What shall run, as it was asked for, and the files that say the rest.
#[derive(Debug)]
pub struct Project {
    request: Request,
    host: Host,
    /// The files.
    pub sources: Sources,
    /// Saves of what they load, in apps: an app that the plan restarts is not restarted again.
    held: Vec<(AppId, Arc<ChangeSet>)>,
    /// What was said about them.
    warnings: Warnings,
    state: State,
    /// What was said over the socket about apps of these files.
    pub said: Said,
}

/// What holds for apps whatever their files say: they were deleted, or have another number of instances.
#[derive(Debug, Default)]
pub struct Said {
    deleted: HashSet<String>,
    /// The number that the file had then, and that of now.
    scaled: HashMap<String, (u16, u16)>,
    /// Apps whose watching was turned on or off, and whether the file had it on then.
    watched: HashMap<String, bool>,
}

impl Said {
    /// An app was deleted: edits of its file do not bring it back.
    pub fn delete(&mut self, app: &str) {
        self.deleted.insert(app.to_owned());
    }

    /// An app has another number of instances, until its file names another one as well.
    pub fn scale(&mut self, app: &str, before: u16, count: u16) {
        self.scaled.entry(app.to_owned()).or_insert((before, count)).1 = count;
    }

    /// An app is watched, or not, the other way round than its file says, until the file changes that as well.
    pub fn toggle_watch(&mut self, app: &str, before: bool) {
        if self.watched.remove(app).is_none() {
            self.watched.insert(app.to_owned(), before);
        }
    }

    /// Lays it over what files say.
    fn over(&self, resolved: Resolved) -> Resolved {
        let Resolved { apps, env, notices, files, modules } = resolved;
        let kept = apps.into_iter().zip(env).filter(|(app, _)| !self.deleted.contains(&app.name)).map(|(app, env)| {
            let instances = match self.scaled.get(&app.name) {
                Some((before, count)) if *before == app.instances => *count,
                Some(_) | None => app.instances,
            };
            let mut app = AppSpec { instances, ..app };
            if self.watched.get(&app.name).is_some_and(|before| *before == app.watch.is_some()) {
                app.toggle_watch();
            }
            (app, env)
        });
        let (apps, env) = kept.unzip();
        Resolved { apps, env, notices, files, modules }
    }
}

/// Whether the files are being read.
#[derive(Debug)]
enum State {
    Idle,
    /// Since then.
    Reading(Instant),
    /// They were edited again since that began, these of them.
    Outdated(Vec<PathBuf>),
}

/// What came of reading the files again.
#[derive(Debug)]
pub struct Loaded {
    /// What was edited.
    edited: Vec<PathBuf>,
    /// When reading began.
    read_at: SystemTime,
    /// What was looked at, also where it is wrong.
    seen: Files,
    result: Result<Resolved, Error>,
}

impl Project {
    pub fn new(request: Request, host: Host, sources: Sources, told: &[Notice]) -> Self {
        let warnings = Warnings::new(told);
        Self { request, host, sources, held: Vec::new(), warnings, state: State::Idle, said: Said::default() }
    }

    /// What was edited, as people are shown it; without a path, the first of the files.
    fn shown(&self, edited: &[PathBuf]) -> String {
        let path = edited.first().or(self.sources.files.first());
        let shown = path.map(|path| path.strip_prefix(&self.host.cwd).unwrap_or(path).display().to_string()).unwrap_or_default();
        match edited.len() {
            0 | 1 => shown,
            several => format!("{shown} and {} more", several - 1),
        }
    }
}

impl Runner {
    /// Files that say what shall run were edited.
    pub fn edited(&mut self, paths: Vec<PathBuf>) {
        match &mut self.project.state {
            State::Idle => self.read_project(paths),
            State::Reading(_) => self.project.state = State::Outdated(paths),
            State::Outdated(before) => before.extend(paths),
        }
    }

    /// Files of an app changed. What the project file loads acts through its plan first.
    pub fn changed(&mut self, app: AppId, changes: Arc<ChangeSet>) {
        if !self.project.sources.are_all_of(&changes) {
            return self.files_changed(app, changes);
        }
        let paths = changes.paths.iter().map(|(path, _)| path.clone()).collect();
        let is_read = matches!(self.project.state, State::Reading(since) if since > changes.last);
        self.project.held.push((app, changes));
        if !is_read {
            self.edited(paths);
        }
    }

    /// The plan is told: what was saved meanwhile acts on the apps that it does not restart.
    fn release(&mut self, plan: Option<&Plan>) {
        for (app, changes) in std::mem::take(&mut self.project.held) {
            let step = plan.and_then(|plan| plan.step(self.apps.name(app)?));
            if !matches!(step, Some(Step::Changed { needs_restart: true, .. })) {
                self.files_changed(app, changes);
            }
        }
    }

    fn read_project(&mut self, edited: Vec<PathBuf>) {
        let link = Link(self.inbox.clone());
        let (asks, runs) = (link.clone(), link);
        let host = Host {
            ask: Arc::new(move |launch| asks.ask(launch)),
            run: Arc::new(move |launch, limit| runs.run(launch, limit)),
            pipes: self.project.host.pipes.within(PIPE),
            seen: Seen::default(),
            ..self.project.host.clone()
        };
        let (inbox, read_at) = (self.inbox.clone(), watch::stamp());
        let request = Request { known: self.project.sources.files.clone(), ..self.project.request.clone() };
        let (paths, since) = (edited.clone(), now());
        let read = move || {
            let result = config::resolve(&request, &host).and_then(|resolved| {
                let mut watched = resolved.apps.iter().filter_map(|app| Some((app.watch.as_ref()?, &app.rules)));
                watched.try_for_each(|(spec, rules)| watch::check(spec, rules)).map(|()| resolved)
            });
            let _ = inbox.send(Inbox::Loaded(Box::new(Loaded { edited, read_at, seen: host.seen.all(), result })));
        };
        match thread::Builder::new().name("pmdev-project".to_owned()).spawn(read) {
            Ok(_) => self.project.state = State::Reading(since),
            Err(cause) => {
                let error = Error::failed("the thread that reads it could not be started").because(cause);
                self.say_refused(&paths, &error);
                self.release(None);
            }
        }
    }

    /// The files were read again.
    pub fn loaded(&mut self, loaded: Loaded) {
        let Loaded { edited, read_at, seen, result } = loaded;
        let state = std::mem::replace(&mut self.project.state, State::Idle);
        if !self.supervisor.is_running() {
            return;
        }
        // What was read then is old already, also where it was wrong.
        if let State::Outdated(mut again) = state {
            again.extend(edited);
            again.sort();
            again.dedup();
            self.read_project(again);
            return;
        }
        match result {
            Ok(resolved) => {
                let resolved = self.project.said.over(resolved);
                self.apply(&edited, read_at, resolved);
            }
            Err(error) => {
                self.say_refused(&edited, &error);
                // The next save of what is wrong must not be missed.
                self.project.sources.join(seen);
                self.watch_again(read_at);
                self.release(None);
            }
        }
    }

    fn apply(&mut self, edited: &[PathBuf], read_at: SystemTime, resolved: Resolved) {
        let Resolved { apps, env, notices, files, modules } = resolved;
        let shown = self.project.shown(edited);
        self.project.warnings.news(notices).iter().for_each(|notice| self.say(notice));
        let plan = self.apps.plan(&apps, &env);
        if plan.is_empty() {
            self.say(&Notice::new(Level::Info, NoticeKind::Plan, format!("{shown} was read again: nothing changes")));
        } else {
            for (app, line) in plan.lines() {
                let notice = Notice::new(Level::Info, NoticeKind::Plan, line);
                self.say(&Notice { app: app.map(str::to_owned), ..notice });
            }
        }
        let edits = self.apps.replace(apps, env, &plan);
        self.project.sources = Sources::new(files, modules);
        self.label();
        self.feed_input();
        self.schedule();
        // Before anything starts: no change from then on is missed.
        self.watch_again(read_at);
        if !edits.is_empty() {
            self.service.reloading();
            self.handle(Event::Apply { edits, shown });
        }
        self.measure_memory();
        self.release(Some(&plan));
    }

    /// The watcher looks at what the apps of now want. `read_at`: when that was read.
    pub fn watch_again(&mut self, read_at: SystemTime) {
        let wanted = self.project.sources.wanted(self.apps.watched(), read_at);
        if let Some(watcher) = &self.watcher {
            return watcher.watch(wanted);
        }
        if wanted.apps.is_empty() && wanted.files.is_empty() {
            return;
        }
        if let Err(error) = self.start_watcher(wanted) {
            let notice = Notice::new(Level::Error, NoticeKind::Watch, format!("Nothing is watched: {error}"));
            self.say(&Notice { hint: error.hint, ..notice });
        }
    }

    /// The folder the runner was started in.
    pub fn folder(&self) -> String {
        self.project.host.cwd.to_string_lossy().into_owned()
    }

    /// Everything runs on.
    fn say_refused(&self, edited: &[PathBuf], error: &Error) {
        let mut hint = error.to_string();
        for line in error.hint.iter().flat_map(|hint| hint.lines()) {
            hint.push_str(&format!("\n{line}"));
        }
        let text = format!("{} cannot be applied, everything runs on as it was", self.project.shown(edited));
        self.say(&Notice::new(Level::Error, NoticeKind::Config, text).hint(hint));
    }
}
