//! The part of a spec that no flag speaks of: restarts, instances, and everything that is declared beside the program.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{
        Channel, Host, channel,
        command::Command,
        draft::Draft,
        element::{
            command::Line,
            instances::Instances,
            listen::Address,
            log_file::File,
            log_time::LogTime,
            number::Limit,
            watch::{Rule, Watch},
        },
        logs::plain,
        place,
        profile::BACKOFF,
        program::Build,
        raw::Layer,
    },
    model::{
        Account, ActionRule, AfterExit, AppSpec, Backoff, ExecMode, Hooks, Launch, Limits, Listen, LogFile, Logs, PidFile, Probe, Ready,
        RestartPolicy, UNLIMITED, timestamp,
    },
};

use super::request::value;

/// Puts the build of the file in the place of the interpreter's.
pub fn build(draft: &mut Draft, layer: &Layer) {
    let argv: Vec<OsString> = match value(&layer.keys.build) {
        None => return,
        Some(Line::Off) => {
            draft.program.build = None;
            return;
        }
        Some(Line::Run(Command::Simple(words))) => words.into_iter().map(OsString::from).collect(),
        Some(Line::Run(Command::Shell(line))) => vec!["sh".into(), "-c".into(), line.into()],
    };
    draft.program.build = Some(Build { argv, cwd: draft.cwd.clone(), output: Vec::new() });
}

/// Completes a spec. Paths of the file are looked for in the app's folder, then where the request was typed; `own`: the files that act through the plan alone, and are in no change set.
pub fn complete(spec: AppSpec, layer: &Layer, cwd: &Path, own: Vec<PathBuf>, host: &Host) -> AppSpec {
    let keys = &layer.keys;
    let mut spec = AppSpec { restart: restart(spec.restart, layer), ..spec };
    spec.stop.tree = value(&keys.treekill).unwrap_or(true);
    spec.stop.drain = value(&keys.drain_timeout).unwrap_or(spec.stop.drain);
    spec.stop.message = value(&keys.shutdown_with_message).unwrap_or(spec.stop.message);
    if let Some(watch) = spec.watching_mut() {
        let options = value(&keys.watch_options).unwrap_or_default();
        watch.follow_symlinks = value(&options.follow_symlinks).unwrap_or(watch.follow_symlinks);
        watch.own.extend(own);
    }
    if let Some(Watch::List(_, rules)) = value(&keys.watch) {
        // What is watched is looked for in both folders, so its rule has to be.
        let found = |path: String| match (place::absolute(cwd, Path::new(&path)), place::absolute(&host.cwd, Path::new(&path))) {
            (here, there) if !here.exists() && there.exists() => there.to_str().map_or(path, str::to_owned),
            _ => path,
        };
        let rule = |rule: Rule| ActionRule { paths: rule.paths.into_iter().map(found).collect(), run: rule.run, action: rule.action };
        spec.rules = rules.into_iter().map(rule).collect();
    }
    spec.instances = value(&keys.instances).map_or(1, Instances::count);
    spec.exec_mode = exec_mode(layer, &spec);
    spec.namespace = value(&keys.namespace).unwrap_or(spec.namespace);
    spec.autostart = value(&keys.autostart).unwrap_or(true);
    spec.depends_on = value(&keys.depends_on).map(|needs| needs.0.into_iter().map(|(needed, _)| needed).collect()).unwrap_or_default();
    spec.ready = ready(spec.ready, spec.exec_mode, layer);
    spec.health = value(&keys.health).map(|checkup| checkup.of(&spec.ready));
    spec.listen = value(&keys.listen).map(|all| all.0.into_iter().map(|address| listen(address, cwd)).collect()).unwrap_or_default();
    spec.logs = logs(spec.logs, layer, cwd);
    spec.limits = limits(spec.limits, layer);
    spec.account = Account { user: value(&keys.uid), group: value(&keys.gid) };
    let hooks = value(&keys.hooks).unwrap_or_default();
    spec.hooks = Hooks {
        on_ready: value(&hooks.on_ready),
        on_exit: value(&hooks.on_exit),
        on_crash: value(&hooks.on_crash),
        on_errored: value(&hooks.on_errored),
        on_reload: value(&hooks.on_reload),
        timeout: value(&hooks.timeout).map_or(spec.hooks.timeout, |time| time.0),
    };
    spec.capsules = value(&keys.crash_capsules).unwrap_or(spec.capsules);
    spec.cron = value(&keys.cron_restart).and_then(|cron| cron.0);
    spec.tty = value(&keys.tty).unwrap_or(false);
    spec.pid_file = pid_file(&spec, layer, cwd, host);
    if let Some(path) = spec.pid_file.as_ref().map(|file| file.path.clone())
        && let Some(watch) = spec.watching_mut()
    {
        watch.own.push(path);
    }
    spec
}

