//! Random walks: badly behaved apps, random events at random times, and what must hold whatever happens.
//!
//! A failure prints its seed; `PMDEV_WALK=SEED cargo test --lib walks` walks that one alone, and its timeline follows.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;

use super::{
    specs::App,
    waiting::{awake, is_well, nobody_waits, waits_for_an_end},
};
use crate::{
    model::{AppId, Cause, ChangeKind, ChangeSet, Exit, InstanceId, RunId, Signal, Stage},
    supervisor::{
        Event, Request, ShutdownCause, Target,
        instance::Hold,
        sim::{
            Asked, Change, Sim,
            child::{Fails, Leaves, Script},
        },
    },
};

const WALKS: u64 = 500;
const COMMANDS: usize = 150;
/// As many events are told at least, over all walks, and each rule is asked as often.
const EVENTS: u64 = 100_000;
const OFTEN: u64 = 50;

#[test]
fn whatever_happens_the_invariants_hold() {
    if let Ok(seed) = std::env::var("PMDEV_WALK") {
        drop(walk(seed.parse().unwrap()));
        return;
    }
    let (mut events, mut asked) = (0_u64, Asked::default());
    for seed in 0..WALKS {
        let guard = Seed(seed);
        let sim = walk(seed);
        events += u64::from(sim.told());
        asked += sim.oracle().asked_rules();
        std::mem::forget(guard);
    }
    eprintln!("{events} events in {WALKS} walks; {asked:?}");
    assert!(events >= EVENTS, "{events} events are too few");
    let Asked { restarts, given_up, starts, stops } = asked;
    assert!([restarts, given_up, starts, stops].iter().all(|count| *count >= OFTEN), "a rule is hardly ever asked: {asked:?}");
}

/// Names the seed when a walk panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        eprintln!("the walk of seed {} failed", self.0);
    }
}

fn walk(seed: u64) -> Sim {
    let mut rng = Rng::with_seed(seed);
    let mut apps: Vec<_> = (0..rng.usize(1..=3)).map(|index| app(&mut rng, index)).collect();
    let mut sim = Sim::new(seed, apps.iter().map(|app| (app.spec(), app.cast())).collect());
    let mut open = Open::new(apps.len());
    sim.begin();
    for _ in 0..COMMANDS {
        if sim.ended.is_some() {
            break;
        }
        pass(&mut sim, &mut rng);
        command(&mut sim, &mut rng, &mut open, &mut apps);
    }
    if rng.u8(0..3) == 0 {
        end(&mut sim, &mut rng, &mut open, &mut apps);
    } else {
        quiet(&mut sim, open);
    }
    sim
}

/// What the world owes the supervisor.
struct Open {
    settling: Vec<bool>,
    probing: Vec<bool>,
    paused: bool,
    /// Apps that an edit removed: nothing is said of them any more.
    removed: Vec<bool>,
}

impl Open {
    fn new(apps: usize) -> Self {
        Self { settling: vec![false; apps], probing: vec![false; apps], paused: false, removed: vec![false; apps] }
    }

    fn add(&mut self) {
        self.settling.push(false);
        self.probing.push(false);
        self.removed.push(false);
    }
}

fn app(rng: &mut Rng, index: usize) -> App {
    let restart = ["wait", "wait", "at once", "after 50 ms", "backoff from 100 ms"];
    App {
        name: format!("app{index}"),
        watch: rng.u8(0..5) > 0,
        early_stop: rng.bool(),
        build: rng.u8(0..3) == 0,
        instances: if rng.u8(0..4) == 0 { 3 } else { 1 },
        kill_timeout: *rng.choice(&[0, 20, 500, 5000]).unwrap(),
        restart: (*rng.choice(&restart).unwrap()).to_owned(),
        max_restarts: *rng.choice(&[0, 1, 4, 16]).unwrap(),
        stop_exit_codes: if rng.bool() { vec![3] } else { vec![] },
        stuck_blocks: rng.bool(),
        autostart: rng.u8(0..10) > 0,
        depends_on: needs(rng, index),
        ready_within: *rng.choice(&[0, 0, 50, 3000]).unwrap(),
        health_every: *rng.choice(&[0, 0, 0, 700]).unwrap(),
        health_by_itself: rng.u8(0..4) == 0,
        dump_signal: rng.bool().then(|| "QUIT".to_owned()),
        memory: *rng.choice(&[0, 0, 400]).unwrap(),
        memory_hard: *rng.choice(&[0, 800]).unwrap(),
        treekill: rng.u8(0..4) > 0,
        shutdown_message: rng.u8(0..4) == 0,
        rules: (0..rng.usize(0..3)).map(|_| (*rng.choice(&RULES).unwrap()).to_owned()).collect(),
        hooks: rng.bool(),
        cron: rng.u8(0..5) == 0,
        commands: (0..rng.usize(1..4)).map(|_| script(rng, true)).collect(),
        runs: (0..rng.usize(1..8)).map(|_| script(rng, false)).collect(),
        builds: (0..rng.usize(1..8)).map(|_| script(rng, true)).collect(),
        cluster: rng.u8(0..3) == 0,
        drain_timeout: *rng.choice(&[0, 100, 2000]).unwrap(),
        ..App::default()
    }
}

