//! Every goal in every state: whether it has come, may still come, or will not.

use std::time::Duration;

use super::specs::App;
use crate::{
    model::{AppId, InstanceId, RunId},
    supervisor::{
        Event, Goal, Progress, Request, Target,
        sim::{Sim, child::Script},
    },
};

const ONLINE: &str = "online";
const PENDING: &str = "pending";
const SIBLING: &str = "api:1 goes on as it was, since the new run of another instance failed";

/// How an app is asked for, and what those are told who wait for each of its instances.
struct Case {
    name: &'static str,
    apps: Vec<App>,
    /// Which instances somebody had stopped long before.
    stopped: &'static [u16],
    ask: fn(Target) -> Request,
    told: &'static [&'static str],
}

fn dies(after_ms: u64) -> Script {
    Script { exit: Some(1), after_ms, ..Script::default() }
}

fn ends() -> Script {
    Script { exit: Some(0), ..Script::default() }
}

fn runs(runs: Vec<Script>) -> App {
    App { runs, ..App::default() }
}

fn needs(depends_on: &str, needed: App) -> Vec<App> {
    vec![
        App { depends_on: vec![depends_on.to_owned()], autostart: false, ..App::default() },
        App { name: "db".to_owned(), watch: false, ..needed },
    ]
}

fn cases() -> Vec<Case> {
    let case = |name, apps, ask, told| Case { name, apps, stopped: &[], ask, told };
    let two = |runs| App { instances: 2, ready_within: 500, restart: "at once".to_owned(), max_restarts: 1, runs, ..App::default() };
    let gone = Script { ready_ms: -1, ..dies(20) };
    vec![
        case("it runs and is restarted", vec![App::default()], Request::Restart, &[ONLINE]),
        case("it runs and is reloaded", vec![two(vec![])], Request::Reload, &[ONLINE, ONLINE]),
        case(
            "the new run dies",
            vec![runs(vec![Script::default(), dies(0)])],
            Request::Restart,
            &["api is crashed: it crashed (exit code 1)"],
        ),
        case(
            "the first new run of a reload dies",
            vec![two(vec![Script::default(), Script::default(), gone.clone()])],
            Request::Reload,
            &["api:0 is errored: it crashed (exit code 1) and is given up after a run that was up for less than 1 s", SIBLING],
        ),
        case(
            "the first new run of a reload of workers dies",
            vec![App { cluster: true, ..two(vec![Script::default(), Script::default(), gone.clone()]) }],
            Request::Reload,
            &["api:0 goes on as it was, since its new run failed: it crashed (exit code 1)", SIBLING],
        ),
        Case {
            stopped: &[0],
            ..case(
                "one was stopped, the other is reloaded",
                vec![two(vec![])],
                |_| Request::Reload(instances(&[1])),
                &["api:0 was stopped", ONLINE],
            )
        },
        case(
            "the new run of one worker dies",
            vec![App { cluster: true, ..two(vec![Script::default(), Script::default(), gone]) }],
            |_| Request::Reload(instances(&[0])),
            &["api:0 goes on as it was, since its new run failed: it crashed (exit code 1)", "api:1 goes on as it was"],
        ),
        case(
            "what it needs has crashed",
            needs("db ready", runs(vec![dies(5)])),
            Request::Start,
            &["api waits until db is ready, but db is crashed: it crashed (exit code 1)"],
        ),
        case(
            "what it needs failed",
            needs("db completed", runs(vec![dies(5)])),
            Request::Start,
            &["api waits until db has ended with code 0, but db is crashed: it crashed (exit code 1)"],
        ),
        case(
            "what it needs was not started",
            needs("db started", App { autostart: false, ..App::default() }),
            Request::Start,
            &["api waits until db is started, but db is stopped"],
        ),
        case("what it needs goes on", needs("db completed", App::default()), Request::Start, &[PENDING]),
        case("what it needs has ended", needs("db completed", runs(vec![ends()])), Request::Start, &[ONLINE]),
        case("what it needs runs", needs("db ready", App::default()), Request::Start, &[ONLINE]),
        case("nothing is asked for", vec![App::default()], Request::Reset, &["api goes on as it was"]),
    ]
}

fn instances(slots: &[u16]) -> Target {
    Target::Instances(slots.iter().map(|slot| InstanceId { app: AppId(0), slot: *slot }).collect())
}

fn told(sim: &Sim, slot: u16, goal: Goal) -> String {
    match sim.supervisor.progress(InstanceId { app: AppId(0), slot }, goal) {
        Progress::Pending => PENDING.to_owned(),
        Progress::Reached => ONLINE.to_owned(),
        Progress::Failed(why) => why,
    }
}

#[test]
fn whoever_waits_for_a_start_is_told_how_it_came_out() {
    for case in cases() {
        let mut sim = Sim::new(1, case.apps.iter().map(|app| (app.spec(), app.cast())).collect());
        sim.supervisor = sim.supervisor.clone().staying();
        sim.begin();
        assert!(sim.run_dry(Duration::from_secs(60)), "{}", case.name);
        for slot in case.stopped {
            sim.tell(Event::Request(Request::Stop(instances(&[*slot]))));
            assert!(sim.run_dry(Duration::from_secs(60)), "{}", case.name);
        }
        let after = sim.supervisor.latest();
        sim.tell(Event::Request((case.ask)(Target::Name("api".to_owned()))));
        assert!(sim.run_dry(Duration::from_secs(60)), "{}", case.name);
        let told: Vec<_> = (0..case.apps[0].instances).map(|slot| told(&sim, slot, Goal::Online { after })).collect();
        assert_eq!(told, case.told, "{}\n{}", case.name, sim.timeline);
    }
}

#[test]
fn whoever_waits_for_a_stop_is_told_how_it_came_out() {
    let app = App { runs: vec![Script { stop_ms: 100, ..Script::default() }], ..App::default() };
    let mut sim = Sim::new(1, vec![(app.spec(), app.cast())]);
    sim.begin();
    assert!(sim.run_dry(Duration::from_secs(1)));
    sim.tell(Event::Request(Request::Stop(instances(&[0]))));
    assert_eq!(told(&sim, 0, Goal::Stopped), PENDING);
    assert!(sim.run_dry(Duration::from_secs(1)));
    assert_eq!(told(&sim, 0, Goal::Stopped), ONLINE);
    sim.tell(Event::Request(Request::Start(instances(&[0]))));
    assert_eq!(told(&sim, 0, Goal::Stopped), "api was started again");
    assert_eq!(told(&sim, 0, Goal::Gone), "api is wanted again meanwhile");
    assert_eq!(told(&sim, 5, Goal::Gone), ONLINE);
    assert_eq!(told(&sim, 5, Goal::Stopped), ONLINE);
    assert_eq!(told(&sim, 5, Goal::Online { after: RunId(0) }), "api has fewer instances meanwhile");
}
