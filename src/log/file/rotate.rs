//! When a log file is put away, under which name, and which of those put away have to go. Pure: sizes and times come in, steps go out.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _, Zoned, tz::TimeZone};

use crate::model::RotateEvery;

/// The time in a name, in UTC: `20260304T183709.042Z`. As text they are in the order of time.
pub(in crate::log) const STAMP: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Behind the name of a file put away once it is compressed.
pub const COMPRESSED: &str = ".gz";

/// Behind that name while it is being compressed.
pub const UNFINISHED: &str = ".gz.tmp";

/// How the files of an app are rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The size at which a file is put away, in bytes; `None`: whatever its size.
    pub max_size: Option<u64>,
    /// How often it is put away whatever its size; `None`: never.
    pub every: Option<RotateEvery>,
    /// How many of those put away are kept of each file.
    pub keep: u32,
    /// Whether they are compressed.
    pub compress: bool,
    /// What all files that count together may take, in bytes; `None`: no limit.
    pub total: Option<u64>,
}

/// A log file, with those put away before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Those put away.
    pub archives: Vec<Archive>,
}

/// A file that was put away, in one form or, while it is being compressed, in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The time in its name.
    pub stamp: String,
    /// The endings that are there after the time, and the bytes of each: ``, `.gz`, `.gz.tmp`.
    pub forms: Vec<(&'static str, u64)>,
}

/// What is to be done with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The file is put away.
    Rename {
        /// Where it is.
        from: PathBuf,
        /// Where it goes; nothing is there.
        to: PathBuf,
    },
    /// One put away is no longer kept.
    Delete(PathBuf),
    /// One put away may be compressed.
    Compress(PathBuf),
}

impl Rotation {
    /// The size at which each of so many files is put away. Half of what they may take together is for those put away.
    pub fn limit(&self, files: usize) -> Option<u64> {
        let share = self.total.map(|total| (total / 2 / files.max(1) as u64).max(1));
        [self.max_size, share].into_iter().flatten().min()
    }

    /// Whether the calendar has gone on since a file was last written.
    pub fn is_over(&self, written: &Zoned, now: &Zoned) -> bool {
        self.every.is_some_and(|every| span(every, now) > span(every, written))
    }
}

/// The span of the calendar a time lies in, by its first moment in local time.
fn span(every: RotateEvery, time: &Zoned) -> jiff::civil::DateTime {
    let date = time.date();
    match every {
        RotateEvery::Hour => date.at(time.hour(), 0, 0, 0),
        RotateEvery::Day => date.at(0, 0, 0, 0),
        RotateEvery::Week => {
            let since_monday = date.weekday().to_monday_zero_offset();
            date.saturating_sub(i64::from(since_monday).days()).at(0, 0, 0, 0)
        }
        RotateEvery::Month => date.first_of_month().at(0, 0, 0, 0),
    }
}

/// How much of whole lines goes into a file that may take so many bytes more. An empty file takes its first line however long that is.
pub fn fit(lines: &[u8], room: u64, is_empty: bool) -> usize {
    if lines.len() as u64 <= room {
        return lines.len();
    }
    let room = usize::try_from(room).unwrap_or(lines.len());
    match memchr::memrchr(b'\n', &lines[..room]) {
        Some(newline) => newline + 1,
        None if is_empty => memchr::memchr(b'\n', lines).map_or(lines.len(), |newline| newline + 1),
        None => 0,
    }
}

/// The stamp in what follows the name of a log file and a dot, and the ending behind it.
pub fn stamp(rest: &str) -> Option<(&str, &'static str)> {
    let stamp = rest.get(..20)?;
    let digits = |range: std::ops::Range<usize>| stamp[range].bytes().all(|byte| byte.is_ascii_digit());
    let signs = stamp.is_ascii() && &stamp[8..9] == "T" && &stamp[15..16] == "." && &stamp[19..] == "Z";
    let ending = ["", COMPRESSED, UNFINISHED].into_iter().find(|ending| rest[20..] == **ending)?;
    (signs && digits(0..8) && digits(9..15) && digits(16..19)).then_some((stamp, ending))
}

/// The path of a file put away.
pub fn archive(path: &Path, stamp: &str, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{stamp}{ending}"));
    name.into()
}

