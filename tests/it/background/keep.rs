//! `save`, `resurrect`, `cleardump`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use super::Home;
use crate::support::{PATIENCE, clock::comes_true, processes};

#[test]
fn what_was_saved_comes_back_as_it_was() {
    let home = Home::new();
    home.project.save("pmdev.toml", "[[apps]]\nname = \"one\"\nscript = \"api.sh\"\ninstances = 2\ncron_restart = \"0 0 * * *\"\n\n[[apps]]\nname = \"two\"\nscript = \"web.sh\"\n");
    home.verb_with(&["start", "-d", "pmdev.toml"], &[("X", "kept"), ("API_TOKEN", "s3cret")], 0);
    home.verb(&["start", "-d", "web.sh"], 0);
    home.verb(&["scale", "one", "3"], 0);
    home.verb(&["stop", "two"], 0);
    let saved = home.verb(&["save"], 0);
    assert!(saved.out.contains("3 apps are kept") && saved.out.contains("API_TOKEN"), "{}", saved.all());
    let dump = fs::read_to_string(home.path("dump.pmdev")).expect("it is there");
    assert!(!dump.contains("s3cret") && dump.contains("\"kept\""), "{dump}");
    assert_eq!(fs::metadata(home.path("dump.pmdev")).expect("it is there").permissions().mode() & 0o777, 0o600);
    home.verb(&["kill"], 0);
    home.project.nothing_alive(std::time::Duration::ZERO, "it was killed");

    home.verb_with(&["resurrect"], &[("X", "another"), ("API_TOKEN", "s3cret")], 0);
    let states = ["0 one online 0", "1 one online 0", "2 two stopped 0", "3 web online 0", "4 one online 0"];
    assert_eq!(home.states(), states, "each has its id again");
    home.logged("one-out-0", "X=kept");
    let again = home.verb(&["resurrect"], 0);
    assert!(again.out.contains("everything runs already"), "{}", again.all());
    assert_eq!(home.states().len(), 5, "nothing is added to what runs");
    let described = home.verb(&["list", "one", "--json"], 0).out;
    assert!(described.contains("\"one\""), "{described}");
    let listed: Value = serde_json::from_str(&home.verb(&["jlist"], 0).out).expect("it is JSON");
    assert_eq!(listed[0]["pm2_env"]["cron_restart"], "0 0 * * *", "{listed:#}");
    let shown: Value = serde_json::from_str(&home.verb(&["show", "one", "--json"], 0).out).expect("it is JSON");
    assert!(shown[0]["detail"]["next_restart"].as_i64() > shown[0]["started_at"].as_i64(), "{shown:#}");
    home.verb(&["kill"], 0);
    let poor = home.verb(&["resurrect"], 0);
    assert!(poor.err.contains("one, two: API_TOKEN is not set here"), "{}", poor.all());
}

#[test]
fn ids_stay_whose_they_were_and_each_warning_and_failure_is_told_once() {
    let home = Home::new();
    let app = |name: &str, more: &str| format!("[[apps]]\nname = \"{name}\"\nscript = \"api.sh\"\n{more}\n");
    let file = |more: &str| home.project.save("pmdev.toml", app("a", &format!("wrong_key = 1\n{more}")) + &app("b", "") + &app("c", ""));
    file("");
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    home.verb(&["start", "-d", "web.sh"], 0);
    home.verb_with(&["restart", "b", "--update-env"], &[("X", "new")], 0);
    let before = home.states();
    home.verb(&["save"], 0);
    home.verb(&["kill"], 0);
    let resurrected = home.verb(&["resurrect"], 0);
    let names = |states: &[String]| -> Vec<String> {
        states.iter().map(|state| state.split(" online").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&home.states()), names(&before));
    assert_eq!(resurrected.err.matches("wrong_key is no key").count(), 1, "{}", resurrected.all());
    home.verb(&["kill"], 0);
    // What an edit adds takes the id of no other.
    file("instances = 2");
    home.verb(&["resurrect"], 0);
    assert_eq!(names(&home.states()), ["0 a", "1 b", "2 c", "3 web", "4 a"]);
    home.verb(&["kill"], 0);
    fs::remove_file(home.project.path("pmdev.toml")).expect("it is ours");
    let failed = home.verb(&["resurrect"], 1);
    for part in ["a, c were not started: pmdev.toml was not found", "b was not started: pmdev.toml was not found"] {
        assert!(failed.err.contains(part), "{part}: {}", failed.all());
    }
    assert_eq!(names(&home.states()), ["3 web"], "the others are there");
}

#[test]
fn a_broken_dump_falls_back_to_the_one_before_and_none_says_so() {
    let home = Home::new();
    let none = home.verb(&["resurrect"], 1);
    assert!(none.err.contains("dump.pmdev") && none.err.contains("pmdev save"), "{}", none.all());
    home.verb(&["save"], 3);
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["save"], 0);
    home.verb(&["start", "-d", "web.sh"], 0);
    home.verb(&["dump"], 0);
    let [new, old] = ["dump.pmdev", "dump.pmdev.bak"].map(|name| fs::read_to_string(home.path(name)).expect("it is there"));
    assert!(new.contains("web.sh") && !old.contains("web.sh"), "the one before is kept");
    home.verb(&["delete", "all"], 0);
    let empty = home.verb(&["save"], 1);
    assert!(empty.err.contains("no apps to keep"), "{}", empty.all());
    home.verb(&["kill"], 0);
    fs::write(home.path("dump.pmdev"), "{ \"version\": 1, \"runs\": [").expect("the folder is ours");
    let fallen = home.verb(&["resurrect"], 0);
    assert!(fallen.err.contains("is broken") && fallen.err.contains(".bak is taken instead"), "{}", fallen.all());
    assert_eq!(home.states(), ["0 api online 0"]);
    home.verb(&["kill"], 0);
    fs::remove_file(home.path("dump.pmdev")).expect("it is there");
    home.verb(&["resurrect"], 0);
    assert_eq!(home.states(), ["0 api online 0"], "one that is missing is as one that is broken");
    home.verb(&["cleardump"], 0);
    assert!(!home.path("dump.pmdev").exists() && !home.path("dump.pmdev.bak").exists());
    home.verb(&["resurrect"], 1);
}

