//! The background runner: requests of `start -d` are completed and their apps taken in, those of resurrect and of restarts that change
//! something as well.
//! What is wrong with a request is the answer to it, and changes nothing.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    thread,
    time::SystemTime,
};

use super::{
    project::{Project, ProjectId, Said},
    reload::{Piped, completed},
    runner::{Inbox, Runner},
    sources::Sources,
};
use crate::{
    config::{self, EnvRecipe, Host, Request as Asked, Resolved, Seen},
    control::{How, Reply, Responder, Run, Update},
    model::{AppId, AppSpec, Error, InstanceId, NoticeKind},
    supervisor::{Event, Goal, Request, Target},
    ui, watch,
};

/// Reads the words after `start` as the command line does.
pub type ReadArgs = fn(&[String]) -> Result<Asked, Error>;

/// What makes a runner one of the background.
#[derive(Debug)]
pub struct Background {
    /// Reads the words of requests.
    pub read: ReadArgs,
    /// `$PMDEV_HOME`.
    pub home: PathBuf,
    /// Our own surroundings: who we are.
    pub host: Host,
}

/// What one client asked for, and what came of completing it.
#[derive(Debug)]
pub struct Completed {
    asked: Asking,
    read_at: SystemTime,
    /// One for each order.
    results: Result<Vec<Resolved>, Error>,
}

/// What one client asks for, on its way.
#[derive(Debug)]
struct Asking {
    orders: Vec<Order>,
    wait: bool,
    responder: Responder,
}

/// A request, or one that is made again.
#[derive(Debug)]
struct Order {
    run: Run,
    request: Asked,
    host: Host,
    /// Where that matters, the apps it is about.
    only: Option<BTreeSet<String>>,
    /// Whose apps are taken over with what was said about them, where it is made again.
    again: Option<ProjectId>,
}

impl Runner {
    /// Takes a request for apps; its answer comes when they are online, or at once where it is refused.
    pub fn run_asked(&mut self, run: Run, wait: bool, responder: Responder) -> Result<Option<Reply>, Reply> {
        let Some(background) = &self.background else {
            let message = "This runner is that of a folder, and runs what it was started with";
            return Err(Reply::Refused {
                code: 1,
                message: message.to_owned(),
                hint: Some("in the background: pmdev start -d".to_owned()),
            });
        };
        let request = background.read(&run).map_err(|error| refused(&error))?;
        let host = background.host_of(&run);
        self.complete(Asking { orders: vec![Order { run, request, host, only: None, again: None }], wait, responder });
        Ok(None)
    }

    /// Restarts apps with another environment or other options, each by the request it came with.
    pub fn update_asked(&mut self, update: &Update, responder: &Responder) -> Result<(), Reply> {
        if self.background.is_none() {
            return Err(Reply::refused(1, "Environment and options of these apps are those that their runner was started with"));
        }
        let ids = self.targets(&update.targets)?;
        let apps: BTreeSet<AppId> = ids.iter().map(|id| id.app).collect();
        let owners: BTreeSet<ProjectId> = apps.iter().filter_map(|app| self.apps.owner(*app)).collect();
        let mut orders = Vec::new();
        for owner in owners {
            let asked = |project: &Project| Some((project.request.clone(), project.typed.clone()?));
            let Some((request, typed)) = self.projects.get(owner).and_then(asked) else { continue };
            let only = self.apps.of(owner).filter(|(app, _)| apps.contains(app)).map(|(_, spec)| spec.name.clone()).collect();
            let run = update.over(typed);
            let Some(background) = &self.background else { continue };
            let request = if update.options.is_empty() { request } else { background.read(&run).map_err(|error| refused(&error))? };
            let host = background.host_of(&run);
            orders.push(Order { run, request, host, only: Some(only), again: Some(owner) });
        }
        self.complete(Asking { orders, wait: update.wait, responder: responder.clone() });
        Ok(())
    }

