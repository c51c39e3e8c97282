//! The walk: what is watched, in which order, and what happens when watching fails.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{
    model::{Rule, WatchSpec},
    watch::{
        api::WatchError,
        tree::project::{Fake, Project, texts},
        walk::Listing,
    },
};

#[test]
fn as_many_watches_as_kept_folders_level_by_level() {
    let project = Project::new(&[".git/objects/", ".gitignore: out/", "out/a/b/c"]);
    for a in 0..4 {
        for b in 0..5 {
            project.make(&format!("src/{a}/{b}/file.js"));
            project.make(&format!("node_modules/{a}/{b}/file.js"));
        }
    }
    let (mut tree, _) = Project::tree(&project.spec());
    let mut set = Fake::default();
    let added = tree.add_roots(&mut set);
    assert_eq!(set.batches, [1, 1, 4, 20], "one batch a level");
    assert_eq!((added.dirs, added.kept, added.files.len(), tree.dirs(), set.watched.len()), (26, 20, 0, 26, 26));
    assert_eq!(project.kept(&tree).len(), 20);
    assert!(set.watched.iter().all(|dir| tree.holds(dir)));
}

#[test]
fn a_folder_is_listed_after_its_watch_is_there() {
    let project = Project::new(&["a/b/", "c/"]);
    let (mut tree, _) = Project::tree(&project.spec());
    let late = |dir: &Path| {
        // As another process would, just after the watch came: this makes an event, and is listed too.
        fs::write(dir.join("late.js"), "x").unwrap();
        if dir.ends_with("c") {
            fs::create_dir_all(dir.join("d/e")).unwrap();
        }
    };
    let mut set = Fake { at_watch: Some(Box::new(late)), ..Fake::default() };
    let added = tree.add_roots(&mut set);
    assert_eq!(project.names(&set.watched), ["", "a", "a/b", "c", "c/d", "c/d/e"]);
    assert_eq!(added.kept, 6, "each folder's late file is seen by the walk");
}

#[test]
fn the_limit_keeps_the_shallow_folders() {
    let project = Project::new(&["a/b/c/", "d/e/f/", "g/"]);
    let (mut tree, _) = Project::tree(&project.spec());
    let mut set = Fake { limit: Some(5), ..Fake::default() };
    let added = tree.add_roots(&mut set);
    assert_eq!(set.watched.len(), 5);
    assert!(["", "a", "d", "g"].iter().all(|name| set.watched.contains(&project.at(name))), "{:?}", set.watched);
    assert_eq!(added.errors.len(), 2, "{:?}", added.errors);
    assert!(added.errors.iter().all(|(_, error)| *error == WatchError::Limit));
    assert_eq!(tree.dirs(), 5, "what is not watched is not held");
}

#[test]
fn denied_folders_are_counted_and_vanished_ones_dropped() {
    let project = Project::new(&["a/x", "b/x", "c/x", "d/x"]);
    let failing = vec![
        (project.at("a"), WatchError::Denied),
        (project.at("b"), WatchError::Denied),
        (project.at("c"), WatchError::Gone),
        (project.at("d"), WatchError::Other("odd".into())),
    ];
    let (mut tree, _) = Project::tree(&project.spec());
    let mut set = Fake { failing: failing.clone(), ..Fake::default() };
    let added = tree.add_roots(&mut set);
    let told = format!("{} is not watched completely: 2 folders in it may not be read", project.path.display());
    assert_eq!(texts(&added.notices), [told]);
    assert_eq!(added.errors, [(project.at("d"), WatchError::Other("odd".into()))]);
    tree.clear();
    let added = tree.add_roots(&mut Fake { failing, ..Fake::default() });
    assert_eq!(texts(&added.notices), [""; 0], "once a root");
    assert!(!tree.judge(&project.at("a/x"), false).watched);
}

#[test]
fn a_folder_that_vanishes_between_watch_and_listing_is_forgotten() {
    let project = Project::new(&["a/x", "b/x"]);
    let (mut tree, _) = Project::tree(&project.spec());
    let gone = project.at("a");
    let vanish = |dir: &Path| {
        if dir == gone {
            fs::remove_dir_all(dir).unwrap();
        }
    };
    let mut set = Fake { at_watch: Some(Box::new(vanish)), ..Fake::default() };
    let added = tree.add_roots(&mut set);
    assert_eq!((texts(&added.notices).len(), added.errors.len()), (0, 0));
    assert_eq!(project.names(&set.watched), ["", "b"]);
}

