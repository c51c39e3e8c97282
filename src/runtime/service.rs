//! What the service manager is told of the apps, and when: the start is over, a reload is under way, the end begins, the loop turns.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::runner::{Runner, now};
use crate::{
    boot::{self, Manager, notify::Message},
    model::{InstanceId, Snapshot, Status},
};

/// How soon a manager that had no room for a message is spoken to again.
const AGAIN: Duration = Duration::from_millis(100);

/// The service manager, and what it knows.
#[derive(Debug)]
pub struct Service {
    manager: Option<Manager>,
    stage: Stage,
    /// The instances whose first start, in this stage, is over.
    settled: HashSet<InstanceId>,
    /// The sentence it was told last.
    status: String,
    /// When it is to hear again that the loop turns.
    beat: Option<Instant>,
}

/// How far the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// First starts are under way.
    Starting,
    /// An edit is being carried out.
    Reloading,
    /// All that is over.
    Ready,
    /// Everything is being stopped.
    Stopping,
}

impl Service {
    /// A service whose manager, if there is one, has been told nothing.
    pub fn new(manager: Option<Manager>, now: Instant) -> Self {
        let beat = manager.as_ref().and_then(Manager::beat).map(|_| now);
        Self { manager, stage: Stage::Starting, settled: HashSet::new(), status: String::new(), beat }
    }

    /// When the manager is to be spoken to even if nothing happens.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let behind = self.manager.as_ref().is_some_and(Manager::is_behind).then(|| now + AGAIN);
        [self.beat, behind].into_iter().flatten().min()
    }

    /// An edit of the project file begins to act.
    pub fn reloading(&mut self) {
        self.settled.clear();
        match (self.stage, &mut self.manager) {
            (Stage::Ready, Some(manager)) => {
                manager.tell(&[Message::Reloading]);
                self.stage = Stage::Reloading;
            }
            // A start that is not over is not a reload; and at the end nothing is reloaded.
            (Stage::Ready | Stage::Starting | Stage::Reloading | Stage::Stopping, _) => {}
        }
    }

    /// Tells the manager what is new.
    fn report(&mut self, snapshot: &Snapshot, running: bool, now: Instant) {
        let Some(manager) = &mut self.manager else { return };
        manager.flush();
        let instances = snapshot.apps.iter().flat_map(|app| &app.instances);
        self.settled.extend(instances.clone().filter(|instance| is_settled(instance.status)).map(|instance| instance.id));
        let all = instances.clone().all(|instance| self.settled.contains(&instance.id));
        let mut messages = Vec::new();
        match self.stage {
            Stage::Starting | Stage::Reloading if all => {
                messages.push(Message::Ready);
                self.stage = Stage::Ready;
            }
            Stage::Starting | Stage::Reloading | Stage::Ready | Stage::Stopping => {}
        }
        if !running && self.stage != Stage::Stopping {
            messages.push(Message::Stopping);
            self.stage = Stage::Stopping;
        }
        let status = boot::sentence(snapshot);
        if status != self.status {
            self.status = status;
            messages.push(Message::Status(&self.status));
        }
        if let (Some(due), Some(interval)) = (self.beat, manager.beat())
            && due <= now
        {
            messages.push(Message::Watchdog);
            self.beat = Some(now + interval);
        }
        if !messages.is_empty() {
            manager.tell(&messages);
        }
    }
}

impl Runner {
    /// Tells the service manager, where there is one, what the last turn of the loop brought.
    pub fn report(&mut self) {
        if self.service.manager.is_some() {
            let now = now();
            self.service.report(&self.supervisor.snapshot(now), self.supervisor.is_running(), now);
        }
    }
}

/// Whether a start is over, however it went.
fn is_settled(status: Status) -> bool {
    match status {
        Status::Online | Status::Stopped | Status::WaitingRestart | Status::Errored | Status::Crashed => true,
        // A run that is being stopped for a newer one has not started in this stage.
        Status::Launching | Status::Building | Status::Stopping => false,
    }
}
