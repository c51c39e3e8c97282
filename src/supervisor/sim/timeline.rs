//! What happened, line by line: the expectation of a scenario, and what a failing test prints.

use std::{collections::HashMap, fmt, sync::Arc, time::Instant};

use super::{Cast, child::Child};
use crate::{
    model::{AppId, AppSpec, HookKind, HumanDuration, Level, Notice, RunId},
    supervisor::{Edit, Effect, Event, Request, Role, ShutdownCause, Target, WatchNote},
};

type Apps = [(Arc<AppSpec>, Cast)];
type Children = HashMap<RunId, Child>;

/// Lines such as `  100 ms  < api#1 ends: exit code 1`: `<` is what the supervisor is told, `>` what it does, and a notice is as people see it.
pub struct Timeline {
    epoch: Instant,
    lines: Vec<(Instant, String)>,
}

impl Timeline {
    pub fn new(epoch: Instant) -> Self {
        Self { epoch, lines: Vec::new() }
    }

    pub fn line(&mut self, now: Instant, line: String) {
        self.lines.push((now, line));
    }

    pub fn event(&mut self, now: Instant, event: &Event, apps: &Apps, children: &Children) {
        let app = |id: &AppId| apps.get(id.0 as usize).map_or("?", |(spec, _)| spec.name.as_str());
        let run = |id: &RunId| children.get(id).map_or_else(|| id.to_string(), |child| child.name.clone());
        let of = |target: &Target| match target {
            Target::All => "all".to_owned(),
            Target::Name(name) => name.clone(),
            Target::Instances(ids) => ids.iter().map(|id| format!("{}:{}", app(&id.app), id.slot)).collect::<Vec<_>>().join(" "),
        };
        let text = match event {
            Event::Begin { .. } => "begin".to_owned(),
            Event::Spawned { run: id, pid } => format!("{} executes, pid {pid}", run(id)),
            Event::SpawnFailed { run: id, failure } => format!("{} fails: {failure}", run(id)),
            Event::MainExited { run: id, exit, oom } => format!("{} ends: {exit}{}", run(id), if *oom { ", out of memory" } else { "" }),
            Event::Ready { run: id } => format!("{} says it is ready", run(id)),
            Event::Drained { run: id } => format!("{} serves nothing any more", run(id)),
            Event::Health { run: id, answer: Ok(()), .. } => format!("{} is well", run(id)),
            Event::Health { run: id, answer: Err(why), .. } => format!("{} is unwell: {why}", run(id)),
            Event::Memory { run: id, bytes } => format!("{} uses {} MiB", run(id), bytes >> 20),
            Event::Cron { app: id } => format!("cron of {}", app(id)),
            Event::SetEmpty { run: id } => format!("{} is empty", run(id)),
            Event::FilesChanging { app: id, path } => format!("{} changing: {}", app(id), path.display()),
            Event::FilesChanged { app: id, changes } => format!("{} changed: {}", app(id), changes.shown),
            Event::Probe { app: id, path } => format!("{} probe: {}", app(id), path.display()),
            Event::ProbeOver { app: id } => format!("{} probe is over", app(id)),
            Event::Apply { edits, shown } => {
                let edit = |edit: &Edit| match edit {
                    Edit::Add { spec, .. } => format!("add {}", spec.name),
                    Edit::Change { spec, restart: true, .. } => format!("restart {} otherwise", spec.name),
                    Edit::Change { spec, restart: false, .. } => format!("change {}", spec.name),
                    Edit::Remove { app: id } => format!("remove {}", app(id)),
                };
                format!("{shown}: {}", edits.iter().map(edit).collect::<Vec<_>>().join(", "))
            }
            Event::Request(Request::Restart(Target::All)) => "rs".to_owned(),
            Event::Request(Request::Restart(Target::Name(name))) => format!("r {name}"),
            Event::Request(Request::Restart(target)) => format!("restart {}", of(target)),
            Event::Request(Request::Reload(target)) => format!("reload {}", of(target)),
            Event::Request(Request::Start(target)) => format!("start {}", of(target)),
            Event::Request(Request::Stop(target)) => format!("stop {}", of(target)),
            Event::Request(Request::Reset(target)) => format!("reset {}", of(target)),
            Event::Request(Request::Signal(target, signal)) => format!("{signal} asked for {}", of(target)),
            Event::Request(Request::TogglePause) => "p".to_owned(),
            Event::Shutdown(ShutdownCause::Signal(signal)) => format!("{signal} to the runner"),
            Event::Shutdown(ShutdownCause::Key) => "q".to_owned(),
            Event::Shutdown(ShutdownCause::Asked) => "kill".to_owned(),
            Event::Shutdown(ShutdownCause::Terminal) => "the terminal goes away".to_owned(),
            Event::ForceShutdown { code } => format!("force, code {code}"),
            Event::Continued { stopped_for } => format!("fg, after {} ms", stopped_for.as_millis()),
            // It is nothing by itself: what comes of it stands below.
            Event::Deadline => return,
        };
        self.line(now, format!("< {text}"));
    }

