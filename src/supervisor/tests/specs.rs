//! Specs of apps in tests, with the values of the dev profile where a test says nothing.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::{
    model::{AfterExit, AppSpec, Backoff, Launch, RestartPolicy, Signal, StopSpec, WatchRoot, WatchSpec},
    supervisor::sim::{Cast, child::Script},
};

/// An app of a scenario; times in milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct App {
    pub name: String,
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
    /// What its runs do, and its builds.
    pub runs: Vec<Script>,
    pub builds: Vec<Script>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            name: "api".to_owned(),
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
            runs: Vec::new(),
            builds: Vec::new(),
        }
    }
}

impl App {
    pub fn cast(&self) -> Cast {
        Cast { runs: self.runs.clone(), builds: self.builds.clone() }
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
        let stop = StopSpec::new(self.kill_signal.parse::<Signal>().expect("a signal"), Duration::from_millis(self.kill_timeout));
        AppSpec {
            build: self.build.then(|| launch(&["cargo", "build"])),
            instances: self.instances,
            watch: self.watch.then(|| watch(self.early_stop)),
            missing_hint: self.missing_hint.clone(),
            ..AppSpec::new(&self.name, launch(&["node", "app.js"]), restart, stop)
        }
    }
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
