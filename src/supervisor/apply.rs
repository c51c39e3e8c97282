//! What shall run was edited: apps come, change and go while the others run on.

use std::{net::SocketAddr, sync::Arc};

use crate::model::{AfterExit, AppSpec, Probe, RestartPolicy, declared::Limits};

use super::{
    Edit, Supervisor,
    app::App,
    instance::{End, Hold, Outcome, Rest, State},
    shutdown::Course,
    step::Step,
    version::{Reason, Strategy, Version},
    wording,
};

impl Supervisor {
    pub(super) fn apply(&mut self, edits: Vec<Edit>, shown: &str, step: &mut Step) {
        match self.course {
            Course::Running => {}
            Course::Fresh | Course::Ending { .. } | Course::Over => return,
        }
        let mut added = Vec::new();
        for edit in edits {
            match edit {
                Edit::Add { app, spec } if self.apps.iter().all(|known| known.id != app) => {
                    let new = App::new(app, spec, step.now);
                    added.push(App { version: Version { reason: Reason::Added, ..new.version.clone() }, ..new });
                }
                Edit::Add { .. } => {}
                Edit::Change { app, spec, restart } => {
                    let app = self.apps.iter_mut().find(|known| known.id == app && !known.removed);
                    app.into_iter().for_each(|app| app.change(&spec, restart.then_some(shown), step));
                }
                Edit::Remove { app } => {
                    let app = self.apps.iter_mut().find(|known| known.id == app);
                    app.into_iter().for_each(|app| (app.wanted, app.removed) = (false, true));
                }
            }
        }
        for app in &mut added {
            let in_the_way = self.apps.iter().filter(|known| known.removed && known.is_in_the_way_of(&app.spec));
            app.after = in_the_way.map(|known| known.id).collect();
        }
        self.apps.extend(added);
    }

    /// Forgets the apps that were removed and of which nothing is alive any more.
    pub(super) fn drop_removed(&mut self, step: &mut Step) {
        for app in self.apps.extract_if(.., |app| app.removed && app.sets().next().is_none()) {
            step.tell(wording::removed(&app.spec.name));
        }
        let ids: Vec<_> = self.apps.iter().map(|app| app.id).collect();
        self.apps.iter_mut().for_each(|app| app.after.retain(|id| ids.contains(id)));
    }
}

impl App {
    /// Whether it, which goes, has what another one is about to want: its name, its program, a port or a file. What apps listen on is rarely
    /// declared, but a program under another name is mostly the same app.
    fn is_in_the_way_of(&self, new: &AppSpec) -> bool {
        self.sets().map(|run| &*run.spec).chain([&*self.spec]).any(|old| {
            let same_program = match (&old.script, &new.script) {
                (Some(old), Some(new)) => old == new,
                (Some(_), None) | (None, Some(_)) => false,
                (None, None) => (&old.launch.argv, &old.launch.cwd) == (&new.launch.argv, &new.launch.cwd),
            };
            old.name == new.name
                || same_program
                || ports(old).any(|port| ports(new).any(|other| other == port))
                || old.listen.iter().any(|place| new.listen.contains(place))
                || old.pid_file.is_some() && old.pid_file == new.pid_file
        })
    }

    /// Takes another spec: with `restart`, the file that was edited, as the next generation, else for the runs there are.
    fn change(&mut self, spec: &Arc<AppSpec>, restart: Option<&str>, step: &mut Step) {
        let old = std::mem::replace(&mut self.spec, Arc::clone(spec));
        if old.autostart != spec.autostart {
            let rest = if !spec.autostart && self.is_down() { Rest::Unstarted } else { Rest::No };
            self.instances.iter_mut().filter(|instance| instance.rest != Rest::Stopped).for_each(|instance| instance.rest = rest);
        }
        match (&old.build, &spec.build) {
            // What ran without a build serves until the first one has succeeded.
            (None, Some(_)) => self.built = Some(self.version.clone()),
            (Some(_), None) => self.built = None,
            (Some(_), Some(_)) | (None, None) => {}
        }
        match restart {
            Some(file) => {
                self.pending = None;
                self.renew(Reason::Edit(file.to_owned()), Strategy::Recreate, step.now);
            }
            None => self.take_policies(&old.restart),
        }
        self.number_instances();
        if self.is_resting() {
            // Of fewer instances, all may rest. Whatever starts it starts what is there then.
            (self.settling, self.probing, self.pending) = (false, None, None);
        }
    }

    fn take_policies(&mut self, old: &RestartPolicy) {
        self.reset();
        let spec = Arc::clone(&self.spec);
        let versions = [Some(&mut self.version), self.built.as_mut()];
        versions.into_iter().flatten().for_each(|Version { spec: own, .. }| *own = with_policies(own, &spec));
        self.sets_mut().for_each(|run| run.spec = with_policies(&run.spec, &spec));
        if spec.restart == *old {
            return;
        }
        for instance in &mut self.instances {
            let end = instance.end.as_ref();
            match &mut instance.state {
                State::Down { hold, .. } => *hold = judged_again(*hold, end, &spec.restart),
                State::Up(run) => {
                    if let Some(next) = run.next_mut() {
                        *next = judged_again(*next, end, &spec.restart);
                    }
                }
            }
        }
    }
}

/// The ports that an app is known to listen on.
fn ports(spec: &AppSpec) -> impl Iterator<Item = u16> {
    let own = match &spec.ready.by {
        Probe::Tcp(addresses) => addresses.iter().map(SocketAddr::port).collect(),
        Probe::Http(url) => vec![url.port],
        Probe::Started | Probe::Listening | Probe::Log(_) | Probe::Command(_) | Probe::Notify | Probe::Message => Vec::new(),
    };
    spec.port.into_iter().chain(own)
}

/// The process of one spec under the policies of another.
fn with_policies(process: &AppSpec, policies: &AppSpec) -> Arc<AppSpec> {
    let AppSpec { launch, script, build, exec_mode, listen, account, limits, pid_file, .. } = process.clone();
    let limits = Limits { memory_soft: policies.limits.memory_soft, memory_hard: policies.limits.memory_hard, ..limits };
    Arc::new(AppSpec { launch, script, build, exec_mode, listen, account, limits, pid_file, ..policies.clone() })
}

/// What a hold becomes under another policy: who would be started again now is started at once, as by a save.
fn judged_again(hold: Hold, end: Option<&End>, policy: &RestartPolicy) -> Hold {
    let code = end.and_then(|end| end.outcome.code());
    let stays = code.is_some_and(|code| policy.stop_exit_codes.contains(&code));
    let again = match policy.after_exit {
        AfterExit::Wait => false,
        AfterExit::Restart(_) => policy.max_restarts != Some(0),
    };
    let well = end.is_some_and(|end| end.outcome.success());
    let blocked = policy.stuck_blocks && end.is_some_and(|end| end.outcome == Outcome::Stuck);
    match hold {
        Hold::None => Hold::None,
        Hold::Errored if blocked => Hold::Errored,
        Hold::Backoff { .. } | Hold::Crashed | Hold::Exited | Hold::Errored if stays => Hold::Exited,
        Hold::Backoff { .. } | Hold::Crashed | Hold::Exited | Hold::Errored if again => Hold::None,
        Hold::Backoff { .. } if well => Hold::Exited,
        Hold::Backoff { .. } => Hold::Crashed,
        Hold::Crashed | Hold::Exited | Hold::Errored => hold,
    }
}
