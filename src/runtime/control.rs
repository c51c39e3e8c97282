//! What is asked over the socket, carried out.

use std::collections::BTreeSet;

use super::{
    project::Said,
    runner::{Runner, now},
};
use crate::{
    control::{Action, Hello, Incoming, Reply, Request as Asked, Responder, Shown, protocol},
    model::{AppId, InstanceId, RunId, Signal},
    supervisor::{Event, Goal, Progress, Request, Role, ShutdownCause, Target},
    watch,
};

/// As many instances as an app may have.
const MOST_INSTANCES: u16 = 1000;

impl Runner {
    /// Carries out a request; a refusal is its answer.
    pub fn asked(&mut self, incoming: Incoming) {
        let Incoming { request, responder, said } = incoming;
        let answer = match request {
            Asked::Hello => Ok(Some(Reply::Hello(self.hello()))),
            Asked::List { targets, env, reveal, detail } => self.listed(&targets, Shown { env, reveal, detail }).map(Some),
            Asked::Act { action, targets, wait } => self.acted(action, &targets, wait, &responder),
            Asked::Scale { app, count, wait } => self.scaled(&app, &count, wait, &responder),
            Asked::Watch { targets, on } => self.watch_targets(&targets, on).map(Some),
            Asked::Pause { on } => self.pause(on).map(Some),
            Asked::Signal { signal, targets } => self.signalled(&signal, &targets).map(Some),
            Asked::Send { line, targets } => self.sent(&line, &targets).map(Some),
            Asked::Attach(attach) => self.attach(attach, &responder, said).map(|()| None),
            Asked::Run { run, wait } => self.run_asked(*run, wait, responder.clone()),
            Asked::Update(update) => self.update_asked(&update, &responder).map(|()| None),
            Asked::Save => Ok(Some(self.saved())),
            Asked::Why { targets, paths } => self.explained(&targets, &paths, &responder),
            Asked::Logs(logs) => self.look_at_logs(logs, &responder).map(|()| None),
            Asked::Flush { targets } => self.flush(&targets, &responder).map(|()| None),
            Asked::ReopenLogs => {
                self.reopen_on_request(&responder);
                Ok(None)
            }
            Asked::Kill => {
                self.answer_at_end(responder.clone());
                self.handle(Event::Shutdown(ShutdownCause::Asked));
                Ok(None)
            }
        };
        match answer {
            Ok(None) => {}
            Ok(Some(reply)) | Err(reply) => {
                // Who is gone needs no answer.
                let _ = responder.say(reply);
            }
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            pmdev: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: protocol::VERSION,
            pid: i32::try_from(std::process::id()).unwrap_or(0),
            cwd: self.folder.clone(),
            files: self.projects.files().map(|file| file.to_string_lossy().into_owned()).collect(),
            apps: self.apps.specs().map(|spec| spec.name.clone()).collect(),
            background: self.background.is_some(),
        }
    }

    fn listed(&mut self, targets: &[String], shown: Shown) -> Result<Reply, Reply> {
        let ids = if targets.is_empty() { self.all_instances() } else { self.targets(targets)? };
        Ok(Reply::List { instances: self.views(&ids, shown) })
    }

    /// `Ok(None)`: the answer comes when it is true.
    fn acted(&mut self, action: Action, targets: &[String], wait: bool, responder: &Responder) -> Result<Option<Reply>, Reply> {
        let ids = self.targets(targets).map_err(|refused| nothing_done(refused, targets))?;
        if ids.is_empty() {
            return Err(Reply::refused(1, "This runner has no apps"));
        }
        let after = self.supervisor.latest();
        let target = Target::Instances(ids.clone());
        let goal = match action {
            Action::Start => {
                let up = self.up(&ids);
                self.handle(Event::Request(Request::Start(target)));
                let goals = ids.iter().map(|id| (*id, Goal::Online { after: if up.contains(id) { RunId(0) } else { after } }));
                return Ok(self.answer_or_wait(goals.collect(), wait, responder));
            }
            Action::Stop => {
                self.handle(Event::Request(Request::Stop(target)));
                Goal::Stopped
            }
            Action::Restart => {
                self.handle(Event::Request(Request::Restart(target)));
                Goal::Online { after }
            }
            Action::Reload => {
                self.handle(Event::Request(Request::Reload(target)));
                Goal::Online { after }
            }
            Action::Reset => {
                self.handle(Event::Request(Request::Reset(target)));
                return Ok(Some(self.done(&ids)));
            }
            Action::Delete => {
                self.delete(&ids)?;
                Goal::Gone
            }
        };
        let goals = ids.iter().map(|id| (*id, goal)).collect();
        Ok(self.answer_or_wait(goals, wait, responder))
    }

