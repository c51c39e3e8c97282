//! Instances as the socket tells of them.

use std::path::Path;

use jiff::Timestamp;

use super::runner::{Runner, now};
use crate::{
    config,
    control::InstanceView,
    model::{AfterExit, AppSnapshot, AppSpec, ExecMode, Exit, InstanceId, InstanceSnapshot},
};

impl Runner {
    /// Every instance, in the order of their ids.
    pub fn all_instances(&mut self) -> Vec<InstanceId> {
        let snapshot = self.supervisor.snapshot(now());
        let ids = snapshot.apps.iter().flat_map(|app| app.instances.iter().map(|instance| instance.id));
        let mut numbered: Vec<_> = ids.map(|id| (self.apps.number_of(id), id)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, id)| id).collect()
    }

    /// These instances as they are now. `env`: with their variables, secrets hidden unless they are to be revealed.
    pub fn views(&mut self, ids: &[InstanceId], env: bool, reveal: bool) -> Vec<InstanceView> {
        let snapshot = self.supervisor.snapshot(now());
        let mut views = Vec::new();
        for id in ids {
            let Some(app) = snapshot.apps.iter().find(|app| app.id == id.app) else { continue };
            let Some(instance) = app.instances.iter().find(|instance| instance.id == *id) else { continue };
            let Some(spec) = self.apps.spec(id.app).cloned() else { continue };
            let mut view = self.view(app, instance, &spec);
            view.paused = view.watching && snapshot.paused;
            if !reveal {
                view.argv = config::words_without_secrets(view.argv);
            }
            if env {
                view.env = self.variables(*id, reveal);
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
        InstanceView {
            pm_id,
            pid_file: spec.pid_file.as_ref().map(|file| text(&file.path_of(pm_id, spec.instances))),
            name: app.name.clone(),
            instance: instance.id.slot,
            instances: spec.instances,
            namespace: spec.namespace.clone(),
            version: None,
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
            cpu: 0.0,
            memory: 0,
            user: String::new(),
            watching: app.watched,
            paused: false,
            interpreter: (program != script).then_some(program),
            script,
            argv,
            cwd: text(&spec.launch.cwd),
            out_file: None,
            error_file: None,
            log_file: None,
            autorestart: matches!(spec.restart.after_exit, AfterExit::Restart(_)),
            env: Vec::new(),
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
