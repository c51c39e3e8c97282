//! Changed files: early stop, change sets, and the probes of the restart-loop guard.

use std::{path::PathBuf, sync::Arc, time::Instant};

use crate::model::{AppId, ChangeSet};

use super::{
    Supervisor,
    app::App,
    changes,
    step::Step,
    version::{Reason, Strategy},
    wording,
};

impl Supervisor {
    fn watched(&mut self, id: AppId) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.id == id && app.wanted && !app.is_resting())
    }

    /// The first change of a batch: the run may stop while the batch settles. An app with a build serves until that has succeeded.
    pub(super) fn files_changing(&mut self, id: AppId, now: Instant) {
        if self.paused {
            return;
        }
        if let Some(app) = self.watched(id) {
            let early = app.spec.watch.as_ref().is_some_and(|watch| watch.early_stop);
            app.settling |= early && app.spec.build.is_none() && app.probing.is_none() && !app.works(now);
        }
    }

    pub(super) fn files_changed(&mut self, id: AppId, changes: Arc<ChangeSet>, step: &mut Step) {
        let paused = self.paused;
        let Some(app) = self.watched(id) else { return };
        // An app that an early stop holds waits for this very batch, which began before the pause.
        if paused && !app.settling {
            app.hold_back(changes, step);
            return;
        }
        let asked = changes.last;
        app.follow(changes, asked, step);
    }

    pub(super) fn probe(&mut self, id: AppId, path: PathBuf, step: &mut Step) {
        let paused = self.paused;
        let Some(app) = self.watched(id) else { return };
        let shown = changes::shown_path(&path, &app.spec);
        if paused && !app.settling && app.probing.is_none() {
            app.hold_back(changes::of_path(path, shown, step.now), step);
            return;
        }
        app.settling = false;
        step.tell(wording::probing(&app.spec.name, &shown));
        app.renew(Reason::Probe(shown), Strategy::Recreate, step.now);
        app.probing = Some(path);
    }

    pub(super) fn probe_over(&mut self, id: AppId, step: &mut Step) {
        if let Some(app) = self.watched(id)
            && app.probing.take().is_some()
        {
            app.version.asked = step.now;
        }
    }
}

impl App {
    /// Keeps a change for the time when watching goes on.
    fn hold_back(&mut self, changes: Arc<ChangeSet>, step: &mut Step) {
        self.pending = Some(match self.pending.take() {
            Some(older) => changes::merge(&older, &changes, &self.spec),
            None => {
                step.tell(wording::held_back(&self.spec.name, &changes));
                changes
            }
        });
    }
}