/// Puts away the first of the files at this time, and thins out what was put away of all of them. Without a time: thins out alone.
pub fn steps(rotation: &Rotation, files: &[Present], put_away: Option<Timestamp>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut all: Vec<(&Path, Archive)> =
        files.iter().flat_map(|file| file.archives.iter().map(|archive| (file.path.as_path(), archive.clone()))).collect();
    if let (Some(now), Some(file)) = (put_away, files.first()) {
        let newest = file.archives.iter().map(|archive| archive.stamp.as_str()).max();
        let stamp = next_stamp(now, newest);
        steps.push(Step::Rename { from: file.path.clone(), to: archive(&file.path, &stamp, "") });
        all.push((&file.path, Archive { stamp, forms: vec![("", file.size)] }));
    }
    all.sort_by(|(_, one), (_, other)| other.stamp.cmp(&one.stamp));
    // Those that are written grow up to their limit before they are looked at again.
    let limit = rotation.limit(files.len()).unwrap_or(0);
    let grows = |(at, file): (usize, &Present)| if at == 0 && put_away.is_some() { limit } else { limit.max(file.size) };
    let mut taken: u64 = files.iter().enumerate().map(grows).sum();
    let mut full = false;
    let mut kept: Vec<(&Path, u32)> = Vec::new();
    for (path, one) in all {
        let at = kept.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
            kept.push((path, 0));
            kept.len() - 1
        });
        let bytes: u64 = one.forms.iter().map(|(_, bytes)| bytes).sum();
        full |= rotation.total.is_some_and(|total| taken + bytes > total);
        if full || kept[at].1 >= rotation.keep {
            steps.extend(one.forms.iter().map(|(ending, _)| Step::Delete(archive(path, &one.stamp, ending))));
            continue;
        }
        kept[at].1 += 1;
        taken += bytes;
        if rotation.compress && one.forms.iter().any(|(ending, _)| ending.is_empty()) {
            steps.push(Step::Compress(archive(path, &one.stamp, "")));
        }
    }
    steps
}

