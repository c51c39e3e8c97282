//! Instances as the socket tells of them.

use std::path::Path;

use jiff::{Timestamp, Zoned};

use super::{
    decisions::Decisions,
    logs,
    runner::{Runner, now},
    usage::Meter,
    version::Versions,
};
use crate::{
    config::{self, Host, plan},
    control::{Detail, InstanceView, Shown},
    model::{AfterExit, AppSnapshot, AppSpec, ExecMode, Exit, InstanceId, InstanceSnapshot, WatchRoot, WatchSpec, called},
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

    /// These instances as they are now; secrets are hidden unless they are to be revealed.
    pub fn views(&mut self, ids: &[InstanceId], shown: Shown) -> Vec<InstanceView> {
        self.measure();
        let snapshot = self.supervisor.snapshot(now());
        let mut views = Vec::new();
        for id in ids {
            let Some(app) = snapshot.apps.iter().find(|app| app.id == id.app) else { continue };
            let Some(instance) = app.instances.iter().find(|instance| instance.id == *id) else { continue };
            let Some(spec) = self.apps.spec(id.app).cloned() else { continue };
            let mut view = self.view(app, instance, &spec);
            view.paused = snapshot.paused && app.watched;
            if !shown.reveal {
                view.argv = config::words_without_secrets(view.argv);
            }
            if shown.env {
                view.env = self.variables(*id, shown.reveal);
            }
            if shown.detail {
                view.detail = Some(Box::new(self.detail(*id, &spec, view.pm_id)));
            }
            views.push(view);
        }
        views
    }

    fn view(&mut self, app: &AppSnapshot, instance: &InstanceSnapshot, spec: &AppSpec) -> InstanceView {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let argv: Vec<String> = spec.launch.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let program = argv.first().cloned().unwrap_or_default();
        let script = spec.script.as_deref().map_or_else(|| program.clone(), text);
        let since = |time: std::time::Duration| Timestamp::now().as_millisecond() - i64::try_from(time.as_millis()).unwrap_or(0);
        let pm_id = self.apps.number_of(instance.id);
        let used = self.used(instance.id, instance.uptime.unwrap_or_default());
        let file = |kind: &str| logs::paths(&spec.logs, pm_id).find(|(what, _)| *what == kind).map(|(_, path)| text(&path));
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

    fn detail(&mut self, id: InstanceId, spec: &AppSpec, number: usize) -> Detail {
        let now = Zoned::now();
        let (watch, ignore_watch) = spec.watch.as_ref().map_or_else(|| (false.into(), Vec::new()), as_given);
        let name = called(&spec.name, spec.instances, id.slot) + " ";
        let about = move |sentence: &String| sentence.starts_with(&name);
        let apps = self.sentences(vec![id]);
        let own = apps.iter().flat_map(|app| app.states.iter().chain(&app.starts)).filter(|sentence| about(sentence));
        Detail {
            watch,
            ignore_watch,
            next_restart: plan::next(spec, &now).map(|next| next.timestamp().as_millisecond()),
            plan: plan::object(spec, &now),
            lines: plan::rows(spec, number, &now).into_iter().map(|(title, what)| (title.to_owned(), what)).collect(),
            why: own.chain(apps.iter().flat_map(|app| &app.waits)).cloned().collect(),
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
