//! The small verbs that ask about apps: `env`, `pid`, `id`.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    cli::{print, reach::ReachArgs},
    control::Shown,
    model::Error,
    ui::{clean::clean, list::called},
};

/// Show the variables of apps
#[derive(Debug, Args)]
pub struct Env {
    /// Names, ids or `name:instance`
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Secrets in clear
    #[arg(long)]
    pub reveal: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Print the pids of apps, one a line; 0 for what does not run
#[derive(Debug, Args)]
pub struct Pid {
    /// Names, ids, namespaces, /regexes/ [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Print the ids of apps: [ 0, 1 ]
#[derive(Debug, Args)]
pub struct Id {
    /// Names, namespaces, /regexes/
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

impl Env {
    /// Prints `NAME: value` lines, below a name where there are several instances.
    pub fn run(self) -> Result<u8, Error> {
        let wanted = Shown { env: true, reveal: self.reveal, detail: false };
        let instances = self.reach.need()?.instances(&self.targets, wanted)?;
        let text = if self.json {
            let each = instances.iter().map(|view| {
                let env: Map<String, Value> = view.env.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
                json!({ "pm_id": view.pm_id, "name": view.name, "instance": view.instance, "env": env })
            });
            format!("{:#}\n", Value::from(each.collect::<Vec<_>>()))
        } else {
            let paragraphs = instances.iter().map(|view| {
                let head = if instances.len() > 1 { format!("{}\n", called(view)) } else { String::new() };
                let lines = view.env.iter().map(|(name, value)| format!("{}: {}\n", clean(name), clean(value)));
                head + &lines.collect::<String>()
            });
            paragraphs.collect::<Vec<_>>().join("\n")
        };
        print(text.as_bytes());
        Ok(0)
    }
}

impl Pid {
    /// Prints them.
    pub fn run(self) -> Result<u8, Error> {
        let instances = self.reach.need()?.instances(&self.targets, Shown::default())?;
        let pids = instances.iter().map(|view| view.pid.unwrap_or(0));
        let text = if self.json { format!("{}\n", json!(pids.collect::<Vec<_>>())) } else { pids.map(|pid| format!("{pid}\n")).collect() };
        print(text.as_bytes());
        Ok(0)
    }
}

impl Id {
    /// Prints them. Scripts compare with `[]` to learn that there is no such app, so that is printed also where it is a failure.
    pub fn run(self) -> Result<u8, Error> {
        let found = self.reach.need().and_then(|runner| runner.instances(&self.targets, Shown::default()));
        let ids: Vec<String> = found.iter().flatten().map(|view| view.pm_id.to_string()).collect();
        let text = match (self.json, ids.is_empty()) {
            (_, true) => "[]\n".to_owned(),
            (true, false) => format!("[{}]\n", ids.join(",")),
            (false, false) => format!("[ {} ]\n", ids.join(", ")),
        };
        print(text.as_bytes());
        found.map(|_| 0)
    }
}
