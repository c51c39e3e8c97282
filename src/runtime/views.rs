//! Instances as the socket tells of them.

use std::{collections::HashMap, path::Path, sync::Arc};

use jiff::{Timestamp, Zoned};

use super::{
    decisions::Decisions,
    logs,
    runner::{Runner, now},
    usage::{Meter, Used},
    version::Versions,
};
use crate::{
    config::{self, Host, plan},
    control::{Detail, InstanceView, Shown},
    model::{AfterExit, AppId, AppSnapshot, AppSpec, ExecMode, Exit, InstanceId, InstanceSnapshot, WatchRoot, WatchSpec, called},
};

/// What is kept for those who ask.
#[derive(Debug, Default)]
pub struct Known {
    /// What the apps use.
    pub meter: Meter,
    /// Their versions.
    pub versions: Versions,
    /// What was decided lately.
    pub decisions: Decisions,
    /// The user this runner runs as, as people call it.
    pub own_name: String,
}

/// What is the same for all instances of an app.
struct About {
    watch: serde_json::Value,
    ignore_watch: Vec<String>,
    next_restart: Option<i64>,
    plan: serde_json::Value,
    /// Of each slot.
    why: Vec<Vec<String>>,
    waits: Vec<String>,
    now: Zoned,
}

impl About {
    fn detail(&self, id: InstanceId, spec: &AppSpec, number: usize) -> Detail {
        let Self { watch, ignore_watch, next_restart, plan, why, waits, now } = self;
        let own = why.get(usize::from(id.slot)).into_iter().flatten();
        Detail {
            watch: watch.clone(),
            ignore_watch: ignore_watch.clone(),
            next_restart: *next_restart,
            plan: plan.clone(),
            lines: plan::rows(spec, number, now).into_iter().map(|(title, what)| (title.to_owned(), what)).collect(),
            why: own.chain(waits).cloned().collect(),
        }
    }
}

impl Known {
    /// Nothing yet, but who we are.
    pub fn new(host: &Host) -> Self {
        Self { own_name: config::user_name(host.owner.user), ..Self::default() }
    }
}

