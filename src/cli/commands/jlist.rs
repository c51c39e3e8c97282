//! `pmdev jlist` and `pmdev prettylist`: instances in PM2's shape, so that scripts that read it go on working.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    cli::{print, reach::ReachArgs},
    control::{Detail, InstanceView, Shown},
    model::Error,
};

/// Print the apps of a runner as JSON, in PM2's shape
#[derive(Debug, Args)]
pub struct Jlist {
    /// Secrets among variables and arguments in clear
    #[arg(long)]
    pub reveal: bool,
    /// It says nothing else anyway
    #[arg(short, long, hide = true)]
    pub silent: bool,
    /// It is JSON anyway
    #[arg(long, hide = true)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Where the lines of an app go that has no file for them.
const NOWHERE: &str = "/dev/null";

impl Jlist {
    /// Prints them, on one line or indented; without a runner, an empty list and that is no failure.
    pub fn run(self, pretty: bool) -> Result<u8, Error> {
        let wanted = Shown { env: true, reveal: self.reveal, detail: true };
        let instances = match self.reach.find()? {
            None => Vec::new(),
            Some(runner) => runner.instances(&[], wanted)?,
        };
        let list = Value::from(instances.iter().map(object).collect::<Vec<_>>());
        print(if pretty { format!("{list:#}\n") } else { format!("{list}\n") }.as_bytes());
        Ok(0)
    }
}

/// An instance as PM2 tells of it.
pub fn object(view: &InstanceView) -> Value {
    let mut told = json!({
        "pid": view.pid.unwrap_or(0),
        "name": view.name,
        "pm_id": view.pm_id,
        "monit": { "memory": view.memory, "cpu": view.cpu },
    });
    // The macro would make every value of it anew.
    told["pm2_env"] = environment(view).into();
    told
}

/// `pm2_env`: the variables, and over them what is known of the instance; the variables again below `env`.
fn environment(view: &InstanceView) -> Map<String, Value> {
    let env: Map<String, Value> = view.env.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let (interpreter_args, args) = arguments(view);
    let mut all = env.clone();
    let known = json!({
        "name": view.name,
        "namespace": view.namespace,
        "version": view.version.as_deref().unwrap_or("N/A"),
        "pm_id": view.pm_id,
        "instances": view.instances,
        "NODE_APP_INSTANCE": view.instance,
        "status": status(&view.status),
        "restart_time": view.restarts,
        "unstable_restarts": view.unstable_restarts,
        "pm_uptime": view.started_at.unwrap_or(view.created_at),
        "created_at": view.created_at,
        "exec_mode": format!("{}_mode", view.mode),
        "exec_interpreter": view.interpreter.as_deref().unwrap_or("none"),
        "node_args": interpreter_args,
        "args": args,
        "pm_exec_path": view.script,
        "pm_cwd": view.cwd,
        "pm_out_log_path": view.out_file.as_deref().unwrap_or(NOWHERE),
        "pm_err_log_path": view.error_file.as_deref().unwrap_or(NOWHERE),
        "pm_pid_path": view.pid_file,
        "autorestart": view.autorestart,
        "username": view.user,
        "exit_code": view.exit_code,
        "why": view.why,
        "axm_actions": [],
        "axm_monitor": {},
        "axm_options": {},
        "axm_dynamic": {},
        "pmx_module": false,
        "vizion_running": false,
    });
    let Value::Object(known) = known else { return all };
    all.extend(known);
    all.insert("env".to_owned(), env.into());
    if let Some(file) = &view.log_file {
        all.insert("pm_log_path".to_owned(), file.clone().into());
    }
    if let Some(detail) = &view.detail {
        declared(detail, &mut all);
    }
    // Before its first end PM2 has no code.
    all.retain(|name, value| !matches!(name.as_str(), "exit_code" | "why") || !value.is_null());
    all
}

/// What is declared of the app.
fn declared(detail: &Detail, all: &mut Map<String, Value>) {
    let plan = |pointer: &str| detail.plan.pointer(pointer).filter(|value| !value.is_null());
    all.insert("watch".to_owned(), detail.watch.clone());
    if !detail.ignore_watch.is_empty() {
        all.insert("ignore_watch".to_owned(), detail.ignore_watch.clone().into());
    }
    for (name, pointer) in [
        ("autostart", "/autostart"),
        ("merge_logs", "/logs/merge"),
        ("treekill", "/stop/tree"),
        ("kill_timeout", "/stop/timeout_ms"),
        ("shutdown_with_message", "/stop/message"),
        ("max_restarts", "/restart/max_restarts"),
        ("min_uptime", "/restart/min_uptime_ms"),
        ("restart_delay", "/restart/delay_ms"),
        ("exp_backoff_restart_delay", "/restart/backoff_from_ms"),
        ("stop_exit_codes", "/restart/stop_exit_codes"),
        ("max_memory_restart", "/limits/memory"),
        ("cron_restart", "/cron"),
    ] {
        if let Some(value) = plan(pointer) {
            all.insert(name.to_owned(), value.clone());
        }
    }
    let waits = plan("/ready/by").is_some_and(|by| by == "message");
    all.insert("wait_ready".to_owned(), waits.into());
}

/// PM2's word for a state of ours: scripts know no other.
fn status(ours: &str) -> &str {
    match ours {
        "building" => "launching",
        "crashed" => "errored",
        other => other,
    }
}

/// The arguments of the interpreter and those of the script.
pub fn arguments(view: &InstanceView) -> (&[String], &[String]) {
    let cwd = std::path::Path::new(&view.cwd);
    let is_script = |word: &String| cwd.join(word) == std::path::Path::new(&view.script);
    let script = if view.interpreter.is_some() { view.argv.iter().skip(1).position(is_script).map(|at| at + 1) } else { Some(0) };
    match script {
        Some(at) => (view.argv.get(1..at).unwrap_or_default(), view.argv.get(at + 1..).unwrap_or_default()),
        None => (&[], view.argv.get(1..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_before_the_script_or_behind_it() {
        let view: InstanceView = serde_json::from_value(json!({
            "pm_id": 0, "name": "api", "instance": 0, "instances": 1, "namespace": "default", "version": null, "mode": "fork", "pid": 7,
            "status": "crashed", "started_at": null, "created_at": 5, "restarts": 0, "unstable_restarts": 0, "exit_code": null, "cpu": 0.0,
            "memory": 0, "user": "ann", "watching": true, "argv": ["node", "--inspect", "src/a.js", "--port", "3"], "cwd": "/p",
            "interpreter": "node", "script": "/p/src/a.js", "out_file": null, "error_file": null, "log_file": null, "pid_file": null,
            "autorestart": true, "env": [["status", "mine"], ["PORT", "3"]]
        }))
        .unwrap();
        let words = |words: &[String]| words.join(" ");
        let (before, behind) = arguments(&view);
        assert_eq!((words(before), words(behind)), ("--inspect".into(), "--port 3".into()));
        let bare = InstanceView { interpreter: None, script: "sleep".into(), argv: vec!["sleep".into(), "9".into()], ..view.clone() };
        assert_eq!(arguments(&bare), (&[][..], &["9".to_owned()][..]));
        let all = environment(&view);
        assert_eq!((&all["status"], &all["env"]["status"], &all["PORT"]), (&json!("errored"), &json!("mine"), &json!("3")));
        assert!(!all.contains_key("exit_code") && !all.contains_key("pm_log_path"));
    }
}
