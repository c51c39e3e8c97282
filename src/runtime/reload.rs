//! Live edits: the files that say what shall run are read again, and what differs is told and carried out.
//! Reading them happens on a thread of its own; it starts nothing itself (see `tool`), and there is at most one at a time.

use std::{
    ffi::OsString,
    fs, io,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use super::{
    project::{ProjectId, State},
    runner::{Inbox, Runner, now},
    sources::Sources,
    tool::Link,
};
use crate::{
    config::{self, Files, Host, Plan, Request, Resolved, Seen, diff::Step},
    model::{AppId, ChangeSet, Error, Level, Notice, NoticeKind},
    supervisor::Event,
    watch,
};

/// How long a pipe that an edit names has to be written to its end.
const PIPE: Duration = Duration::from_secs(2);

/// What came of reading the files again.
#[derive(Debug)]
pub struct Loaded {
    /// Whose files.
    project: ProjectId,
    /// What was edited.
    edited: Vec<PathBuf>,
    /// When reading began.
    read_at: SystemTime,
    /// What was looked at, also where it is wrong.
    seen: Files,
    result: Result<Resolved, Error>,
}

impl Runner {
    /// Files that say what shall run were edited.
    pub fn edited(&mut self, paths: Vec<PathBuf>) {
        for id in self.projects.of_files(&paths) {
            self.edited_in(id, paths.clone());
        }
    }

    fn edited_in(&mut self, id: ProjectId, paths: Vec<PathBuf>) {
        let Some(project) = self.projects.get_mut(id) else { return };
        match &mut project.state {
            State::Idle => self.read_project(id, paths),
            State::Reading(_) => project.state = State::Outdated(paths),
            State::Outdated(before) => before.extend(paths),
        }
    }

    /// Files of an app changed. What the project file loads acts through its plan first.
    pub fn changed(&mut self, app: AppId, changes: Arc<ChangeSet>) {
        let Some(project) = self.projects.that_loads(&changes) else {
            return self.files_changed(app, changes);
        };
        let paths = changes.paths.iter().map(|(path, _)| path.clone()).collect();
        let is_read = matches!(project.state, State::Reading(since) if since > changes.last);
        project.held.push((app, changes));
        let id = project.id;
        if !is_read {
            self.edited_in(id, paths);
        }
    }

    /// The plan is told: what was saved meanwhile acts on the apps that it does not restart.
    fn release(&mut self, id: ProjectId, plan: Option<&Plan>) {
        let held = self.projects.get_mut(id).map(|project| std::mem::take(&mut project.held)).unwrap_or_default();
        for (app, changes) in held {
            let step = plan.and_then(|plan| plan.step(self.apps.name(app)?));
            if !matches!(step, Some(Step::Changed { needs_restart: true, .. })) {
                self.files_changed(app, changes);
            }
        }
    }

    /// The surroundings of a request that is completed on a thread of its own: what starts children asks the loop for them.
    pub fn host_of(&self, host: &Host) -> Host {
        let link = Link(self.inbox.clone());
        let (asks, runs) = (link.clone(), link);
        Host {
            ask: Arc::new(move |launch| asks.ask(launch)),
            run: Arc::new(move |launch, limit| runs.run(launch, limit)),
            pipes: host.pipes.within(PIPE),
            seen: Seen::default(),
            ..host.clone()
        }
    }

    fn read_project(&mut self, id: ProjectId, edited: Vec<PathBuf>) {
        let Some(project) = self.projects.get(id) else { return };
        let host = self.host_of(&project.host);
        let (inbox, read_at) = (self.inbox.clone(), watch::stamp());
        let own = self.apps.of(id).filter(|(_, spec)| spec.account.user.is_none());
        let told_as_root = own.map(|(_, spec)| spec.name.clone()).chain(project.said.deleted_names()).collect();
        let request = Request { known: project.sources.files.clone(), told_as_root, ..project.request.clone() };
        let piped = self.piped(project.typed.as_ref());
        let (paths, since) = (edited.clone(), now());
        let read = move || {
            let result = completed(&request, &host, piped.as_ref());
            let _ = inbox.send(Inbox::Loaded(Box::new(Loaded { project: id, edited, read_at, seen: host.seen.all(), result })));
        };
        match thread::Builder::new().name("pmdev-project".to_owned()).spawn(read) {
            Ok(_) => {
                if let Some(project) = self.projects.get_mut(id) {
                    project.state = State::Reading(since);
                }
            }
            Err(cause) => {
                let error = Error::failed("the thread that reads it could not be started").because(cause);
                self.say_refused(id, &paths, &error);
                self.release(id, None);
            }
        }
    }

    /// The files were read again.
    pub fn loaded(&mut self, loaded: Loaded) {
        let Loaded { project: id, edited, read_at, seen, result } = loaded;
        let Some(project) = self.projects.get_mut(id) else { return };
        let state = std::mem::replace(&mut project.state, State::Idle);
        if !self.supervisor.is_running() {
            return;
        }
        // What was read then is old already, also where it was wrong.
        if let State::Outdated(mut again) = state {
            again.extend(edited);
            again.sort();
            again.dedup();
            self.read_project(id, again);
            return;
        }
        match result {
            Ok(resolved) => {
                let resolved = project.said.over(resolved);
                self.apply(id, &edited, read_at, resolved);
            }
            Err(error) => {
                // The next save of what is wrong must not be missed.
                project.sources.join(seen);
                self.say_refused(id, &edited, &error);
                self.watch_again(read_at);
                self.release(id, None);
            }
        }
    }

    fn apply(&mut self, id: ProjectId, edited: &[PathBuf], read_at: SystemTime, resolved: Resolved) {
        let Some(project) = self.projects.get_mut(id) else { return };
        let shown = project.shown(edited);
        let resolved = self.apps.without_others(id, resolved);
        let Resolved { apps, env, notices, files, modules } = resolved;
        project.sources = Sources::new(files, modules);
        let news = project.warnings.news(notices);
        news.iter().for_each(|notice| self.say(notice));
        let plan = self.apps.plan(id, &apps, &env);
        if plan.is_empty() {
            self.say(&Notice::new(Level::Info, NoticeKind::Plan, format!("{shown} was read again: nothing changes")));
        } else {
            for (app, line) in plan.lines() {
                let notice = Notice::new(Level::Info, NoticeKind::Plan, line);
                self.say(&Notice { app: app.map(str::to_owned), ..notice });
            }
        }
        let edits = self.apps.replace(id, apps, env, &plan);
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
        self.release(id, Some(&plan));
    }

    /// The watcher looks at what the apps of now want. `read_at`: when that was read.
    pub fn watch_again(&mut self, read_at: SystemTime) {
        let wanted = self.projects.wanted(self.apps.watched(), read_at);
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

    /// Everything runs on.
    fn say_refused(&self, id: ProjectId, edited: &[PathBuf], error: &Error) {
        let mut hint = error.to_string();
        for line in error.hint.iter().flat_map(|hint| hint.lines()) {
            hint.push_str(&format!("\n{line}"));
        }
        let text = format!(
            "{} cannot be applied, everything runs on as it was",
            self.projects.get(id).map(|project| project.shown(edited)).unwrap_or_default()
        );
        self.say(&Notice::new(Level::Error, NoticeKind::Config, text).hint(hint));
    }
}

/// What came through standard input in the place of the target `-`.
#[derive(Debug, Clone)]
pub struct Piped {
    /// A project file's text.
    pub text: String,
    /// The folder in which it is a file for as long as it is read.
    pub home: PathBuf,
}

/// Completes a request, and makes sure that what it has watched can be.
pub fn completed(request: &Request, host: &Host, piped: Option<&Piped>) -> Result<Resolved, Error> {
    let Some(Piped { text, home }) = piped else { return checked(request, host) };
    let failed = |error: io::Error| Error::failed("What came through standard input could not be kept to be read").because(error);
    let folder = tempfile::Builder::new().prefix("stdin-").tempdir_in(home).map_err(failed)?;
    let file = folder.path().join("stdin.json");
    fs::write(&file, text).map_err(failed)?;
    let named = |target: &OsString| if target == "-" { file.clone().into_os_string() } else { target.clone() };
    let request = Request { targets: request.targets.iter().map(named).collect(), ..request.clone() };
    let result = checked(&request, host);
    let shown = file.strip_prefix(&host.cwd).unwrap_or(&file).to_string_lossy();
    let mut resolved = result.map_err(|error| Error { message: error.message.replace(&*shown, "standard input"), ..error })?;
    // It is gone when this returns, and that is no edit.
    resolved.files.retain(|known| *known != file);
    resolved.modules.retain(|known| *known != file);
    Ok(resolved)
}

fn checked(request: &Request, host: &Host) -> Result<Resolved, Error> {
    let resolved = config::resolve(request, host)?;
    let mut watched = resolved.apps.iter().filter_map(|app| Some((app.watch.as_ref()?, &app.rules)));
    watched.try_for_each(|(spec, rules)| watch::check(spec, rules)).map(|()| resolved)
}