    /// Completes requests on a thread of their own: that reads files, and may ask tools.
    fn complete(&mut self, asked: Asking) {
        let read_at = watch::stamp();
        let of = |order: &Order| (order.request.clone(), self.host_of(&order.host), self.piped(Some(&order.run)));
        let work: Vec<_> = asked.orders.iter().map(of).collect();
        let (inbox, responder) = (self.inbox.clone(), asked.responder.clone());
        let work = move || {
            let results = work.iter().map(|(request, host, piped)| completed(request, host, piped.as_ref())).collect();
            let _ = inbox.send(Inbox::Completed(Box::new(Completed { asked, read_at, results })));
        };
        if let Err(cause) = thread::Builder::new().name("pmdev-request".to_owned()).spawn(work) {
            responder.say(Reply::refused(1, format!("The thread that reads the request could not be started: {cause}")));
        }
    }

    /// What somebody asked for is completed: its apps are taken in, all of them or none.
    pub fn completed(&mut self, completed: Completed) {
        let Completed { mut asked, read_at, results } = completed;
        let responder = asked.responder.clone();
        if !self.supervisor.is_running() {
            responder.say(Reply::refused(1, "The background runner is being ended"));
            return;
        }
        let allowed = results.map_err(|error| refused(&error)).and_then(|all| {
            let renamed =
                asked.orders.iter_mut().zip(&all).map(|(order, resolved)| self.allow(order, resolved)).collect::<Result<Vec<_>, _>>()?;
            Ok((all, renamed.contains(&true)))
        });
        let all = match allowed {
            Ok((_, true)) => return self.complete(asked),
            Ok((all, false)) => all,
            Err(reply) => {
                responder.say(reply);
                return;
            }
        };
        let Asking { orders, wait, responder } = asked;
        let is_kept = orders.iter().all(|order| order.run.how == How::Missing);
        let (mut goals, mut told) = (Vec::new(), Vec::new());
        for (order, resolved) in orders.into_iter().zip(all) {
            goals.extend(self.take_in(order, read_at, resolved, &mut told));
        }
        if !told.is_empty() {
            responder.say(Reply::Text { lines: told });
        }
        if goals.is_empty() {
            responder.say(Reply::Done { instances: Vec::new(), took_ms: 0 });
        } else if wait && is_kept {
            // A whole list comes back, one request after the other: their sum of moments is not worth it.
            self.answer_when(goals, responder);
        } else if wait {
            self.answer_when_steady(goals, responder);
        } else {
            let ids: Vec<_> = goals.iter().map(|(id, _)| *id).collect();
            responder.say(self.done(&ids));
        }
    }

    /// Whether its apps got other names, so that it has to be completed once more.
    fn allow(&self, order: &mut Order, resolved: &Resolved) -> Result<bool, Reply> {
        let is_file = resolved.files.iter().any(|file| !resolved.env.iter().any(|recipe| recipe.files().contains(file)));
        if is_file || order.run.how != How::Start {
            return Ok(false);
        }
        if order.request.force && self.rename(&mut order.request, &resolved.apps) {
            order.run.names = order.request.names.clone();
            return Ok(true);
        }
        self.refuse_twice(&resolved.apps).map(|()| false)
    }

