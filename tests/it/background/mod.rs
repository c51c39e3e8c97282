//! The background runner: one per home, apps of many folders, what it is asked in whose environment, and what outlives it.

mod environment;
mod files;
mod habits;
mod keep;
mod options;
mod start;

use std::{fs, path::PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{PATIENCE, Project, clock::comes_true, processes, runner::Ending};

/// Says what it is given, and stays.
const APP: &str = "echo \"$NAME_OF_IT runs in $PWD with X=$X\"\nexec sleep 1000000\n";

/// A home with apps to be started; what is left of its background runner goes with it.
pub struct Home {
    /// Its folder.
    pub project: Project,
}

impl Home {
    /// A new one.
    pub fn new() -> Self {
        let project = Project::empty();
        for name in ["api.sh", "web.sh"] {
            project.script(name, APP);
        }
        Self { project }
    }

    /// `$PMDEV_HOME`.
    pub fn path(&self, below: &str) -> PathBuf {
        self.project.root.with_file_name("home").join(".pmdev").join(below)
    }

    /// Runs a verb to its end.
    #[track_caller]
    pub fn verb(&self, arguments: &[&str], code: i32) -> Ending {
        self.verb_with(arguments, &[], code)
    }

    /// The same with variables.
    #[track_caller]
    pub fn verb_with(&self, arguments: &[&str], variables: &[(&str, &str)], code: i32) -> Ending {
        let start = variables.iter().fold(self.project.pmdev(arguments), |start, (name, value)| start.env(name, value));
        let ending = start.finish();
        assert_eq!(ending.code, Some(code), "{arguments:?}: {}", ending.all());
        ending
    }

    /// What is listed, as JSON.
    pub fn listed(&self) -> Vec<Value> {
        let listed = self.verb(&["list", "--json"], 0).out;
        serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"))
    }

    /// `id name status restarts` of each instance.
    pub fn states(&self) -> Vec<String> {
        let text = |view: &Value, key: &str| view[key].as_str().unwrap_or_default().to_owned();
        let state = |view: &Value| format!("{} {} {} {}", view["pm_id"], text(view, "name"), text(view, "status"), view["restarts"]);
        self.listed().iter().map(state).collect()
    }

    /// Waits until an app's log file holds a text; one of several instances is `api-out-0`.
    #[track_caller]
    pub fn logged(&self, app: &str, text: &str) {
        let name = if app.contains("-out-") { format!("{app}.log") } else { format!("{app}-out.log") };
        let path = self.path("logs").join(name);
        let holds = || fs::read_to_string(&path).is_ok_and(|have| have.contains(text));
        assert!(comes_true(PATIENCE, holds), "{}: {:?}", path.display(), fs::read_to_string(&path));
    }

    /// The pid of the background runner, by its file.
    pub fn pid(&self) -> i32 {
        fs::read_to_string(self.path("pmdev.pid")).expect("it is there").trim().parse().expect("it is a number")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The project looks for what is left of it; a runner that was meant to stay must not count.
        if let Ok(text) = fs::read_to_string(self.path("pmdev.pid"))
            && let Ok(pid) = text.trim().parse()
        {
            processes::send(pid, Signal::TERM);
            comes_true(PATIENCE, || !self.path("pmdev.pid").exists());
        }
    }
}
