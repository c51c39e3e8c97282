//! What the rules of an app make of its change sets, on virtual time.

use std::time::Duration;

use crate::{
    model::{ActionRule, SaveAction, Signal, WatchSpec},
    watch::{
        Ctl,
        sim::{Op, Script, Sim, save, spec},
    },
};

fn rule(path: &str, action: SaveAction) -> ActionRule {
    ActionRule { paths: vec![path.to_owned()], run: None, action }
}

/// Rules 0 to 3: none, a signal, a reload, a restart with a command before it.
fn rules() -> Vec<ActionRule> {
    let with_run = ActionRule { run: Some("make".into()), ..rule("proto/**", SaveAction::Restart) };
    vec![
        rule("docs/**", SaveAction::Nothing),
        rule("conf/**", SaveAction::Signal(Signal::HUP)),
        rule("views/**", SaveAction::Reload),
        with_run,
    ]
}

const FILES: [&str; 5] = ["/w/docs/a.md", "/w/conf/a.ini", "/w/views/a.html", "/w/proto/a.proto", "/w/a.js"];

fn sim(spec: &WatchSpec, script: Script) -> Sim {
    FILES.iter().fold(Sim::with(spec, script).acting(rules()), |sim, file| sim.old(file, "old"))
}

#[test]
fn only_what_restarts_for_certain_stops_the_old_run_early() {
    for (nth, (file, early)) in FILES.into_iter().zip([false, false, false, false, true]).enumerate() {
        let mut sim = sim(&spec(), Script::default());
        sim.at(1_000, save(file, "new")).run(2_000);
        let (_, changes) = &sim.changes[0];
        let matched: Vec<usize> = (0..4).filter(|rule| *rule == nth).collect();
        assert_eq!((&changes.matched, changes.unmatched), (&matched, matched.is_empty()), "{file}");
        assert_eq!(!sim.early.is_empty(), early, "{file}\n{}", sim.timeline());
    }
}

#[test]
fn a_batch_has_the_rules_of_all_its_paths_also_of_those_it_does_not_name() {
    let mut sim = sim(&spec(), Script::default());
    sim.at(1_000, save(FILES[2], "new"));
    for nth in 0..150 {
        sim.at(1_000, Op::Numbered(nth));
    }
    sim.at(1_000, save(FILES[1], "new")).run(3_000);
    let (_, changes) = &sim.changes[0];
    assert_eq!((changes.paths.len(), changes.total), (100, 152));
    assert_eq!((changes.matched.as_slice(), changes.unmatched), ([1, 2].as_slice(), true));
    assert_eq!(sim.starts(), 2);
}

#[test]
fn what_was_lost_may_be_anything() {
    let mut sim = sim(&spec(), Script::default());
    sim.at(1_000, Op::Overflow).at(1_001, save(FILES[0], "new")).run(3_000);
    let (_, changes) = &sim.changes[0];
    assert_eq!((changes.matched.as_slice(), changes.unmatched), ([0].as_slice(), true));
}

#[test]
fn an_app_that_was_stopped_early_is_started_whatever_the_rules_say_by_then() {
    let mut sim = sim(&spec(), Script::default());
    sim.at(1_000, save(FILES[4], "new")).run(1_005);
    assert_eq!(sim.early.len(), 1, "{}", sim.timeline());
    sim = sim.acting(vec![rule("**", SaveAction::Nothing)]);
    sim.run(3_000);
    let (_, changes) = &sim.changes[0];
    assert_eq!((changes.matched.as_slice(), changes.unmatched), ([0].as_slice(), true));
    assert_eq!(sim.starts(), 2);
}

#[test]
fn a_save_without_a_restart_is_no_evidence_of_a_restart_loop() {
    let mut sim = sim(&spec(), Script::default());
    // As regular as a loop, and so many that restarts would be slowed down.
    for nth in 0..40 {
        sim.at(1_000 + nth * 200, save(FILES[1], nth));
    }
    sim.run(20_000);
    assert_eq!((sim.fired(), sim.starts()), (40, 1), "{}", sim.timeline());
    assert!(sim.probes.is_empty() && sim.notices.is_empty(), "{:?}", sim.notices);
    // And a restart that follows is as fast as ever.
    sim.at(21_000, save(FILES[4], "new")).run(22_000);
    assert_eq!((sim.starts(), sim.early.len()), (2, 1), "{}", sim.timeline());
}

#[test]
fn an_app_that_rewrites_what_it_is_reloaded_for_is_found_out() {
    let script = Script { after_start: vec![(100, save(FILES[2], "now"))], ever_new: true, ..Script::default() };
    let mut sim = sim(&spec(), script);
    sim.run(60_000);
    assert_eq!((sim.starts(), sim.probes.len(), sim.notices.len()), (5, 1, 1), "{}", sim.timeline());
}

#[test]
fn a_save_that_only_signals_does_not_end_a_probe() {
    let script = Script { after_start: vec![(1_000, save(FILES[4], "now"))], ever_new: true, ..Script::default() };
    let mut sim = sim(&spec(), script);
    sim.run(5_200);
    let held = *sim.probes.first().expect("the fifth restart is suspected");
    let starts = sim.starts();
    sim.at(held + 500, save(FILES[1], "new")).run(held + 1_000);
    assert_eq!(sim.changes.last().map(|(_, changes)| changes.matched.clone()), Some(vec![1]), "{}", sim.timeline());
    assert_eq!(sim.starts(), starts, "the app is still held\n{}", sim.timeline());
    sim.tell(|_| Ctl::Manual);
    sim.run(held + 1_100);
    assert_eq!(sim.starts(), starts + 1, "{}", sim.timeline());
}

#[test]
fn a_settle_time_of_the_users_own_changes_nothing_about_rules() {
    let spec = WatchSpec { delay: Some(Duration::from_millis(500)), ..spec() };
    let mut sim = sim(&spec, Script::default());
    sim.at(1_000, save(FILES[2], "new")).at(1_200, save(FILES[0], "new")).run(3_000);
    assert_eq!(sim.changes.iter().map(|(_, changes)| changes.matched.clone()).collect::<Vec<_>>(), [vec![0, 2]]);
}
