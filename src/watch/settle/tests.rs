//! Exact counts on virtual time: one restart for one logical change, none for what is none.

use std::time::Duration;

use crate::{
    model::{Cause, ChangeKind, WatchSpec},
    watch::{
        Ctl,
        sim::{GIT_LOCK, Op, Script, Sim, save, spec},
    },
};

const A: &str = "/w/a.js";

/// A project whose `a.js` was saved once before, so that the gate knows it, and long ago.
fn project() -> Sim {
    let mut sim = Sim::new().old(A, "old").old("/w/b.js", "old").old("/w/package.json", "{}");
    sim.at(100, save(A, "first")).run(10_000);
    assert_eq!(sim.fired(), 1, "{}", sim.timeline());
    sim.changes.clear();
    sim.skipped.clear();
    sim.early.clear();
    sim
}

/// Runs the script and expects these change sets: when, and how many paths.
fn expect(sim: &mut Sim, until: u64, want: &[(u64, usize)]) {
    sim.run(until);
    let got: Vec<(u64, usize)> = sim.changes.iter().map(|(ms, changes)| (*ms, changes.total)).collect();
    assert_eq!(got, want, "\n{}", sim.timeline());
}

#[test]
fn one_plain_save_fires_ten_milliseconds_later() {
    let mut sim = project();
    expect(sim.at(20_000, save(A, "new")), 30_000, &[(20_010, 1)]);
    let (_, changes) = &sim.changes[0];
    assert_eq!((changes.shown.as_str(), changes.cause), ("a.js", Cause::Files));
    assert_eq!(changes.paths, [(A.into(), ChangeKind::Written)]);
}

#[test]
fn every_way_of_saving_is_one_restart() {
    let ways: &[(&str, &[Op])] = &[
        ("temp and rename", &[save("/w/a.tmp1", "new"), Op::Rename("/w/a.tmp1", A)]),
        ("vim", &[Op::Rename(A, "/w/a.js~"), save(A, "new"), Op::Chmod(A), Op::Delete("/w/a.js~")]),
        ("delete and write", &[Op::Delete(A), save(A, "new")]),
        ("a new file", &[save("/w/c.js", "new")]),
        ("an empty new file", &[save("/w/c.js", "")]),
        ("touch", &[Op::Touch(A)]),
        ("utimensat", &[Op::Utime(A)]),
        ("symlink", &[Op::Symlink("/w/l.js")]),
        ("hard link", &[Op::Link(A, "/w/h.js")]),
        ("delete", &[Op::Delete(A)]),
        ("a folder that held files", &[Op::FolderGone("/w/d", true), Op::FolderGone("/w/d", false)]),
    ];
    for (way, ops) in ways {
        let mut sim = project();
        for op in *ops {
            sim.at(20_000, op.clone());
        }
        sim.run(30_000);
        assert_eq!(sim.fired(), 1, "{way}\n{}", sim.timeline());
    }
}

#[test]
fn touch_counts_every_time_and_is_named_so() {
    let mut sim = project();
    sim.at(20_000, Op::Touch(A)).at(30_000, Op::Touch(A)).at(40_000, save(A, "new")).at(50_000, Op::Utime(A)).run(60_000);
    let kinds: Vec<ChangeKind> = sim.changes.iter().map(|(_, changes)| changes.paths[0].1).collect();
    assert_eq!(kinds, [ChangeKind::Touched, ChangeKind::Touched, ChangeKind::Written, ChangeKind::Touched], "{}", sim.timeline());
}

#[test]
fn what_is_no_change_restarts_nothing_and_is_explained() {
    let ways: &[(&str, &[Op], &str)] = &[
        ("same bytes", &[save(A, "first")], "a.js was saved with the bytes it had"),
        (
            "same bytes by vim",
            &[Op::Rename(A, "/w/a.js~"), save(A, "first"), Op::Delete("/w/a.js~")],
            "a.js was saved with the bytes it had",
        ),
        ("chmod", &[Op::Chmod(A)], "a.js changed in its metadata alone"),
        ("opened and closed", &[Op::OpenClose("/w/b.js")], "b.js was opened for writing and closed without a write"),
        ("made and removed", &[save("/w/x", "1"), Op::Delete("/w/x")], "/w/x was made and removed"),
    ];
    for (way, ops, why) in ways {
        let mut sim = project();
        for op in *ops {
            sim.at(20_000, op.clone());
        }
        sim.run(30_000);
        assert_eq!(sim.fired(), 0, "{way}\n{}", sim.timeline());
        assert!(sim.skipped.iter().any(|skipped| skipped == why), "{way}: {:?}", sim.skipped);
        assert!(sim.early.is_empty(), "{way}: nothing was confirmed");
    }
    let mut sim = project();
    expect(sim.at(20_000, Op::FolderGone("/w/empty", false)).at(20_001, Op::FolderGone("/w/empty", false)), 30_000, &[]);
}