/// The time, or right after the newest there is: the order of names is that of the files, whatever the clock does.
fn next_stamp(now: Timestamp, newest: Option<&str>) -> String {
    let shown = |time: Timestamp| time.to_zoned(TimeZone::UTC).strftime(STAMP).to_string();
    let stamp = shown(now);
    match newest {
        Some(newest) if newest >= stamp.as_str() => {
            let after = jiff::civil::DateTime::strptime(STAMP, newest).ok().and_then(|time| time.to_zoned(TimeZone::UTC).ok());
            after.map_or(stamp, |time| shown(time.timestamp().saturating_add(1.millisecond()).unwrap_or(Timestamp::MAX)))
        }
        Some(_) | None => stamp,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_772_649_429, 42_000_000);

    fn rotation() -> Rotation {
        Rotation { max_size: Some(100), every: None, keep: 3, compress: true, total: None }
    }

    fn old(stamp: u32, forms: &[(&'static str, u64)]) -> Archive {
        Archive { stamp: format!("20260101T000000.{stamp:03}Z"), forms: forms.to_vec() }
    }

    fn file(name: &str, archives: Vec<Archive>) -> Present {
        Present { path: Path::new("/l").join(name), size: 90, archives }
    }

    fn told(rotation: &Rotation, files: &[Present], put_away: Option<Timestamp>) -> String {
        let short = |path: &Path| path.display().to_string().replace("20260101T000000.", "").replace("/l/", "");
        let told = steps(rotation, files, put_away).into_iter().map(|step| match step {
            Step::Rename { from, to } => format!("{} -> {}", short(&from), short(&to)),
            Step::Delete(path) => format!("delete {}", short(&path)),
            Step::Compress(path) => format!("compress {}", short(&path)),
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_file_is_put_away_and_the_oldest_goes() {
        let archives = vec![old(1, &[(".gz", 9)]), old(3, &[("", 90), (".gz.tmp", 4)]), old(2, &[(".gz", 9)])];
        insta::assert_snapshot!(told(&rotation(), &[file("a.log", archives)], Some(NOW)), @r"
        a.log -> a.log.20260304T183709.042Z
        compress a.log.20260304T183709.042Z
        compress a.log.003Z
        delete a.log.001Z.gz
        ");
    }

    #[test]
    fn nothing_is_kept_of_zero_and_nothing_is_put_away_without_a_time() {
        let none = Rotation { keep: 0, compress: false, ..rotation() };
        insta::assert_snapshot!(told(&none, &[file("a.log", Vec::new())], Some(NOW)), @r"
        a.log -> a.log.20260304T183709.042Z
        delete a.log.20260304T183709.042Z
        ");
        assert_eq!(told(&rotation(), &[file("a.log", vec![old(1, &[(".gz", 1)])])], None), "");
    }

    #[test]
    fn what_all_may_take_together_is_kept_to_by_the_oldest_of_any() {
        let capped = Rotation { total: Some(500), keep: 9, compress: false, ..rotation() };
        let out = file("out.log", vec![old(1, &[("", 90)]), old(4, &[("", 90)])]);
        let error = file("error.log", vec![old(2, &[("", 90)]), old(3, &[(".gz", 30), (".gz.tmp", 20)])]);
        // 2 x 100 are reserved; 90 + 90 + 50 are kept of the rest.
        insta::assert_snapshot!(told(&capped, &[out, error], Some(NOW)), @r"
        out.log -> out.log.20260304T183709.042Z
        delete error.log.002Z
        delete out.log.001Z
        ");
    }

    #[test]
    fn without_a_size_what_is_there_counts() {
        let capped = Rotation { max_size: None, total: Some(1000), ..rotation() };
        assert_eq!(capped.limit(2), Some(250));
        assert_eq!(Rotation { max_size: Some(10), ..capped.clone() }.limit(2), Some(10));
        assert_eq!(Rotation { total: None, ..capped }.limit(2), None);
    }

    #[test]
    fn names_are_in_order_whatever_the_clock_does() {
        assert_eq!(next_stamp(NOW, None), "20260304T183709.042Z");
        assert_eq!(next_stamp(NOW, Some("20260304T183709.041Z")), "20260304T183709.042Z");
        assert_eq!(next_stamp(NOW, Some("20260304T183709.042Z")), "20260304T183709.043Z");
        assert_eq!(next_stamp(NOW, Some("20271231T235959.999Z")), "20280101T000000.000Z");
    }

    #[test]
    fn names_that_are_not_ours_are_left_alone() {
        assert_eq!(stamp("20260304T183709.042Z"), Some(("20260304T183709.042Z", "")));
        assert_eq!(stamp("20260304T183709.042Z.gz"), Some(("20260304T183709.042Z", ".gz")));
        assert_eq!(stamp("20260304T183709.042Z.gz.tmp"), Some(("20260304T183709.042Z", ".gz.tmp")));
        for other in ["1", "20260304T183709.042Z.bak", "20260304T183709,042Z", "2026030éT18370.042Z", "20260304-183709.042Z", "x"] {
            assert_eq!(stamp(other), None, "{other}");
        }
    }

    #[test]
    fn spans_of_the_calendar_are_those_of_the_place() {
        let zone = TimeZone::fixed(jiff::tz::offset(5));
        let at = |month, day, hour| date(2026, month, day).at(hour, 30, 0, 0).to_zoned(zone.clone()).unwrap();
        let over = |every, from: Zoned, to: Zoned| Rotation { every: Some(every), ..rotation() }.is_over(&from, &to);
        assert!(over(RotateEvery::Hour, at(3, 5, 7), at(3, 5, 8)));
        assert!(!over(RotateEvery::Day, at(3, 5, 0), at(3, 5, 23)));
        assert!(over(RotateEvery::Day, at(3, 5, 23), at(3, 6, 0)));
        assert!(!over(RotateEvery::Day, at(3, 6, 0), at(3, 5, 23)), "the clock went back");
        // 2026-03-08 is a Sunday.
        assert!(!over(RotateEvery::Week, at(3, 2, 0), at(3, 8, 23)));
        assert!(over(RotateEvery::Week, at(3, 8, 23), at(3, 9, 0)));
        assert!(!over(RotateEvery::Month, at(3, 1, 0), at(3, 31, 23)));
        assert!(over(RotateEvery::Month, at(3, 31, 23), at(4, 1, 0)));
        assert!(!rotation().is_over(&at(3, 1, 0), &at(4, 1, 0)));
    }

    #[test]
    fn lines_are_never_parted_between_files() {
        assert_eq!(fit(b"aa\nbb\n", 6, false), 6);
        assert_eq!(fit(b"aa\nbb\n", 5, false), 3);
        assert_eq!(fit(b"aa\nbb\n", 2, false), 0);
        assert_eq!(fit(b"aa\nbb\n", 2, true), 3, "a file takes at least one line");
        assert_eq!(fit(b"aa\nbb\n", 0, true), 3);
    }
}
