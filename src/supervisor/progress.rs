//! How far a request has come, for whoever waits for it.

use crate::model::{InstanceId, RunId};

use super::{
    Supervisor,
    app::{App, Gate},
    instance::{Hold, Instance, State},
    run::Run,
    wording,
};

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// A run of the instance that began after this one is ready.
    Online {
        /// The latest run when it was asked for.
        after: RunId,
    },
    /// Nothing of the instance is alive, and nothing starts it by itself.
    Stopped,
    /// The instance is no part of the runner any more.
    Gone,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It may still come.
    Pending,
    /// It has come.
    Reached,
    /// It will not come by itself: why, as a sentence.
    Failed(String),
}

impl Supervisor {
    /// The latest run there is, of any app.
    pub fn latest(&self) -> RunId {
        self.mint.latest()
    }

    /// Whether a run of an instance ended by itself since its latest start, the one or the one that was to take its place.
    pub fn has_ended(&self, id: InstanceId) -> bool {
        let app = self.apps.iter().find(|app| app.id == id.app);
        app.and_then(|app| app.instances.get(usize::from(id.slot))).is_some_and(|instance| instance.end.is_some())
    }

    /// How far an instance is.
    pub fn progress(&self, id: InstanceId, goal: Goal) -> Progress {
        let app = self.apps.iter().find(|app| app.id == id.app);
        let found = app.and_then(|app| Some((app, app.instances.get(usize::from(id.slot))?)));
        let Some((app, instance)) = found else {
            let leaves = app.is_some_and(|app| app.leaving.iter().any(|leaving| leaving.instance == id));
            return match goal {
                Goal::Stopped | Goal::Gone if leaves => Progress::Pending,
                Goal::Stopped | Goal::Gone => Progress::Reached,
                Goal::Online { .. } => Progress::Failed(app.map_or_else(
                    || "one that was named is no app of this runner any more".to_owned(),
                    |app| format!("{} has fewer instances meanwhile", app.spec.name),
                )),
            };
        };
        match goal {
            Goal::Gone if !app.removed && !app.is_surplus(usize::from(id.slot)) => {
                Progress::Failed(format!("{} is wanted again meanwhile", instance.name))
            }
            Goal::Gone => Progress::Pending,
            Goal::Stopped if app.leaving.iter().any(|leaving| leaving.instance == id) => Progress::Pending,
            Goal::Stopped if instance.run().is_none() => Progress::Reached,
            Goal::Stopped if app.keeps_running(instance) => Progress::Failed(format!("{} was started again", instance.name)),
            Goal::Stopped => Progress::Pending,
            Goal::Online { after } => match app.online(instance, after) {
                Progress::Pending if instance.run().is_none() && app.gate() == Gate::Waiting => {
                    self.in_vain(app).map_or(Progress::Pending, |why| Progress::Failed(format!("{} {why}", instance.name)))
                }
                progress => progress,
            },
        }
    }
}

impl App {
    fn online(&self, instance: &Instance, after: RunId) -> Progress {
        let newer = instance.last.is_some_and(|last| last > after);
        let failed = |why: String| Progress::Failed(format!("{} {why}", instance.name));
        let ended = || failed(format!("is {}: {}", self.status(instance), self.how_it_ended(instance)));
        match &instance.state {
            State::Up(run) if run.id > after && run.serves() => Progress::Reached,
            State::Up(run) if run.id > after && run.next().is_some_and(|next| next != Hold::None) => ended(),
            State::Up(run) => match (self.unbuilt(), run.id > after || self.is_replaced(instance, run)) {
                (Some(why), _) => Progress::Failed(why),
                (None, true) => Progress::Pending,
                (None, false) => self.goes_on_as_it_was(instance, run),
            },
            State::Down { .. } if instance.rests() => failed("was stopped".to_owned()),
            State::Down { hold: Hold::Crashed | Hold::Exited | Hold::Errored | Hold::Backoff { .. }, .. } if newer => ended(),
            // Whatever was asked for does not start it: processes of its last run are in the way.
            State::Down { hold: Hold::Crashed | Hold::Exited | Hold::Errored, of } if *of >= self.version.generation => ended(),
            State::Down { .. } => match (self.unbuilt(), self.gate()) {
                (Some(why), _) => Progress::Failed(why),
                (None, Gate::Unwanted) => failed("is stopped: the runner ends".to_owned()),
                (None, Gate::Removed) => failed("was deleted meanwhile".to_owned()),
                (None, _) => Progress::Pending,
            },
        }
    }

    /// Whether another run is to take the place of this one, or it is about to end.
    fn is_replaced(&self, instance: &Instance, run: &Run) -> bool {
        let newest = self.version.generation;
        let comes = run.generation < newest && self.aborted != Some(newest);
        !run.stays() || comes || instance.coming.is_some() || instance.redo.is_some() || self.work.is_some()
    }

    /// The answer to who waits for a run in the place of one that goes on.
    fn goes_on_as_it_was(&self, instance: &Instance, run: &Run) -> Progress {
        let why = match (&instance.end, self.aborted == Some(self.version.generation) && run.generation < self.version.generation) {
            (Some(end), _) => format!(", since its new run failed: {}", wording::had_ended(&end.outcome)),
            (None, true) => ", since the new run of another instance failed".to_owned(),
            (None, false) => String::new(),
        };
        Progress::Failed(format!("{} goes on as it was{why}", instance.name))
    }

    /// Whether it has a run that nothing is about to stop.
    fn keeps_running(&self, instance: &Instance) -> bool {
        let going = !self.wanted || self.is_surplus(usize::from(instance.id.slot));
        !going && !instance.rests() && instance.run().is_some_and(Run::stays)
    }

    /// Why the newest version was not built, where that was tried.
    fn unbuilt(&self) -> Option<String> {
        let (generation, end) = self.tried.as_ref()?;
        let end = end.as_ref().filter(|_| *generation == self.version.generation)?;
        Some(wording::build_failure(&self.spec.name, &end.outcome))
    }
}