    /// Takes in the apps of a request; what is to be waited for comes back, and what there is to tell of them is added.
    fn take_in(&mut self, order: Order, read_at: SystemTime, resolved: Resolved, told: &mut Vec<String>) -> Vec<(InstanceId, Goal)> {
        let Order { run, request, host, only, again } = order;
        // As it is now: somebody may have said something while the request was completed.
        let said = match again.map(|owner| self.projects.get(owner)) {
            None => Said::default(),
            Some(Some(project)) => project.said.clone(),
            Some(None) => return Vec::new(),
        };
        let Resolved { apps, env, notices, files, modules } = said.over(resolved);
        let wanted = |spec: &AppSpec, runner: &Self| {
            only.as_ref().is_none_or(|only| only.contains(&spec.name))
                && !run.without.contains(&spec.name)
                && (run.how != How::Missing || runner.apps.named(&spec.name).is_none())
        };
        let (chosen, left): (Vec<_>, Vec<_>) = apps.into_iter().zip(env).partition(|(spec, _)| wanted(spec, self));
        let is_empty = chosen.is_empty() && left.is_empty();
        if chosen.is_empty() && !is_empty {
            return Vec::new();
        }
        told.extend(notices.iter().filter(|notice| notice.kind != NoticeKind::Detected).map(sentence));
        if is_empty {
            return Vec::new();
        }
        let project = self.projects.add(request, host, Sources::new(files, modules), &notices);
        let id = project.id;
        let Run { args, cwd, env, stdin, names, options, .. } = run;
        project.typed = Some(Run { args, cwd, env, stdin, names, options, ..Run::default() });
        project.said = said;
        left.iter().for_each(|(spec, _)| project.said.delete(&spec.name));
        self.apps.reserve(run.ids);
        let (mut specs, mut stopped) = (Vec::new(), Vec::new());
        for (mut spec, recipe) in chosen {
            if let Some((_, count)) = run.scaled.iter().find(|(name, _)| *name == spec.name) {
                project.said.scale(&spec.name, spec.instances, *count);
                spec.instances = *count;
            }
            if run.watched.contains(&spec.name) {
                project.said.toggle_watch(&spec.name, spec.watch.is_some());
                spec.toggle_watch();
            }
            if spec.autostart && run.stopped.contains(&spec.name) {
                stopped.push(spec.name.clone());
                spec.autostart = false;
            }
            specs.push((spec, recipe));
        }
        let before: BTreeSet<AppId> = specs.iter().filter_map(|(spec, _)| self.apps.named(&spec.name)).collect();
        before.iter().for_each(|app| self.hand_over(*app, id));
        notices.iter().for_each(|notice| self.say(notice));
        let goals = self.start_apps(id, specs, &before, run.how, read_at);
        // Their file says that they start: an edit of it is to leave them alone.
        let stopped: BTreeSet<AppId> = stopped.iter().filter_map(|name| self.apps.named(name)).collect();
        if !stopped.is_empty() {
            let stopped = self.instances_of(|app| stopped.contains(&app));
            self.handle(Event::Request(Request::Stop(Target::Instances(stopped))));
        }
        let apps = &self.apps;
        self.projects.retain(|id| apps.of(id).next().is_some());
        goals
    }

    /// Has the apps of a request come, change and start. `before`: those that were there. What is to be waited for comes back.
    fn start_apps(
        &mut self,
        id: ProjectId,
        specs: Vec<(AppSpec, EnvRecipe)>,
        before: &BTreeSet<AppId>,
        how: How,
        read_at: SystemTime,
    ) -> Vec<(InstanceId, Goal)> {
        let (specs, env): (Vec<_>, Vec<_>) = specs.into_iter().unzip();
        let latest = self.supervisor.latest();
        let plan = self.apps.plan(id, &specs, &env);
        let edits = self.apps.replace(id, specs, env, &plan);
        self.label();
        self.schedule();
        self.watch_again(read_at);
        self.handle(Event::Apply { edits, shown: "on request".to_owned() });
        self.measure_memory();
        let known: Vec<InstanceId> = self.instances_of(|app| before.contains(&app));
        if !known.is_empty() {
            let target = Target::Instances(known);
            let request = match how {
                How::Start | How::Restart | How::Missing => Request::Restart(target.clone()),
                How::Reload => Request::Reload(target.clone()),
            };
            self.handle(Event::Request(request));
            self.handle(Event::Request(Request::Start(target)));
        }
        let apps = &self.apps;
        let starts = |app: AppId| apps.spec(app).is_some_and(|spec| spec.autostart || before.contains(&app));
        let goal = |app: AppId| if starts(app) { Goal::Online { after: latest } } else { Goal::Stopped };
        self.instances_of(|app| apps.owner(app) == Some(id)).into_iter().map(|id| (id, goal(id.app))).collect()
    }

