//! Two specs of one app, part by part. What a process is born with costs a restart; what only the runner knows does not.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    path::Path,
    time::Duration,
};

use crate::{
    config::secret,
    model::{AfterExit, AppSpec, Backoff, HumanDuration, Launch, RestartPolicy, StopSpec, WatchRoot, WatchSpec, declared::Limits},
};

use super::Step;

/// Longer values are cut.
const LONGEST: usize = 60;

/// What differs.
#[derive(Default)]
struct Differences {
    what: Vec<String>,
    needs_restart: bool,
}

pub(super) fn compare(old: &AppSpec, new: &AppSpec) -> Step {
    // Named one by one, so that a new part of a spec cannot be forgotten here.
    let AppSpec {
        name: _,
        launch,
        // It is part of the command, or of what is watched.
        script: _,
        build,
        instances,
        watch,
        // It is asked for, or not, while the app runs.
        unwatched: _,
        restart,
        stop,
        port,
        missing_hint: _,
        namespace,
        autostart,
        exec_mode,
        rules,
        depends_on,
        ready,
        health,
        listen,
        logs,
        limits,
        account,
        hooks,
        capsules,
        cron,
        pid_file,
        tty,
    } = new;
    let mut all = Differences::default();
    all.born(|seen| {
        seen.launch(&old.launch, launch);
        seen.build(old.build.as_ref(), build.as_ref());
        seen.key("exec_mode", old.exec_mode == *exec_mode);
        seen.key("listen", old.listen == *listen);
        // A name may mean another number, home or groups than before.
        seen.key("uid or gid", old.account == *account && old.launch.hardening.identity == launch.hardening.identity);
        seen.key("limits", of_process(&old.limits) == of_process(limits));
        seen.key("pid_file", old.pid_file == *pid_file);
        seen.values("tty", old.tty, *tty);
        // Its environment and its descriptors: whether it has a socket for systemd's protocol, and a channel for Node's.
        seen.key("ready or health by notify", old.is_notified() == new.is_notified());
        seen.key("ready or shutdown by message", old.is_messaged() == new.is_messaged());
    });
    if old.launch.env == launch.env && old.port != *port {
        all.values("port", option(old.port), option(*port));
    }
    all.values("instances", old.instances, *instances);
    all.watch(old.watch.as_ref(), watch.as_ref());
    all.key("watch rules with actions", old.rules == *rules);
    all.restart(&old.restart, restart);
    all.stop(&old.stop, stop);
    all.values("namespace", &old.namespace, namespace);
    all.values("autostart", old.autostart, *autostart);
    all.values("cron_restart", option(old.cron.as_ref()), option(cron.as_ref()));
    all.values("memory limit", memory(&old.limits), memory(limits));
    all.key("depends_on", old.depends_on == *depends_on);
    all.key("ready", old.ready == *ready);
    all.key("health", old.health == *health);
    all.key("logs", old.logs == *logs);
    all.key("hooks", old.hooks == *hooks);
    all.values("crash_capsules", old.capsules, *capsules);
    let Differences { what, needs_restart } = all;
    if what.is_empty() { Step::Unchanged } else { Step::Changed { what, needs_restart } }
}

impl Differences {
    /// What is seen here belongs to a process from its birth on.
    fn born(&mut self, see: impl FnOnce(&mut Self)) {
        let before = self.what.len();
        see(self);
        self.needs_restart |= self.what.len() > before;
    }

    fn key(&mut self, name: &str, same: bool) {
        if !same {
            self.what.push(format!("{name} changed"));
        }
    }