const RULES: [&str; 7] = ["restart", "reload", "none", "SIGHUP", "make: restart", "make: none", "make: reload"];

/// Another app of the same name.
fn again(rng: &mut Rng, old: &App) -> App {
    let number = old.name.trim_start_matches("app").parse().unwrap();
    app(rng, number)
}

/// Only those before it, so that there is no circle, whatever comes and goes.
fn needs(rng: &mut Rng, index: usize) -> Vec<String> {
    let conditions = ["started", "ready", "completed"];
    let needs = (0..index).filter(|_| rng.u8(0..3) == 0).collect::<Vec<_>>();
    needs.into_iter().map(|other| format!("app{other} {}", rng.choice(&conditions).unwrap())).collect()
}

fn script(rng: &mut Rng, build: bool) -> Script {
    let ends = build || rng.u8(0..4) == 0;
    let by_signal = rng.u8(0..5) == 0;
    Script {
        exec_ms: *rng.choice(&[0, 2, 40]).unwrap(),
        fails: (rng.u8(0..12) == 0).then(|| Fails { stage: Stage::Exec, on: "app".to_owned(), errno: *rng.choice(&[2, 13]).unwrap() }),
        exit: (ends && !by_signal).then(|| *rng.choice(&[0, 0, 1, 3]).unwrap()),
        dies_of: (ends && by_signal).then_some(11),
        after_ms: *rng.choice(&[0, 1, 30, 400, 2000]).unwrap(),
        stop_ms: *rng.choice(&[0, 1, 20, 300, 7000]).unwrap(),
        ignores: rng.u8(0..8) == 0,
        leaves: *rng
            .choice(&[Leaves::Nothing, Leaves::Nothing, Leaves::Nothing, Leaves::Tame, Leaves::Stubborn, Leaves::Immortal])
            .unwrap(),
        ready_ms: *rng.choice(&[-1, 0, 20, 400]).unwrap(),
        sick_after_ms: (rng.u8(0..4) == 0).then_some(900),
        sick_until_ms: *rng.choice(&[0, 0, 0, 600]).unwrap(),
        mute: rng.u8(0..8) == 0,
        oom: by_signal && rng.bool(),
        drain_ms: *rng.choice(&[-1, 0, 30, 3000]).unwrap(),
    }
}

fn pass(sim: &mut Sim, rng: &mut Rng) {
    let longest = *rng.choice(&[0, 1, 5, 60, 800, 4000]).unwrap();
    let then = sim.now + Duration::from_millis(rng.u64(0..=longest));
    sim.run_until(then);
}

fn command(sim: &mut Sim, rng: &mut Rng, open: &mut Open, apps: &mut Vec<App>) {
    let index = rng.usize(0..open.settling.len());
    let app = AppId(u32::try_from(index).unwrap());
    let watched = sim.specs()[index].watch.is_some() && !open.removed[index];
    match rng.u8(0..50) {
        0..=7 if watched => {
            open.settling[index] = true;
            sim.tell(Event::FilesChanging { app, path: "/project/a".into() });
        }
        8..=19 if watched => change(sim, Some(rng), open, index),
        20..=22 if watched => {
            (open.settling[index], open.probing[index]) = (false, true);
            sim.tell(Event::Probe { app, path: "/project/out".into() });
        }
        23..=26 => probe_over(sim, open, index),
        27..=29 => sim.tell(Event::Request(Request::Restart(Target::All))),
        30..=32 => sim.tell(Event::Request(Request::Restart(Target::Name(format!("app{}", rng.u8(0..4)))))),
        33 => toggle_pause(sim, open),
        34..=36 => nonsense(sim, rng),
        37 => sim.suspend(Duration::from_millis(rng.u64(0..10_000))),
        40..=42 => edit(sim, rng, open, apps),
        43..=44 => memory(sim, rng),
        45 => sim.tell(Event::Cron { app }),
        46..=49 => {
            let instances = sim.specs()[index].instances;
            let ids = (0..instances).filter(|_| rng.u8(0..3) > 0).map(|slot| InstanceId { app, slot }).collect();
            let target = Target::Instances(ids);
            sim.tell(Event::Request(match rng.u8(0..7) {
                0..=1 => Request::Stop(target),
                2..=3 => Request::Start(target),
                4 => Request::Restart(target),
                5 => Request::Reload(target),
                _ => Request::Reset(target),
            }));
        }
        0..=39 => sim.tell(Event::Deadline),
        50.. => unreachable!("the range ends before"),
    }
}

