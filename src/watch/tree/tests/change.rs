//! What becomes of the tree while folders come and go and ignore files change.

use std::{fs, path::Path};

use crate::{
    model::WatchSpec,
    watch::tree::{
        Tree,
        project::{Fake, Project, texts},
    },
};

fn watched<'a>(project: &Project) -> (Tree, Fake<'a>) {
    let (mut tree, _) = Project::tree(&project.spec());
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    (tree, set)
}

#[test]
fn a_new_nested_folder_brings_all_its_files() {
    let project = Project::new(&["src/app.js"]);
    let (mut tree, mut set) = watched(&project);
    project.make("src/a/b/c.js");
    project.make("src/a/d.js");
    project.make("src/a/node_modules/x.js");
    let added = tree.add(&project.at("src/a"), &mut set);
    assert_eq!(project.names(&added.files), ["src/a/b/c.js", "src/a/d.js"]);
    assert_eq!((added.dirs, added.kept), (2, 2));
    let again = tree.add(&project.at("src/a/b"), &mut set);
    assert_eq!((again.dirs, again.files.len()), (0, 0), "its own event comes later, and says nothing new");
    assert!(tree.judge(&project.at("src/a/b/new.js"), false).watched);
}

#[test]
fn an_ignored_folder_is_known_as_a_folder_when_it_goes() {
    let project = Project::new(&["src/app.js", "node_modules/x/y.js", "target/debug/"]);
    let (mut tree, mut set) = watched(&project);
    project.make("src/node_modules/x.js");
    let added = tree.add(&project.at("src/node_modules"), &mut set);
    assert_eq!((added.dirs, added.files.len()), (0, 0));
    for name in ["node_modules", "target", "src/node_modules"] {
        fs::remove_dir_all(project.at(name)).unwrap();
        let removed = tree.remove(&project.at(name), &mut set);
        assert!(!removed.was_watched && !removed.held_files, "{name}");
        assert!(!tree.judge(&project.at(name), false).watched, "the report of {name} does not say that it was a folder");
    }
    assert!(tree.judge(&project.at("other"), false).watched);
}

#[test]
fn a_folder_that_goes_takes_everything_below_it_along() {
    let project = Project::new(&["a/b/c/x.js", "ab/x.js", "z.js"]);
    let (mut tree, mut set) = watched(&project);
    fs::rename(project.at("a"), project.at("moved")).unwrap();
    let removed = tree.remove(&project.at("a"), &mut set);
    assert!(removed.was_watched && removed.held_files);
    assert_eq!(project.names(&set.watched), ["", "ab"]);
    assert!(!tree.remove(&project.at("a"), &mut set).was_watched, "the second report");
    let added = tree.add(&project.at("moved"), &mut set);
    assert_eq!(project.names(&added.files), ["moved/b/c/x.js"]);
    assert_eq!(project.names(&set.watched), ["", "ab", "moved", "moved/b", "moved/b/c"]);
    for name in ["moved/b/c", "moved/b", "moved"] {
        let removed = tree.remove(&project.at(name), &mut set);
        assert!(removed.was_watched, "{name}");
        fs::remove_dir_all(project.at("moved")).ok();
    }
    assert_eq!(project.names(&set.watched), ["", "ab"]);
}

#[test]
fn an_empty_folder_held_no_files_until_one_was_judged_in_it() {
    let project = Project::new(&["empty/deep/", "later/"]);
    let (mut tree, mut set) = watched(&project);
    assert!(tree.judge(&project.at("later/new.js"), false).watched);
    assert!(!tree.judge(&project.at("empty/deep/x.log"), false).watched);
    fs::remove_dir_all(project.at("empty")).unwrap();
    fs::remove_dir_all(project.at("later")).unwrap();
    assert!(!tree.remove(&project.at("empty"), &mut set).held_files);
    assert!(tree.remove(&project.at("later"), &mut set).held_files);
}

#[test]
fn a_late_report_of_an_end_does_not_lose_the_folder_that_is_there_again() {
    let project = Project::new(&["a/old.js"]);
    let (mut tree, mut set) = watched(&project);
    fs::remove_dir_all(project.at("a")).unwrap();
    project.make("a/new.js");
    let removed = tree.remove(&project.at("a"), &mut set);
    assert!(removed.was_watched);
    assert_eq!(project.names(&removed.added.files), ["a/new.js"]);
    assert!(tree.holds(&project.at("a")) && set.watched.contains(&project.at("a")));
}

