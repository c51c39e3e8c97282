//! Log files: where lines go, in which form, and what happens to the files while they are written.

mod disks;
mod files;
mod owners;
mod shared;
mod times;
mod together;
mod torture;
mod verb;

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use flate2::read::GzDecoder;

use crate::support::{PATIENCE, Project, clock, words};

/// Prints numbered lines a moment apart, for ever, on both streams.
const TICKER: &str =
    "#!/usr/bin/env bash\ntrap 'exit 0' INT\ni=0\nwhile :; do echo \"tick $i\"; echo \"oops $i\" >&2; i=$((i + 1)); sleep 0.02; done\n";

/// Has a program show the runner's own lines and the apps' last ones alone: to keep millions of lines is not the harness's business.
const FILTER: &str = "exec \"$@\" > >(exec grep --line-buffered -E 'ready |tick |\\[pmdev\\]')";

/// A project file in JSON with these apps.
fn apps(project: &Project, apps: serde_json::Value) {
    project.save("ecosystem.config.json", serde_json::json!({ "apps": apps }).to_string());
}

/// The log files below `path`, oldest first, each with what it holds, unpacked.
fn archives(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    // One that is compressed while we look has another name by the time it is read.
    let all = clock::until(PATIENCE, || {
        let files = listed(path).into_iter().map(|file| unpacked(&file).map(|bytes| (file, bytes)));
        files.collect::<Option<Vec<_>>>()
    });
    all.unwrap_or_else(|| panic!("the files of {} never stay as they are", path.display()))
}

/// A log file and what was put away of it, oldest first.
fn listed(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().expect("a file has a name").to_str().expect("it is ours");
    let mut found: Vec<PathBuf> = fs::read_dir(path.parent().expect("a file has a folder"))
        .map(|entries| entries.map(|entry| entry.expect("the folder can be read").path()).collect())
        .unwrap_or_default();
    found.retain(|file| {
        let own = file.file_name().and_then(|own| own.to_str()).unwrap_or_default();
        own.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) && !own.ends_with(".tmp")
    });
    found.sort();
    // A file and its compressed copy are both there for a moment.
    let both: Vec<PathBuf> =
        found.iter().filter(|file| found.contains(&PathBuf::from(format!("{}.gz", file.display())))).cloned().collect();
    found.retain(|file| !both.contains(file));
    if path.exists() {
        found.push(path.to_owned());
    }
    found
}

fn unpacked(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut open = File::open(file).ok()?;
    match file.extension() {
        Some(ending) if ending == "gz" => GzDecoder::new(open).read_to_end(&mut bytes).map(drop),
        _ => open.read_to_end(&mut bytes).map(drop),
    }
    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Some(bytes)
}

/// The number of a line of `misbehave --numbers`; anything else fails.
#[track_caller]
fn number(line: &[u8]) -> u64 {
    let digits = line.get(..10).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    match digits {
        Some(number) if line.len() == 63 => number,
        _ => panic!("no whole line: {:?}", String::from_utf8_lossy(line)),
    }
}

/// Every number in these bytes, which are whole lines; the app's last word is none.
#[track_caller]
fn numbers(bytes: &[u8]) -> Vec<u64> {
    assert!(
        bytes.is_empty() || bytes.ends_with(b"\n"),
        "the last line has no end: {:?}",
        String::from_utf8_lossy(&bytes[bytes.len() - 40..])
    );
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"ready ")).map(number).collect()
}

/// Waits until a file holds this text; all it holds.
#[track_caller]
fn holds(path: &Path, text: &str) -> String {
    let mut seen = String::new();
    let found = clock::comes_true(PATIENCE, || {
        seen = fs::read_to_string(path).unwrap_or_default();
        seen.contains(text)
    });
    assert!(found, "{} never held {text:?}: {seen:?}", path.display());
    seen
}

/// Follows a log file like `tail -F`, on a thread of its own, and fails where a line is no whole one or comes out of order.
struct Tail {
    over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        let over = Arc::<AtomicBool>::default();
        let end = over.clone();
        Self { over, thread: std::thread::spawn(move || follow(&path, &end)) }
    }

    /// How many lines it has seen.
    #[track_caller]
    fn seen(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the lines were whole and in order")
    }
}

fn follow(path: &Path, over: &AtomicBool) -> u64 {
    let (mut seen, mut next, mut tail) = (0, 0, Vec::new());
    let mut open: Option<File> = None;
    loop {
        let last = over.load(Ordering::Relaxed);
        let Some(file) = &mut open else {
            open = File::open(path).ok();
            if open.is_none() {
                if last {
                    return seen;
                }
                clock::at(clock::now() + Duration::from_millis(1));
            }
            continue;
        };
        let id = file.metadata().map(|about| about.ino()).ok();
        let moved = fs::metadata(path).map(|about| about.ino()).ok() != id;
        let mut block = [0; 64 << 10];
        let length = file.read(&mut block).expect("it can be read");
        tail.extend_from_slice(&block[..length]);
        while let Some(end) = tail.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = tail.drain(..=end).collect();
            if line.starts_with(b"ready ") {
                continue;
            }
            let number = number(&line[..end]);
            assert!(number >= next, "{number} comes after {next}");
            (next, seen) = (number + 1, seen + 1);
        }
        match (length, moved) {
            (0, true) => {
                assert!(tail.is_empty(), "a file was put away within a line");
                open = None;
            }
            (0, false) if last => return seen,
            (0, false) => clock::at(clock::now() + Duration::from_millis(1)),
            _ => {}
        }
    }
}

/// An app runs.
fn started(app: &str) -> words::Saying {
    words::says(format!("[pmdev] {app} started"))
}
