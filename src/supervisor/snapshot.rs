//! The picture of a runner that every view reads.

use std::time::Instant;

use crate::model::{AppId, AppSnapshot, Generation, InstanceSnapshot, Snapshot, Status};

use super::{
    Supervisor,
    app::{App, Gate},
    instance::{Hold, Instance, State},
    run::Phase,
};

impl Supervisor {
    /// The apps as they are at `now`.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        Snapshot { apps: self.apps.iter().map(|app| app.snapshot(now)).collect(), paused: self.paused }
    }

    /// The newest version of an app.
    pub fn generation(&self, app: AppId) -> Option<Generation> {
        self.apps.iter().find(|known| known.id == app).map(|known| known.version.generation)
    }
}

impl App {
    fn snapshot(&self, now: Instant) -> AppSnapshot {
        let instances = self.instances.iter().map(|instance| {
            let run = instance.run().filter(|run| run.pid.is_some());
            InstanceSnapshot {
                id: instance.id,
                status: self.status(instance),
                pid: run.and_then(|run| run.pid),
                uptime: run.and_then(|run| run.started).map(|started| now.saturating_duration_since(started)),
                restarts: instance.restarts,
                unstable_restarts: instance.tally.short(),
                relapses: instance.relapses,
                exit: instance.end.as_ref().and_then(|end| end.outcome.exit()),
                why: self.why(instance),
            }
        });
        AppSnapshot {
            id: self.id,
            name: self.spec.name.clone(),
            generation: self.version.generation,
            watched: self.spec.watch.is_some(),
            instances: instances.collect(),
        }
    }

    /// Why an instance is given up, what it waits for, or else why it started last.
    fn why(&self, instance: &Instance) -> Option<String> {
        match self.status(instance) {
            Status::Errored => Some(self.how_it_ended(instance)),
            Status::Launching if instance.run().is_none() && self.gate() == Gate::Waiting => Some(self.waits_until()),
            Status::Launching
            | Status::Online
            | Status::Stopping
            | Status::Stopped
            | Status::WaitingRestart
            | Status::Building
            | Status::Crashed => instance.start.as_ref().map(|start| start.why.clone()),
        }
    }

    /// The state of an instance as users see it.
    pub fn status(&self, instance: &Instance) -> Status {
        match &instance.state {
            State::Up(run) => match run.phase {
                Phase::Starting | Phase::Warming { .. } => Status::Launching,
                Phase::Ready => Status::Online,
                Phase::Dumping { .. } | Phase::Draining { .. } | Phase::Stopping { .. } => Status::Stopping,
                Phase::Sweeping { next, .. } | Phase::Killed { next, .. } => held(next, Status::Stopping),
            },
            State::Down { .. } if instance.rests() => Status::Stopped,
            State::Down { hold, .. } => match self.gate() {
                Gate::Building => Status::Building,
                Gate::Probing | Gate::Settling => Status::WaitingRestart,
                Gate::Unwanted | Gate::Removed => held(*hold, Status::Stopped),
                Gate::Resting => Status::Stopped,
                Gate::Unbuilt => Status::Crashed,
                Gate::Preparing => held(*hold, Status::Building),
                Gate::Preceded | Gate::Waiting | Gate::Open(_) => held(*hold, Status::Launching),
            },
        }
    }
}

fn held(hold: Hold, free: Status) -> Status {
    match hold {
        Hold::None => free,
        Hold::Backoff { .. } => Status::WaitingRestart,
        Hold::Crashed => Status::Crashed,
        Hold::Exited => Status::Stopped,
        Hold::Errored => Status::Errored,
    }
}