    fn values(&mut self, name: &str, old: impl fmt::Display, new: impl fmt::Display) {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            self.what.push(format!("{name} {} -> {}", cut(&old), cut(&new)));
        }
    }

    fn launch(&mut self, old: &Launch, new: &Launch) {
        self.command("command", &old.argv, &new.argv);
        self.values("cwd", old.cwd.display(), new.cwd.display());
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (old.env.iter().cloned().collect(), new.env.iter().cloned().collect());
        for (name, value) in &after {
            self.variable(name, before.get(name), Some(value));
        }
        for (name, value) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
            self.variable(name, Some(value), None);
        }
    }

    /// Arguments alone, where the program is the same.
    fn command(&mut self, name: &str, old: &[OsString], new: &[OsString]) {
        if old == new {
            return;
        }
        let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let name = if same == 0 { name } else { "args" };
        // Hidden as a whole: the word before tells that one is a secret.
        let shown = |words: &[OsString]| match &secret::words(words.iter().map(|word| word.to_string_lossy()))[same..] {
            [] => "none".to_owned(),
            words => secret::joined(words),
        };
        match (shown(old), shown(new)) {
            (old, new) if old == new => self.key(name, false),
            (old, new) => self.values(name, old, new),
        }
    }

    fn variable(&mut self, name: &OsStr, old: Option<&OsString>, new: Option<&OsString>) {
        let key = name.to_string_lossy();
        let masked = [old, new].into_iter().flatten().any(|value| secret::is(&key, &value.to_string_lossy()));
        let shown = |value: &OsString| cut(&secret::hidden(&key, &value.to_string_lossy()));
        let text = match (old, new) {
            (Some(old), Some(new)) if old == new => return,
            (Some(_), Some(_)) if masked => format!("env {key} changed"),
            (Some(old), Some(new)) => format!("env {key} {} -> {}", shown(old), shown(new)),
            (None, Some(new)) => format!("env {key} added ({})", shown(new)),
            (Some(_), None) => format!("env {key} removed"),
            (None, None) => return,
        };
        self.what.push(text);
    }

    fn build(&mut self, old: Option<&Launch>, new: Option<&Launch>) {
        match (old, new) {
            (None, None) => {}
            (None, Some(_)) => self.what.push("build added".to_owned()),
            (Some(_), None) => self.what.push("build removed".to_owned()),
            (Some(old), Some(new)) => {
                let shown = |launch: &Launch| secret::joined(launch.argv.iter().map(|word| word.to_string_lossy()));
                match (shown(old), shown(new)) {
                    (before, after) if before == after => self.key("build", old.argv == new.argv),
                    (before, after) => self.values("build", before, after),
                }
                self.values("folder of the build", old.cwd.display(), new.cwd.display());
                // An app's variables are those of its build, and named already.
                if self.what.is_empty() {
                    self.key("env of the build", old.env == new.env);
                }
            }
        }
    }

    fn watch(&mut self, old: Option<&WatchSpec>, new: Option<&WatchSpec>) {
        let (old, new) = match (old, new) {
            (None, None) => return,
            (None, Some(_)) => return self.what.push("watch on".to_owned()),
            (Some(_), None) => return self.what.push("watch off".to_owned()),
            (Some(old), Some(new)) => (old, new),
        };
        let before = self.what.len();
        self.values("watch", roots(old), roots(new));
        self.values("ignore_watch", list(&old.ignore), list(&new.ignore));
        self.values("ext", list(&old.ext), list(&new.ext));
        self.values("watch_delay", option(old.delay.map(HumanDuration)), option(new.delay.map(HumanDuration)));
        if self.what.len() == before {
            // What pmdev leaves out for its own sake, such as an env file, is nobody's option.
            self.key("watch options", *old == WatchSpec { own: old.own.clone(), ..new.clone() });
        }
    }

    fn restart(&mut self, old: &RestartPolicy, new: &RestartPolicy) {
        let RestartPolicy { after_exit, min_uptime, max_restarts, window, stop_exit_codes, stuck_blocks } = new;
        self.values("restart", next(&old.after_exit), next(after_exit));
        self.values("min_uptime", HumanDuration(old.min_uptime), HumanDuration(*min_uptime));
        let limit = |count: Option<u32>| count.map_or("unlimited".to_owned(), |count| count.to_string());
        self.values("max_restarts", limit(old.max_restarts), limit(*max_restarts));
        self.values("restart_window", HumanDuration(old.window), HumanDuration(*window));
        self.values("stop_exit_codes", list(&old.stop_exit_codes), list(stop_exit_codes));
        self.key("what a stuck process set blocks", old.stuck_blocks == *stuck_blocks);
    }

    fn stop(&mut self, old: &StopSpec, new: &StopSpec) {
        let StopSpec { signal, timeout, drain, tree, message } = new;
        self.values("kill_signal", old.signal, signal);
        self.values("kill_timeout", HumanDuration(old.timeout), HumanDuration(*timeout));
        self.values("drain_timeout", HumanDuration(old.drain), HumanDuration(*drain));
        self.values("treekill", old.tree, tree);
        self.values("shutdown_with_message", old.message, message);
    }
}

/// The limits that a process has from its birth on.
fn of_process(limits: &Limits) -> Limits {
    Limits { memory_soft: None, memory_hard: None, ..limits.clone() }
}

fn memory(limits: &Limits) -> String {
    let shown = |bytes: Option<u64>| option(bytes.map(|bytes| format!("{} MiB", bytes >> 20)));
    format!("{}/{}", shown(limits.memory_soft), shown(limits.memory_hard))
}

fn next(after: &AfterExit) -> String {
    let ms = |delay: Duration| HumanDuration(delay);
    match after {
        AfterExit::Wait => "off".to_owned(),
        AfterExit::Restart(Backoff::Fixed(delay)) if delay.is_zero() => "at once".to_owned(),
        AfterExit::Restart(Backoff::Fixed(delay)) => format!("after {}", ms(*delay)),
        AfterExit::Restart(Backoff::Exponential { initial }) => format!("with backoff from {}", ms(*initial)),
    }
}

fn roots(spec: &WatchSpec) -> String {
    let below = |path: &Path| match path.strip_prefix(&spec.base) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        Err(_) => path.display().to_string(),
    };
    let shown = spec.roots.iter().map(|root| match root {
        WatchRoot::Tree { path, .. } | WatchRoot::File(path) => below(path),
        WatchRoot::Glob(glob) => below(Path::new(glob)),
    });
    list(&shown.collect::<Vec<_>>())
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        items => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn option(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// One line, not too long.
fn cut(value: &str) -> String {
    let line = value.replace(['\n', '\r'], " ");
    if line.is_empty() {
        return "\"\"".to_owned();
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
