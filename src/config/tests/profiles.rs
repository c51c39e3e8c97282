use std::time::Duration;

use super::*;
use crate::model::{AfterExit, Backoff, Signal, StopSpec};

fn app(project: &Project, change: impl FnOnce(&mut Request)) -> AppSpec {
    let mut request = request(&["a.js"]);
    change(&mut request);
    project.app_of(&request)
}

#[test]
fn dev_watches_and_waits_for_a_save() {
    let project = Project::new(&["node"]);
    project.file("a.js", "");
    let app = app(&project, |_| {});
    assert!(app.watch.is_some());
    assert_eq!(app.restart.after_exit, AfterExit::Wait);
    assert!(!app.restart.stuck_blocks);
    assert_eq!(app.stop, StopSpec::new(Signal::INT, Duration::from_secs(5)));
}

#[test]
fn prod_restarts_with_backoff_and_watches_only_when_asked() {
    let project = Project::new(&["node"]);
    project.file("a.js", "");
    for name in ["prod", "production"] {
        let app = app(&project, |request| request.profile = Some(name.into()));
        assert_eq!(app.watch, None);
        assert_eq!(app.restart.after_exit, AfterExit::Restart(Backoff::Exponential { initial: Duration::from_millis(100) }));
        assert!(app.restart.stuck_blocks);
        assert_eq!(app.stop.timeout, Duration::from_secs(30));
    }
    let app = app(&project, |request| {
        request.profile = Some("prod".into());
        request.watch = vec![super::super::WatchArg::Default];
    });
    assert!(app.watch.is_some());
}

#[test]
fn flags_beat_variables_and_variables_beat_the_table() {
    let mut project = Project::new(&["node"]);
    project.file("a.js", "");
    project.var("PMDEV_PROFILE", "prod");
    project.var("PMDEV_KILL_TIMEOUT", "1600");
    project.var("PMDEV_KILL_SIGNAL", "SIGTERM");
    project.var("PMDEV_GRACEFUL_LISTEN_TIMEOUT", "8000");
    let from_env = app(&project, |_| {});
    assert_eq!(from_env.watch, None);
    assert_eq!(from_env.ready.timeout, Duration::from_secs(8));
    let drain = Duration::from_secs(5);
    assert_eq!(from_env.stop, StopSpec { drain, ..StopSpec::new(Signal::TERM, Duration::from_millis(1600)) });
    let by_flag = app(&project, |request| {
        request.profile = Some("dev".into());
        request.kill_signal = Some(Signal::QUIT);
        request.kill_timeout = Some(Duration::ZERO);
    });
    assert!(by_flag.watch.is_some());
    assert_eq!(by_flag.stop, StopSpec::new(Signal::QUIT, Duration::ZERO));
}

#[test]
fn wrong_values_are_named_with_their_source() {
    let mut project = Project::new(&["node"]);
    project.file("a.js", "");
    insta::assert_snapshot!(project.refusal(&Request { profile: Some("porduction".into()), ..request(&["a.js"]) }), @r"
    --profile porduction is not a profile; there are dev and prod
    hint: did you mean production?
    ");
    for (name, value) in
        [("PMDEV_PROFILE", "x"), ("PMDEV_KILL_SIGNAL", "SIGFOO"), ("PMDEV_KILL_TIMEOUT", "soon"), ("PMDEV_GRACEFUL_LISTEN_TIMEOUT", "soon")]
    {
        project.var(name, value);
        let told = project.refusal(&request(&["a.js"]));
        assert!(told.starts_with(name) && told.contains(value), "{told}");
        project.host.env.pop();
    }
}