#[test]
fn what_holds_a_secret_in_its_arguments_is_not_saved_and_that_is_told() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["start", "-d", "web.sh", "--", "--token", "s3cret"], 0);
    let saved = home.verb(&["save"], 1);
    assert!(
        saved.out.contains("1 app is kept") && saved.err.contains("web: not saved") && !saved.all().contains("s3cret"),
        "{}",
        saved.all()
    );
    assert!(!fs::read_to_string(home.path("dump.pmdev")).expect("it is there").contains("s3cret"));
}

#[test]
fn what_was_said_about_apps_comes_back_and_outlives_edits_of_their_file() {
    let home = Home::new();
    let file = |more: &str| {
        let app = |name: &str| format!("[[apps]]\nname = \"{name}\"\nscript = \"{name}.sh\"\n{more}\n");
        home.project.save("pmdev.toml", app("api") + &app("web"));
    };
    file("");
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    home.verb(&["start", "-d", "-f", "api.sh"], 0);
    home.verb(&["restart", "api", "--watch"], 0);
    home.verb(&["stop", "web"], 0);
    home.verb(&["save"], 0);
    home.verb(&["kill"], 0);
    home.verb(&["resurrect"], 0);
    let watching = || -> Vec<_> { home.listed().iter().map(|view| view["watching"].as_bool()).collect() };
    let states = ["0 api online 0", "1 web stopped 0", "2 api-2 online 0"];
    assert_eq!((home.states(), watching()), (states.map(str::to_owned).to_vec(), vec![Some(true), Some(false), Some(false)]));
    file("env = { X = \"edited\" }");
    home.logged("api", "X=edited");
    let states = ["0 api online 1", "1 web stopped 0", "2 api-2 online 0"];
    assert!(comes_true(PATIENCE, || home.states() == states), "what was stopped stays so: {:?}", home.states());
    // The copy is saved under its own name without the first one, too.
    home.verb(&["delete", "api"], 0);
    home.verb(&["save"], 0);
    home.verb(&["kill"], 0);
    home.verb(&["resurrect"], 0);
    let names: Vec<_> = home.listed().iter().map(|view| view["name"].as_str().map(str::to_owned)).collect();
    assert_eq!(names, [Some("web".to_owned()), Some("api-2".to_owned())]);
}

#[test]
fn what_came_through_a_pipe_is_written_down_only_where_it_is_saved_and_holds_no_secret() {
    let home = Home::new();
    let piped = |text: &str| {
        fs::write(home.project.outside("apps.json"), text).expect("the folder is ours");
        let ending =
            home.project.hook(&["sh", "-c", &format!("pmdev start -d - < '{}'", home.project.outside("apps.json").display())]).finish();
        assert_eq!(ending.code, Some(0), "{}", ending.all());
    };
    piped("{ apps: [{ name: 'tells', script: './api.sh', env: { API_TOKEN: 's3cret' } }] }");
    piped("{ apps: [{ name: 'plain', script: './web.sh', env: { X: 'kept' } }] }");
    let saved = home.verb(&["save"], 1);
    assert!(saved.err.contains("tells: not saved") && saved.out.contains("1 app is kept"), "{}", saved.all());
    let written = home.project.hook(&["grep", "-r", "s3cret", home.path("").to_str().expect("it is a text")]).finish();
    assert_eq!(written.code, Some(1), "{}", written.all());
    home.verb_with(&["restart", "tells", "--update-env"], &[("X", "second")], 0);
    home.logged("tells", "X=second");
    home.verb(&["kill"], 0);
    home.verb(&["resurrect"], 0);
    assert_eq!(home.states(), ["1 plain online 0"]);
    home.logged("plain", "X=kept");
}

#[test]
fn apps_that_come_and_go_leave_nothing_in_memory() {
    let home = Home::new();
    // What is kept of each holds its environment.
    let large = "x".repeat(100_000);
    let cycle = |number: usize| {
        let name = format!("app{number}");
        home.verb_with(&["start", "-d", "--no-wait", "api.sh", "--name", &name], &[("LARGE", &large)], 0);
        home.verb(&["delete", &name], 0);
    };
    home.verb_with(&["start", "-d", "web.sh"], &[("LARGE", &large)], 0);
    (0..10).for_each(cycle);
    let before = processes::resident(home.pid());
    (10..60).for_each(cycle);
    let grown = processes::resident(home.pid()).saturating_sub(before);
    eprintln!("50 apps that came and went left {grown} KiB");
    assert!(grown < 4 << 10, "{grown} KiB more after 50 apps that came and went");
    let states = home.states();
    assert!(matches!(states.as_slice(), [only] if only.starts_with("0 web online")), "{states:?}");
    home.verb(&["start", "-d", "api.sh"], 0);
    assert!(home.states()[1].starts_with("61 api online"), "no number is given twice: {:?}", home.states());
    home.verb(&["kill"], 0);
}