#[test]
fn the_first_save_of_a_session_counts_the_second_same_one_does_not() {
    let mut sim = Sim::new().old("/w/b.js", "old");
    sim.at(20_000, save("/w/b.js", "old")).at(21_000, save("/w/b.js", "old")).at(22_000, Op::Chmod("/w/b.js")).run(30_000);
    assert_eq!(sim.fired(), 1, "{}", sim.timeline());
}

#[test]
fn a_slow_write_through_one_descriptor_is_waited_for() {
    let mut sim = project();
    for step in 0..15 {
        sim.at(20_000 + 10 * step, Op::Write(A, format!("piece {step}")));
    }
    sim.at(20_150, Op::Close(A));
    expect(&mut sim, 30_000, &[(20_160, 1)]);

    // Another file saved meanwhile waits for it as well, and both are one change set.
    let mut sim = project();
    sim.at(20_000, Op::Write(A, "half".into())).at(20_005, save("/w/b.js", "new"));
    sim.at(20_150, Op::Write(A, "whole".into())).at(20_150, Op::Close(A));
    sim.run(30_000);
    assert_eq!(sim.fired(), 1, "{}", sim.timeline());
    assert_eq!(sim.changes[0].1.total, 2);
}

#[test]
fn a_log_that_stays_open_holds_a_save_half_a_second_once() {
    let mut sim = project();
    for step in 0..400 {
        sim.at(20_000 + 10 * step, Op::Write("/w/out.txt", format!("line {step}")));
    }
    sim.at(20_200, save(A, "one")).at(21_500, save(A, "two")).at(22_500, save(A, "three"));
    expect(&mut sim, 24_500, &[(20_500, 1), (21_510, 1), (22_510, 1)]);
}

#[test]
fn thirty_files_in_200_ms_and_eight_with_25_ms_between_them() {
    let mut sim = project();
    for n in 0..30 {
        sim.at(20_000 + n as u64 * 20 / 3, Op::Numbered(n));
    }
    expect(&mut sim, 30_000, &[(20_243, 30)]);

    let mut sim = project();
    for n in 0..8 {
        sim.at(20_000 + n as u64 * 25, Op::Numbered(n));
    }
    sim.run(30_000);
    assert!(sim.fired() <= 2, "{}", sim.timeline());
    let total: usize = sim.changes.iter().map(|(_, changes)| changes.total).sum();
    assert_eq!(total, 8, "{}", sim.timeline());
}

#[test]
fn a_checkout_is_one_restart_because_git_holds_its_lock() {
    for files in [100, 2_000, 20_000] {
        let mut sim = project();
        sim.at(20_000, Op::Git(true));
        for n in 0..files {
            // A machine that stands still for 300 ms in the middle.
            let pause = if n > files / 2 { 300 } else { 0 };
            sim.at(20_001 + n as u64 / 40 + pause, Op::Numbered(n));
        }
        let end = 20_001 + files as u64 / 40 + 320;
        sim.at(end, Op::Git(false)).run(40_000);
        assert_eq!(sim.fired(), 1, "{files} files");
        let (at, changes) = &sim.changes[0];
        assert_eq!(changes.total, files);
        assert_eq!(changes.paths.len(), 100, "the first hundred are named");
        assert!(*at <= end + 260, "fired at {at}, {end} was the end");
        assert!(sim.early.is_empty(), "nothing stops while git works");
        assert_eq!(changes.shown, format!("src/f0.js and {} more", files - 1));
    }
}

