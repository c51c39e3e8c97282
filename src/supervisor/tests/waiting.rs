//! Who waits for what once a world has gone quiet.

use crate::{
    model::{Condition, RunId},
    supervisor::{Goal, Progress, Supervisor, app::App, instance::Instance, run::Run},
};

/// Where nothing comes by itself any more, nobody is left to wait for it. One that is to end before others start may go on for as long as it
/// likes.
pub fn nobody_waits(supervisor: &Supervisor) {
    for instance in supervisor.apps.iter().filter(|app| !app.removed).flat_map(|app| &app.instances) {
        for goal in [Goal::Online { after: supervisor.latest() }, Goal::Online { after: RunId(0) }, Goal::Stopped] {
            let app = supervisor.apps.iter().find(|app| app.id == instance.id.app).unwrap();
            let waits = waits_for_an_end(supervisor, app);
            let progress = supervisor.progress(instance.id, goal);
            assert!(waits || progress != Progress::Pending, "{} keeps those waiting that want it {goal:?}", instance.name);
        }
    }
}

/// Whether an app, or one that it waits for, waits until another one ends that goes on.
pub fn waits_for_an_end(supervisor: &Supervisor, app: &App) -> bool {
    let mut waits = app;
    (0..supervisor.apps.len()).any(|_| {
        let Some(needed) = &waits.blocked else { return false };
        let Some(other) = supervisor.apps.iter().find(|other| !other.removed && other.spec.name == needed.app) else { return false };
        waits = other;
        needed.condition == Condition::Completed && other.instances.iter().any(|one| one.run().is_some())
    })
}

/// The instances of an app that nobody stopped.
pub fn awake(app: &App) -> impl Iterator<Item = &Instance> {
    app.instances.iter().filter(|instance| !instance.rests())
}

/// Whether an instance is what others wait for, as far as can be seen without the supervisor's own judgement.
pub fn is_well(instance: &Instance, condition: Condition) -> bool {
    let serves = instance.run().is_some_and(Run::serves);
    let done = instance.end.as_ref().is_some_and(|end| end.outcome.success());
    match condition {
        Condition::Started | Condition::Ready => serves,
        Condition::Completed => done && instance.run().is_none(),
    }
}
