//! What `save` keeps of the background runner: the requests that its apps came with, and what was said of them since.

use super::runner::{Runner, now};
use crate::{
    config,
    control::{How, Reply, Run, Saved},
};

impl Runner {
    /// What would have to be asked for to have these apps, without secrets.
    pub fn saved(&self) -> Reply {
        let snapshot = self.supervisor.snapshot(now());
        let (mut runs, mut left_out) = (Vec::new(), Vec::new());
        for project in self.projects.iter() {
            let Some(typed) = &project.typed else { continue };
            let apps: Vec<String> = self.apps.of(project.id).map(|(_, spec)| spec.name.clone()).collect();
            if config::words_without_secrets(&typed.args) != typed.args {
                let them = if apps.len() == 1 { "its arguments hold" } else { "their arguments hold" };
                let text = format!("{}: not saved, because {them} a secret; put it into a file (env_file, --env-file)", apps.join(", "));
                left_out.push(text);
                continue;
            }
            if typed.stdin.is_some() && self.apps.of(project.id).any(|(app, spec)| self.apps.declares_secret(app, spec)) {
                let text =
                    "not saved, because what came through standard input holds a secret; put it into a file (env_file), or all of it";
                left_out.push(format!("{}: {text}", apps.join(", ")));
                continue;
            }
            let (secrets, env): (Vec<_>, Vec<_>) =
                typed.env.iter().cloned().partition(|(name, value)| config::hidden(name, value) != *value);
            runs.push(Saved {
                run: Run {
                    env,
                    how: How::Missing,
                    stopped: self.apps.of(project.id).filter(|(app, _)| snapshot.rests(*app)).map(|(_, spec)| spec.name.clone()).collect(),
                    scaled: project.said.scales(),
                    watched: project.said.toggled(),
                    without: project.said.deleted_names(),
                    ids: self.apps.of(project.id).map(|(app, spec)| (spec.name.clone(), self.apps.numbers_of(app))).collect(),
                    ..typed.clone()
                },
                apps,
                secrets: secrets.into_iter().map(|(name, _)| name).collect(),
            });
        }
        Reply::Saved { runs, left_out }
    }
}