#[test]
fn a_forgotten_git_lock_is_not_believed_for_ever() {
    let mut sim = project().old(GIT_LOCK, "");
    expect(sim.at(20_000, save(A, "new")), 30_000, &[(20_010, 1)]);
}

#[test]
fn a_manifest_waits_for_what_its_tool_writes_next() {
    let mut sim = project();
    sim.at(20_000, save("/w/package.json", "{1}")).at(20_200, save("/w/package-lock.json", "{2}"));
    expect(&mut sim, 30_000, &[(20_450, 2)]);
}

#[test]
fn a_formatter_within_the_users_delay_is_the_same_change() {
    let mut spec = spec();
    spec.delay = Some(Duration::from_millis(200));
    let mut sim = Sim::with(&spec, Script::default()).old(A, "old");
    sim.at(20_000, save(A, "new")).at(20_120, save(A, "new formatted"));
    expect(&mut sim, 30_000, &[(20_320, 1)]);

    // Without it, the first state was complete: two changes; none if the formatter has nothing to do.
    let mut sim = project();
    sim.at(20_000, save(A, "new")).at(20_120, save(A, "new formatted"));
    expect(&mut sim, 30_000, &[(20_010, 1), (20_170, 1)]);
    let mut sim = project();
    expect(sim.at(20_000, save(A, "new")).at(20_120, save(A, "new")), 30_000, &[(20_010, 1)]);
}

#[test]
fn a_series_without_end_is_told_after_two_seconds_and_fires_after_ten() {
    let mut sim = project();
    for n in 0..500 {
        sim.at(20_000 + n as u64 * 30, Op::Numbered(n));
    }
    sim.run(50_000);
    // The first file was a change set of its own; the second opened the series.
    assert_eq!((sim.changes[0].0, sim.changes[1].0), (20_010, 30_030), "{}", sim.timeline());
    let total: usize = sim.changes.iter().map(|(_, changes)| changes.total).sum();
    assert_eq!(total, 500, "nothing is lost");
    assert_eq!(sim.notices[0].0, 22_030);
    assert!(sim.notices[0].1.starts_with("watch: still changing: "), "{:?}", sim.notices);
}

#[test]
fn lost_events_are_one_rescan_and_one_restart() {
    let mut sim = project();
    sim.at(20_000, Op::Numbered(1)).at(20_001, Op::Overflow).at(20_002, Op::Overflow);
    expect(&mut sim, 30_000, &[(20_052, 1)]);
    assert_eq!((sim.rescans, sim.changes[0].1.cause), (1, Cause::Rescan));

    let mut sim = project();
    expect(sim.at(20_000, Op::Overflow), 30_000, &[(20_050, 0)]);
    assert_eq!(sim.changes[0].1.shown, "");
}

#[test]
fn an_app_begins_to_stop_at_the_first_change_and_is_always_restarted() {
    let mut sim = project();
    for n in 0..30 {
        sim.at(20_000 + n as u64 * 20 / 3, Op::Numbered(n));
    }
    sim.run(30_000);
    assert_eq!(sim.early, [(20_000, "/w/src/f0.js".into())]);
    assert_eq!(sim.fired(), 1);

    // The file that stopped it is gone before the batch settles, and its end was not told.
    let mut sim = project();
    sim.at(20_000, save(A, "new")).run(20_005);
    sim.fs.remove(A.as_ref());
    sim.run(30_000);
    assert_eq!((sim.early.len(), sim.fired()), (1, 1), "{}", sim.timeline());
    assert_eq!(sim.changes[0].1.shown, "a.js");

    // A new file may be a temporary one: nothing stops for it, and nothing at all happens if the save changes nothing.
    let mut sim = project();
    sim.at(20_000, save("/w/a.js.1234", "first")).at(20_004, Op::Rename("/w/a.js.1234", A)).run(30_000);
    assert_eq!((sim.early.len(), sim.fired()), (0, 0), "{}", sim.timeline());

    let mut spec = spec();
    spec.early_stop = false;
    let mut sim = Sim::with(&spec, Script::default());
    sim.at(20_000, save(A, "new")).run(30_000);
    assert_eq!((sim.early.len(), sim.fired()), (0, 1));
}

