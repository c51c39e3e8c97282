//! Two runners that write into the same files.

use std::{collections::BTreeMap, fs};

use rustix::process::Signal;
use serde_json::json;

use super::{FILTER, apps, archives, number};
use crate::support::{PATIENCE, Project, programs, words};

/// Lines in a MiB of `misbehave --numbers`.
const LINES: u64 = (1 << 20) / 64;

/// How much each of them prints.
const MIB: u64 = 5;

#[test]
fn no_line_is_lost_torn_or_out_of_order_whichever_of_them_puts_the_files_away() {
    let projects = [Project::empty(), Project::empty()];
    let home = projects[0].outside("home");
    let mut runners = Vec::new();
    for (project, mark) in projects.iter().zip(["A", "B"]) {
        let line = format!("{} --numbers {MIB} --await-line | sed -u 's/^/{mark}/'", programs::misbehave().display());
        apps(
            project,
            json!([{
                "name": "api", "script": "sh", "args": ["-c", line], "interpreter": "none", "cwd": project.root, "autorestart": false,
                "logs": { "max_size": "1M", "keep": 100_000, "total_size": 0, "compress": true },
            }]),
        );
        let start = project.pmdev(["start", "--prod"]).env("PMDEV_HOME", &home);
        runners.push(start.wrapped(&["bash", "-c", FILTER, "bash"]).spawn());
    }
    let log = home.join("logs/api-out.log");
    for (runner, mark) in runners.iter_mut().zip(["A", "B"]) {
        runner.wait_within(PATIENCE * 4, &words::app_says(format!("{mark}ready ")));
    }
    for runner in runners {
        runner.signal(Signal::INT);
        assert_eq!(runner.finish().code, Some(0));
    }
    let mut next = BTreeMap::from([(b'A', 0), (b'B', 0)]);
    let files = archives(&log);
    for (file, bytes) in &files {
        assert!(bytes.ends_with(b"\n"), "{} ends within a line", file.display());
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line[1..].starts_with(b"ready ")) {
            let next = next.get_mut(&line[0]).unwrap_or_else(|| panic!("no whole line: {:?}", String::from_utf8_lossy(line)));
            assert_eq!(number(&line[1..]), *next, "of {} in {}", line[0] as char, file.display());
            *next += 1;
        }
    }
    assert_eq!(next.into_values().collect::<Vec<_>>(), [MIB * LINES, MIB * LINES]);
    assert!(files.len() as u64 > MIB, "{} files", files.len());
    // The end may have interrupted compressing: then the whole file is still there, and the next runner compresses it again.
    let left = fs::read_dir(home.join("logs")).expect("it was made").map(|entry| entry.expect("it can be read").path());
    for path in left {
        if let Some(whole) = path.to_str().and_then(|path| path.strip_suffix(".gz.tmp")) {
            assert!(fs::exists(whole).expect("it can be looked at"), "{} has no whole file beside it", path.display());
        }
    }
}
