//! `pmdev list`.

use clap::Args;

use super::act;
use crate::{
    cli::{print, reach::ReachArgs},
    control::{Reply, Request},
    model::Error,
};

/// Show the apps of a runner
#[derive(Debug, Args)]
#[command(visible_aliases = ["ls", "ps", "status"], alias = "l")]
pub struct List {
    /// Names, ids, namespaces, /regexes/ [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

impl List {
    /// Prints them; without a runner, nothing is listed and that is no failure.
    pub fn run(self) -> Result<u8, Error> {
        let instances = match self.reach.find()? {
            None => Vec::new(),
            Some(runner) => match runner.answer(Request::List { targets: self.targets, env: false, reveal: false })? {
                Reply::List { instances } => instances,
                _ => Vec::new(),
            },
        };
        let text = if self.json {
            act::json(&instances)
        } else if instances.is_empty() {
            "no apps\n".to_owned()
        } else {
            instances.iter().map(|view| format!("{:>3}  {}  {}  {}\n", view.pm_id, act::called(view), view.status, view.restarts)).collect()
        };
        print(text.as_bytes());
        Ok(0)
    }
}