#[test]
fn a_save_while_the_app_stops_or_starts_is_not_lost() {
    for second in [20_015, 20_050, 20_105, 20_112, 20_130] {
        let mut sim = Sim::with(&spec(), Script { shutdown: 100, ..Script::default() }).old(A, "old").old("/w/b.js", "old");
        sim.at(20_000, save(A, "new")).at(second, save("/w/b.js", "new")).run(30_000);
        assert_eq!(sim.fired(), 2, "{second}\n{}", sim.timeline());
        let last_change = sim.changes[1].0;
        let expected = if last_change < 20_101 { 2 } else { 3 };
        assert_eq!(sim.starts(), expected, "{second}\n{}", sim.timeline());
    }
}

#[test]
fn a_save_right_after_the_change_set_is_read_late_but_never_taken_for_known() {
    // The second change set comes although the file was read, for the gate, after the first was sent.
    let mut sim = project();
    for n in 0..200 {
        sim.at(20_000, Op::Numbered(n));
    }
    sim.at(20_051, Op::Numbered(150)).run(30_000);
    assert_eq!(sim.fired(), 2, "{}", sim.timeline());
    assert_eq!(sim.changes[1].1.shown, "src/f150.js");
}

#[test]
fn an_app_that_is_down_is_started_by_any_save() {
    let mut sim = project();
    sim.run(20_000).tell(|_| Ctl::Down);
    sim.at(20_100, save(A, "first")).at(21_000, save(A, "first")).run(30_000);
    assert_eq!(sim.fired(), 1, "down once, up since\n{}", sim.timeline());
    assert_eq!(sim.starts(), 3);
}

#[test]
fn without_the_gate_every_save_counts() {
    let mut spec = spec();
    spec.gate = false;
    let mut sim = Sim::with(&spec, Script::default()).old(A, "old");
    sim.at(20_000, save(A, "old")).at(21_000, save(A, "old")).at(22_000, Op::OpenClose(A)).run(30_000);
    assert_eq!(sim.fired(), 3, "the last is within two seconds of a write\n{}", sim.timeline());
    assert_eq!(sim.fs.reads, 0);
}

#[test]
fn an_end_that_events_and_polling_both_tell_is_one_restart() {
    for gate in [true, false] {
        let spec = WatchSpec { gate, ..spec() };
        let mut sim = Sim::with(&spec, Script::default()).old(A, "old");
        expect(sim.at(20_000, Op::Delete(A)).at(21_000, Op::PolledGone(A)), 25_000, &[(20_050, 1)]);
        sim.at(26_000, Op::FolderGone("/w/empty", false)).at(26_500, save("/w/b.js", 1)).at(27_000, Op::PolledGone("/w/empty"));
        expect(&mut sim, 29_000, &[(20_050, 1), (26_510, 1)]);
        // Back with the bytes it had, and gone again: both are changes.
        sim.changes.clear();
        sim.at(30_000, save(A, "old")).at(40_000, Op::PolledGone(A)).at(41_000, Op::PolledGone(A)).run(50_000);
        assert_eq!(sim.fired(), 2, "\n{}", sim.timeline());
    }
}

#[test]
fn where_the_file_systems_clock_is_not_ours_old_times_prove_nothing() {
    let mut sim = project();
    sim.fs.our_clock = false;
    expect(sim.at(20_000, Op::OpenClose("/w/b.js")), 30_000, &[(20_010, 1)]);
    expect(sim.at(30_000, Op::OpenClose("/w/b.js")), 40_000, &[(20_010, 1)]);
}

#[test]
fn polling_waits_for_a_file_that_grows() {
    let mut sim = project();
    sim.at(20_000, Op::Polled(A, "1".into()));
    for step in 0..10 {
        sim.at(20_010 + 20 * step, Op::Grow(A, "1".repeat(step as usize + 2)));
    }
    sim.run(30_000);
    assert_eq!(sim.fired(), 1, "{}", sim.timeline());
    let at = sim.changes[0].0;
    assert!((20_210..20_270).contains(&at), "{at}");
    assert_eq!(sim.fs.bytes(A.as_ref()).len(), 11);
    sim.changes.clear();
    expect(sim.at(40_000, Op::Polled(A, "1".repeat(11))), 50_000, &[]);
}