fn restart(mut policy: RestartPolicy, layer: &Layer) -> RestartPolicy {
    let keys = &layer.keys;
    let delay = match (value(&keys.exp_backoff_restart_delay), value(&keys.restart_delay)) {
        (Some(initial), _) if !initial.is_zero() => Some(Backoff::Exponential { initial }),
        (_, Some(delay)) => Some(Backoff::Fixed(delay)),
        // Zero turns a delay that grows off, whatever is usual.
        (Some(_), None) => Some(Backoff::Fixed(Duration::ZERO)),
        (None, None) => None,
    };
    let limit = value(&keys.max_restarts);
    policy.after_exit = match (policy.after_exit, value(&keys.autorestart)) {
        (_, Some(false)) => AfterExit::Wait,
        (AfterExit::Wait, Some(true)) => AfterExit::Restart(delay.unwrap_or(BACKOFF)),
        (AfterExit::Restart(usual), _) => AfterExit::Restart(delay.unwrap_or(usual)),
        (AfterExit::Wait, _) => AfterExit::Wait,
    };
    policy.min_uptime = value(&keys.min_uptime).unwrap_or(policy.min_uptime);
    policy.max_restarts = limit.map_or(policy.max_restarts, |limit| limit.0);
    policy.window = value(&keys.restart_window).unwrap_or(policy.window);
    policy.stop_exit_codes = value(&keys.stop_exit_codes).map(|codes| codes.0).unwrap_or_default();
    policy
}

/// As in PM2: instances of Node share their ports unless the file says otherwise. Others cannot: what keeps Node's channel from the script
/// (npm, a shell), and bun, which takes no sockets over it.
fn exec_mode(layer: &Layer, spec: &AppSpec) -> ExecMode {
    let keys = &layer.keys;
    if value(&keys.execute_command) == Some(true) {
        return ExecMode::Fork;
    }
    let by_instances = if keys.instances.is_some() { ExecMode::Cluster } else { ExecMode::Fork };
    let meant = value(&keys.exec_mode).unwrap_or(by_instances);
    if can_share(&spec.launch) { meant } else { ExecMode::Fork }
}

/// Whether the instances of a program can share their ports.
pub fn can_share(launch: &Launch) -> bool {
    let program = launch.argv.first().map(Path::new).and_then(Path::file_name);
    channel(launch) == Channel::Held && program.is_none_or(|name| name != "bun" && name != "deno")
}

fn ready(usual: Ready, mode: ExecMode, layer: &Layer) -> Ready {
    let keys = &layer.keys;
    let by_message = value(&keys.wait_ready) == Some(true);
    let (by, timeout) = match value(&keys.ready) {
        Some(ready) => (ready.by, ready.timeout),
        None if by_message => (Probe::Message, None),
        None if mode == ExecMode::Cluster => (Probe::Listening, None),
        None => (usual.by, None),
    };
    Ready { by, timeout: timeout.or(value(&keys.listen_timeout)).unwrap_or(usual.timeout) }
}

fn listen(address: Address, cwd: &Path) -> Listen {
    match address {
        Address::Tcp(address) => Listen::Tcp(address),
        Address::Unix(path) => Listen::Unix(place::absolute(cwd, Path::new(&path))),
    }
}

