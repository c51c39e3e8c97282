//! What people ask for.

use crate::model::AppId;

use super::{
    Request, Supervisor, Target, WatchNote,
    app::App,
    shutdown::Course,
    step::Step,
    version::{Reason, Strategy},
    wording,
};

impl Supervisor {
    pub(super) fn request(&mut self, request: Request, step: &mut Step) {
        if !matches!(self.course, Course::Running) {
            return;
        }
        match request {
            Request::Restart(target) => self.restart(&target, step),
            Request::TogglePause => self.toggle_pause(step),
        }
    }

    /// The apps that a target means.
    pub(super) fn targets(&self, target: &Target) -> Vec<usize> {
        let meant = |app: &App| match target {
            Target::All => !app.removed,
            Target::Name(name) => !app.removed && app.spec.name == *name,
        };
        (0..self.apps.len()).filter(|index| meant(&self.apps[*index])).collect()
    }

    fn restart(&mut self, target: &Target, step: &mut Step) {
        let targets = self.targets(target);
        if let (true, Target::Name(name)) = (targets.is_empty(), target) {
            step.tell(wording::unknown(name, &self.apps));
        }
        // What rests is started by its name alone.
        let rests = |index: &usize| *target == Target::All && self.apps[*index].resting;
        for index in targets.into_iter().filter(|index| !rests(index)).collect::<Vec<_>>() {
            let app = &mut self.apps[index];
            // Everything that waits is part of what the request starts.
            (app.settling, app.probing, app.pending) = (false, None, None);
            app.resting = false;
            app.renew(Reason::Request, Strategy::Recreate, step.now);
            app.watch(WatchNote::Manual, step);
        }
    }

    /// The time of an app's `cron_restart`: one that was stopped stays so, one that has ended starts again.
    pub(super) fn cron(&mut self, id: AppId, step: &mut Step) {
        let running = self.is_running();
        let app = self.apps.iter_mut().find(|app| app.id == id && running && app.wanted && !app.resting && app.spec.cron.is_some());
        if let Some(app) = app {
            app.renew(Reason::Cron, Strategy::Rolling, step.now);
        }
    }

    fn toggle_pause(&mut self, step: &mut Step) {
        if self.apps.iter().all(|app| app.spec.watch.is_none()) {
            step.tell(wording::nothing_watched());
            return;
        }
        self.paused = !self.paused;
        step.tell(wording::paused(self.paused));
        if self.paused {
            return;
        }
        for app in &mut self.apps {
            if let Some(changes) = app.pending.take() {
                app.follow(changes, step.now, step);
            }
        }
    }
}
