//! Process files: smart start, restart and reload, edits, standard input, several folders.

use std::fs;

use serde_json::json;

use super::Home;
use crate::support::{PATIENCE, clock::comes_true, words::says};

fn file(home: &Home, apps: &[&str]) {
    let apps: Vec<_> = apps.iter().map(|name| json!({ "name": name, "script": "api.sh", "env": { "NAME_OF_IT": name } })).collect();
    home.project.save("ecosystem.config.json", json!({ "apps": apps }).to_string());
}

#[test]
fn start_starts_what_is_stopped_or_missing_and_restarts_what_runs() {
    let home = Home::new();
    file(&home, &["one", "two"]);
    home.verb(&["start", "-d", "ecosystem.config.json"], 0);
    home.verb(&["stop", "two"], 0);
    home.verb(&["delete", "one"], 0);
    file(&home, &["one", "two", "three"]);
    assert!(
        comes_true(PATIENCE, || home.states().len() == 2),
        "an edit acts, and brings back nothing that was deleted: {:?}",
        home.states()
    );
    home.verb(&["start", "-d", "ecosystem.config.json"], 0);
    let mut states: Vec<String> = home.states().iter().map(|state| state.split_once(' ').expect("it has an id").1.to_owned()).collect();
    states.sort();
    assert_eq!(states, ["one online 0", "three online 1", "two online 0"]);
}

#[test]
fn restart_and_reload_of_a_file_start_what_is_missing() {
    let home = Home::new();
    file(&home, &["one"]);
    for (nth, verb) in ["restart", "reload", "startOrRestart", "startOrReload"].into_iter().enumerate() {
        home.verb(&[verb, "ecosystem.config.json"], 0);
        assert_eq!(home.states(), [format!("0 one online {nth}")], "{verb}");
    }
    file(&home, &["one", "two"]);
    home.verb(&["restart", "ecosystem.config.json", "--only", "two"], 0);
    assert!(home.states().iter().any(|state| state.contains("two online")), "{:?}", home.states());
    for verb in ["reload", "startOrReload", "startOrRestart"] {
        home.verb(&["delete", "two"], 0);
        home.verb(&[verb, "ecosystem.config.json"], 0);
        let two = home.states().into_iter().filter(|state| state.contains("two online 0")).count();
        assert!(two == 1 && home.states().len() == 2, "{verb}: {:?}", home.states());
    }
    home.verb(&["stop", "ecosystem.config.json"], 0);
    assert!(home.states().iter().all(|state| state.contains("stopped")), "{:?}", home.states());
    home.verb(&["delete", "ecosystem.config.json"], 0);
    assert!(home.states().is_empty());
}

#[test]
fn only_picks_apps_of_files_for_every_verb() {
    let home = Home::new();
    file(&home, &["one", "two"]);
    home.verb(&["start", "-d", "ecosystem.config.json"], 0);
    home.verb(&["stop", "ecosystem.config.json", "--only", "one", "--env", "production"], 0);
    assert_eq!(home.states(), ["0 one stopped 0", "1 two online 0"]);
    home.verb(&["delete", "ecosystem.config.json", "--only", "one"], 0);
    assert_eq!(home.states(), ["1 two online 0"]);
    let unknown = home.verb(&["delete", "ecosystem.config.json", "--only", "two,three"], 1).err;
    assert!(unknown.contains("three is no app of ecosystem.config.json; it has one, two"), "{unknown}");
    let named = home.verb(&["stop", "two", "--only", "two"], 2).err;
    assert!(named.contains("--only picks apps of project files, and two is none"), "{named}");
    assert_eq!(home.states(), ["1 two online 0"]);
    // An app of another file that has the same name is not meant.
    home.project.save("other/ecosystem.config.json", json!({ "apps": [{ "name": "two", "script": "../api.sh" }] }).to_string());
    let other = home.verb(&["delete", "other/ecosystem.config.json", "--only", "two"], 1).err;
    assert!(other.contains("is no app of this runner"), "{other}");
    assert_eq!(home.states(), ["1 two online 0"]);
    // What scripts give a name as well does no harm, and is not passed over in silence.
    let told = home.verb(&["restart", "two", "--env", "production"], 0).err;
    assert!(told.contains("--env production changes nothing here"), "{told}");
    assert_eq!(home.states(), ["1 two online 1"]);
}

