//! Saves, rules, groups, and the handle.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_save_is_one_change_set_and_the_same_bytes_are_none() {
    let mut world = World::new(|dir| fs::write(dir.join("a.js"), "old").unwrap(), |_| ());
    world.write("a.js", "new");
    let early = world.until("early", |out| match out {
        Out::Early { path, .. } => Some(path.clone()),
        _ => None,
    });
    assert_eq!(early, paths::canonical(&world.path("a.js")));
    let (app, changes) = world.changed("change set");
    assert_eq!((app, changes.shown.as_str(), changes.total, changes.cause), (AppId(0), "a.js", 1, Cause::Files));
    world.write("a.js", "new");
    world.skipped("a.js was saved with the bytes it had");
    fs::OpenOptions::new().read(true).append(true).open(world.path("a.js")).unwrap();
    world.skipped("a.js was saved with the bytes it had");
    world.sentinel(1);
}

#[test]
fn what_rules_drop_is_named_with_its_rule() {
    let mut world = World::new(|dir| fs::write(dir.join(".gitignore"), "*.out\n").unwrap(), |spec| spec.gitignore = true);
    fs::create_dir(world.path(".git")).unwrap();
    world.skipped(".git is ignored: ");
    world.write("a.swp", "x");
    world.skipped("a.swp is ignored: the built-in pattern");
    fs::create_dir(world.path("node_modules")).unwrap();
    world.skipped("node_modules is ignored: the built-in pattern");
    fs::remove_dir(world.path("node_modules")).unwrap();
    fs::create_dir(world.path("empty")).unwrap();
    world.skipped("empty is a folder without files that count");
    fs::rename(world.path("empty"), world.path("target")).unwrap();
    world.skipped("target is ignored");
    world.sentinel(1);
}

#[test]
fn apps_with_other_folders_are_told_of_their_own_changes_alone() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["api", "web", "lib"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("a.js"), "x").unwrap();
    }
    let roots = |names: &[&str]| -> Vec<WatchRoot> {
        names.iter().map(|name| WatchRoot::Tree { path: dir.path().join(name), explicit: true }).collect()
    };
    let apps = [&["api", "lib"][..], &["web", "lib"], &["web", "lib"]];
    let apps: Vec<Watched> = apps
        .iter()
        .zip(0..)
        .map(|(names, n)| Watched {
            app: AppId(n),
            name: format!("app{n}"),
            spec: spec(dir.path(), |spec| spec.roots = roots(names)),
            rules: Vec::new(),
        })
        .collect();
    let mut world = World::start(dir, apps);
    assert_eq!(world.dirs, 3, "a folder that several groups watch is watched once");
    world.write("api/a.js", "new");
    assert_eq!(world.changed("api's change").0, AppId(0));
    for round in 0..2 {
        // Nobody else was told, and the same bytes, known to one group, are new to the other.
        world.write("lib/a.js", format!("new {round}"));
        let mut told: Vec<u32> = (0..3).map(|_| world.changed("lib's change").0.0).collect();
        told.sort_unstable();
        assert_eq!(told, [0, 1, 2]);
    }
    world.write("web/a.js", "new");
    let mut told: Vec<u32> = (0..2).map(|_| world.changed("web's change").0.0).collect();
    told.sort_unstable();
    assert_eq!(told, [1, 2]);
}

#[test]
fn polling_alone_finds_a_save() {
    let mut world =
        World::new(|dir| fs::write(dir.join("a.js"), "old").unwrap(), |spec| spec.poll = PollMode::Always(Some(Duration::from_millis(50))));
    world.write("a.js", "new");
    assert_eq!(world.changed("a polled change").1.shown, "a.js");
}

#[test]
fn files_in_a_folder_that_polling_found_may_still_grow() {
    let mut world = World::new(|_| (), |spec| spec.poll = PollMode::Always(Some(Duration::from_millis(100))));
    fs::create_dir(world.path("new")).unwrap();
    world.write("new/a.js", "x");
    let (_, changes) = world.changed("the new folder");
    let waited = world.until("the explanation", |out| match out {
        Out::Notice(notice) => notice.text.strip_prefix("api settled ")?.split(' ').next()?.parse::<u64>().ok(),
        _ => None,
    });
    assert!(waited >= 50, "{} settled after {waited} ms", changes.shown);
}

#[test]
fn dropping_the_handle_ends_the_thread() {
    let world = World::new(|_| (), |_| ());
    let World { watcher, mut rx, .. } = world;
    drop(watcher);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, async { while rx.recv().await.is_some() {} }).await });
    assert!(ended.is_ok(), "the thread holds the sender while it lives");
}

#[test]
fn a_pattern_that_cannot_be_read_is_an_error_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (tx, _rx) = unbounded_channel();
    let spec = spec(dir.path(), |spec| spec.ignore = vec!["^(".into()]);
    let apps = vec![Watched { app: AppId(0), name: "api".into(), spec, rules: Vec::new() }];
    let error = Watcher::start(without_files(apps), false, tx).unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn sockets_and_pipes_that_come_and_go_are_no_change() {
    for poll in [PollMode::Auto, PollMode::Always(Some(Duration::from_millis(100)))] {
        let bind = |path: PathBuf| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        let mut world = World::new(|dir| bind(dir.join("stale")), |spec| spec.poll = poll);
        fs::remove_file(world.path("stale")).unwrap();
        bind(world.path("api"));
        world.skipped("api is no file with contents");
        fs::rename(world.path("api"), world.path("moved")).unwrap();
        world.skipped("moved is no file with contents");
        fs::remove_file(world.path("moved")).unwrap();
        world.sentinel(1);
        // A file of that name counts again.
        bind(world.path("name"));
        world.skipped("name is no file with contents");
        world.write("file", "x");
        world.changed("the new file");
        fs::rename(world.path("file"), world.path("name")).unwrap();
        // A look at the folder may fall between the two.
        let mut told = BTreeSet::new();
        while told.len() < 2 {
            let (_, changes) = world.changed("the file in its place");
            told.extend(changes.paths.iter().map(|(path, _)| path.file_name().unwrap().to_owned()));
        }
        assert!(told.iter().eq(["file", "name"]), "the old name and the new: {told:?}");
        fs::remove_file(world.path("name")).unwrap();
        assert_eq!(world.changed("its end").1.shown, "name");
    }
}
