//! git in a project, with a configuration of its own.
use std::process::Command;

use super::Project;

impl Project {
    /// Runs a program of the project's folder to its end. The error is what it said.
    pub fn try_run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(&self.root).env_clear().envs(self.environment()).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text) } else { Err(format!("{program} {arguments:?} failed ({}): {text}", output.status)) }
    }

    /// The same; it must succeed, and the timeline tells of it.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        self.timeline.note(format!("runs {program} {}", arguments.join(" ")));
        let said = self.try_run(program, arguments).unwrap_or_else(|error| panic!("{error}"));
        self.timeline.note(format!("ran {program}"));
        said
    }

    /// git, with an author and without background work.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let fixed = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0", "-c", "maintenance.auto=false"];
        self.run("git", &[fixed.as_slice(), &["-c", "init.defaultBranch=main", "-c", "core.fsmonitor=false"], arguments].concat())
    }

    /// Makes the project a repository with everything committed.
    pub fn repository(&self) {
        self.git(&["init", "--quiet"]);
        self.commit("first");
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
    }
}
