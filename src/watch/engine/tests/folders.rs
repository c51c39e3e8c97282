//! Folders that come, go, move and fill at once.

use super::*;

#[test]
fn nothing_is_lost_in_folders_made_and_filled_at_once() {
    let mut world = World::new(|_| (), |spec| spec.ext = vec!["js".into(), "sentinel".into()]);
    let mut want = Vec::new();
    for trial in 0..15 {
        let deep = world.path(&format!("t{trial}/b/c/d/e"));
        fs::create_dir_all(&deep).unwrap();
        for (nth, dir) in deep.ancestors().take(5).enumerate() {
            fs::write(dir.join(format!("f{nth}.js")), "x").unwrap();
            want.push(dir.join(format!("f{nth}.js")));
        }
    }
    // A tree prepared elsewhere and moved in.
    let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
    fs::create_dir_all(outside.path().join("m/n")).unwrap();
    for nth in 0..10 {
        fs::write(outside.path().join(format!("m/n/{nth}.js")), "x").unwrap();
        want.push(world.path(&format!("m/n/{nth}.js")));
    }
    fs::rename(outside.path().join("m"), world.path("m")).unwrap();
    let mut seen = std::collections::HashSet::new();
    while seen.len() < want.len() {
        let (_, changes) = world.changed("the rest of the new files");
        assert!(changes.total <= 100, "all paths are named");
        seen.extend(changes.paths.iter().map(|(path, _)| path.clone()));
    }
    for path in &want {
        assert!(seen.contains(&paths::canonical(path)), "{} was lost", path.display());
    }
    // And later saves in them are seen.
    world.write("t7/b/c/d/e/f0.js", "later");
    while world.changed("a save in a new folder").1.shown != "t7/b/c/d/e/f0.js" {}
    world.write("m/n/3.js", "later");
    while world.changed("a save in a moved-in folder").1.shown != "m/n/3.js" {}
}

#[test]
fn folders_renamed_moved_out_and_replaced_stay_seen() {
    let mut world = World::new(
        |dir| {
            fs::create_dir_all(dir.join("d/e")).unwrap();
            fs::write(dir.join("d/e/a.js"), "x").unwrap();
        },
        |_| (),
    );
    fs::rename(world.path("d"), world.path("r")).unwrap();
    let (_, changes) = world.changed("the renamed folder");
    let shown: Vec<_> =
        changes.paths.iter().map(|(path, _)| path.strip_prefix(paths::canonical(world.dir.path())).unwrap().to_owned()).collect();
    assert!(shown.contains(&PathBuf::from("r/e/a.js")), "{shown:?}");
    world.write("r/e/a.js", "new");
    assert_eq!(world.changed("a save in the renamed folder").1.shown, "r/e/a.js");
    let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
    fs::rename(world.path("r"), outside.path().join("r")).unwrap();
    assert_eq!(world.changed("the moved-out folder").1.shown, "r");
    fs::write(outside.path().join("r/e/a.js"), "not ours any more").unwrap();
    world.sentinel(1);
    // Replaced under its name, again and again: the new one is watched.
    for nth in 0..10 {
        let _none_the_first_time = fs::remove_dir_all(world.path("d"));
        fs::create_dir(world.path("d")).unwrap();
        fs::write(world.path("d/a.js"), nth.to_string()).unwrap();
    }
    world.sentinel_after("the replaced folder");
    world.write("d/a.js", "later");
    assert_eq!(world.changed("a save in the replaced folder").1.shown, "d/a.js");
    fs::remove_dir_all(world.path("d")).unwrap();
    assert!(world.changed("the removed folder").1.paths.iter().any(|(path, _)| path.ends_with("d")));
    world.sentinel(3);
}

#[test]
fn an_empty_folder_renamed_and_gone_before_anybody_looked_is_no_change() {
    let mut world = World::new(|dir| fs::create_dir(dir.join("old")).unwrap(), |_| ());
    for raw in [Raw::Gone(world.path("old")), Raw::MovedIn(world.path("new")), Raw::Gone(world.path("old")), Raw::Gone(world.path("new"))] {
        world.watcher.feed.raw(now(), raw);
    }
    world.skipped("new was a folder");
    world.sentinel(1);
}

#[test]
fn a_checkout_under_gits_lock_is_one_change_set() {
    let mut world = World::new(|dir| fs::create_dir(dir.join(".git")).unwrap(), |_| ());
    world.write(".git/index.lock", "");
    for folder in 0..40 {
        fs::create_dir(world.path(&format!("d{folder}"))).unwrap();
        for file in 0..50 {
            world.write(&format!("d{folder}/{file}.js"), "x");
        }
    }
    fs::remove_file(world.path(".git/index.lock")).unwrap();
    let (_, changes) = world.changed("the checkout");
    assert_eq!((changes.total, changes.paths.len()), (2_000, 100));
    world.sentinel(1);
}

#[test]
fn a_root_that_goes_and_comes_back_is_watched_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("app");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.js"), "x").unwrap();
    let app = Watched { app: AppId(0), name: "api".into(), spec: spec(&root, |_| ()), rules: Vec::new() };
    let mut world = World::start(dir, vec![app]);
    fs::remove_dir_all(&root).unwrap();
    world.changed("the end of the root");
    fs::create_dir(&root).unwrap();
    world.write("app/a.js", "back");
    while world.changed("the root's return").1.shown != "a.js" {}
    world.write("app/a.js", "later");
    assert_eq!(world.changed("a save after the return").1.shown, "a.js");
}

#[test]
fn links_to_folders_elsewhere_are_followed_as_they_come_go_and_turn() {
    let mut world = World::new(|_| (), |_| ());
    let outside = tempfile::tempdir().unwrap();
    for dir in ["one", "two"] {
        fs::create_dir(outside.path().join(dir)).unwrap();
        fs::write(outside.path().join(dir).join("a.js"), "x").unwrap();
    }
    let link = |to: &str, name: &Path| std::os::unix::fs::symlink(outside.path().join(to), name).unwrap();
    let save = |world: &mut World, dir: &str, text: &str| {
        let file = paths::canonical(&outside.path().join(dir).join("a.js"));
        fs::write(&file, text).unwrap();
        assert_eq!(world.changed("a save behind the link").1.paths[0].0, file);
    };
    let shared = world.path("shared");
    for nth in ["new", "newer"] {
        link("one", &shared);
        assert_eq!(world.changed("the link").1.shown, "shared");
        save(&mut world, "one", nth);
        fs::remove_file(&shared).unwrap();
        assert_eq!(world.changed("the end of the link").1.shown, "shared");
    }
    link("one", &shared);
    world.changed("the link");
    link("two", &world.path("shared.new"));
    fs::rename(world.path("shared.new"), &shared).unwrap();
    world.sentinel_after("the link that was turned");
    save(&mut world, "two", "new");
    fs::write(outside.path().join("one/a.js"), "nobody's").unwrap();
    world.sentinel(1);
}