    pub fn effect(&mut self, now: Instant, effect: &Effect, apps: &Apps, children: &Children) {
        let run = |id: &RunId| children.get(id).map_or_else(|| id.to_string(), |child| child.name.clone());
        let text = match effect {
            Effect::Spawn { run: id, instance, generation, role, spec } => {
                let slot = if spec.instances > 1 { format!(":{}", instance.slot) } else { String::new() };
                match role {
                    Role::App => format!("> spawn {}{slot}#{} of {generation}", spec.name, id.0),
                    Role::Build => format!("> spawn build of {}#{} of {generation}", spec.name, id.0),
                    Role::Rule(rule) => format!("> spawn command of {}#{} for rule {rule}", spec.name, id.0),
                }
            }
            Effect::Signal { run: id, signal } => format!("> {signal} to {}", run(id)),
            Effect::SignalMain { run: id, signal } => format!("> {signal} to the main process of {}", run(id)),
            Effect::ShutdownMessage { run: id, signal } => format!("> shutdown message, or {signal}, to {}", run(id)),
            Effect::Drain { run: id, time } => format!("> drain {} for {}", run(id), HumanDuration(*time)),
            Effect::AwaitReady { run: id, .. } => format!("> await that {} is ready", run(id)),
            Effect::CheckHealth { run: id, check, .. } => format!("> check {} of {}", check, run(id)),
            Effect::Hook { happening, .. } => {
                format!("> hook {} of {}: {}", kind(happening.kind), happening.instance, happening.reason)
            }
            Effect::Record { crash, .. } => {
                let changed: Vec<_> = crash.changed.iter().map(|path| path.display().to_string()).collect();
                let changed = if changed.is_empty() { String::new() } else { format!(" (changed: {})", changed.join(", ")) };
                // Every failure is recorded; only what is more than its notice says is worth a line.
                if changed.is_empty() {
                    return;
                }
                format!("> record of {}{changed}", crash.happening.instance)
            }
            Effect::ShowLastErrors { name, .. } => format!("> show the last errors of {name}"),
            Effect::Kill { run: id } => format!("> kill {}", run(id)),
            Effect::ReportStuck { run: id, name } => format!("> report {} of {name} as stuck", run(id)),
            Effect::LookUpPort { run: id, .. } => format!("> look up the port of {}", run(id)),
            Effect::Watch { app, note } => format!("> watch {}: {}", apps[app.0 as usize].0.name, watch(*note)),
            Effect::Notice(notice) | Effect::NameRest { run: _, notice } | Effect::ExplainLate { run: _, notice } => {
                self.notice(now, notice);
                return;
            }
            Effect::Exit { code } => format!("> exit {code}"),
        };
        self.line(now, text);
    }

    fn notice(&mut self, now: Instant, notice: &Notice) {
        let level = match notice.level {
            Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        self.line(now, format!("[{}] {level}{}", word(notice), notice.text));
        for hint in notice.hint.iter().flat_map(|hint| hint.lines()) {
            self.line(now, format!("    {hint}"));
        }
    }
}

fn word(notice: &Notice) -> String {
    serde_json::to_string(&notice.kind).expect("a kind is a word").trim_matches('"').to_owned()
}

fn kind(kind: HookKind) -> &'static str {
    match kind {
        HookKind::Ready => "on_ready",
        HookKind::Exit => "on_exit",
        HookKind::Crash => "on_crash",
        HookKind::Errored => "on_errored",
        HookKind::Reload => "on_reload",
    }
}

fn watch(note: WatchNote) -> &'static str {
    match note {
        WatchNote::Started { by_files: true } => "started by files",
        WatchNote::Started { by_files: false } => "started",
        WatchNote::Stopping => "stopping",
        WatchNote::Exited => "exited",
        WatchNote::Manual => "manual",
        WatchNote::Down => "down",
    }
}

impl fmt::Display for Timeline {
    /// The time stands before the first line of each moment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for (at, line) in &self.lines {
            let millis = (at.duration_since(self.epoch).as_micros() + 500) / 1000;
            if last.replace(millis) == Some(millis) {
                writeln!(f, "           {line}")?;
            } else {
                writeln!(f, "{millis:>6} ms  {line}")?;
            }
        }
        Ok(())
    }
}
