//! The rules of the house that a compiler does not check: which room may use which, what a room says of itself, where the platform
//! may show, and how long a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::programs::repository;

/// The rooms, in the order of the arrows: a room may use those of a lower rank, never one of its own.
const RANKS: [&[&str]; 6] = [
    &["model"],
    &["supervisor", "config", "watch", "process", "socket", "readiness", "log", "control", "boot"],
    &["ui"],
    &["runtime"],
    &["cli"],
    &["main", "lib"],
];

/// Where an operating system may be asked for by name.
const PLATFORM: [&str; 4] = ["src/process/", "src/socket/", "src/watch/backend/", "src/control/"];

/// The longest file.
const LONGEST: usize = 400;

/// The sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file of the program: its path in the repository and its text.
fn program() -> Vec<(String, String)> {
    let root = repository("");
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("it was found there").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("sources are text"))
    };
    sources(&root.join("src")).into_iter().map(named).collect()
}

/// The room of `src/<room>/…` or `src/<room>.rs`.
fn room(file: &str) -> &str {
    let inner = file.strip_prefix("src/").unwrap_or(file);
    inner.split(['/', '.']).next().unwrap_or(inner)
}

fn rank(room: &str) -> Option<usize> {
    RANKS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms a text uses: whatever follows `crate::` (or the crate's own name), braces of a `use` included.
fn used(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for (at, path) in code.match_indices("crate::").chain(code.match_indices("pmdev::")) {
        let rest = &code[at + path.len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![rest],
        };
        let first = |name: &str| name.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        rooms.extend(names.into_iter().map(first).filter(|name| !name.is_empty()));
    }
    rooms
}

/// The items of a `use` list whose opening brace is gone, split at the commas between them.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut items) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&list[begin..at]);
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// Fails with all findings, or passes.
#[track_caller]
fn none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

#[test]
fn arrows_between_rooms_run_one_way() {
    let mut wrong = Vec::new();
    for (file, text) in program() {
        let own = room(&file);
        let Some(from) = rank(own) else {
            wrong.push(format!("{file}: the room {own} is on no list; give it a place in RANKS and in docs/architecture.md"));
            continue;
        };
        for target in used(&text) {
            match rank(&target) {
                Some(to) if target != own && to >= from => wrong.push(format!("{file}: {own} may not use {target}")),
                Some(_) => {}
                None => wrong.push(format!("{file}: uses crate::{target}, which is no room")),
            }
        }
    }
    none(&wrong, "model <- the rooms that do one thing <- ui <- runtime <- cli <- main");
}

#[test]
fn uses_are_read_from_lines_and_from_braces() {
    let text = "use crate::model::{Signal, spec::{A, B}};\nuse crate::{log::{Console, Source}, ui::keys, watch};\nlet x = crate::process::now();\n// crate::cli";
    assert_eq!(used(text), ["model", "log", "ui", "watch", "process"]);
}

#[test]
fn every_room_opens_with_three_sentences() {
    let mut wrong = Vec::new();
    for (file, text) in program() {
        if file.matches('/').count() != 2 || !file.ends_with("/mod.rs") {
            continue;
        }
        let doc: String = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let sentences = doc.split_terminator(['.', '!', '?']).filter(|part| part.starts_with(' ') && part.len() > 12).count();
        if sentences < 3 {
            wrong.push(format!("{file}: {sentences} sentences: {doc}"));
        }
    }
    none(&wrong, "a room's mod.rs says what it does, what it must not do, and where to read next");
}

#[test]
fn the_platform_shows_only_where_it_may() {
    let mut wrong = Vec::new();
    for (file, text) in program() {
        if PLATFORM.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        let asks = |line: &str| {
            line.contains("cfg")
                && ["target_os", "target_family", "target_env", "unix)", "windows)", "(unix", "(windows"]
                    .iter()
                    .any(|word| line.contains(word))
        };
        let lines = text.lines().enumerate().filter(|(_, line)| asks(line));
        wrong.extend(lines.map(|(number, line)| format!("{file}:{}: {}", number + 1, line.trim())));
    }
    none(&wrong, "operating systems are told apart in process/, socket/, watch/backend/ and control/ alone");
}

#[test]
fn unsafe_code_stays_where_the_system_is_called() {
    let mut wrong = Vec::new();
    for (file, text) in program() {
        if file.starts_with("src/process/") || file.starts_with("src/socket/") {
            continue;
        }
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains("unsafe_code") || line.contains("unsafe {"));
        wrong.extend(lines.map(|(number, line)| format!("{file}:{}: {}", number + 1, line.trim())));
    }
    none(&wrong, "unsafe code is for process/ and socket/ alone");
}

#[test]
fn files_are_read_a_screen_at_a_time() {
    let mut files = program();
    files.extend(sources(&repository("tests")).into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("sources are text");
        (path.display().to_string(), text)
    }));
    let mut lengths: Vec<usize> = files.iter().map(|(_, text)| text.lines().count()).collect();
    lengths.sort_unstable();
    println!("{} files, the median has {} lines, the longest {}", lengths.len(), lengths[lengths.len() / 2], lengths[lengths.len() - 1]);
    let long = |(file, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > LONGEST).then(|| format!("{file}: {lines} lines"))
    };
    let wrong: Vec<String> = files.iter().filter_map(long).collect();
    none(&wrong, "a file that outgrows 400 lines is split by concern");
}

#[test]
fn no_module_is_named_after_nothing() {
    let empty = ["utils", "util", "helpers", "helper", "manager", "common", "misc"];
    let named = |file: &str| file.split(['/', '.']).any(|part| empty.contains(&part));
    let wrong: Vec<String> = program().into_iter().map(|(file, _)| file).filter(|file| named(file)).collect();
    none(&wrong, "a module is named after what it does");
}
