//! Every state of a run, a hold, a build and a runner meets every event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::specs::App;
use crate::{
    model::{AppId, AppSpec, Cause, ChangeKind, ChangeSet, Exit, InstanceId, LaunchFailure, RunId, Signal, Stage, Status},
    supervisor::{Edit, Event, Request, ShutdownCause, Supervisor, Target},
};

/// The first time of a test; every other counts from it.
#[expect(clippy::disallowed_methods, reason = "virtual time has to count from some instant")]
fn epoch() -> Instant {
    Instant::now()
}

const APP: AppId = AppId(0);

fn spawned(run: u64) -> Event {
    Event::Spawned { run: RunId(run), pid: 100 }
}

fn spawn_failed(run: u64) -> Event {
    Event::SpawnFailed { run: RunId(run), failure: LaunchFailure { stage: Stage::Exec, object: "node".to_owned(), errno: 2 } }
}

fn exited(run: u64, code: i32) -> Event {
    Event::MainExited { run: RunId(run), exit: Exit::Code(code), oom: false }
}

fn empty(run: u64) -> Event {
    Event::SetEmpty { run: RunId(run) }
}

fn ready(run: u64) -> Event {
    Event::Ready { run: RunId(run) }
}

fn unwell(run: u64) -> Event {
    Event::Health { run: RunId(run), check: None, answer: Err("status 500".to_owned()) }
}

fn hungry(run: u64) -> Event {
    Event::Memory { run: RunId(run), bytes: u64::MAX }
}

fn changing(app: AppId) -> Event {
    Event::FilesChanging { app, path: "/project/a.js".into() }
}

fn changed(app: AppId, now: Instant) -> Event {
    let paths = vec![("/project/a.js".into(), ChangeKind::Written)];
    let (matched, unmatched) = (Vec::new(), true);
    let changes = ChangeSet { paths, total: 1, first: now, last: now, cause: Cause::Files, matched, unmatched, shown: "a.js".to_owned() };
    Event::FilesChanged { app, changes: Arc::new(changes) }
}

fn probe(app: AppId) -> Event {
    Event::Probe { app, path: "/project/out.js".into() }
}

fn restart() -> Event {
    Event::Request(Request::Restart(Target::All))
}

fn instances() -> Target {
    Target::Instances(vec![InstanceId { app: APP, slot: 0 }])
}

fn pause() -> Event {
    Event::Request(Request::TogglePause)
}

fn apply(edit: Edit) -> Event {
    Event::Apply { edits: vec![edit], shown: "pmdev.toml".to_owned() }
}

fn spec(app: App) -> Arc<AppSpec> {
    Arc::new(app.spec())
}

fn quit() -> Event {
    Event::Shutdown(ShutdownCause::Key)
}

/// A state: how it is called, the app, what leads to it after `Begin`, and what users see.
struct State {
    name: &'static str,
    app: App,
    told: Vec<Event>,
    shown: Status,
}

fn states(now: Instant) -> Vec<State> {
    let state = |name, app, told, shown| State { name, app, told, shown };
    let dev = App::default;
    let build = || App { build: true, ..App::default() };
    let prod = || App { restart: "after 100 ms".to_owned(), max_restarts: 2, stuck_blocks: true, ..App::default() };
    // Without patience a stop is a kill, and needs no time to pass.
    let rash = || App { kill_timeout: 0, ..App::default() };
    let change = || changed(APP, now);
    vec![
        state("starting", dev(), vec![], Status::Launching),
        state("ready", dev(), vec![spawned(1)], Status::Online),
        state("stopping for a newer generation", dev(), vec![spawned(1), change()], Status::Stopping),
        state("stopping before it started", dev(), vec![change()], Status::Stopping),
        state("stopping early", dev(), vec![spawned(1), changing(APP)], Status::Stopping),
        state("stopping for a probe", dev(), vec![spawned(1), probe(APP)], Status::Stopping),
        state("sweeping after a stop", dev(), vec![spawned(1), change(), exited(1, 0)], Status::Stopping),
        state("sweeping after a crash", dev(), vec![spawned(1), exited(1, 1)], Status::Crashed),
        state("sweeping before a backoff", prod(), vec![spawned(1), exited(1, 1)], Status::WaitingRestart),
        state("killed", rash(), vec![spawned(1), change()], Status::Stopping),
        state("killed after a crash", rash(), vec![spawned(1), exited(1, 1)], Status::Crashed),
        state("crashed", dev(), vec![spawned(1), exited(1, 1), empty(1)], Status::Crashed),
        state("not launched", dev(), vec![spawn_failed(1)], Status::Crashed),
        state("exited", dev(), vec![spawned(1), exited(1, 0), empty(1)], Status::Stopped),
        state("backing off", prod(), vec![spawned(1), exited(1, 1), empty(1)], Status::WaitingRestart),
        state("errored", App { max_restarts: 1, ..prod() }, vec![spawned(1), exited(1, 1), empty(1)], Status::Errored),
        state("settling", dev(), vec![spawned(1), changing(APP), exited(1, 0), empty(1)], Status::WaitingRestart),
        state("probing", dev(), vec![spawned(1), probe(APP), exited(1, 0), empty(1)], Status::WaitingRestart),
        state("building", build(), vec![], Status::Building),
        state("building, executing", build(), vec![spawned(1)], Status::Building),
        state("unbuilt", build(), vec![spawned(1), exited(1, 101), empty(1)], Status::Crashed),
        state("built, daemons left", build(), vec![spawned(1), exited(1, 0), spawned(2)], Status::Online),
        state(
            "serving while building",
            build(),
            vec![spawned(1), exited(1, 0), empty(1), spawned(2), change(), spawned(3)],
            Status::Online,
        ),
        state("serving while a build is cancelled", build(), vec![exited(1, 0), empty(1), spawned(2), change(), change()], Status::Online),
        state("paused with a change", dev(), vec![spawned(1), pause(), change()], Status::Online),
        state("several instances", App { instances: 2, ..dev() }, vec![spawned(1), exited(2, 1)], Status::Online),
        state("ending", dev(), vec![spawned(1), quit()], Status::Stopping),
        state("ending with a build", build(), vec![spawned(1), quit()], Status::Stopped),
        state("forced", dev(), vec![spawned(1), Event::ForceShutdown { code: 130 }], Status::Stopping),
        state("over", dev(), vec![spawned(1), quit(), exited(1, 0), empty(1)], Status::Stopped),
    ]
}

