//! `pmdev check`.

use std::ffi::OsString;

use clap::Args;

use crate::{
    cli::{
        args::{self, RunArgs},
        host, print, tell,
    },
    config::{self, plan},
    model::Error,
};

/// Show what would run, and everything that is wrong; nothing is started
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// What `pmdev start` would be given: a project file, a script, a folder, an app of the project [default: this folder]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// Arguments for the apps, after `--`
    #[arg(value_name = "ARGS", last = true)]
    pub script_args: Vec<OsString>,
    #[command(flatten)]
    pub options: RunArgs,
    /// The whole plan as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

const EXAMPLES: &str = "\
What is shown is what would run: programs and arguments, folders, variables that differ from this shell's, what is watched, what follows a crash, log files. \
Values of variables that are named like secrets are hidden. The exit code is 2 where something is wrong.

Examples:
  pmdev check                               the project file of this folder, or what the folder is made to run
  pmdev check ecosystem.config.js --prod    the same file as it would run on a server
  pmdev check --only api --json             one app, for a program to read";

impl Check {
    /// Prints the plan; warnings go to standard error.
    pub fn run(self) -> Result<u8, Error> {
        let request = args::request(self.targets, self.script_args, self.options);
        let host = host::host(false)?;
        let resolved = config::resolve(&request, &host)?;
        resolved.notices.iter().for_each(tell);
        let now = jiff::Zoned::now();
        let text = if self.json { format!("{:#}\n", plan::json(&resolved, &host, &now)) } else { plan::text(&resolved, &host, &now) };
        print(text.as_bytes());
        Ok(0)
    }
}