#[test]
fn links_to_folders_outside_are_followed_once() {
    let outside = Project::new(&["lib/deep/a.js", "lib/.gitignore: *.css", "lib/b.css", "other/c.js"]);
    let project = Project::new(&["src/app.js", "node_modules/"]);
    symlink(outside.at("lib"), project.at("one")).unwrap();
    symlink(outside.at("lib"), project.at("src/two")).unwrap();
    symlink(outside.at("lib/deep"), project.at("src/inside-one")).unwrap();
    symlink(project.at("src"), project.at("to-src")).unwrap();
    symlink("/", project.at("to-root")).unwrap();
    symlink("nowhere", project.at("dangling")).unwrap();
    symlink(outside.at("other"), project.at("node_modules/other")).unwrap();
    symlink(outside.at("other/c.js"), project.at("file")).unwrap();
    let (mut tree, _) = Project::tree(&project.spec());
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    let mut watched: Vec<PathBuf> = ["", "src"].iter().map(|name| project.at(name)).collect();
    watched.extend([outside.at("lib"), outside.at("lib/deep")]);
    watched.sort();
    assert_eq!(set.watched.iter().cloned().collect::<Vec<_>>(), watched);
    assert!(tree.judge(&outside.at("lib/deep/a.js"), false).watched);
    assert!(!tree.judge(&outside.at("lib/b.css"), false).watched);
    assert!(tree.judge(&project.at("file"), false).watched);
    assert!(!tree.judge(&outside.at("other/c.js"), false).watched);

    fs::remove_file(project.at("one")).unwrap();
    tree.remove(&project.at("one"), &mut set);
    assert!(set.watched.contains(&outside.at("lib")), "another link leads there");
    fs::remove_file(project.at("src/two")).unwrap();
    tree.remove(&project.at("src/two"), &mut set);
    assert_eq!(project.names(&set.watched), ["", "src"], "the links are gone, and with them what they brought");
    assert!(!tree.judge(&outside.at("lib/deep/a.js"), false).watched);

    let (mut tree, _) = Project::tree(&WatchSpec { follow_symlinks: false, ..project.spec() });
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    assert_eq!(project.names(&set.watched), ["", "src"]);
}

#[test]
fn links_are_followed_eight_deep() {
    let folders: Vec<_> = (0..12).map(|_| Project::new(&["file"])).collect();
    for pair in folders.windows(2) {
        symlink(&pair[1].path, pair[0].at("next")).unwrap();
    }
    let (mut tree, _) = Project::tree(&folders[0].spec());
    tree.add_roots(&mut Fake::default());
    let held: Vec<_> = folders.iter().map(|folder| tree.holds(&folder.path)).collect();
    assert_eq!(held.iter().filter(|held| **held).count(), 9, "{held:?}");
}

#[test]
fn a_root_reached_through_a_link_is_known_by_its_real_path() {
    let project = Project::new(&["real/a.js"]);
    symlink(project.at("real"), project.at("link")).unwrap();
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["link"]), ..project.spec() });
    tree.add_roots(&mut Fake::default());
    assert_eq!(project.kept(&tree), ["real/a.js"]);
}

/// In random trees with random ignore files: what the walk kept, what `judge` says of events and what `ask` says are the same.
#[test]
fn the_walk_events_and_why_agree() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let project = random_project(&mut random);
        let ignore = if random.bool() { vec!["a/b".into(), "**/c.js".into(), "!d.js".into()] } else { Vec::new() };
        let ext = if random.bool() { Vec::new() } else { vec!["js".into()] };
        let (mut tree, _) = Project::tree(&WatchSpec { ignore, ext, ..project.spec() });
        let mut set = Fake::default();
        tree.add_roots(&mut set);
        let kept = project.kept(&tree);
        let mut todo = vec![project.path.clone()];
        let mut listing = Listing::new();
        while let Some(dir) = todo.pop() {
            listing.read(&dir).unwrap();
            for (name, kind) in listing.iter() {
                let path = dir.join(str::from_utf8(name).unwrap());
                let is_dir = kind == crate::watch::FileKind::Dir;
                let shown = project.names([&path]).remove(0);
                let walked = if is_dir { set.watched.contains(&path) } else { kept.contains(&shown) };
                let (judged, asked) = (tree.judge(&path, is_dir), tree.ask(&path, is_dir));
                assert_eq!(judged, asked, "seed {seed}: {shown}");
                assert_eq!(judged.watched && !tree.is_ignore_file(&path), walked, "seed {seed}: {shown} {judged:?}");
                if let Rule::IgnoreFile { file, line, pattern } = &judged.rule {
                    assert_eq!(fs::read_to_string(file).unwrap().lines().nth(line - 1), Some(&**pattern), "seed {seed}");
                }
                if is_dir {
                    todo.push(path);
                }
            }
        }
    }
}

fn random_project(random: &mut fastrand::Rng) -> Project {
    const DIRS: [&str; 7] = ["a", "b", "dist", "node_modules", "src", ".cache", ".git"];
    const FILES: [&str; 8] = ["a.js", "b.css", "c.js", "d.js", ".env", "e.log", ".env~", "f.d.ts"];
    const LINES: [&str; 12] =
        ["a/", "*.js", "!d.js", "/b", "dist", "src/*", "!src/a.js", "**/b/**", ".env", "*.css", "!node_modules/", "a.*"];
    let project = Project::new(&[]);
    for _ in 0..30 {
        let depth = random.usize(0..4);
        let dir: Vec<_> = (0..depth).map(|_| DIRS[random.usize(0..DIRS.len())]).collect();
        let name = FILES[random.usize(0..FILES.len())];
        project.make(dir.iter().chain(&[name]).copied().collect::<Vec<_>>().join("/").as_str());
        if random.usize(0..4) == 0 {
            let file = [".gitignore", ".ignore", ".pmdevignore"][random.usize(0..3)];
            let lines: Vec<_> = (0..random.usize(1..4)).map(|_| LINES[random.usize(0..LINES.len())]).collect();
            let path = dir.iter().chain(&[file]).copied().collect::<Vec<_>>().join("/");
            project.make(&format!("{path}: {}", lines.join(" | ")));
        }
    }
    project
}
