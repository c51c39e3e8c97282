//! What is planned and said before and at the first walk.

use std::fs;

use crate::{
    model::{ErrorKind, PollMode, WatchRoot, WatchSpec},
    watch::{
        tree::{
            Tree,
            project::{Fake, Project, texts},
        },
        why,
    },
};

#[test]
fn the_running_scripts_folder_is_watched_where_files_would_prune_it() {
    let project = Project::new(&[".git/", ".gitignore: # built | dist/", "dist/main.js", "dist/lib/a.js", "src/main.ts"]);
    let spec = WatchSpec { script: Some(project.at("dist/main.js")), ..project.spec() };
    let (mut tree, said) = Project::tree(&spec);
    assert_eq!(said, ["dist is watched although .gitignore:2 (dist/) ignores it: dist/main.js runs from there"]);
    tree.add_roots(&mut Fake::default());
    assert_eq!(project.kept(&tree), ["dist/lib/a.js", "dist/main.js", "src/main.ts"]);

    let target = Project::new(&["target/debug/app", "src/main.rs"]);
    let spec = WatchSpec { script: Some(target.at("target/debug/app")), ..target.spec() };
    let (_, said) = Project::tree(&spec);
    assert_eq!(said, ["target/debug is watched although the built-in pattern \"target/\" ignores it: target/debug/app runs from there"]);
}

#[test]
fn but_not_against_the_user_nor_in_node_modules_nor_where_it_is_watched() {
    let project = Project::new(&["dist/main.js", "node_modules/tool/cli.js", "src/main.js"]);
    let script = |name: &str| WatchSpec { script: Some(project.at(name)), ignore: vec!["dist".into()], ..project.spec() };
    for name in ["dist/main.js", "node_modules/tool/cli.js", "src/main.js"] {
        assert_eq!(Project::tree(&script(name)).1, [""; 0], "{name}");
    }
    let elsewhere = WatchSpec { roots: project.roots(&["src"]), ..script("dist/main.js") };
    assert_eq!(Project::tree(&elsewhere).1, [""; 0]);
}

#[test]
fn a_pattern_that_takes_nothing_back_is_told() {
    let project = Project::new(&[
        ".gitignore: build/ | !build/keep.js | .vscode/* | !.vscode/settings.json | logs/* | !logs/keep | !nothing/there/",
        "build/keep.js",
        ".vscode/settings.json",
        "logs/keep",
        "node_modules/mine/index.js",
        "sub/.pmdevignore: gen/ | !gen/a/b.js",
        "sub/gen/a/b.js",
    ]);
    let spec = WatchSpec { ignore: vec!["!node_modules/mine".into(), "!logs/other".into()], ..project.spec() };
    let (mut tree, _) = Project::tree(&spec);
    let added = tree.add_roots(&mut Fake::default());
    let mut said = texts(&added.notices);
    said.sort();
    assert_eq!(
        said,
        [
            "\"!build/keep.js\" (.gitignore:2) takes nothing back: .gitignore:1 (build/) ignores build as a whole",
            "\"!gen/a/b.js\" (sub/.pmdevignore:2) takes nothing back: sub/.pmdevignore:1 (gen/) ignores sub/gen as a whole",
            "\"!node_modules/mine\" takes nothing back: the built-in pattern \"node_modules/\" ignores node_modules as a whole",
        ]
    );
    let hint = added.notices.iter().find(|notice| notice.text.contains("build/keep")).unwrap().hint.clone();
    assert_eq!(hint.as_deref(), Some("name it instead: watch: [\"build/keep.js\"]"));
    tree.clear();
    assert_eq!(texts(&tree.add_roots(&mut Fake::default()).notices), [""; 0], "a rescan says it again");
}

#[test]
fn a_bad_line_is_told_and_the_others_stay() {
    let project = Project::new(&["web/.gitignore: a.css | {b | c.css", "web/x"]);
    let (mut tree, _) = Project::tree(&project.spec());
    let added = tree.add_roots(&mut Fake::default());
    let [notice] = &added.notices[..] else { panic!("{:?}", added.notices) };
    let start = format!("{}:2: {{b is not a pattern, so the line is left out: ", project.at("web/.gitignore").display());
    assert!(notice.text.starts_with(&start), "{}", notice.text);
    let watched = |name: &str| tree.judge(&project.at(name), false).watched;
    assert_eq!([watched("web/a.css"), watched("web/c.css"), watched("web/b")], [false, false, true]);
}

#[test]
fn a_bad_glob_or_regex_is_refused_with_the_line_to_write() {
    let project = Project::new(&[]);
    let refused = |spec: WatchSpec| {
        let error = Tree::with_global(&spec, None).expect_err("it was taken");
        assert_eq!(error.kind, ErrorKind::Usage);
        error
    };
    let error = refused(WatchSpec { ignore: vec!["src/!(a|b).js".into()], ..project.spec() });
    assert_eq!(error.message, "The ignore pattern \"src/!(a|b).js\" uses !(...), which is not understood");
    assert_eq!(error.hint.as_deref(), Some("write \"src/*.js\", and after it \"!src/a.js\", \"!src/b.js\""));
    let error = refused(WatchSpec { roots: vec![WatchRoot::Glob("/w/src/{a".into())], ..project.spec() });
    assert!(error.message.starts_with("The watch entry \"/w/src/{a\""), "{}", error.message);
    assert!(why::decide(&WatchSpec { ignore: vec!["^(".into()], ..project.spec() }, &project.path).is_err());
}

#[test]
fn why_answers_without_a_walk() {
    let project = Project::new(&[".gitignore: dist/", "dist/a/b.js", "src/app.js", "node_modules/x/y.js"]);
    fs::create_dir(project.at("real")).unwrap();
    std::os::unix::fs::symlink(project.at("real"), project.at("link")).unwrap();
    let outside = Project::new(&["lib/a.js", "lib/.gitignore: *.css"]);
    std::os::unix::fs::symlink(outside.at("lib"), project.at("lib")).unwrap();
    std::os::unix::fs::symlink(outside.at("lib"), project.at("dist/lib")).unwrap();
    let spec = WatchSpec { poll: PollMode::Never, ..project.spec() };
    let why = |name: &str| {
        let decision = why::decide(&spec, &project.at(name)).unwrap();
        let at = decision.pruned_at.map(|at| at.strip_prefix(&project.path).unwrap().display().to_string());
        (decision.watched, at)
    };
    assert_eq!(why("src/app.js"), (true, None));
    assert_eq!(why("src"), (true, None));
    assert_eq!(why("dist/a/b.js"), (false, Some("dist".into())));
    assert_eq!(why("node_modules/x/y.js"), (false, Some("node_modules".into())));
    assert_eq!(why("link/new.js"), (true, None), "a link inside the folder is asked about by its target");
    assert_eq!(why("not/there/yet.js"), (true, None));
    assert_eq!(why("lib/a.js"), (true, None), "a link to the outside is followed");
    assert_eq!(why("lib/a.css"), (false, None));
    assert_eq!(why("dist/lib/a.js"), (false, Some("dist".into())));
}