#[test]
fn an_ignore_file_that_changes_is_read_again() {
    let project = Project::new(&["gen/deep/a.js", "lib/b.js", "lib/.gitignore: c.js", "lib/c.js", "d.css"]);
    let (mut tree, mut set) = watched(&project);
    assert!(tree.is_ignore_file(&project.at(".gitignore")) && tree.is_ignore_file(&project.at("lib/.ignore")));
    assert!(!tree.is_ignore_file(&project.at("gen/a.js")) && !tree.is_ignore_file(&project.at("none/.gitignore")));

    project.make(".gitignore: gen/ | *.css | { | ");
    let added = tree.ignore_file_changed(&project.at(".gitignore"), &mut set);
    assert_eq!((added.dirs, added.files.len(), texts(&added.notices).len()), (0, 0, 1));
    assert_eq!(project.names(&set.watched), ["", "lib"]);
    assert_eq!(project.kept(&tree), ["lib/b.js"]);
    assert!(!tree.judge(&project.at("gen"), false).watched, "it is known as a folder");

    project.make("lib/.gitignore: b.js");
    tree.ignore_file_changed(&project.at("lib/.gitignore"), &mut set);
    assert_eq!(project.kept(&tree), ["lib/c.js"]);

    fs::remove_file(project.at(".gitignore")).unwrap();
    let added = tree.ignore_file_changed(&project.at(".gitignore"), &mut set);
    assert_eq!((added.dirs, added.files.len()), (2, 0), "no restart for what is only watched anew");
    assert_eq!(project.names(&set.watched), ["", "gen", "gen/deep", "lib"]);
    assert_eq!(project.kept(&tree), ["d.css", "gen/deep/a.js", "lib/c.js"]);
}

#[test]
fn an_ignore_file_that_comes_with_its_folder_is_no_change() {
    let project = Project::new(&[]);
    let (mut tree, mut set) = watched(&project);
    project.make("env/.gitignore: *.pyc");
    let added = tree.add(&project.at("env"), &mut set);
    assert_eq!((added.dirs, added.kept, added.files.len()), (1, 0, 0));
    assert!(!tree.remove(&project.at("env"), &mut set).held_files);
}

#[test]
fn a_named_root_inside_stays_when_an_ignore_file_prunes_its_surroundings() {
    let project = Project::new(&["gen/keep/a.js", "gen/other/b.js"]);
    let mut roots = project.spec().roots;
    roots.extend(project.roots(&["gen/keep"]));
    let (mut tree, _) = Project::tree(&WatchSpec { roots, ..project.spec() });
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    assert_eq!(project.names(&set.watched), ["", "gen", "gen/keep", "gen/other"]);
    project.make(".gitignore: gen/");
    tree.ignore_file_changed(&project.at(".gitignore"), &mut set);
    assert_eq!(project.names(&set.watched), ["", "gen/keep"]);
    assert!(tree.judge(&project.at("gen/keep/a.js"), false).watched);
    fs::rename(project.at("gen"), project.at("away")).unwrap();
    let removed = tree.remove(&project.at("gen/keep"), &mut set);
    assert!(removed.was_watched && removed.held_files);
}

#[test]
fn a_root_that_goes_is_waited_for_from_above() {
    let project = Project::new(&["a/root/x.js", "a/b.js"]);
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["a/root"]), ..project.spec() });
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    assert_eq!(project.names(&set.watched), ["a/root"]);

    fs::remove_dir_all(project.at("a/root")).unwrap();
    let removed = tree.remove(&project.at("a/root"), &mut set);
    assert!(removed.was_watched && removed.held_files);
    assert_eq!(texts(&removed.added.notices), ["a/root is not there: it is watched as soon as it appears"]);
    assert_eq!(project.names(&set.watched), ["a"]);
    assert!(!tree.judge(&project.at("a/b.js"), false).watched);

    fs::remove_dir_all(project.at("a")).unwrap();
    tree.remove(&project.at("a"), &mut set);
    assert_eq!(project.names(&set.watched), [""]);

    project.make("a/root/new.js");
    assert!(tree.judge(&project.at("a"), true).watched, "it is on the way");
    let added = tree.add(&project.at("a"), &mut set);
    assert_eq!(project.names(&added.files), ["a/root/new.js"]);
    assert_eq!(project.names(&set.watched), ["a/root"], "what stood in for it is let go");
}

