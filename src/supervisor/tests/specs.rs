//! Specs of apps in tests, with the values of the dev profile where a test says nothing.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::{
    model::{
        ActionRule, AfterExit, AppSpec, Backoff, Condition, Dependency, ExecMode, Health, Hooks, Launch, Limits, Probe, Ready,
        RestartPolicy, SaveAction, Signal, StopSpec, WatchRoot, WatchSpec,
    },
    supervisor::sim::{Cast, child::Script},
};

/// An app of a scenario; times in milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct App {
    pub name: String,
    /// The script that node runs.
    pub program: String,
    pub port: Option<u16>,
    pub watch: bool,
    pub early_stop: bool,
    pub build: bool,
    pub instances: u16,
    pub kill_signal: String,
    pub kill_timeout: u64,
    /// `wait`, `at once`, `after 100 ms` or `backoff from 100 ms`.
    pub restart: String,
    pub min_uptime: u64,
    pub max_restarts: i64,
    pub window: u64,
    pub stop_exit_codes: Vec<i32>,
    pub stuck_blocks: bool,
    pub missing_hint: Option<String>,
    pub autostart: bool,
    /// `db ready`, `migrate completed`.
    pub depends_on: Vec<String>,
    /// The time it has to say that it is ready; 0: it is once it executes.
    pub ready_within: u64,
    /// The time between two questions whether it is well; 0: nobody asks.
    pub health_every: u64,
    pub health_timeout: u64,
    pub health_failures: u32,
    /// From the start of the program.
    pub health_start: u64,
    /// It gives signs of life by itself.
    pub health_by_itself: bool,
    pub dump_signal: Option<String>,
    /// In MiB; 0: no limit.
    pub memory: u64,
    pub memory_hard: u64,
    pub treekill: bool,
    pub shutdown_message: bool,
    /// `restart`, `reload`, `none` or a signal, each with a command before it or not: `make: restart`.
    pub rules: Vec<String>,
    pub hooks: bool,
    pub cron: bool,
    /// Its instances share their ports.
    pub cluster: bool,
    pub drain_timeout: u64,
    /// What its runs do, and its builds.
    pub runs: Vec<Script>,
    pub builds: Vec<Script>,
    pub commands: Vec<Script>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            name: "api".to_owned(),
            program: "app.js".to_owned(),
            port: None,
            watch: true,
            early_stop: true,
            build: false,
            instances: 1,
            kill_signal: "INT".to_owned(),
            kill_timeout: 5000,
            restart: "wait".to_owned(),
            min_uptime: 1000,
            max_restarts: 16,
            window: 60_000,
            stop_exit_codes: Vec::new(),
            stuck_blocks: false,
            missing_hint: None,
            autostart: true,
            depends_on: Vec::new(),
            ready_within: 0,
            health_every: 0,
            health_timeout: 100,
            health_failures: 2,
            health_start: 0,
            health_by_itself: false,
            dump_signal: None,
            memory: 0,
            memory_hard: 0,
            treekill: true,
            shutdown_message: false,
            rules: Vec::new(),
            hooks: false,
            cron: false,
            cluster: false,
            drain_timeout: 100,
            runs: Vec::new(),
            builds: Vec::new(),
            commands: Vec::new(),
        }
    }
}

impl App {
    pub fn cast(&self) -> Cast {
        Cast { runs: self.runs.clone(), builds: self.builds.clone(), commands: self.commands.clone() }
    }