    pub fn instances_of(&self, meant: impl Fn(AppId) -> bool) -> Vec<InstanceId> {
        let apps = self.apps.all().filter(|(app, _)| meant(*app));
        apps.flat_map(|(app, spec)| (0..spec.instances).map(move |slot| InstanceId { app, slot })).collect()
    }

    /// An app is another request's from now on.
    fn hand_over(&mut self, app: AppId, to: ProjectId) {
        let Some(name) = self.apps.name(app).map(str::to_owned) else { return };
        if let Some(owner) = self.apps.owner(app).and_then(|owner| self.projects.get_mut(owner)) {
            owner.said.delete(&name);
        }
        self.apps.give(app, to);
    }

    /// Nothing that was typed itself runs twice; what is down is started again.
    fn refuse_twice(&self, specs: &[AppSpec]) -> Result<(), Reply> {
        let runs = |spec: &&AppSpec| self.apps.named(&spec.name).is_some_and(|app| self.is_up(app));
        let Some(twice) = specs.iter().find(runs) else { return Ok(()) };
        let message = format!("{} runs already", twice.name);
        let hint = format!("restart it: pmdev restart {0}; or start it once more under another name: --name NAME, or -f", twice.name);
        Err(Reply::Refused { code: 1, message, hint: Some(hint) })
    }

    fn is_up(&self, app: AppId) -> bool {
        let ids = self.instances_of(|known| known == app);
        ids.iter().any(|id| self.supervisor.progress(*id, Goal::Stopped) != crate::supervisor::Progress::Reached)
    }

    /// Gives apps whose names are taken names of their own; whether there were any.
    fn rename(&self, request: &mut Asked, specs: &[AppSpec]) -> bool {
        let mut names: Vec<String> = Vec::new();
        for spec in specs {
            let numbered = (2..).map(|number| format!("{}-{number}", spec.name));
            let free = |name: &String| self.apps.named(name).is_none() && !names.contains(name);
            let name = std::iter::once(spec.name.clone()).chain(numbered).find(free);
            names.push(name.expect("numbers do not end"));
        }
        let changed = specs.iter().map(|spec| &spec.name).ne(&names);
        request.names = names;
        changed
    }
}

impl Runner {
    /// What takes the place of `-` in the words of a request.
    pub fn piped(&self, typed: Option<&Run>) -> Option<Piped> {
        let text = typed?.stdin.clone()?;
        Some(Piped { text, home: self.background.as_ref()?.home.clone() })
    }
}

impl Background {
    /// What was typed.
    fn read(&self, run: &Run) -> Result<Asked, Error> {
        let request = (self.read)(&run.args)?;
        let names = if run.names.is_empty() { request.names } else { run.names.clone() };
        let later = if run.options.is_empty() { Asked::default() } else { (self.read)(&run.options)? };
        let flags = request.flags.into_iter().chain(later.flags).collect();
        let kill_timeout = later.kill_timeout.or(request.kill_timeout);
        Ok(Asked { background: true, names, flags, kill_timeout, ..request })
    }

    /// The surroundings in which it was typed.
    fn host_of(&self, run: &Run) -> Host {
        let env: Vec<(OsString, OsString)> = run.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let home = run.env.iter().find(|(name, _)| name == "HOME").map(|(_, home)| PathBuf::from(home)).filter(|home| home.is_absolute());
        let pipes = config::Pipes::default();
        Host { cwd: Path::new(&run.cwd).to_owned(), env, home, colour: false, pipes, seen: Seen::default(), ..self.host.clone() }
    }
}

/// A failure as an answer.
fn refused(error: &Error) -> Reply {
    Reply::Refused { code: error.exit_code(), message: error.to_string(), hint: error.hint.clone() }
}

/// A notice as a line of an answer.
fn sentence(notice: &crate::model::Notice) -> String {
    let lines = std::iter::once(notice.text.as_str()).chain(notice.hint.iter().flat_map(|hint| hint.lines()));
    lines.map(ui::plain).collect::<Vec<_>>().join("\n")
}