#[test]
fn standard_input_is_a_process_file_as_well() {
    let home = Home::new();
    let piped = |text: &str, verb: &str| {
        fs::write(home.project.outside("apps.json"), text).expect("the folder is ours");
        let pipe = home.project.outside("apps.json");
        let ending = home.project.hook(&["sh", "-c", &format!("pmdev {verb} - < '{}'", pipe.display())]).finish();
        assert_eq!(ending.code, Some(0), "{verb}: {}", ending.all());
    };
    let text = "{ apps: [ { name: 'piped', script: './api.sh' }, ] }";
    piped(text, "start -d");
    assert_eq!(home.states(), ["0 piped online 0"]);
    home.logged("piped", &format!("runs in {}", home.project.root.display()));
    piped(text, "restart");
    assert_eq!(home.states(), ["0 piped online 1"]);
    piped(text, "stop");
    assert_eq!(home.states(), ["0 piped stopped 1"]);
    piped(text, "delete");
    assert!(home.states().is_empty());
}

#[test]
fn apps_of_several_folders_live_side_by_side_and_edits_act_on_their_own_file() {
    let home = Home::new();
    for (folder, app) in [("a", "first"), ("b", "second")] {
        home.project.script(&format!("{folder}/run.sh"), super::APP);
        home.project.save(format!("{folder}/pmdev.toml"), format!("[[apps]]\nname = \"{app}\"\nscript = \"run.sh\"\n"));
        home.verb(&["start", "-d", folder], 0);
    }
    assert_eq!(home.states(), ["0 first online 0", "1 second online 0"]);
    home.project.edit("a/pmdev.toml", "script = \"run.sh\"\n", "script = \"run.sh\"\nenv = { X = \"edited\" }\n");
    home.logged("first", "X=edited");
    assert_eq!(home.states(), ["0 first online 1", "1 second online 0"]);
    home.project.save("b/pmdev.toml", "this is no TOML");
    let told = || fs::read_to_string(home.path("pmdev.log")).is_ok_and(|log| log.contains("cannot be applied"));
    assert!(comes_true(PATIENCE, told), "{:?}", fs::read_to_string(home.path("pmdev.log")));
    assert_eq!(home.states(), ["0 first online 1", "1 second online 0"]);
}

#[test]
fn an_app_that_a_second_request_takes_over_is_left_alone_by_the_first_ones_file() {
    let home = Home::new();
    file(&home, &["one", "two"]);
    home.verb(&["start", "-d", "ecosystem.config.json"], 0);
    home.verb_with(&["start", "-d", "ecosystem.config.json", "--only", "one"], &[("X", "second")], 0);
    home.logged("one", "X=second");
    assert_eq!(home.states(), ["0 one online 1", "1 two online 0"]);
    file(&home, &["one"]);
    assert!(comes_true(PATIENCE, || home.states() == ["0 one online 1"]), "{:?}", home.states());
}

#[test]
fn a_file_goes_to_the_background_also_beside_runners_of_other_folders() {
    let home = Home::new();
    file(&home, &["one"]);
    home.project.script("elsewhere/run.sh", super::APP);
    let mut other = home.project.hook(&["sh", "-c", "cd elsewhere && exec pmdev start run.sh"]).spawn();
    other.wait_for(&says("run started"));
    home.verb(&["restart", "ecosystem.config.json"], 0);
    assert_eq!(home.states(), ["0 one online 0"]);
    home.verb(&["kill", "--runner", home.project.path("elsewhere").to_str().expect("it is a text")], 0);
    other.finish();
}
