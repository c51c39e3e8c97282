//! The last decisions about apps and files, for whoever asks why.

use std::{
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;

use super::{apps::Apps, runner::Runner};
use crate::{
    config::{self, plan},
    control::DecisionView,
    model::{self, AppId, AppSpec, ChangeSet, Generation, InstanceId, Notice, NoticeKind, SaveAction},
    supervisor::{Event, Supervisor},
};

/// How many are remembered.
const KEPT: usize = 100;

/// How many files of one are named.
const NAMED: usize = 10;

/// What was decided, the oldest first.
#[derive(Debug, Default)]
pub struct Decisions(VecDeque<DecisionView>);

impl Decisions {
    /// Those that are remembered, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &DecisionView> {
        self.0.iter()
    }

    fn add(&mut self, decision: DecisionView) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(decision);
    }

    /// The newest decision about an app has made this version of it.
    fn made(&mut self, app: &str, generation: Generation) {
        let open = |decision: &&mut DecisionView| decision.app.as_deref() == Some(app) && decision.generation.is_none();
        self.0.iter_mut().rev().find(open).into_iter().for_each(|decision| decision.generation = Some(generation.0));
    }

    /// People are told of an app: where that says what became of it, it is remembered.
    pub fn told(&mut self, notice: &Notice, apps: &Apps, supervisor: &Supervisor) {
        let (Some(instance), true) = (&notice.app, is_decision(notice.kind)) else { return };
        // `api:1` is an instance of `api`, unless an app has that name.
        let name = instance.rsplit_once(':').map_or(instance.as_str(), |(name, _)| name);
        let app = apps.named(instance).or_else(|| apps.named(name));
        self.add(DecisionView {
            at: Timestamp::now().as_millisecond(),
            app: Some(app.and_then(|app| apps.name(app)).unwrap_or(name).to_owned()),
            generation: app.and_then(|app| supervisor.generation(app)).map(|generation| generation.0),
            action: word(notice.kind),
            rule: None,
            files: Vec::new(),
            text: notice.text.clone(),
        });
    }

    /// A batch of an app was no change.
    pub fn skipped(&mut self, app: Option<&str>, generation: Option<Generation>, paths: &[PathBuf], why: &[String]) {
        if paths.is_empty() {
            return;
        }
        self.add(DecisionView {
            at: Timestamp::now().as_millisecond(),
            app: app.map(str::to_owned),
            generation: generation.map(|generation| generation.0),
            action: "none".to_owned(),
            rule: None,
            files: named(paths.iter()),
            text: why.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "),
        });
    }
}

impl Runner {
    /// Files of an app changed: what follows is decided and remembered.
    pub fn files_changed(&mut self, app: AppId, changes: Arc<ChangeSet>) {
        let spec = self.apps.spec(app).cloned().filter(|_| self.supervisor.is_running());
        if let Some(spec) = &spec {
            self.known.decisions.add(changed(spec, &changes, self.supervisor.heeds_files()));
        }
        self.handle(Event::FilesChanged { app, changes });
        if let Some((spec, generation)) = spec.zip(self.supervisor.generation(app)) {
            self.known.decisions.made(&spec.name, generation);
        }
    }
}

impl Runner {
    /// Somebody asks by a verb for something to be done to instances: what follows is remembered. `text` says it of a name.
    pub fn requested(&mut self, ids: &[InstanceId], action: &str, text: impl Fn(&str) -> String) {
        let mut told = BTreeSet::new();
        for id in ids {
            let Some(spec) = self.apps.spec(id.app) else { continue };
            // Those of an app are told once where all of them are meant.
            let is_whole = ids.iter().filter(|other| other.app == id.app).count() >= usize::from(spec.instances);
            let name = if is_whole { spec.name.clone() } else { model::called(&spec.name, spec.instances, id.slot) };
            if told.insert(name.clone()) {
                self.known.decisions.add(DecisionView {
                    at: Timestamp::now().as_millisecond(),
                    app: Some(spec.name.clone()),
                    generation: self.supervisor.generation(id.app).map(|generation| generation.0),
                    action: action.to_owned(),
                    rule: None,
                    files: Vec::new(),
                    text: format!("{} on request", text(&name)),
                });
            }
        }
    }
}

/// What a change set means for an app. `heeded`: watching is not paused.
fn changed(spec: &AppSpec, changes: &ChangeSet, heeded: bool) -> DecisionView {
    let matched: Vec<_> = changes.matched.iter().filter_map(|index| spec.rules.get(*index)).collect();
    let asked = matched.iter().map(|rule| rule.action).chain(changes.unmatched.then_some(SaveAction::Restart));
    let action = asked.max_by_key(|action| action.strength()).unwrap_or(SaveAction::Nothing);
    let by = matched.iter().find(|rule| rule.action == action && !(changes.unmatched && action == SaveAction::Restart));
    let rule = by.map(|rule| rule.paths.join(", "));
    let what = match changes.shown.as_str() {
        "" => "files may have changed while events were lost".to_owned(),
        shown => format!("{shown} changed"),
    };
    let name = &spec.name;
    let follows = match action {
        _ if !heeded => format!("{name} is left as it is, because watching is paused"),
        SaveAction::Restart => format!("{name} restarts"),
        SaveAction::Reload => format!("{name} is reloaded"),
        SaveAction::Signal(signal) => format!("{name} is sent {signal}"),
        SaveAction::Nothing => match by.and_then(|rule| rule.run.as_deref()) {
            Some(line) => format!("{:?} is run for {name}", config::without_secrets(line)),
            None => format!("nothing is done to {name}"),
        },
    };
    let by_rule = rule.as_ref().map(|rule| format!(" (the rule {rule})")).unwrap_or_default();
    DecisionView {
        at: Timestamp::now().as_millisecond(),
        app: Some(name.clone()),
        generation: None,
        action: if heeded { plan::action(action) } else { "none".to_owned() },
        files: named(changes.paths.iter().map(|(path, _)| path)),
        text: format!("{what}: {follows}{by_rule}"),
        rule,
    }
}

