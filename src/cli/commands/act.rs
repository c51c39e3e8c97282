//! The verbs that act on apps of a runner: `stop`, `restart`, `reload`, `delete`, `reset`.

use std::time::Duration;

use clap::Args;

use crate::{
    cli::{
        print,
        reach::{ReachArgs, Reached},
    },
    control::{Action, InstanceView, Reply, Request},
    model::{Error, HumanDuration},
    ui::list::called,
};

/// What a verb acts on, and how.
#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub struct Act {
    /// Names, ids, `name:instance`, namespaces, scripts, /regexes/, or all
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Answer at once, not when it is true
    #[arg(long)]
    pub no_wait: bool,
    /// The instances as they are then, as JSON
    #[arg(long)]
    pub json: bool,
    /// restart, reload: watch files from now on, or no more; stop: no more
    #[arg(long)]
    pub watch: bool,
    /// As in PM2: take the variables of this shell
    #[arg(long, hide = true)]
    pub update_env: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

const TARGETS: &str = "\
Examples:
  pmdev restart api              by name
  pmdev stop 0 2                 by id
  pmdev reload api:1             one instance of several
  pmdev restart backend          a namespace
  pmdev stop /^worker-/ all      a regex; everything";

impl Act {
    /// Does it, and says how it went.
    pub fn run(self, action: Action) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let targets = self.words();
        if self.watch {
            self.toggle_watch(action, &runner)?;
        }
        let reply = runner.answer(Request::Act { action, targets, wait: !self.no_wait })?;
        if let Reply::Done { instances, took_ms } = reply {
            let text = if self.json { json(&instances) } else { sentence(action, &instances, &self.targets, took_ms, self.no_wait) };
            print(text.as_bytes());
        }
        Ok(0)
    }

    fn words(&self) -> Vec<String> {
        self.targets.iter().map(|target| target_word(target)).collect()
    }

    /// `--watch` as PM2 has it.
    fn toggle_watch(&self, action: Action, runner: &Reached) -> Result<(), Error> {
        let on = match action {
            Action::Restart | Action::Reload => None,
            Action::Stop => Some(false),
            Action::Start | Action::Delete | Action::Reset => {
                return Err(Error::usage("--watch turns watching on or off together with restart, reload or stop"));
            }
        };
        let reply = runner.answer(Request::Watch { targets: self.words(), on })?;
        if let (Reply::Done { instances, .. }, false) = (reply, self.json) {
            let mut told = Vec::new();
            for view in instances.iter().filter(|view| view.instance == 0) {
                told.push(format!("{} is {} from now on\n", view.name, if view.watching { "watched" } else { "not watched" }));
            }
            print(told.concat().as_bytes());
        }
        Ok(())
    }
}

/// A script is named by its path, which counts from here.
pub fn target_word(word: &str) -> String {
    let path = std::path::Path::new(word);
    let is_file = !word.starts_with('/') && path.is_file();
    match std::path::absolute(path) {
        Ok(absolute) if is_file => absolute.to_string_lossy().into_owned(),
        Ok(_) | Err(_) => word.to_owned(),
    }
}

/// Instances as one JSON document.
pub fn json(instances: &[InstanceView]) -> String {
    format!("{:#}\n", serde_json::json!(instances))
}

fn sentence(action: Action, instances: &[InstanceView], targets: &[String], took_ms: u64, asked_only: bool) -> String {
    let names = if instances.is_empty() { targets.to_vec() } else { instances.iter().map(called).collect::<Vec<_>>() };
    let is = if names.len() == 1 { "is" } else { "are" };
    let (done, doing) = match action {
        Action::Start => ("online", "being started"),
        Action::Stop => ("stopped", "being stopped"),
        Action::Restart => ("online again", "being restarted"),
        Action::Reload => ("reloaded", "being reloaded"),
        Action::Delete => ("gone", "being deleted"),
        Action::Reset => return format!("the counters of {} start afresh\n", names.join(", ")),
    };
    let took = HumanDuration(Duration::from_millis(took_ms));
    if asked_only { format!("{} {is} {doing}\n", names.join(", ")) } else { format!("{} {is} {done} (in {took})\n", names.join(", ")) }
}