    /// Those that run and shall go on, or are being started.
    fn up(&self, ids: &[InstanceId]) -> BTreeSet<InstanceId> {
        let is_up = |id: &&InstanceId| match self.supervisor.progress(**id, Goal::Online { after: RunId(0) }) {
            Progress::Reached | Progress::Pending => true,
            Progress::Failed(_) => false,
        };
        ids.iter().filter(is_up).copied().collect()
    }

    fn answer_or_wait(&mut self, goals: Vec<(InstanceId, Goal)>, wait: bool, responder: &Responder) -> Option<Reply> {
        if wait {
            self.answer_when_steady(goals, responder.clone());
            return None;
        }
        let ids: Vec<_> = goals.iter().map(|(id, _)| *id).collect();
        Some(self.done(&ids))
    }

    /// It is done, and these instances are so now.
    pub fn done(&mut self, ids: &[InstanceId]) -> Reply {
        Reply::Done { instances: self.views(ids, Shown::default()), took_ms: 0 }
    }

    /// Whole apps are forgotten. Of one of which some instances were named these go, where they are the last ones: the numbers of the others
    /// stay what they are.
    fn delete(&mut self, ids: &[InstanceId]) -> Result<(), Reply> {
        let apps: BTreeSet<AppId> = ids.iter().map(|id| id.app).collect();
        let (mut whole, mut fewer) = (Vec::new(), Vec::new());
        for app in apps {
            let Some(spec) = self.apps.spec(app) else { continue };
            let named: BTreeSet<u16> = ids.iter().filter(|id| id.app == app).map(|id| id.slot).collect();
            let less = u16::try_from(named.len()).unwrap_or(u16::MAX);
            match spec.instances.max(1).checked_sub(less) {
                None | Some(0) => whole.push(app),
                Some(left) if named.iter().all(|slot| *slot >= left) => fewer.push((app, spec.instances, left)),
                Some(left) => {
                    let (name, last) = (&spec.name, spec.instances - 1);
                    let message = format!("Of {name} its last instances alone can be deleted, the last one is {name}:{last}");
                    let hint = Some(format!("nothing was deleted; to have {left}, whichever they are: pmdev scale {name} {left}"));
                    return Err(Reply::Refused { code: 1, message, hint });
                }
            }
        }
        let mut edits = Vec::new();
        for (app, before, left) in fewer {
            self.said(app, |said, name| said.scale(name, before, left));
            edits.extend(self.apps.scale(app, left));
        }
        whole.iter().for_each(|app| self.said(*app, Said::delete));
        edits.extend(whole.iter().filter_map(|app| self.apps.remove(*app)));
        self.schedule();
        self.edit(edits);
        Ok(())
    }

    fn scaled(&mut self, name: &str, count: &str, wait: bool, responder: &Responder) -> Result<Option<Reply>, Reply> {
        let ids = self.targets(&[name.to_owned()])?;
        let app = match ids.as_slice() {
            [first, rest @ ..] if rest.iter().all(|id| id.app == first.app) => first.app,
            _ => return Err(Reply::refused(1, format!("{name} names several apps, and one at a time is scaled"))),
        };
        let Some(spec) = self.apps.spec(app).cloned() else { return Err(Reply::refused(1, format!("{name} is being deleted"))) };
        let before = spec.instances;
        let after = number(count, before).ok_or_else(|| {
            let message = format!("{count:?} is no number of instances for {}, which has {before}", spec.name);
            Reply::Refused { code: 2, message, hint: Some(format!("from 1 to {MOST_INSTANCES}, +N or -N: pmdev scale {} +1", spec.name)) }
        })?;
        let latest = self.supervisor.latest();
        let rests = self.supervisor.snapshot(now()).rests(app);
        self.said(app, |said, name| said.scale(name, before, after));
        let edits = self.apps.scale(app, after).into_iter().collect();
        self.edit(edits);
        let goals = (0..before.max(after)).map(|slot| {
            let goal = match slot {
                slot if slot >= after => Goal::Gone,
                _ if rests => Goal::Stopped,
                slot if slot >= before => Goal::Online { after: latest },
                _ => Goal::Online { after: RunId(0) },
            };
            (InstanceId { app, slot }, goal)
        });
        // What did not run before is not waited for.
        let goals = goals.filter(|(id, _)| id.slot >= after.min(before)).collect();
        Ok(self.answer_or_wait(goals, wait, responder))
    }

