//! News of processes, on its way to the supervisor. A death waits for the last words of the dead.

use std::{sync::Arc, time::Duration};

use super::{
    pid_file::PidFile,
    runner::{Inbox, Runner, now},
    signs::Signs,
};
use crate::{
    model::{AppSpec, InstanceId, RunId},
    process::ProcessEvent,
    supervisor::{Event, Role},
};

/// How long the notice of a death waits for the dead run's last words to be read.
pub const LAST_WORDS: Duration = Duration::from_millis(100);

/// What the runner keeps of a program that was started.
pub struct Live {
    pub instance: InstanceId,
    /// What it is for.
    pub role: Role,
    /// What it was started from.
    pub spec: Arc<AppSpec>,
    /// What it has shown of itself.
    pub signs: Signs,
    /// Its end, held back until its last words are read.
    pub ending: Vec<Event>,
    /// The most memory it is known to have had, in bytes.
    pub peak: Option<u64>,
    /// Where its pid is to stand.
    pub pid_file: Option<PidFile>,
}

impl Runner {
    /// Takes the news of processes to the supervisor. A death waits for the last words of the dead.
    pub fn collect(&mut self) {
        for event in self.processes.collect(now()) {
            if self.tools.has(event.run()) {
                self.tool(event);
                continue;
            }
            match event {
                ProcessEvent::Executed { run, pid } => {
                    self.executed(run, pid);
                    self.measure_memory();
                }
                ProcessEvent::LaunchFailed { run, failure } => {
                    self.forget(run);
                    self.handle(Event::SpawnFailed { run, failure });
                }
                ProcessEvent::MainExited { run, exit, oom, peak } => {
                    if let Some(live) = self.runs.get_mut(&run) {
                        live.peak = live.peak.max(peak);
                    }
                    self.remove_pid(run);
                    self.end_signs(run);
                    self.ending(run, Event::MainExited { run, exit, oom });
                }
                ProcessEvent::SetEmpty { run } => self.ending(run, Event::SetEmpty { run }),
            }
        }
    }

    fn ending(&mut self, run: RunId, event: Event) {
        let Some(live) = self.runs.get_mut(&run) else { return };
        let waits = !live.ending.is_empty();
        match (&event, self.apps.source(live.instance)) {
            (Event::MainExited { .. }, Some(source)) => {
                live.ending.push(event);
                let (source, inbox) = (source.clone(), self.inbox.clone());
                tokio::task::spawn_local(async move {
                    source.drained(LAST_WORDS).await;
                    let _ = inbox.send(Inbox::LastWords(run));
                });
            }
            _ if waits => live.ending.push(event),
            _ => self.finished(run, event),
        }
    }

    pub fn finished(&mut self, run: RunId, event: Event) {
        let empty = matches!(event, Event::SetEmpty { .. });
        self.handle(event);
        if empty {
            self.forget(run);
        }
    }

    fn forget(&mut self, run: RunId) {
        self.inputs.closed(run);
        self.screens.closed(run);
        self.runs.remove(&run);
        self.look_at_screens();
    }
}
