//! `pmdev why` about paths of several apps, names that are files as well, and apps in the background.

use std::fs;

use crate::support::{PATIENCE, Project, clock::comes_true, words::says};

const FILE: &str = "\
apps:
  - { name: api, script: ../run.sh, cwd: api, watch: ['.', '../shared'], ignore_watch: [tmp] }
  - { name: web, script: ../run.sh, cwd: web, watch: [src, { paths: ['views/**'], action: reload }] }
  - { name: cron, script: ../run.sh, cwd: shared, watch: false }
";

fn project() -> Project {
    let project = Project::empty();
    project.script("run.sh", "exec sleep 1000000\n");
    project.save("pmdev.yaml", FILE);
    for file in ["api/a.js", "api/secret.js", "web/src/b.js", "web/views/a.html", "shared/x.js"] {
        project.save(file, "");
    }
    project.save("api/.pmdevignore", "secret.js\n");
    project
}

#[track_caller]
fn why(project: &Project, arguments: &[&str]) -> String {
    let ending = project.pmdev([&["why"], arguments].concat()).finish();
    assert_eq!(ending.code, Some(0), "{arguments:?}: {}", ending.all());
    ending.out
}

#[test]
fn of_several_apps_each_says_what_a_path_is_to_it() {
    let project = project();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("watching"));
    runner.wait_for(&says("cron started"));
    let outside = "it lies outside every watched folder";
    let told = why(&project, &["shared/x.js", "api/secret.js", "api/tmp/y", "web/views/a.html", "never/seen.js", "/etc/passwd"]);
    let expected = format!(
        "shared/x.js is watched by api: no rule ignores it\nshared/x.js is ignored by web: {outside}\n\
         shared/x.js is nothing to cron, which watches no files\n\
         api/secret.js is ignored by api: api/.pmdevignore:1: secret.js\napi/secret.js is ignored by web: {outside}\n\
         api/tmp/y is ignored by api: the ignore pattern \"tmp\" (as all of api/tmp)\napi/tmp/y is ignored by web: {outside}\n\
         web/views/a.html is watched by web: the rule views/** reloads it\nweb/views/a.html is ignored by api: {outside}\n\
         never/seen.js is ignored by api and web: {outside}\n/etc/passwd is ignored by api and web: {outside}"
    );
    assert_eq!(told, expected);
    let json = why(&project, &["shared/x.js", "--json"]);
    assert!(json.contains(r#""app":"cron","watched":false,"rule":"it watches no files""#) && json.lines().count() == 3, "{json}");

    project.save("shared/x.js", "1");
    runner.wait_for(&says("api restarted in "));
    project.save("web/views/a.html", "1");
    runner.wait_for(&says("web restarted in "));
    let told = why(&project, &["shared/x.js", "web/views/a.html"]);
    for part in
        ["shared/x.js changed: api restarts, generation 2", "views/a.html changed: web is reloaded (the rule views/**), generation 2"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_name_of_an_app_is_the_app_though_its_folder_is_called_so() {
    let project = project();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("api started"));
    let told = why(&project, &["api"]);
    assert!(told.starts_with("api is online: it has been up for ") && !told.contains("watched by"), "{told}");
    assert!(why(&project, &["./api"]).starts_with("./api is watched by api: "));
    let told = why(&project, &["nobody"]);
    assert!(told.starts_with("nobody is neither an app of the runner nor a file that is there; of a file of that name:\n"), "{told}");
    assert!(!why(&project, &["nobody.js"]).contains("neither"), "a file is meant");
}

#[test]
fn what_verbs_do_is_among_the_decisions() {
    let project = project();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("cron started"));
    let newest = || why(&project, &["cron"]).trim_end().lines().last().unwrap_or_default().to_owned();
    for (arguments, told) in [
        (&["signal", "URG", "cron"][..], "cron is sent URG on request"),
        (&["scale", "cron", "2"], "cron is scaled from 1 to 2 on request"),
        (&["stop", "cron:1"], "cron:1 is stopped on request"),
        (&["stop", "cron"], "cron is stopped on request"),
    ] {
        assert_eq!(project.pmdev(arguments).finish().code, Some(0), "{arguments:?}");
        assert!(newest().contains(told), "{arguments:?}: {}", newest());
    }
    assert_eq!(project.pmdev(["start", "cron"]).finish().code, Some(0));
    assert!(why(&project, &["cron"]).contains("cron is started on request"));
    let deleted = project.pmdev(["delete", "cron"]).finish();
    assert!(deleted.out.starts_with("cron is gone (in "), "{}", deleted.all());
    assert!(why(&project, &[]).contains("cron is deleted on request"));
    let all = project.pmdev(["delete", "all"]).finish();
    assert!(all.out.starts_with("api, web are gone (in "), "{}", all.all());
    let none = project.pmdev(["stop", "all"]).finish();
    assert!(none.code == Some(1) && none.err.contains("The runner has no apps"), "{}", none.all());
}

#[test]
fn apps_in_the_background_answer_for_their_files() {
    let project = Project::empty();
    project.script("run.sh", "exec sleep 1000000\n");
    project.save("src/a.js", "");
    let verb = |arguments: &[&str]| {
        let ending = project.pmdev(arguments).finish();
        assert_eq!(ending.code, Some(0), "{arguments:?}: {}", ending.all());
    };
    verb(&["start", "-d", "run.sh", "--name", "quiet"]);
    assert_eq!(why(&project, &["src/a.js"]), "src/a.js is nothing to quiet, which watches no files");
    verb(&["start", "-d", "run.sh", "--name", "loud", "--watch"]);
    let both = "src/a.js is watched by loud: no rule ignores it\nsrc/a.js is nothing to quiet, which watches no files";
    assert!(comes_true(PATIENCE, || why(&project, &["src/a.js"]) == both), "{}", why(&project, &["src/a.js"]));
    assert!(why(&project, &["loud"]).contains("loud last started ") && why(&project, &["loud"]).contains("because it was added"));
    let outside = project.outside("other");
    fs::create_dir(&outside).expect("it is ours");
    let elsewhere = project.hook(&["sh", "-c", &format!("cd '{}' && exec pmdev why b.js", outside.display())]).finish().out;
    assert_eq!(elsewhere, "b.js is watched by other: no rule ignores it", "the runner has nothing to do with it");
    verb(&["kill"]);
}
