//! A spec as an object: every field, durations in milliseconds, sizes in bytes.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Zoned;
use serde_json::{Value as Json, json};

use super::{Difference, next};
use crate::{
    config::{element::rotate_every, secret},
    model::{
        AfterExit, AppSpec, Backoff, Condition, ExecMode, Health, Identity, Launch, Limits, Listen, LogFile, Logs, PollMode, Probe,
        RestartPolicy, SaveAction, UNLIMITED, WatchRoot, WatchSpec,
    },
};

/// An app.
pub fn app(app: &AppSpec, env: &[Difference], now: &Zoned) -> Json {
    let env: serde_json::Map<String, Json> = env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let needs: serde_json::Map<String, Json> =
        app.depends_on.iter().map(|needed| (needed.app.clone(), condition(needed.condition).into())).collect();
    json!({
        "name": app.name,
        "namespace": app.namespace,
        "argv": argv(&app.launch),
        "cwd": path(&app.launch.cwd),
        "env": env,
        "build": app.build.as_ref().map(|build| json!({ "argv": argv(build), "cwd": path(&build.cwd) })),
        "instances": app.instances,
        "exec_mode": match app.exec_mode { ExecMode::Fork => "fork", ExecMode::Cluster => "cluster" },
        "autostart": app.autostart,
        "tty": app.tty,
        "port": app.port,
        "watch": app.watch.as_ref().map(watch),
        "rules": app.rules.iter().map(|rule| json!({ "paths": rule.paths, "run": line(&rule.run), "action": action(rule.action) })).collect::<Vec<_>>(),
        "restart": restart(&app.restart),
        "stop": {
            "signal": app.stop.signal.to_string(),
            "timeout_ms": millis(app.stop.timeout),
            "drain_ms": millis(app.stop.drain),
            "tree": app.stop.tree,
            "message": app.stop.message,
        },
        "depends_on": needs,
        "ready": { "by": probe(&app.ready.by), "timeout_ms": millis(app.ready.timeout) },
        "health": app.health.as_ref().map(health),
        "listen": app.listen.iter().map(listen).collect::<Vec<_>>(),
        "logs": logs(&app.logs),
        "limits": limits(&app.limits),
        "user": app.account.user,
        "group": app.account.group,
        "identity": app.launch.hardening.identity.as_ref().map(identity),
        "hooks": {
            "on_ready": line(&app.hooks.on_ready),
            "on_exit": line(&app.hooks.on_exit),
            "on_crash": line(&app.hooks.on_crash),
            "on_errored": line(&app.hooks.on_errored),
            "on_reload": line(&app.hooks.on_reload),
            "timeout_ms": millis(app.hooks.timeout),
        },
        "crash_capsules": app.capsules,
        "cron": app.cron,
        "cron_next": next(app, now).map(|next| next.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        "pid_file": app.pid_file.as_ref().map(|file| path(&file.path_of("*", app.instances))),
    })
}

/// As numbers, which a name may come to mean only in time.
fn identity(identity: &Identity) -> Json {
    json!({ "user": identity.user, "group": identity.group, "groups": identity.groups, "home": path(&identity.home) })
}

fn argv(launch: &Launch) -> Vec<String> {
    secret::words(launch.argv.iter().map(|word| word.to_string_lossy()))
}

/// A line for a shell, secrets hidden.
fn line(line: &Option<String>) -> Option<String> {
    line.as_deref().map(secret::line)
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "started",
        Condition::Ready => "ready",
        Condition::Completed => "completed",
    }
}

/// As it would be written: `restart`, `reload`, `SIGHUP`.
pub fn action(action: SaveAction) -> String {
    match action {
        SaveAction::Nothing => "none".to_owned(),
        SaveAction::Signal(signal) => signal.to_string(),
        SaveAction::Reload => "reload".to_owned(),
        SaveAction::Restart => "restart".to_owned(),
    }
}

/// A watched root, as a path or glob.
pub fn root(root: &WatchRoot) -> String {
    match root {
        WatchRoot::Tree { path: folder, explicit: _ } => path(folder),
        WatchRoot::File(file) => path(file),
        WatchRoot::Glob(glob) => glob.clone(),
    }
}