fn named<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    paths.take(NAMED).map(|path| path.to_string_lossy().into_owned()).collect()
}

/// As `--json` names the event.
fn word(kind: NoticeKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Whether it tells what became of an app.
fn is_decision(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::Started
        | NoticeKind::Restarted
        | NoticeKind::Stopped
        | NoticeKind::Ended
        | NoticeKind::Crashed
        | NoticeKind::LaunchFailed
        | NoticeKind::Backoff
        | NoticeKind::Errored
        | NoticeKind::NotReady
        | NoticeKind::Unhealthy
        | NoticeKind::Memory
        | NoticeKind::Waiting
        | NoticeKind::Reload
        | NoticeKind::Signalled
        | NoticeKind::Built
        | NoticeKind::BuildFailed
        | NoticeKind::Killed => true,
        NoticeKind::Detected
        | NoticeKind::Stopping
        | NoticeKind::Scheduled
        | NoticeKind::Hook
        | NoticeKind::Capsule
        | NoticeKind::Building
        | NoticeKind::Stuck
        | NoticeKind::PortHeld
        | NoticeKind::Output
        | NoticeKind::Log
        | NoticeKind::Watch
        | NoticeKind::Watching
        | NoticeKind::Explain
        | NoticeKind::Shutdown
        | NoticeKind::Answer
        | NoticeKind::Config
        | NoticeKind::Plan => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{ActionRule, AfterExit, Cause, ChangeKind, Hardening, Launch, Level, RestartPolicy, Signal, StopSpec};

    #[test]
    fn a_change_is_told_with_what_it_asks_for_and_which_rule_says_so() {
        let launch = Launch { argv: vec!["api".into()], cwd: "/p".into(), env: Vec::new(), hardening: Hardening::default() };
        let policy = RestartPolicy {
            after_exit: AfterExit::Wait,
            min_uptime: Duration::ZERO,
            max_restarts: None,
            window: Duration::ZERO,
            stop_exit_codes: Vec::new(),
            stuck_blocks: false,
        };
        let rule = |path: &str, run: Option<&str>, action| ActionRule { paths: vec![path.into()], run: run.map(str::to_owned), action };
        let rules = vec![
            rule("conf", None, SaveAction::Signal(Signal::HUP)),
            rule("docs/**", None, SaveAction::Nothing),
            rule("proto", Some("make proto"), SaveAction::Nothing),
        ];
        let spec = AppSpec { rules, ..AppSpec::new("api", launch, policy, StopSpec::new(Signal::INT, Duration::ZERO)) };
        let at = crate::runtime::runner::now();
        let say = |matched: &[usize], unmatched: bool, heeded: bool, shown: &str| {
            let (paths, cause) = (vec![("/p/x".into(), ChangeKind::Written)], Cause::Files);
            let set = ChangeSet { paths, total: 1, first: at, last: at, cause, matched: matched.to_vec(), unmatched, shown: shown.into() };
            let decision = changed(&spec, &set, heeded);
            format!("{} / {}", decision.action, decision.text)
        };
        assert_eq!(say(&[], true, true, "x"), "restart / x changed: api restarts");
        assert_eq!(say(&[0], true, true, "x"), "restart / x changed: api restarts");
        assert_eq!(say(&[0, 1], false, true, "conf/a"), "SIGHUP / conf/a changed: api is sent SIGHUP (the rule conf)");
        assert_eq!(say(&[1], false, true, "docs/a"), "none / docs/a changed: nothing is done to api (the rule docs/**)");
        assert_eq!(say(&[2], false, true, "proto"), "none / proto changed: \"make proto\" is run for api (the rule proto)");
        assert_eq!(say(&[], true, false, "x"), "none / x changed: api is left as it is, because watching is paused");
        assert_eq!(say(&[], true, true, ""), "restart / files may have changed while events were lost: api restarts");
    }

    #[test]
    fn the_last_hundred_are_remembered_and_what_is_no_decision_is_not() {
        let (mut decisions, apps, supervisor) = (Decisions::default(), Apps::default(), Supervisor::new(1));
        for number in 0..150 {
            let notice = Notice::new(Level::Info, NoticeKind::Restarted, format!("api restarted {number}")).about("api:1");
            decisions.told(&notice, &apps, &supervisor);
        }
        decisions.told(&Notice::new(Level::Info, NoticeKind::Watching, "watching").about("api"), &apps, &supervisor);
        decisions.skipped(Some("api"), Some(Generation(3)), &["/p/a.js".into()], &["a.js was saved with the bytes it had".to_owned()]);
        decisions.skipped(Some("api"), None, &[], &["x was a folder".to_owned()]);
        let all: Vec<_> = decisions.all().collect();
        assert_eq!(all.len(), KEPT);
        assert_eq!((all[0].text.as_str(), all[0].app.as_deref(), all[0].action.as_str()), ("api restarted 51", Some("api"), "restarted"));
        assert_eq!((all[99].action.as_str(), all[99].generation, &all[99].files), ("none", Some(3), &vec!["/p/a.js".to_owned()]));
    }
}