/// A run that lives uses much memory.
fn memory(sim: &mut Sim, rng: &mut Rng) {
    let mut alive: Vec<_> = sim.children().iter().filter(|(_, child)| child.main && child.executes).map(|(run, _)| *run).collect();
    alive.sort_unstable();
    if let Some(run) = rng.choice(alive) {
        sim.tell(Event::Memory { run, bytes: rng.u64(0..900) << 20 });
    }
}

/// Some apps come, change and go at once. An early stop or a probe of an app that changes is still followed up, as the watch engine does it.
fn edit(sim: &mut Sim, rng: &mut Rng, open: &mut Open, apps: &mut Vec<App>) {
    let mut changes = Vec::new();
    for index in 0..apps.len() {
        if open.removed[index] {
            continue;
        }
        let id = AppId(u32::try_from(index).unwrap());
        match rng.u8(0..8) {
            0 if apps.len() < 12 => {
                open.removed[index] = true;
                changes.push(Change::Remove(id));
            }
            1..=2 => {
                apps[index] = again(rng, &apps[index]);
                changes.push(Change::Spec(id, apps[index].spec(), true));
            }
            3 => {
                let (build, instances) = (apps[index].build, rng.u16(1..4));
                apps[index] = App { build, instances, ..again(rng, &apps[index]) };
                changes.push(Change::Spec(id, apps[index].spec(), false));
            }
            0 | 4.. => {}
        }
    }
    // Sometimes under a name that was removed just now.
    if apps.len() < 12 && rng.bool() {
        let name = rng.usize(0..=apps.len());
        let free = apps.iter().zip(&open.removed).all(|(app, removed)| *removed || app.name != format!("app{name}"));
        let new = app(rng, if free { name } else { apps.len() });
        changes.push(Change::Add(new.spec(), new.cast()));
        apps.push(new);
        open.add();
    }
    sim.apply(changes);
}

/// Without chance it is a change that no rule is for.
fn change(sim: &mut Sim, rng: Option<&mut Rng>, open: &mut Open, index: usize) {
    // An early stop is begun for a change that no rule is for.
    let early = std::mem::take(&mut open.settling[index]);
    let paths = vec![("/project/a".into(), ChangeKind::Written)];
    let (matched, unmatched) = rng.map_or((Vec::new(), true), |rng| {
        let matched: Vec<_> = (0..sim.specs()[index].rules.len()).filter(|_| rng.bool()).collect();
        let unmatched = matched.is_empty() || early || rng.u8(0..3) == 0;
        (matched, unmatched)
    });
    let changes =
        ChangeSet { paths, total: 1, first: sim.now, last: sim.now, cause: Cause::Files, matched, unmatched, shown: "a".to_owned() };
    sim.tell(Event::FilesChanged { app: AppId(u32::try_from(index).unwrap()), changes: Arc::new(changes) });
}

fn probe_over(sim: &mut Sim, open: &mut Open, index: usize) {
    open.probing[index] = false;
    sim.tell(Event::ProbeOver { app: AppId(u32::try_from(index).unwrap()) });
}

fn toggle_pause(sim: &mut Sim, open: &mut Open) {
    sim.tell(Event::Request(Request::TogglePause));
    open.paused = sim.supervisor.snapshot(sim.now).paused;
}

