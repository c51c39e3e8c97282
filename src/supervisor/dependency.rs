//! The order of apps: what an app needs before it starts, and who has to be gone before it stops.

use crate::model::{Condition, Dependency};

use super::{
    Supervisor,
    app::{App, Gate},
    instance::{Hold, Instance, State},
    run::Phase,
    shutdown::Course,
    step::Step,
    wording,
};

impl Supervisor {
    /// Looks which apps have what they need, and at the end, which are still needed; true: that has changed for one.
    pub(super) fn order(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.apps.len() {
            let blocked = self.lacks(index);
            let needed = matches!(self.course, Course::Ending { .. }) && self.is_needed(index);
            let app = &mut self.apps[index];
            changed |= app.blocked != blocked || app.needed != needed;
            (app.blocked, app.needed) = (blocked, needed);
        }
        changed
    }

    /// The first thing an app needs and does not have. An app that is not part of the runner is not waited for; and once it has run, an app
    /// waits for those alone that are on their way, or a save would come to nothing as long as another app is down.
    fn lacks(&self, index: usize) -> Option<Dependency> {
        let app = &self.apps[index];
        let fresh = app.instances.iter().all(|instance| instance.starts == 0);
        let lacks = |needed: &&Dependency| {
            let other = self.named(&needed.app);
            other.is_some_and(|other| {
                !other.has_reached(needed.condition) && (fresh || self.is_coming(other, needed.condition, self.apps.len()))
            })
        };
        app.spec.depends_on.iter().find(lacks).cloned()
    }

    fn named(&self, name: &str) -> Option<&App> {
        self.apps.iter().find(|app| !app.removed && app.spec.name == name)
    }

    /// Whether an app gets that far by itself. `depth`: as many links as a chain of apps that need each other can have.
    fn is_coming(&self, app: &App, condition: Condition, depth: usize) -> bool {
        let freed = app.blocked.as_ref().is_none_or(|needed| {
            self.named(&needed.app).is_none_or(|other| depth > 0 && self.is_coming(other, needed.condition, depth - 1))
        });
        let comes = |instance: &Instance| match &instance.state {
            _ if instance.rests() => false,
            State::Up(_) | State::Down { hold: Hold::Backoff { .. }, .. } => true,
            State::Down { hold: Hold::None, .. } => freed && app.runnable().is_some(),
            State::Down { hold: Hold::Crashed | Hold::Exited | Hold::Errored, .. } => false,
        };
        let by_itself = app.build.is_some() || app.build_due() || app.work.is_some() || app.settling;
        app.wanted && !app.is_resting() && (by_itself || app.counted().all(|instance| app.is_at(instance, condition) || comes(instance)))
    }

    /// Why what an app waits for will not come by itself, as the rest of a sentence; `None`: it may, or the app waits for nothing.
    pub(super) fn in_vain(&self, app: &App) -> Option<String> {
        let depth = self.apps.len();
        let missing = |app: &App| {
            let needed = app.blocked.as_ref()?;
            let other = self.named(&needed.app)?;
            (!self.is_coming(other, needed.condition, depth)).then_some((other, needed.condition))
        };
        let (mut other, mut condition) = missing(app)?;
        // What it waits for may wait for another app itself.
        for _ in 0..depth {
            (other, condition) = missing(other).unwrap_or((other, condition));
        }
        let held = other.counted().find(|instance| !other.is_at(instance, condition))?;
        let how = other.end_of(held).map_or_else(String::new, |_| format!(": {}", other.how_it_ended(held)));
        let needed = app.blocked.as_ref().map(wording::needs)?;
        Some(format!("waits until {needed}, but {} is {}{how}", held.name, other.status(held)))
    }

    /// Tells what apps wait for, once for each generation, and that it will not come, as often as that is so anew.
    pub(super) fn tell_blocked(&mut self, step: &mut Step) {
        for index in 0..self.apps.len() {
            if !self.apps[index].waits() {
                self.apps[index].vain = None;
                continue;
            }
            let vain = self.in_vain(&self.apps[index]);
            let app = &mut self.apps[index];
            let generation = Some(app.version.generation);
            let news = match (&vain, &app.blocked) {
                (Some(why), _) => (app.vain != vain).then(|| wording::in_vain(&app.spec.name, why)),
                (None, Some(needed)) => (app.told_blocked != generation).then(|| wording::waits_for(&app.spec.name, needed)),
                (None, None) => None,
            };
            if news.is_some() {
                app.told_blocked = generation;
            }
            step.tell(news);
            app.vain = vain;
        }
    }

    /// Whether apps that need it are alive.
    fn is_needed(&self, index: usize) -> bool {
        let name = &self.apps[index].spec.name;
        let needs = |app: &App| app.spec.depends_on.iter().any(|needed| needed.app == *name);
        let alive = |app: &App| !app.leaving.is_empty() || app.instances.iter().any(|instance| instance.run().is_some());
        self.apps.iter().enumerate().any(|(other, app)| other != index && needs(app) && alive(app))
    }
}

impl App {
    /// The instances that others wait for: those it shall have, without those that somebody stopped, unless that is all of them.
    fn counted(&self) -> impl Iterator<Item = &Instance> {
        let all = self.is_resting();
        self.instances.iter().take(usize::from(self.spec.instances.max(1))).filter(move |instance| all || !instance.rests())
    }

    /// Whether all its instances are as far as others need them to be.
    fn has_reached(&self, condition: Condition) -> bool {
        self.runnable().is_some() && self.counted().all(|instance| self.is_at(instance, condition))
    }

    fn is_at(&self, instance: &Instance, condition: Condition) -> bool {
        let ready = match &instance.state {
            State::Up(run) => match run.phase {
                Phase::Starting
                | Phase::Dumping { .. }
                | Phase::Draining { .. }
                | Phase::Stopping { .. }
                | Phase::Sweeping { .. }
                | Phase::Killed { .. } => None,
                Phase::Warming { .. } => Some(false),
                Phase::Ready => Some(true),
            },
            State::Down { .. } => None,
        };
        let current = self.runnable().map(|version| version.generation);
        let ended = instance.end.as_ref().is_some_and(|end| end.outcome.success());
        let done = ended && instance.newest == current && instance.run().is_none_or(|run| !run.stays());
        match condition {
            Condition::Started => ready.is_some() || done,
            Condition::Ready => ready == Some(true),
            Condition::Completed => done,
        }
    }

    /// Whether it does not run because of what another app has not come to.
    fn waits(&self) -> bool {
        self.gate() == Gate::Waiting && self.is_down()
    }
}