/// PM2 keeps them in its home, each with the number of its instance.
/// `$PMDEV_HOME/pids/NAME-ID.pid`; `None` where nothing says which home.
pub fn default_pid_file(name: &str, host: &Host) -> Option<PidFile> {
    Some(PidFile { path: place::home(host)?.join("pids").join(format!("{}.pid", plain(name))), numbered: true })
}

fn pid_file(spec: &AppSpec, layer: &Layer, cwd: &Path, host: &Host) -> Option<PidFile> {
    match value(&layer.keys.pid_file) {
        None => spec.pid_file.clone(),
        Some(File::None) => None,
        Some(File::Default) => default_pid_file(&spec.name, host),
        Some(File::At(file)) => Some(PidFile { path: place::absolute(cwd, Path::new(&file)), numbered: false }),
    }
}

fn logs(usual: Logs, layer: &Layer, cwd: &Path) -> Logs {
    let keys = &layer.keys;
    let group = value(&keys.logs).unwrap_or_default();
    let file = |file: File| match file {
        File::None => LogFile::None,
        File::Default => LogFile::Default,
        File::At(path) => LogFile::At(place::absolute(cwd, Path::new(&path))),
    };
    let time = value(&keys.time).filter(|on| *on).map(|_| LogTime(timestamp::OF_LOG_FILES.parse().ok()));
    Logs {
        out: value(&group.out).or(value(&keys.out_file)).map_or(usual.out, file),
        error: value(&group.error).or(value(&keys.error_file)).map_or(usual.error, file),
        combined: value(&group.file).or(value(&keys.log_file)).map_or(usual.combined, file),
        merge: value(&group.merge)
            .or(value(&keys.merge_logs))
            .unwrap_or(keys.instances.is_none() && value(&keys.exec_mode) != Some(ExecMode::Cluster)),
        json: value(&group.format).or(value(&keys.log_type)).map_or(usual.json, |kind| kind.json),
        timestamp: value(&group.timestamp).or(value(&keys.log_date_format)).or(time).map_or(usual.timestamp, |time| time.0),
        disabled: value(&group.disabled).or(value(&keys.disable_logs)).unwrap_or(usual.disabled),
        max_size: value(&group.max_size).map_or(usual.max_size, |size| Some(size.0).filter(|size| *size > 0)),
        rotate_every: value(&group.rotate_every).map_or(usual.rotate_every, |every| every.0),
        keep: value(&group.keep).unwrap_or(usual.keep),
        compress: value(&group.compress).unwrap_or(usual.compress),
        total_size: value(&group.total_size).map_or(usual.total_size, |size| Some(size.0).filter(|size| *size > 0)),
    }
}

fn limits(usual: Limits, layer: &Layer) -> Limits {
    let keys = &layer.keys;
    let group = value(&keys.limits).unwrap_or_default();
    let count = |limit: Limit| limit.0.map_or(UNLIMITED, u64::from);
    Limits {
        memory_soft: value(&group.memory)
            .or(value(&keys.max_memory_restart))
            .map(|size| size.0)
            .filter(|size| *size > 0)
            .or(usual.memory_soft),
        memory_hard: value(&group.memory_hard).map(|size| size.0).filter(|size| *size > 0).or(usual.memory_hard),
        nofile: value(&group.nofile).map(count).or(usual.nofile),
        nproc: value(&group.nproc).map(count).or(usual.nproc),
        core: value(&group.core).map(|size| size.0).or(usual.core),
        nice: value(&group.nice).map(|nice| nice.0).or(usual.nice),
        oom_score_adj: value(&group.oom_score_adj).map(|score| score.0).or(usual.oom_score_adj),
        umask: value(&keys.umask).map(|mask| mask.0).or(usual.umask),
        no_new_privs: value(&group.no_new_privs).unwrap_or(usual.no_new_privs),
        inherit_fds: value(&group.inherit_fds).unwrap_or(usual.inherit_fds),
    }
}