    pub fn spec(&self) -> AppSpec {
        let launch = |argv: &[&str]| Launch {
            argv: argv.iter().map(Into::into).collect(),
            cwd: PathBuf::from("/project"),
            env: Vec::new(),
            hardening: Default::default(),
        };
        let restart = RestartPolicy {
            after_exit: after_exit(&self.restart),
            min_uptime: Duration::from_millis(self.min_uptime),
            max_restarts: u32::try_from(self.max_restarts).ok(),
            window: Duration::from_millis(self.window),
            stop_exit_codes: self.stop_exit_codes.clone(),
            stuck_blocks: self.stuck_blocks,
        };
        let stop = StopSpec {
            tree: self.treekill,
            message: self.shutdown_message,
            drain: Duration::from_millis(self.drain_timeout),
            ..StopSpec::new(self.kill_signal.parse::<Signal>().expect("a signal"), Duration::from_millis(self.kill_timeout))
        };
        let mib = |count: u64| (count > 0).then_some(count << 20);
        let line = |on: bool, line: &str| on.then(|| line.to_owned());
        AppSpec {
            build: self.build.then(|| launch(&["cargo", "build"])),
            instances: self.instances,
            port: self.port,
            watch: self.watch.then(|| watch(self.early_stop)),
            missing_hint: self.missing_hint.clone(),
            autostart: self.autostart,
            depends_on: self.depends_on.iter().map(|text| dependency(text)).collect(),
            ready: self.ready(),
            health: self.health(),
            rules: self.rules.iter().map(|text| rule(text)).collect(),
            limits: Limits { memory_soft: mib(self.memory), memory_hard: mib(self.memory_hard), ..Limits::default() },
            hooks: Hooks {
                on_ready: line(self.hooks, "./ready"),
                on_exit: line(self.hooks, "./exit"),
                on_crash: line(self.hooks, "./crash"),
                on_errored: line(self.hooks, "./errored"),
                on_reload: line(self.hooks, "./reload"),
                ..Hooks::default()
            },
            exec_mode: if self.cluster { ExecMode::Cluster } else { ExecMode::Fork },
            cron: line(self.cron, "0 3 * * *"),
            ..AppSpec::new(&self.name, launch(&["node", &self.program]), restart, stop)
        }
    }
}

impl App {
    fn ready(&self) -> Ready {
        match self.ready_within {
            0 => Ready::default(),
            timeout if self.cluster => Ready { by: Probe::Listening, timeout: Duration::from_millis(timeout) },
            timeout => Ready { by: Probe::Log("up".to_owned()), timeout: Duration::from_millis(timeout) },
        }
    }

    fn health(&self) -> Option<Health> {
        (self.health_every > 0).then(|| Health {
            probe: if self.health_by_itself { Probe::Notify } else { Probe::Command("true".to_owned()) },
            interval: Duration::from_millis(self.health_every),
            timeout: Duration::from_millis(self.health_timeout),
            failures: self.health_failures,
            start_period: Duration::from_millis(self.health_start),
            dump: self.dump_signal.as_ref().map(|signal| signal.parse().expect("a signal")),
        })
    }
}

fn dependency(text: &str) -> Dependency {
    let (app, condition) = text.split_once(' ').expect("a name and a condition");
    let condition = match condition {
        "started" => Condition::Started,
        "ready" => Condition::Ready,
        "completed" => Condition::Completed,
        _ => panic!("{condition:?} is no condition"),
    };
    Dependency { app: app.to_owned(), condition }
}

fn rule(text: &str) -> ActionRule {
    let (run, action) = text.split_once(": ").map_or((None, text), |(run, action)| (Some(run.to_owned()), action));
    let action = match action {
        "restart" => SaveAction::Restart,
        "reload" => SaveAction::Reload,
        "none" => SaveAction::Nothing,
        signal => SaveAction::Signal(signal.parse().expect("an action")),
    };
    ActionRule { paths: vec!["**".to_owned()], run, action }
}

fn after_exit(text: &str) -> AfterExit {
    let words: Vec<_> = text.split(' ').collect();
    let millis = |text: &str| Duration::from_millis(text.parse().expect("milliseconds"));
    match words[..] {
        ["wait"] => AfterExit::Wait,
        ["at", "once"] => AfterExit::Restart(Backoff::Fixed(Duration::ZERO)),
        ["after", delay, "ms"] => AfterExit::Restart(Backoff::Fixed(millis(delay))),
        ["backoff", "from", initial, "ms"] => AfterExit::Restart(Backoff::Exponential { initial: millis(initial) }),
        _ => panic!("{text:?} is no restart policy"),
    }
}

fn watch(early_stop: bool) -> WatchSpec {
    let base = PathBuf::from("/project");
    WatchSpec { early_stop, ..WatchSpec::new(vec![WatchRoot::Tree { path: base.clone(), explicit: false }], base) }
}
