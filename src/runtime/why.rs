//! Why a path is watched or ignored, and why apps are as they are, for `pmdev why` with a runner and without.

use std::{
    path::{Path, PathBuf},
    thread,
};

use super::runner::{Runner, now};
use crate::{
    config::plan,
    control::{ActionView, AppWhy, DecisionView, PathWhy, Reply, Responder},
    model::{ActionRule, Error, InstanceId, WatchSpec},
    supervisor::Target,
    watch::why,
};

/// Which rule of an app watches or ignores a path. It reads the ignore files on the way to it.
///
/// # Errors
/// A pattern of the app that is none.
pub fn path(app: &str, spec: &WatchSpec, rules: &[ActionRule], asked: &Path) -> Result<PathWhy, Error> {
    let decision = why::decide(spec, asked)?;
    let rules = if decision.watched { why::actions(spec, rules, asked)? } else { Vec::new() };
    let action = |rule: &ActionRule| ActionView { paths: rule.paths.clone(), run: rule.run.clone(), action: plan::action(rule.action) };
    Ok(PathWhy {
        path: asked.to_string_lossy().into_owned(),
        app: app.to_owned(),
        watched: decision.watched,
        rule: decision.rule.to_string(),
        decided_at: decision.pruned_at.map(|folder| folder.to_string_lossy().into_owned()),
        actions: rules.iter().map(action).collect(),
        last: None,
    })
}

impl Runner {
    /// Answers why apps are as they are; about paths on a thread of its own, which reads ignore files.
    pub fn explained(&mut self, targets: &[String], paths: &[String], responder: &Responder) -> Result<Option<Reply>, Reply> {
        let ids = match (targets, paths) {
            ([], []) => self.all_instances(),
            ([], _) => Vec::new(),
            (targets, _) => self.targets(targets)?,
        };
        let apps = self.sentences(ids);
        let is_asked = |decision: &&DecisionView| {
            paths.is_empty() && targets.is_empty() || decision.app.as_ref().is_some_and(|name| apps.iter().any(|app| app.app == *name))
        };
        let decisions: Vec<DecisionView> = self.known.decisions.all().filter(is_asked).cloned().collect();
        if paths.is_empty() {
            return Ok(Some(Reply::Why { apps, paths: Vec::new(), decisions }));
        }
        let watched = self.apps.watched();
        let all: Vec<DecisionView> = self.known.decisions.all().cloned().collect();
        let (paths, responder) = (paths.to_vec(), responder.clone());
        let answer = move || {
            let asked = paths.iter().flat_map(|path| watched.iter().map(move |app| (path, app)));
            let answers = asked.map(|(asked, app)| {
                let last = last(&all, &app.name, Path::new(asked));
                Ok(PathWhy { last, ..path(&app.name, &app.spec, &app.rules, Path::new(asked))? })
            });
            responder.say(match answers.collect::<Result<Vec<_>, Error>>() {
                Ok(paths) => Reply::Why { apps, paths, decisions },
                Err(error) => Reply::refused(1, error.to_string()),
            });
        };
        let started = thread::Builder::new().name("pmdev-why".to_owned()).spawn(answer);
        started.map(|_| None).map_err(|error| Reply::refused(1, format!("The runner has no thread left to look at files: {error}")))
    }

    /// Why the apps of these instances are as they are.
    pub fn sentences(&mut self, ids: Vec<InstanceId>) -> Vec<AppWhy> {
        let explained = self.supervisor.explain(&Target::Instances(ids), now());
        let apps = explained.apps.into_iter();
        let ports = |app: &str| self.apps.named(app).map(|app| self.missed_ports(&self.instances_of(|known| known == app)));
        apps.map(|app| {
            let waits = ports(&app.name).into_iter().flatten().chain(app.waits).collect();
            AppWhy { app: app.name, states: app.states, starts: app.starts, waits }
        })
        .collect()
    }
}

/// What was decided last about a path for an app. Changes name files by their real folders.
fn last(decisions: &[DecisionView], app: &str, path: &Path) -> Option<DecisionView> {
    let real = real(path);
    let is_it = |file: &String| Path::new(file) == real || Path::new(file) == path;
    decisions.iter().rev().find(|decision| decision.app.as_deref() == Some(app) && decision.files.iter().any(is_it)).cloned()
}

fn real(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}