fn watch(watch: &WatchSpec) -> Json {
    let own = |list: &[PathBuf]| list.iter().map(|file| path(file)).collect::<Vec<_>>();
    json!({
        "roots": watch.roots.iter().map(root).collect::<Vec<_>>(),
        "base": path(&watch.base),
        "ignore": watch.ignore,
        "ext": watch.ext,
        "gitignore": watch.gitignore,
        "default_ignore": watch.defaults,
        "gate": watch.gate,
        "delay_ms": watch.delay.map(millis),
        "poll": match watch.poll {
            PollMode::Auto => json!("auto"),
            PollMode::Never => json!(false),
            PollMode::Always(None) => json!(true),
            PollMode::Always(Some(interval)) => json!(millis(interval)),
        },
        "follow_symlinks": watch.follow_symlinks,
        "script": watch.script.as_deref().map(path),
        "own": own(&watch.own),
    })
}

fn restart(policy: &RestartPolicy) -> Json {
    let (automatic, delay, first) = match &policy.after_exit {
        AfterExit::Wait => (false, None, None),
        AfterExit::Restart(Backoff::Fixed(delay)) => (true, Some(millis(*delay)), None),
        AfterExit::Restart(Backoff::Exponential { initial }) => (true, None, Some(millis(*initial))),
    };
    json!({
        "automatic": automatic && policy.max_restarts != Some(0),
        "delay_ms": delay,
        "backoff_from_ms": first,
        "min_uptime_ms": millis(policy.min_uptime),
        "max_restarts": policy.max_restarts,
        "window_ms": millis(policy.window),
        "stop_exit_codes": policy.stop_exit_codes,
    })
}

fn probe(probe: &Probe) -> Json {
    match probe {
        Probe::Started => json!("started"),
        Probe::Listening => json!("listening"),
        Probe::Notify => json!("notify"),
        Probe::Message => json!("message"),
        Probe::Tcp(addresses) => json!({ "tcp": addresses.iter().map(ToString::to_string).collect::<Vec<_>>() }),
        Probe::Http(url) => json!({ "http": secret::line(&url.to_string()) }),
        Probe::Log(regex) => json!({ "log": regex }),
        Probe::Command(line) => json!({ "command": secret::line(line) }),
    }
}

fn health(health: &Health) -> Json {
    json!({
        "by": probe(&health.probe),
        "interval_ms": millis(health.interval),
        "timeout_ms": millis(health.timeout),
        "failures": health.failures,
        "start_period_ms": millis(health.start_period),
        "dump_signal": health.dump.map(|signal| signal.to_string()),
    })
}

fn listen(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(file) => path(file),
    }
}

fn logs(logs: &Logs) -> Json {
    let file = |file: &LogFile| match file {
        LogFile::None => json!(false),
        LogFile::Default => json!(true),
        LogFile::At(file) => json!(path(file)),
    };
    json!({
        "out": file(&logs.out),
        "error": file(&logs.error),
        "file": file(&logs.combined),
        "merge": logs.merge,
        "format": if logs.json { "json" } else { "raw" },
        "timestamp": logs.timestamp.as_ref().map(|format| format.text()),
        "disabled": logs.disabled,
        "max_size": logs.max_size,
        "rotate_every": logs.rotate_every.map(rotate_every::word),
        "keep": logs.keep,
        "compress": logs.compress,
        "total_size": logs.total_size,
    })
}

fn limits(limits: &Limits) -> Json {
    json!({
        "memory": limits.memory_soft,
        "memory_hard": limits.memory_hard,
        "nofile": limits.nofile.map(limit),
        "nproc": limits.nproc.map(limit),
        "core": limits.core.map(limit),
        "nice": limits.nice,
        "oom_score_adj": limits.oom_score_adj,
        "umask": limits.umask.map(|mask| format!("{mask:03o}")),
        "no_new_privs": limits.no_new_privs,
        "inherit_fds": limits.inherit_fds,
    })
}

fn limit(limit: u64) -> Json {
    if limit == UNLIMITED { json!("unlimited") } else { json!(limit) }
}