/// News about runs and apps that do not exist: it must change nothing.
fn nonsense(sim: &mut Sim, rng: &mut Rng) {
    let (run, app) = (RunId(1 << 40), AppId(99));
    let before = (sim.supervisor.snapshot(sim.now), sim.supervisor.next_deadline());
    let failure = crate::model::LaunchFailure { stage: Stage::Exec, object: String::new(), errno: 2 };
    let event = match rng.u8(0..9) {
        6 => Event::Ready { run },
        7 => Event::Health { run, check: Some(1), answer: Err("nonsense".to_owned()) },
        8 => Event::Memory { run, bytes: u64::MAX },
        0 => Event::Spawned { run, pid: 1 },
        1 => Event::SpawnFailed { run, failure },
        2 => Event::MainExited { run, exit: Exit::Code(1), oom: false },
        3 => Event::SetEmpty { run },
        4 => Event::FilesChanging { app, path: "/project/a".into() },
        _ => Event::ProbeOver { app },
    };
    sim.tell(event);
    assert_eq!(before, (sim.supervisor.snapshot(sim.now), sim.supervisor.next_deadline()));
}

/// The end comes in time, whatever else happens; the world's own oracle says what time that is.
fn end(sim: &mut Sim, rng: &mut Rng, open: &mut Open, apps: &mut Vec<App>) {
    sim.tell(Event::Shutdown(ShutdownCause::Signal(Signal::INT)));
    for _ in 0..rng.usize(0..6) {
        pass(sim, rng);
        if sim.ended.is_none() {
            command(sim, rng, open, apps);
        }
    }
    if sim.ended.is_none() && rng.bool() {
        sim.tell(Event::ForceShutdown { code: 130 });
    }
    // The oracle knows when it has to have come.
    assert!(sim.run_dry(Duration::from_secs(60)), "something goes on after the end");
    assert!(sim.ended.is_some(), "the runner does not end");
}

/// Nothing is lost: when the world has gone quiet, whatever is up was spawned after the last change, and whatever is down says why.
fn quiet(sim: &mut Sim, mut open: Open) {
    if open.paused && sim.ended.is_none() {
        toggle_pause(sim, &mut open);
    }
    for index in 0..open.settling.len() {
        if open.settling[index] && sim.ended.is_none() {
            change(sim, None, &mut open, index);
        }
        if open.probing[index] && sim.ended.is_none() {
            probe_over(sim, &mut open, index);
        }
    }
    // Long enough for every kill timeout and most delays; an app that crashes for ever never comes to rest.
    let still = sim.run_dry(Duration::from_secs(120));
    if sim.ended.is_some() {
        return;
    }
    let supervisor = &sim.supervisor;
    if still {
        nobody_waits(supervisor);
    }
    assert!(supervisor.apps.iter().any(super::super::app::App::goes_on), "nothing can go on, and the runner does not end");
    for app in supervisor.apps.iter().filter(|app| !app.removed) {
        assert!(app.after.is_empty(), "{} waits for apps that are gone", app.spec.name);
        assert!(!app.settling && app.probing.is_none() && app.pending.is_none(), "{} is held for ever", app.spec.name);
        // What needs another app is down for as long as that one is, or goes on without being what is needed.
        let lacks = app.blocked.as_ref().is_some_and(|needed| {
            let other = supervisor.apps.iter().find(|other| !other.removed && other.spec.name == needed.app);
            other.is_some_and(|other| awake(other).next().is_none() || !awake(other).all(|one| is_well(one, needed.condition)))
        });
        let rests = |instance: &super::super::instance::Instance| lacks || app.is_resting() || instance.rests() || app.work.is_some();
        // One that is to end before others start may go on for as long as it likes.
        let awaited = waits_for_an_end(supervisor, app);
        let refused = awaited || app.aborted == Some(app.version.generation) || app.unworked.is_some() || app.work.is_some();
        let unbuilt = app.tried.as_ref().is_some_and(|(_, end)| end.is_some());
        for instance in &app.instances {
            let id = InstanceId { app: app.id, slot: instance.id.slot };
            match sim.oracle().follows(id, sim.children()) {
                Some(follows) => assert!(
                    follows || unbuilt || refused,
                    "{} runs an old version: {:#?}",
                    instance.name,
                    supervisor.explain(&Target::All, sim.now)
                ),
                None => match &instance.state {
                    super::super::instance::State::Up(_) => {}
                    super::super::instance::State::Down { hold: Hold::None, .. } => {
                        assert!(unbuilt || app.build.is_some() || rests(instance), "{} is down for no reason", instance.name);
                    }
                    super::super::instance::State::Down { .. } => {}
                },
            }
        }
    }
}