#[test]
fn a_missing_root_is_found_when_its_folders_come_one_by_one() {
    let project = Project::new(&["app.js"]);
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["x/y/z"]), ..project.spec() });
    let mut set = Fake::default();
    let added = tree.add_roots(&mut set);
    assert_eq!(texts(&added.notices), ["x/y/z is not there: it is watched as soon as it appears"]);
    assert_eq!(project.names(&set.watched), [""]);
    assert!(!tree.judge(&project.at("app.js"), false).watched);
    for (made, names) in [("x/", "x"), ("x/y/", "x/y"), ("x/y/z/a.js", "x/y/z")] {
        project.make(made);
        tree.add(&project.at(names), &mut set);
        assert_eq!(project.names(&set.watched), [names], "the nearest folder alone");
    }
    assert_eq!(project.kept(&tree), ["x/y/z/a.js"]);
}

#[test]
fn a_root_that_appears_while_it_is_being_missed_is_walked() {
    let project = Project::new(&["root/"]);
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["root"]), ..project.spec() });
    tree.add_roots(&mut Fake::default());
    fs::remove_dir(project.at("root")).unwrap();
    let above = project.path.clone();
    let at_watch = |dir: &Path| {
        if dir == above {
            project.make("root/a.js");
        }
    };
    let mut set = Fake { at_watch: Some(Box::new(at_watch)), ..Fake::default() };
    let removed = tree.remove(&project.at("root"), &mut set);
    assert_eq!(project.names(&removed.added.files), ["root/a.js"]);
    assert_eq!(project.names(&set.watched), ["root"]);
    assert!(tree.judge(&project.at("root/b.js"), false).watched);
}

#[test]
fn a_named_file_that_comes_with_its_folder_is_a_change() {
    let project = Project::new(&["conf/app.ini"]);
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["conf/app.ini"]), ..project.spec() });
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    fs::rename(project.at("conf"), project.at("old")).unwrap();
    tree.remove(&project.at("conf"), &mut set);
    fs::rename(project.at("old"), project.at("conf")).unwrap();
    assert_eq!(project.names(&tree.add(&project.at("conf"), &mut set).files), ["conf/app.ini"]);
}

#[test]
fn a_named_file_is_watched_through_its_folder_alone() {
    let project = Project::new(&["conf/app.ini", "conf/other.ini", "conf/sub/", "src/a.js"]);
    let (mut tree, _) = Project::tree(&WatchSpec { roots: project.roots(&["conf/app.ini", "src"]), ..project.spec() });
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    assert_eq!(project.names(&set.watched), ["conf", "src"]);
    assert_eq!(project.kept(&tree), ["conf/app.ini", "src/a.js"]);
    assert!(!tree.judge(&project.at("conf/other.ini"), false).watched);
    assert_eq!(tree.add(&project.at("conf/sub"), &mut set).dirs, 0);
    fs::remove_dir_all(project.at("conf")).unwrap();
    tree.remove(&project.at("conf"), &mut set);
    assert_eq!(project.names(&set.watched), ["", "src"]);
    project.make("conf/app.ini");
    tree.add(&project.at("conf"), &mut set);
    assert_eq!(project.names(&set.watched), ["conf", "src"]);
}

#[test]
fn a_rescan_starts_from_nothing() {
    let project = Project::new(&["a/x.js"]);
    let (mut tree, _) = watched(&project);
    project.make("b/y.js");
    fs::remove_dir_all(project.at("a")).unwrap();
    tree.clear();
    assert_eq!(tree.dirs(), 0);
    let mut set = Fake::default();
    let added = tree.add_roots(&mut set);
    assert_eq!((project.names(&set.watched), added.kept), (vec![String::new(), "b".into()], 1));
}
