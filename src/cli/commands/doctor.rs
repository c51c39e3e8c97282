//! `pmdev doctor`. Facts are gathered in one place, what they mean is told by functions that see nothing else.

mod apps;
mod entry;
mod machine;
mod open_files;
mod prod;
mod project;
mod runners;
#[cfg(test)]
mod tests;

use std::{ffi::OsString, io::IsTerminal as _, path::PathBuf};

use clap::Args;

use super::list;
use crate::{
    cli::{host, print},
    config::{self, Request},
    control::Hello,
    model::{AppSpec, Error},
    ui::findings::{self, Finding, Grade},
};
use runners::Sign;

/// Look for what keeps apps from running well: on this machine, in the project file, among the runners
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// What `pmdev start` would be given: a project file, a script, a folder, an app of the project [default: this folder]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// As on a server: look for what is unsafe there as well
    #[arg(long)]
    pub prod: bool,
    /// Table of defaults: dev or prod
    #[arg(long, value_name = "NAME", conflicts_with = "prod")]
    pub profile: Option<String>,
    /// Lay the project file's env_NAME on top
    #[arg(long = "env", value_name = "NAME")]
    pub env_name: Option<String>,
    /// Apps of the project file by name, with commas between; repeatable [default: all of them]
    #[arg(long, value_name = "NAMES")]
    pub only: Vec<String>,
    /// Remove the sockets that dead runners have left; nothing else is ever changed
    #[arg(long)]
    pub fix: bool,
    /// As one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// No colours
    #[arg(long, help_heading = "Output")]
    pub no_color: bool,
}

const EXAMPLES: &str = "\
Looked at are: the limits of inotify, of open files and of memory; disks and folders that are written to; file systems that tell no changes; \
the programs and ports that the apps need, those of their builds, probes, hooks and rules among them, and who has the ports; the runners there are, and what dead ones have left. With --prod also who can write or read \
the project file and env files, whether the users of apps may enter their folders, and what else is unsafe on a server. No app is started.
The exit code is 0 where all is well or there are only warnings, 1 where something is wrong, 2 where the project file is.

Examples:
  pmdev doctor                              this folder, on this machine
  pmdev doctor --prod ecosystem.config.js   before it runs on a server
  pmdev doctor --fix                        remove what dead runners have left
  pmdev doctor --json                       for a program to read";

/// What is looked at besides the machine.
#[derive(Debug, Default)]
struct Subject {
    /// The apps.
    apps: Vec<AppSpec>,
    /// The files that say what runs, absolute.
    files: Vec<PathBuf>,
    /// The folder that we are in.
    cwd: PathBuf,
    /// Whether it is for a server.
    prod: bool,
    /// Whether a runner runs it.
    runs: bool,
}

impl Subject {
    /// Whether a runner runs this project.
    fn is_run_by(&self, hello: &Hello) -> bool {
        // Env files may well be shared.
        let mut files = self.files.iter().filter(|file| config::is_project_file(file)).peekable();
        if files.peek().is_none() {
            return !hello.background && self.cwd == *hello.cwd && self.apps.iter().any(|app| hello.apps.contains(&app.name));
        }
        files.any(|file| hello.files.iter().any(|known| *file == *known))
    }
}

impl Doctor {
    /// Prints what was found.
    pub fn run(self) -> Result<u8, Error> {
        let host = host::host(false)?;
        let is_prod = |name: &str| ["prod", "production"].contains(&name);
        let named = self.profile.as_deref().or_else(|| host.text("PMDEV_PROFILE"));
        let prod = self.prod || named.is_some_and(is_prod);
        let request = Request {
            targets: self.targets,
            profile: if self.prod { Some("prod".to_owned()) } else { self.profile.clone() },
            env_name: self.env_name,
            only: self.only,
            ..Request::default()
        };
        let sockets = runners::look(self.fix);
        let alive: Vec<&Hello> = sockets
            .iter()
            .filter_map(|socket| match &socket.sign {
                Sign::Answers(hello) => Some(&**hello),
                Sign::Mute { .. } | Sign::Stale | Sign::Removed | Sign::Stuck(_) => None,
            })
            .collect();
        let mut project = project::read(&request, prod, &host);
        let subject = &mut project.subject;
        subject.runs = alive.iter().any(|hello| subject.is_run_by(hello));
        let machine = machine::Machine::look(subject, &host);
        let mut found: Vec<Finding> = machine.findings();
        found.extend(runners::findings(&sockets, env!("CARGO_PKG_VERSION")));
        found.extend(project.findings);
        found.extend(apps::of_programs(&apps::programs(subject, &host)));
        found.extend(apps::of_lost(&apps::lost(subject)));
        found.extend(apps::of_ports(&apps::ports(subject, &alive), apps::first_free_port(), machine.root));
        if prod {
            found.extend(entry::of_closed(&entry::look(subject, &host)));
            found.extend(prod::of_apps(&prod::look(subject)));
        }
        let is_terminal = std::io::stdout().is_terminal();
        let (style, width) = list::look(self.no_color, is_terminal);
        let text = if self.json { format!("{:#}\n", findings::object(&found)) } else { findings::render(&found, style, width) };
        print(text.as_bytes());
        Ok(match (project.broken, findings::count(&found, Grade::Problem)) {
            (true, _) => 2,
            (false, 0) => 0,
            (false, _) => 1,
        })
    }
}
