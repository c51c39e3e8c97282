//! The small verbs of the socket: `scale`, `signal`, `send`, `ping`, `kill`.

use std::{slice, time::Duration};

use clap::Args;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

use serde_json::json;

use super::act::{self, target_word};
use crate::{
    cli::{print, reach::ReachArgs},
    control::{Reply, Request, Shown},
    model::{Error, HumanDuration},
    process::guard,
    ui::list::called,
};

/// Change how many instances an app has
#[derive(Debug, Args)]
pub struct Scale {
    /// The app
    #[arg(value_name = "APP")]
    pub app: String,
    /// `N`, `+N` or `-N`
    #[arg(value_name = "NUMBER", allow_hyphen_values = true)]
    pub count: String,
    /// Answer at once, not when they are online
    #[arg(long)]
    pub no_wait: bool,
    /// The instances as they are then, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Send a signal to the main processes of apps
#[derive(Debug, Args)]
#[command(alias = "sendSignal")]
pub struct Signal {
    /// By name or number: HUP, SIGUSR1, 15
    #[arg(value_name = "SIGNAL")]
    pub signal: String,
    /// Names, ids, namespaces, /regexes/, or all
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// The instances, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Write a line to the standard input of an app
#[derive(Debug, Args)]
pub struct Send {
    /// A name or an id
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The line
    #[arg(value_name = "LINE")]
    pub line: String,
    /// The instances, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Look whether a runner answers
#[derive(Debug, Args)]
pub struct Ping {
    /// What it says of itself, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// End a runner and all its apps
#[derive(Debug, Args)]
pub struct Kill {
    /// Its pid and how long it took, or null for both, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

impl Scale {
    /// Scales, and says what there is then.
    pub fn run(self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let app = self.app.clone();
        let reply = runner.answer(Request::Scale { app, count: self.count, wait: !self.no_wait })?;
        let instances = runner.instances(slice::from_ref(&self.app), Shown::default())?;
        if self.json {
            print(act::json(&instances).as_bytes());
            return Ok(0);
        }
        let noun = |count: usize| if count == 1 { "instance" } else { "instances" };
        let text = match (reply, instances.first()) {
            (Reply::Done { took_ms, .. }, _) if !self.no_wait => {
                let names: Vec<String> = instances.iter().map(called).collect();
                let (count, took) = (names.len(), HumanDuration(Duration::from_millis(took_ms)));
                format!("{} has {count} {}: {} (in {took})\n", self.app, noun(count), names.join(", "))
            }
            // Those that are still to go are listed as well.
            (_, Some(one)) => format!("{} is being scaled to {} {}\n", self.app, one.instances, noun(one.instances.into())),
            (_, None) => String::new(),
        };
        print(text.as_bytes());
        Ok(0)
    }
}

impl Signal {
    /// Sends it.
    pub fn run(self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let targets = self.targets.iter().map(|word| target_word(word)).collect();
        let reply = runner.answer(Request::Signal { signal: self.signal.clone(), targets })?;
        if let Reply::Done { instances, .. } = reply {
            let names: Vec<String> = instances.iter().map(called).collect();
            let text = if self.json { act::json(&instances) } else { format!("{} got {}\n", names.join(", "), self.signal) };
            print(text.as_bytes());
        }
        Ok(0)
    }
}

impl Send {
    /// Sends it.
    pub fn run(self) -> Result<u8, Error> {
        let reply = self.reach.need()?.answer(Request::Send { line: self.line, targets: vec![self.target] })?;
        if let (Reply::Done { instances, .. }, true) = (reply, self.json) {
            print(act::json(&instances).as_bytes());
        }
        Ok(0)
    }
}

impl Ping {
    /// Prints who answers; exit code 3 where nobody does.
    pub fn run(self) -> Result<u8, Error> {
        let hello = self.reach.need()?.hello;
        let text = if self.json {
            format!("{:#}\n", json!(hello))
        } else {
            format!("pong from pid {} (pmdev {}) in {}\n", hello.pid, hello.pmdev, hello.cwd)
        };
        print(text.as_bytes());
        Ok(0)
    }
}

impl Kill {
    /// Returns when everything is gone; without a runner, that is so already.
    pub fn run(self) -> Result<u8, Error> {
        let Some(runner) = self.reach.find()? else {
            self.told(None);
            return Ok(0);
        };
        let pid = runner.hello.pid;
        let open = |pid| pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok();
        let processes = [Some(pid), guard::above(pid)].map(|pid| pid.and_then(open));
        if let Reply::Done { took_ms, .. } = runner.answer(Request::Kill)? {
            // It answers right before it ends, and its guard ends after it; who starts another one next must not meet this one's socket.
            for process in processes.iter().flatten() {
                let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&Timespec { tv_sec: 2, tv_nsec: 0 }));
            }
            self.told(Some((pid, took_ms)));
        }
        Ok(0)
    }

    fn told(&self, ended: Option<(i32, u64)>) {
        let text = match ended {
            _ if self.json => {
                let (pid, took_ms) = ended.unzip();
                format!("{:#}\n", json!({ "pid": pid, "took_ms": took_ms }))
            }
            None => "no runner, nothing to end\n".to_owned(),
            Some((_, took_ms)) => {
                format!("the runner has ended, and all its apps (in {})\n", HumanDuration(Duration::from_millis(took_ms)))
            }
        };
        print(text.as_bytes());
    }
}