impl Runner {
    /// Every instance, in the order of their ids.
    pub fn all_instances(&mut self) -> Vec<InstanceId> {
        let snapshot = self.supervisor.snapshot(now());
        let ids = snapshot.apps.iter().flat_map(|app| app.instances.iter().map(|instance| instance.id));
        let mut numbered: Vec<_> = ids.map(|id| (self.apps.number_of(id), id)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, id)| id).collect()
    }

    /// These instances as they are now; secrets are hidden unless they are to be revealed. What is the same for all instances of an app is
    /// found out once: a list takes the time of the loop.
    pub fn views(&mut self, ids: &[InstanceId], shown: Shown) -> Vec<InstanceView> {
        self.measure();
        let snapshot = self.supervisor.snapshot(now());
        let apps: HashMap<AppId, &AppSnapshot> = snapshot.apps.iter().map(|app| (app.id, app)).collect();
        let specs: HashMap<AppId, Arc<AppSpec>> = self.apps.all().map(|(app, spec)| (app, Arc::clone(spec))).collect();
        let runs = self.runs_of_instances();
        let mut about: HashMap<AppId, About> = HashMap::new();
        let mut views = Vec::with_capacity(ids.len());
        for id in ids {
            let (Some(app), Some(spec)) = (apps.get(&id.app), specs.get(&id.app)) else { continue };
            let Some(instance) = app.instances.get(usize::from(id.slot)) else { continue };
            let used = self.used(runs.get(id).map(Vec::as_slice).unwrap_or_default(), instance.uptime.unwrap_or_default());
            let mut view = self.view(app, instance, spec, used);
            view.paused = snapshot.paused && app.watched;
            if !shown.reveal {
                view.argv = config::words_without_secrets(view.argv);
            }
            if shown.env {
                view.env = self.variables(*id, shown.reveal);
            }
            if shown.detail {
                let about = about.entry(id.app).or_insert_with(|| self.about(id.app, spec));
                view.detail = Some(Box::new(about.detail(*id, spec, view.pm_id)));
            }
            views.push(view);
        }
        views
    }

    /// What is declared of an app, and why its instances are as they are.
    fn about(&mut self, app: AppId, spec: &AppSpec) -> About {
        let now = Zoned::now();
        let (watch, ignore_watch) = spec.watch.as_ref().map_or_else(|| (false.into(), Vec::new()), as_given);
        let explained = self.sentences(vec![InstanceId { app, slot: 0 }]).into_iter().next();
        let (states, starts, waits) = explained.map(|why| (why.states, why.starts, why.waits)).unwrap_or_default();
        // Both are in the order of the instances, and one that never started has nothing to say of that.
        let mut starts = starts.into_iter().peekable();
        let of_slot = |(slot, state): (u16, String)| {
            let name = called(&spec.name, spec.instances, slot) + " ";
            [state].into_iter().chain(starts.next_if(|start| start.starts_with(&name))).collect()
        };
        About {
            watch,
            ignore_watch,
            next_restart: plan::next(spec, &now).map(|next| next.timestamp().as_millisecond()),
            plan: plan::object(spec, &now),
            why: (0..).zip(states).map(of_slot).collect(),
            waits,
            now,
        }
    }

    fn view(&mut self, app: &AppSnapshot, instance: &InstanceSnapshot, spec: &AppSpec, used: Used) -> InstanceView {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let argv: Vec<String> = spec.launch.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let program = argv.first().cloned().unwrap_or_default();
        let script = spec.script.as_deref().map_or_else(|| program.clone(), text);
        let since = |time: std::time::Duration| Timestamp::now().as_millisecond() - i64::try_from(time.as_millis()).unwrap_or(0);
        let pm_id = self.apps.number_of(instance.id);
        let files: Vec<_> = logs::paths(&spec.logs, pm_id).collect();
        let file = |kind: &str| files.iter().find(|(what, _)| *what == kind).map(|(_, path)| text(path));
        InstanceView {
            pm_id,
            pid_file: spec.pid_file.as_ref().map(|file| text(&file.path_of(pm_id, spec.instances))),
            name: app.name.clone(),
            instance: instance.id.slot,
            instances: spec.instances,
            namespace: spec.namespace.clone(),
            version: self.known.versions.of(app.id).map(str::to_owned),
            mode: match spec.exec_mode {
                ExecMode::Fork => "fork",
                ExecMode::Cluster => "cluster",
            }
            .to_owned(),
            pid: instance.pid,
            status: instance.status.to_string(),
            started_at: instance.uptime.map(since),
            created_at: self.apps.declared(app.id).map_or(0, Timestamp::as_millisecond),
            restarts: instance.restarts,
            unstable_restarts: instance.unstable_restarts,
            why: instance.why.clone(),
            exit_code: instance.exit.map(|exit| match exit {
                Exit::Code(code) => code,
                Exit::Signal { .. } => i32::from(exit.shell_code()),
            }),
            cpu: used.cpu,
            memory: used.memory,
            user: match (&spec.launch.hardening.identity, &spec.account.user) {
                (Some(identity), _) => identity.name.clone(),
                (None, Some(user)) => user.clone(),
                (None, None) => self.known.own_name.clone(),
            },
            watching: app.watched,
            paused: false,
            generation: app.generation.0,
            interpreter: (program != script).then_some(program),
            script,
            argv,
            cwd: text(&spec.launch.cwd),
            out_file: file("out"),
            error_file: file("error"),
            log_file: file("file"),
            autorestart: matches!(spec.restart.after_exit, AfterExit::Restart(_)),
            env: Vec::new(),
            detail: None,
        }
    }

    fn variables(&mut self, id: InstanceId, reveal: bool) -> Vec<(String, String)> {
        let Some(launch) = self.apps.environment(id) else { return Vec::new() };
        let shown = launch.env.iter().map(|(name, value)| {
            let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
            let value = if reveal { value } else { config::hidden(&name, &value) };
            (name, value)
        });
        shown.collect()
    }
}

/// `watch` and `ignore_watch` as they may be written: `true` where nobody said what, else what is watched, relative to the app's folder.
fn as_given(watch: &WatchSpec) -> (serde_json::Value, Vec<String>) {
    let below = |path: &Path| path.strip_prefix(&watch.base).unwrap_or(path).to_string_lossy().into_owned();
    let named = watch.roots.iter().filter_map(|root| match root {
        WatchRoot::Tree { explicit: false, .. } => None,
        WatchRoot::Tree { path, explicit: true } if *path == watch.base => Some(".".to_owned()),
        WatchRoot::Tree { path, explicit: true } | WatchRoot::File(path) => Some(below(path)),
        WatchRoot::Glob(glob) => Some(below(Path::new(glob))),
    });
    let named: Vec<String> = named.collect();
    (if named.is_empty() { true.into() } else { named.into() }, watch.ignore.clone())
}