fn events(now: Instant) -> Vec<Event> {
    let mut events = vec![
        Event::Begin { apps: vec![Arc::new(App::default().spec())] },
        probe(APP),
        Event::ProbeOver { app: APP },
        changing(APP),
        changed(APP, now),
        restart(),
        Event::Request(Request::Stop(instances())),
        Event::Request(Request::Start(instances())),
        Event::Request(Request::Reload(instances())),
        Event::Request(Request::Signal(Target::All, Signal::HUP)),
        pause(),
        Event::Cron { app: APP },
        apply(Edit::Add { app: AppId(1), spec: spec(App::default()) }),
        apply(Edit::Change { app: APP, spec: spec(App { build: true, instances: 3, ..App::default() }), restart: true }),
        apply(Edit::Change { app: APP, spec: spec(App::default()), restart: true }),
        apply(Edit::Change { app: APP, spec: spec(App { restart: "at once".to_owned(), ..App::default() }), restart: false }),
        apply(Edit::Remove { app: APP }),
        quit(),
        Event::Shutdown(ShutdownCause::Terminal),
        Event::Shutdown(ShutdownCause::Signal(Signal::TERM)),
        Event::ForceShutdown { code: 130 },
        Event::Continued { stopped_for: Duration::from_secs(3600) },
        Event::Deadline,
    ];
    for run in 1..=4 {
        events.extend([spawned(run), spawn_failed(run), exited(run, 0), exited(run, 1), empty(run), ready(run), unwell(run), hungry(run)]);
    }
    events
}

/// What is about nobody: runs that are over or never were, apps that are not there, probes that nobody began.
fn strangers(now: Instant) -> Vec<Event> {
    let (run, app) = (77, AppId(7));
    vec![
        spawned(run),
        spawn_failed(run),
        exited(run, 1),
        empty(run),
        ready(run),
        unwell(run),
        hungry(run),
        Event::Cron { app },
        changing(app),
        changed(app, now),
        probe(app),
        Event::ProbeOver { app },
        apply(Edit::Add { app: APP, spec: spec(App { watch: false, ..App::default() }) }),
        apply(Edit::Change { app, spec: spec(App::default()), restart: true }),
        apply(Edit::Remove { app }),
    ]
}

fn reach(state: &State, now: Instant) -> Supervisor {
    let mut supervisor = Supervisor::new(1);
    let begin = Event::Begin { apps: vec![Arc::new(state.app.spec())] };
    for event in std::iter::once(begin).chain(state.told.iter().cloned()) {
        let _ = supervisor.handle(now, event);
    }
    supervisor
}

#[test]
fn users_see_each_state_by_its_name() {
    let now = epoch();
    for state in states(now) {
        let snapshot = reach(&state, now).snapshot(now);
        assert_eq!(snapshot.apps[0].instances[0].status, state.shown, "{}", state.name);
    }
}

#[test]
fn every_state_answers_every_event_and_comes_to_rest() {
    let now = epoch();
    for state in states(now) {
        let reached = reach(&state, now);
        for later in [0, 1, 900, 60_000] {
            let at = now + Duration::from_millis(later);
            for event in events(now) {
                let mut supervisor = reached.clone();
                let _ = supervisor.handle(at, event.clone());
                rests(&mut supervisor, state.name, &event);
            }
        }
    }
}

/// Deadlines alone must lead to a state that has none, whatever else does not happen.
fn rests(supervisor: &mut Supervisor, state: &str, event: &Event) {
    for _ in 0..20 {
        let Some(deadline) = supervisor.next_deadline() else { return };
        let _ = supervisor.handle(deadline, Event::Deadline);
    }
    panic!("{state} does not come to rest after {event:?}");
}

#[test]
fn news_about_strangers_changes_nothing() {
    let now = epoch();
    for state in states(now) {
        let reached = reach(&state, now);
        for event in strangers(now) {
            let mut supervisor = reached.clone();
            let effects = supervisor.handle(now, event.clone());
            assert!(effects.is_empty(), "{}: {event:?} leads to {effects:?}", state.name);
            assert_eq!(supervisor.snapshot(now), reached.snapshot(now), "{}: {event:?}", state.name);
            assert_eq!(supervisor.next_deadline(), reached.next_deadline(), "{}: {event:?}", state.name);
        }
    }
}

#[test]
fn every_state_is_explained() {
    let now = epoch();
    for state in states(now) {
        let explanation = reach(&state, now).explain(&Target::All, now + Duration::from_secs(2));
        let text = &explanation.apps[0].states[0];
        assert!(text.contains(&format!(" is {}: ", state.shown)) && !text.contains("about to start"), "{}: {text}", state.name);
    }
    let nobody = reach(&states(now)[0], now).explain(&Target::Name("nobody".to_owned()), now);
    assert!(nobody.apps.is_empty());
}
