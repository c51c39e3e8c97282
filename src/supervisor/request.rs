//! What people ask for.

use super::{Request, Supervisor, Target, WatchNote, app::App, shutdown::Course, step::Step, version::Reason, wording};

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
        for index in targets {
            let app = &mut self.apps[index];
            // Everything that waits is part of what the request starts.
            (app.settling, app.probing, app.pending) = (false, None, None);
            app.renew(Reason::Request, step.now);
            app.watch(WatchNote::Manual, step);
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
                app.renew(Reason::Files(changes), step.now);
            }
        }
    }
}
