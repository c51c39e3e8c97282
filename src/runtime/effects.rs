//! Performs what the supervisor answers.

use std::{os::fd::AsFd, sync::Arc};

use super::{
    deaths::Live,
    port::{self, Wanted},
    runner::{Inbox, Runner, now},
    signs::Prepared,
};
use crate::{
    config,
    log::Stream,
    model::{AppId, AppSpec, InstanceId, Level, Notice, NoticeKind, RunId},
    process::{Member, ports::Holder},
    supervisor::{Effect, Event, Role, WatchNote},
    ui::clean::without_escapes,
    watch::Ctl,
};

/// How many processes are named of those that an app left behind.
pub const SHOWN: usize = 3;

/// How many lines of standard error are shown of an app that is given up.
const LAST_ERRORS: usize = 20;

impl Runner {
    /// Performs one effect. What it causes comes back through the inbox or from the processes.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { run, instance, generation: _, role, spec } => self.spawn(run, instance, role, &spec),
            Effect::Signal { run, signal } => {
                self.retire(run);
                self.processes.signal(run, signal);
                self.was_signalled(run);
            }
            Effect::SignalMain { run, signal } => {
                if self.runs.get(&run).is_some_and(|live| !live.spec.stop.tree && live.spec.stop.signal == signal) {
                    self.retire(run);
                }
                self.processes.signal_main(run, signal);
                self.was_signalled(run);
            }
            Effect::ShutdownMessage { run, signal } => self.shut_down(run, signal),
            Effect::Drain { run, time } => self.cluster.iter().for_each(|cluster| cluster.drain(run.0, time)),
            Effect::AwaitReady { run, instance, spec } => self.await_ready(run, instance, &spec),
            Effect::CheckHealth { run, instance, check, spec } => self.check_health(run, instance, check, &spec),
            Effect::Hook { instance, happening, spec } => self.hook(instance, happening, &spec),
            Effect::Record { instance, run, crash } => self.keep(instance, run, crash),
            Effect::ShowLastErrors { instance, name } => self.show_last_errors(instance, &name),
            Effect::Kill { run } => {
                self.is_asked_to_stop(run);
                self.processes.kill(run);
            }
            Effect::ReportStuck { run, name } => self.report_stuck(run, &name),
            Effect::NameRest { run, mut notice } => {
                let mut rest = self.processes.members(run);
                rest.sort_by_key(|member| member.pid);
                notice.text.push_str(&named(&rest, SHOWN).map_or_else(String::new, |names| format!(": {names}")));
                self.tell(notice);
            }
            Effect::ExplainLate { run, notice } => self.tell(self.with_reason(run, notice)),
            Effect::LookUpPort { app: _, run, spec } => self.look_up_port(run, &spec),
            Effect::Watch { app, note } => self.tell_watcher(app, note),
            Effect::Notice(notice) => self.tell(notice),
            Effect::Exit { code } => self.exit = Some(code),
        }
    }

    fn tell(&mut self, notice: Notice) {
        let started = notice.app.clone().filter(|_| notice.kind == NoticeKind::Started);
        self.known.decisions.told(&notice, &self.apps, &self.supervisor);
        self.say(&notice);
        started.iter().for_each(|app| self.say_next_restart(app));
    }

    fn spawn(&mut self, run: RunId, instance: InstanceId, role: Role, spec: &Arc<AppSpec>) {
        let mut prepared = Prepared::default();
        let launch = match role {
            Role::App => {
                let mut launch = self.apps.launch(instance, spec);
                prepared = self.prepare_signs(run, spec, &mut launch);
                if spec.shares_ports() {
                    self.join_cluster(run, instance, &spec.name, &mut launch, &mut prepared);
                }
                launch
            }
            Role::Build => spec.build.clone().expect("only a spec with a build is built"),
            Role::Rule(rule) => {
                let line = spec.rules.get(rule).and_then(|rule| rule.run.as_deref()).expect("only a rule with a command has one to run");
                config::command_line(line, &spec.launch)
            }
        };
        let pid_file = match role {
            Role::App => self.apps.pid_file(instance, spec),
            Role::Build | Role::Rule(_) => None,
        };
        let Prepared { mut signs, fds, listener } = prepared;
        let given: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let terminal = if role == Role::App && spec.tty { self.screens.open(instance).map(Some) } else { Ok(None) };
        let spawned = terminal.and_then(|terminal| self.processes.spawn_with(run, &launch, &given, terminal));
        // From here on they are the app's alone.
        drop(fds);
        match spawned {
            Ok(spawned) => {
                signs.of(spawned.pid);
                self.runs.insert(run, Live { instance, spec: Arc::clone(spec), signs, role, peak: None, ending: Vec::new(), pid_file });
                if let Some(source) = self.apps.source(instance) {
                    match role {
                        Role::App => source.begin_run(listener),
                        // The app may run meanwhile.
                        Role::Build | Role::Rule(_) => source.begin_aside(),
                    }
                }
                self.connect(run, instance, role, &spec.name, spawned);
            }
            Err(failure) => {
                // It said nothing, and what the run before it said is not its own.
                if let (Role::App, Some(source)) = (role, self.apps.source(instance)) {
                    source.begin_run(None);
                }
                let _ = self.inbox.send(Inbox::Event(Event::SpawnFailed { run, failure }));
            }
        }
    }

    /// The last words of an app that is given up, once more: they may be far up by now.
    fn show_last_errors(&self, instance: InstanceId, name: &str) {
        // What a terminal shows is one stream.
        let stream = if self.apps.spec(instance.app).is_some_and(|spec| spec.tty) { Stream::Out } else { Stream::Err };
        let lines = self.apps.source(instance).map(|source| source.ring_of(stream, LAST_ERRORS)).unwrap_or_default();
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(|line| without_escapes(&String::from_utf8_lossy(line)).into_owned()).collect();
            let text = format!("last lines of {name}'s error output:");
            self.say(&Notice::new(Level::Error, NoticeKind::Errored, text).about(name).hint(lines.join("\n")));
        }
    }

    fn report_stuck(&mut self, run: RunId, name: &str) {
        let members = self.processes.members(run);
        self.stuck.extend(members.iter().map(|member| member.pid));
        self.say(&stuck(name, &members).about(name));
    }

    /// On a thread of its own: to look at every descriptor of every process may take a while.
    fn look_up_port(&mut self, run: RunId, spec: &AppSpec) {
        let Some(instance) = self.runs.get(&run).map(|live| live.instance) else { return };
        let said = self.apps.source(instance).map(|source| source.evidence(port::LAST_LINES));
        let Some(wanted) = Wanted::find(said.as_deref().unwrap_or_default(), spec) else { return self.lookups.none(instance) };
        // What is left of the run itself is being stopped.
        let mut own: Vec<i32> = self.processes.members(run).iter().map(|member| member.pid).collect();
        if spec.shares_ports() {
            // What workers listen on is bound by us.
            own.push(std::process::id().cast_signed());
        }
        let is_other = move |holder: &Holder| holder.pid.is_none_or(|pid| !own.contains(&pid));
        self.lookups.begin(instance, wanted.port, move |holder| is_other(holder).then(|| wanted.held_by(holder)));
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

/// Names what outlived SIGKILL.
pub fn stuck(what: &str, members: &[Member]) -> Notice {
    let names = named(members, usize::MAX).unwrap_or_default();
    let text = format!("{what} outlived SIGKILL: {names}");
    let hint = "a process in an uninterruptible wait (state D in ps) goes only when its device or mount answers";
    Notice::new(Level::Error, NoticeKind::Stuck, text).hint(hint)
}

/// `pid 12 (sleep 60), pid 13 (nginx) and 4 more`; `None`: there are none.
pub fn named(members: &[Member], most: usize) -> Option<String> {
    let shown =
        members.iter().take(most).map(|member| format!("pid {} ({})", member.pid, shortened(&config::without_secrets(&member.command))));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match members.len().saturating_sub(most) {
        _ if members.is_empty() => None,
        0 => Some(shown),
        more => Some(format!("{shown} and {more} more")),
    }
}

/// The beginning of a command line: one of a Java program fills a screen.
fn shortened(command: &str) -> String {
    const LONGEST: usize = 80;
    match command.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &command[..at]),
        None => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_processes_are_named_and_the_others_counted() {
        let member = |pid: i32| Member { pid, command: if pid == 2 { "java ".repeat(100) } else { "sleep 60".to_owned() } };
        let some = |count: i32| named(&(1..=count).map(member).collect::<Vec<_>>(), 2);
        assert_eq!(some(0), None);
        assert_eq!(some(1).as_deref(), Some("pid 1 (sleep 60)"));
        let java = "java ".repeat(16);
        assert_eq!(some(2), Some(format!("pid 1 (sleep 60), pid 2 ({java}…)")));
        assert_eq!(some(5), Some(format!("pid 1 (sleep 60), pid 2 ({java}…) and 3 more")));
    }
}
