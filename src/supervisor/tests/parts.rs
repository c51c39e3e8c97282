//! The small parts by themselves: jitter, folded change sets, and that chance comes from the seed alone.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use super::specs::App;
use crate::{
    model::{Cause, ChangeKind, ChangeSet},
    supervisor::{Event, Request, ShutdownCause, changes, sim::Sim, step::Mint},
};

#[test]
fn jitter_stays_within_a_tenth_and_uses_all_of_it() {
    let mut mint = Mint::new(1);
    let delays: Vec<_> = (0..10_000).map(|_| mint.jitter(Duration::from_secs(1)).as_millis()).collect();
    assert_eq!(delays.iter().min(), Some(&900));
    assert_eq!(delays.iter().max(), Some(&1100));
    let mean = delays.iter().sum::<u128>() / delays.len() as u128;
    assert!((995..=1005).contains(&mean), "{mean}");
}

#[test]
fn one_seed_is_one_story() {
    let timeline = |seed| {
        let app: App = toml::from_str("restart = 'backoff from 100 ms'\nruns = [{ exit = 1, after_ms = 5 }]").unwrap();
        let mut sim = Sim::new(seed, vec![(app.spec(), app.cast())]);
        sim.begin();
        assert!(sim.run_dry(Duration::from_secs(600)));
        sim.timeline.to_string()
    };
    assert_eq!(timeline(1), timeline(1));
    let distinct: HashSet<_> = (0..20).map(timeline).collect();
    assert_eq!(distinct.len(), 20, "every seed has delays of its own");
}

#[test]
fn files_count_neither_before_the_start_nor_in_a_pause_nor_at_the_end() {
    let app = App::default();
    let mut sim = Sim::new(0, vec![(app.spec(), app.cast())]);
    assert!(!sim.supervisor.heeds_files(), "there are no apps yet");
    sim.begin();
    assert!(sim.supervisor.heeds_files());
    for heeds in [false, true] {
        sim.tell(Event::Request(Request::TogglePause));
        assert_eq!(sim.supervisor.heeds_files(), heeds);
    }
    sim.tell(Event::Shutdown(ShutdownCause::Key));
    assert!(!sim.supervisor.heeds_files(), "the app is being stopped");
    assert!(sim.run_dry(Duration::from_secs(600)));
    assert!(!sim.supervisor.heeds_files(), "it is over");
}

fn set(sim: &Sim, paths: std::ops::Range<usize>, shown: &str) -> ChangeSet {
    let total = paths.len();
    let paths = paths.map(|number| (PathBuf::from(format!("/project/{number}")), ChangeKind::Written)).take(100).collect();
    ChangeSet {
        paths,
        total,
        first: sim.now,
        last: sim.now,
        cause: Cause::Files,
        matched: Vec::new(),
        unmatched: true,
        shown: shown.to_owned(),
    }
}

#[test]
fn folded_change_sets_keep_a_hundred_paths_and_count_all() {
    let app = App::default();
    let sim = Sim::new(0, Vec::new());
    let merge = |older: &ChangeSet, newer: &ChangeSet| changes::merge(older, newer, &app.spec());
    let both: Arc<ChangeSet> = merge(&set(&sim, 0..80, ""), &set(&sim, 40..120, "40 and 79 more"));
    assert_eq!((both.paths.len(), both.total, both.shown.as_str()), (100, 120, "40 and 119 more"));
    let same = merge(&set(&sim, 0..3, "0 and 2 more"), &set(&sim, 0..3, "0 and 2 more"));
    assert_eq!((same.paths.len(), same.total, same.shown.as_str()), (3, 3, "0 and 2 more"));
    let rescan = merge(&set(&sim, 7..8, "7"), &set(&sim, 0..0, ""));
    assert_eq!((rescan.total, rescan.shown.as_str()), (1, "7"));
}
