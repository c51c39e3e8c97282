//! How a runner begins and ends.

use std::sync::Arc;

use crate::model::{AppId, AppSpec};

use super::{
    Effect, ShutdownCause, Supervisor,
    app::App,
    instance::{End, Instance},
    step::Step,
    wording,
};

/// Where a runner is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It has no apps yet.
    Fresh,
    /// Its apps shall run.
    Running,
    /// Everything is being stopped; then it ends with this code.
    Ending { code: u8 },
    /// It has ended.
    Over,
}

impl Supervisor {
    pub(super) fn begin(&mut self, specs: Vec<Arc<AppSpec>>, step: &mut Step) {
        match self.course {
            Course::Fresh => self.course = Course::Running,
            Course::Running | Course::Ending { .. } | Course::Over => return,
        }
        self.apps = (0..).zip(specs).map(|(id, spec)| App::new(AppId(id), spec, step.now)).collect();
    }

    pub(super) fn shut_down(&mut self, cause: ShutdownCause, step: &mut Step) {
        match self.course {
            Course::Fresh | Course::Running => {}
            Course::Ending { .. } | Course::Over => return,
        }
        step.tell(wording::stopping(&self.busy(), cause));
        self.end(0);
    }

    pub(super) fn force_shutdown(&mut self, code: u8, step: &mut Step) {
        match self.course {
            Course::Fresh | Course::Running | Course::Ending { .. } => {}
            Course::Over => return,
        }
        let notice = wording::forced(&self.busy());
        self.apps.iter_mut().flat_map(App::sets_mut).for_each(|run| run.kill(step));
        step.tell(notice);
        self.end(code);
    }

    /// Ends the runner when nothing of it can go on by itself, and says so when nothing is alive.
    pub(super) fn conclude(&mut self, step: &mut Step) {
        if self.course == Course::Running && !self.stays && !self.apps.iter().any(App::goes_on) {
            self.end(self.failure());
            self.reconcile(step);
        }
        if let Course::Ending { code } = self.course
            && self.apps.iter().all(|app| app.sets().next().is_none())
        {
            self.course = Course::Over;
            step.act(Effect::Exit { code });
        }
    }

    fn end(&mut self, code: u8) {
        self.course = Course::Ending { code };
        self.apps.iter_mut().for_each(|app| app.wanted = false);
    }

    /// The apps of which something is alive.
    fn busy(&self) -> Vec<&str> {
        self.apps.iter().filter(|app| app.sets().next().is_some()).map(|app| app.spec.name.as_str()).collect()
    }

    /// The code of the first app that failed, 0 where none did.
    fn failure(&self) -> u8 {
        let ends = self.apps.iter().flat_map(|app| app.instances.iter().filter_map(|instance| app.end_of(instance)));
        let first = ends.filter(|end| !end.outcome.success()).min_by_key(|end| end.at);
        first.map_or(0, |end| end.outcome.shell_code())
    }
}

impl App {
    /// How an instance ended by itself, or why it never began.
    pub fn end_of<'a>(&'a self, instance: &'a Instance) -> Option<&'a End> {
        let unbuilt = if instance.starts == 0 { self.tried.as_ref().and_then(|(_, end)| end.as_ref()) } else { None };
        instance.end.as_ref().or(unbuilt)
    }
}
