//! Performs what the supervisor answers.

use std::sync::Arc;

use super::{
    port,
    runner::{Inbox, Live, Runner, now},
};
use crate::{
    log::{self, Stream},
    model::{AppId, AppSpec, InstanceId, Level, Notice, NoticeKind, RunId},
    process,
    supervisor::{Effect, Event, Role, WatchNote},
    watch::Ctl,
};

impl Runner {
    /// Performs one effect. What it causes comes back through the inbox or from the processes.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { run, instance, generation: _, role, spec } => self.spawn(run, instance, role, &spec),
            Effect::Signal { run, signal } => self.processes.signal(run, signal),
            Effect::Kill { run } => self.processes.kill(run),
            Effect::ReportStuck { run, name } => self.report_stuck(run, &name),
            Effect::LookUpPort { app: _, run, spec } => self.look_up_port(run, &spec),
            Effect::Watch { app, note } => self.tell_watcher(app, note),
            Effect::Notice(notice) => self.say(&notice),
            Effect::Exit { code } => self.exit = Some(code),
        }
    }

    fn spawn(&mut self, run: RunId, instance: InstanceId, role: Role, spec: &Arc<AppSpec>) {
        let launch = match role {
            Role::App => self.apps.launch(instance, spec),
            Role::Build => spec.build.clone().expect("only a spec with a build is built"),
        };
        match self.processes.spawn(run, &launch) {
            Ok(spawned) => {
                self.runs.insert(run, Live { instance, ending: Vec::new() });
                if let Some(source) = self.apps.source(instance) {
                    source.begin_run();
                    for (pipe, stream) in [(spawned.stdout, Stream::Out), (spawned.stderr, Stream::Err)] {
                        tokio::task::spawn_local(log::pump(pipe, stream, source.clone()));
                    }
                }
                match role {
                    Role::App => self.inputs.opened(instance.app, run, spawned.stdin),
                    // A build has nobody to ask; its input is at an end.
                    Role::Build => drop(spawned.stdin),
                }
            }
            Err(failure) => {
                let _ = self.inbox.send(Inbox::Event(Event::SpawnFailed { run, failure }));
            }
        }
    }

    fn report_stuck(&mut self, run: RunId, name: &str) {
        let members = self.processes.members(run);
        let named: Vec<String> = members.iter().map(|member| format!("pid {} ({})", member.pid, member.command)).collect();
        let text = format!("{name} is still there after SIGKILL: {}", named.join(", "));
        let hint = "a process in an uninterruptible wait (state D in ps) goes only when its device or mount answers";
        self.say(&Notice::new(Level::Error, NoticeKind::Stuck, text).about(name).hint(hint));
    }

    fn look_up_port(&mut self, run: RunId, spec: &AppSpec) {
        let said = self.runs.get(&run).and_then(|live| self.apps.source(live.instance)).map(|source| source.ring(port::LAST_LINES));
        let Some(port) = said.as_deref().and_then(port::in_use).or(spec.port) else { return };
        for holder in process::ports::holders(port) {
            let name = &spec.name;
            let who = match holder.pid {
                Some(pid) => format!("pid {pid} ({})", holder.command),
                None => "a process of another user".to_owned(),
            };
            let (text, hint) = if holder.ours {
                (format!("{name}: port {port} is held by {who}, which runs under this runner"), format!("give {name} another port"))
            } else {
                let stop = holder.pid.map_or_else(|| "stop it".to_owned(), |pid| format!("stop it (kill {pid})"));
                (format!("{name}: port {port} is held by {who}, which is not ours"), format!("{stop}, or give {name} another port"))
            };
            self.say(&Notice::new(Level::Warning, NoticeKind::PortHeld, text).about(name).hint(hint));
        }
    }

    fn tell_watcher(&self, app: AppId, note: WatchNote) {
        let Some(watcher) = &self.watcher else { return };
        let at = now();
        watcher.tell(
            app,
            match note {
                WatchNote::Started { by_files } => Ctl::Started { at, by_files },
                WatchNote::Stopping => Ctl::Stopping(at),
                WatchNote::Exited => Ctl::Exited(at),
                WatchNote::Manual => Ctl::Manual,
                WatchNote::Down => Ctl::Down,
            },
        );
    }
}
