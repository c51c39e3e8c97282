use std::{
    fs::{self, OpenOptions},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use super::*;
use crate::log::{file::place::Place, history::Lines};

/// A file and when it was written, in milliseconds after some day.
struct Log {
    _folder: TempDir,
    path: PathBuf,
}

const DAY: i64 = 1_772_649_000_000;

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.log");
        Self { _folder: folder, path }
    }

    /// Somebody appends lines.
    fn append(&self, lines: &str, time: i64) -> u64 {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(DAY + time).unwrap())).unwrap();
        file.metadata().unwrap().len() - lines.len() as u64
    }

    fn open(&self) -> Times {
        let Place::Spot(place) = place::find(&self.path, None).unwrap() else { panic!("a device") };
        let file = place.open(OFlags::WRONLY | OFlags::CREATE, 0o600).unwrap();
        Times::open(&place, &file.metadata().unwrap())
    }

    /// A runner does, each line at a time of its own.
    fn write(&self, times: &mut Times, lines: &[(&str, i64)]) {
        for (line, time) in lines {
            let start = self.append(line, *time);
            times.wrote(start, line.len() as u64, [(0, DAY + time)].into_iter(), DAY + time);
        }
    }

    /// Each line with its time, or a `<` and when it came at the latest.
    fn told(&self) -> String {
        let mut lines = Lines::of(&self.path, None).unwrap();
        let mut told = Vec::new();
        while let Some(line) = lines.line().unwrap() {
            let when = match lines.when() {
                When::At(time) => (time - DAY).to_string(),
                When::By(time) => format!("<{}", time - DAY),
            };
            told.push(format!("{} {when}", String::from_utf8(line).unwrap()));
        }
        told.reverse();
        told.join(", ")
    }

    fn beside(&self) -> PathBuf {
        beside(&self.path)
    }
}

#[test]
fn each_run_of_a_runner_adds_to_what_is_known() {
    let log = Log::new();
    let mut times = log.open();
    assert!(!log.beside().exists(), "there is nothing to say");
    log.write(&mut times, &[("a\n", 0), ("b\n", 500), ("c\n", 90_000)]);
    assert_eq!(log.told(), "a 0, b 500, c 90000");
    let mut times = log.open();
    log.write(&mut times, &[("d\n", 200_000)]);
    assert_eq!(log.told(), "a 0, b 500, c 90000, d 200000");
    // What came in one moment has one entry.
    let start = log.append("e\nf\ng\n", 200_900);
    times.wrote(start, 6, [(0, DAY + 200_700), (4, DAY + 200_850)].into_iter(), DAY + 200_900);
    assert_eq!(log.told(), "a 0, b 500, c 90000, d 200000, e 200700, f 200700, g 200850");
    assert_eq!(fs::metadata(log.beside()).unwrap().len(), ENTRY * 7);
}

#[test]
fn what_somebody_else_wrote_came_at_the_latest_when_that_was_seen() {
    let log = Log::new();
    log.append("old\n", 0);
    assert_eq!(log.told(), "old <0");
    let mut times = log.open();
    log.write(&mut times, &[("a\n", 60_000)]);
    assert_eq!(log.told(), "old <0, a 60000");
    log.append("x\n", 70_000);
    assert_eq!(log.told(), "old <0, a <70000, x <70000", "which of them is whose is not known");
    log.write(&mut times, &[("b\n", 80_000)]);
    assert_eq!(log.told(), "old <0, a 60000, x <80000, b 80000");
    drop(times);
    log.append("y\n", 90_000);
    let mut times = log.open();
    log.write(&mut times, &[("c\n", 100_000)]);
    assert_eq!(log.told(), "old <0, a 60000, x <80000, b <90000, y <90000, c 100000");
}

#[test]
fn an_end_within_a_line_makes_nothing_newer() {
    let log = Log::new();
    log.append("old\nhal", 0);
    let mut times = log.open();
    times.mended(log.append("\n", 60_000) + 1);
    log.write(&mut times, &[("a\n", 60_000)]);
    assert_eq!(log.told(), "old <0, hal <0, a 60000");
}

#[test]
fn times_that_do_not_fit_their_file_are_of_no_use() {
    let log = Log::new();
    let mut times = log.open();
    log.write(&mut times, &[("a\n", 0), ("b\n", 1000)]);
    let kept = fs::read(log.beside()).unwrap();
    // A file of somebody else, whose inode is another one as long as the first is there.
    fs::rename(&log.path, log.path.with_extension("1")).unwrap();
    log.append("new\nnew\n", 5000);
    assert_eq!(log.told(), "new <5000, new <5000");
    let mut times = log.open();
    log.write(&mut times, &[("c\n", 9000)]);
    assert_eq!(log.told(), "new <5000, new <5000, c 9000");
    fs::write(log.beside(), &kept[..20]).unwrap();
    assert_eq!(log.told(), "new <9000, new <9000, c <9000");
    fs::remove_file(log.beside()).unwrap();
    assert_eq!(log.told(), "new <9000, new <9000, c <9000");
}

#[test]
fn an_emptied_file_begins_anew_whoever_empties_it() {
    let log = Log::new();
    let mut times = log.open();
    log.write(&mut times, &[("a\n", 0), ("b\n", 1000)]);
    fs::write(&log.path, "").unwrap();
    times.emptied();
    log.write(&mut times, &[("c\n", 2000), ("d\n", 3000)]);
    assert_eq!(log.told(), "c 2000, d 3000");
    // As copytruncate of logrotate(8) does.
    fs::write(&log.path, "").unwrap();
    log.write(&mut times, &[("e\n", 4000)]);
    assert_eq!(log.told(), "e 4000");
    fs::write(&log.path, "").unwrap();
    log.append("x\n", 7000);
    let mut times = log.open();
    log.write(&mut times, &[("f\n", 9000)]);
    assert_eq!(log.told(), "x <7000, f 9000");
}

#[test]
fn times_that_were_not_written_to_the_end_are_as_good_as_their_whole_entries() {
    let log = Log::new();
    let mut times = log.open();
    log.write(&mut times, &[("a\n", 0), ("b\n", 2000), ("c\n", 4000)]);
    OpenOptions::new().write(true).open(log.beside()).unwrap().set_len(ENTRY * 4 - 3).unwrap();
    assert_eq!(log.told(), "a 0, b <4000, c <4000");
    let mut times = log.open();
    log.write(&mut times, &[("d\n", 9000)]);
    assert_eq!(log.told(), "a 0, b <4000, c <4000, d 9000");
}

#[test]
fn bytes_that_wait_have_their_times() {
    let mut came = Came::default();
    for (before, now) in [(0, 1000), (10, 1000), (20, 1100), (30, 1199), (40, 3000), (50, 900)] {
        came.push(before, now);
    }
    assert_eq!(came.take(0, 25), [(0, 1000), (20, 1100)]);
    assert_eq!(came.take(25, 35), [(0, 1100), (5, 1199)]);
    assert_eq!(came.take(35, 60), [(0, 1199), (5, 3000), (15, 900)], "the clock went back");
    assert_eq!(came.take(60, 70), [(0, 900)]);
}

#[test]
fn who_says_much_has_fewer_of_them() {
    let mut came = Came::default();
    for now in 0..60_000 {
        came.push(u64::try_from(now).unwrap(), 1_000_000 + now);
    }
    let times: Vec<i64> = came.take(0, 60_000).into_iter().map(|(_, time)| time).collect();
    assert!((345..=355).contains(&times.len()), "{}", times.len());
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= APART), "{times:?}");
}