    /// Turns watching on or off, or the other way round for each app.
    fn watch_targets(&mut self, targets: &[String], on: Option<bool>) -> Result<Reply, Reply> {
        let ids = self.targets(targets)?;
        let apps: BTreeSet<AppId> = ids.iter().map(|id| id.app).collect();
        let mut edits = Vec::new();
        for app in apps {
            let Some(spec) = self.apps.spec(app).cloned() else { continue };
            let before = spec.watch.is_some();
            if on == Some(before) {
                continue;
            }
            let nothing = || Reply::refused(1, format!("{} has nothing that could be watched by default", spec.name));
            edits.push(self.apps.toggle_watch(app).ok_or_else(nothing)?);
            self.said(app, |said, name| said.toggle_watch(name, before));
        }
        if !edits.is_empty() {
            self.edit(edits);
        }
        Ok(self.done(&ids))
    }

    /// Changes wait, or count again.
    fn pause(&mut self, on: bool) -> Result<Reply, Reply> {
        if self.apps.specs().all(|spec| spec.watch.is_none()) {
            return Err(Reply::refused(1, "Watching cannot be paused: no app of this runner is watched"));
        }
        if self.supervisor.snapshot(now()).paused != on {
            self.handle(Event::Request(Request::TogglePause));
        }
        let ids = self.all_instances();
        Ok(self.done(&ids))
    }

    /// Keeps what was said of an app, for the next edit of its files.
    fn said(&mut self, app: AppId, say: impl FnOnce(&mut Said, &str)) {
        let (Some(name), Some(owner)) = (self.apps.name(app).map(str::to_owned), self.apps.owner(app)) else { return };
        if let Some(project) = self.projects.get_mut(owner) {
            say(&mut project.said, &name);
        }
    }

    fn edit(&mut self, edits: Vec<crate::supervisor::Edit>) {
        self.label();
        self.watch_again(watch::stamp());
        self.handle(Event::Apply { edits, shown: "on request".to_owned() });
    }

    fn signalled(&mut self, signal: &str, targets: &[String]) -> Result<Reply, Reply> {
        let signal: Signal = signal.parse().map_err(|why: String| Reply::refused(2, why))?;
        let named = self.targets(targets).map_err(|refused| nothing_done(refused, targets))?;
        let runs = |id: &InstanceId| self.runs.values().any(|live| live.instance == *id && live.role == Role::App);
        let ids: Vec<InstanceId> = named.into_iter().filter(runs).collect();
        if ids.is_empty() {
            let does = if targets.len() == 1 { "does" } else { "do" };
            return Err(Reply::refused(1, format!("{} {does} not run, so nothing was signalled", targets.join(", "))));
        }
        self.handle(Event::Request(Request::Signal(Target::Instances(ids.clone()), signal)));
        Ok(self.done(&ids))
    }

    fn sent(&mut self, line: &str, targets: &[String]) -> Result<Reply, Reply> {
        let ids = self.targets(targets)?;
        let mut bytes = line.as_bytes().to_vec();
        bytes.push(b'\n');
        let runs: Vec<RunId> = self.runs.iter().filter(|(_, live)| ids.contains(&live.instance)).map(|(run, _)| *run).collect();
        let sent = runs.iter().filter(|run| self.inputs.send(**run, bytes.clone())).count();
        if sent < ids.len() {
            return Err(Reply::refused(1, format!("{} of {} took the line; the others do not run, or do not read", sent, ids.len())));
        }
        Ok(self.done(&ids))
    }
}

/// Says that one target that is not found keeps the others from anything.
fn nothing_done(refused: Reply, targets: &[String]) -> Reply {
    match refused {
        Reply::Refused { code, message, hint: None } if targets.len() > 1 => {
            let hint = Some("nothing was done to the others; name only what is there".to_owned());
            Reply::Refused { code, message, hint }
        }
        other => other,
    }
}

/// `3`, `+1` or `-1` from what there is.
fn number(count: &str, before: u16) -> Option<u16> {
    let parsed = |text: &str| text.parse::<u16>().ok();
    let after = match (count.strip_prefix('+'), count.strip_prefix('-')) {
        (Some(more), _) => before.checked_add(parsed(more)?)?,
        (None, Some(less)) => before.checked_sub(parsed(less)?)?,
        (None, None) => parsed(count)?,
    };
    (1..=MOST_INSTANCES).contains(&after).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_of_instances() {
        for (count, after) in [
            ("3", Some(3)),
            ("+1", Some(3)),
            ("-1", Some(1)),
            ("-2", None),
            ("0", None),
            ("1001", None),
            ("", None),
            ("x", None),
            ("+", None),
            ("-65536", None),
        ] {
            assert_eq!(number(count, 2), after, "{count}");
        }
    }
}
