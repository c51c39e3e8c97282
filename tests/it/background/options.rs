//! Options of `start` that are given to a restart: what apps have from then on, and what is said of the others.

use serde_json::Value;

use super::Home;
use crate::support::words::says;

/// The cron pattern, the memory limit and whether it restarts by itself, of each app by name.
fn kept(home: &Home) -> Vec<String> {
    let listed: Value = serde_json::from_str(&home.verb(&["jlist"], 0).out).expect("it is JSON");
    let instances = listed.as_array().expect("it is a list").iter();
    instances
        .map(|app| {
            format!(
                "{} {} {} {}",
                app["name"], app["pm2_env"]["cron_restart"], app["pm2_env"]["max_memory_restart"], app["pm2_env"]["autorestart"]
            )
        })
        .collect()
}

#[test]
fn a_restart_changes_options_for_good() {
    let home = Home::new();
    home.project.save("pmdev.toml", "[[apps]]\nname = \"api\"\nscript = \"api.sh\"\n\n[[apps]]\nname = \"web\"\nscript = \"web.sh\"\n");
    home.verb_with(&["start", "-d", "pmdev.toml"], &[("X", "first")], 0);
    home.verb(&["restart", "api", "--cron", "1 1 1 1 *", "--max-memory-restart", "200M"], 0);
    assert_eq!(kept(&home), ["\"api\" \"1 1 1 1 *\" 209715200 true", "\"web\" null null true"]);
    home.verb(&["reload", "0", "-c", "2 2 2 2 *", "--no-autorestart"], 0);
    let changed = ["\"api\" \"2 2 2 2 *\" 209715200 false", "\"web\" null null true"];
    assert_eq!(kept(&home), changed);
    // An edit of the file leaves it.
    home.project.edit("pmdev.toml", "script = \"api.sh\"", "script = \"api.sh\"\nenv = { NAME_OF_IT = \"edited\" }");
    home.logged("api", "edited runs in");
    assert_eq!(kept(&home), changed);
    home.verb(&["save"], 0);
    home.verb(&["kill"], 0);
    home.verb(&["resurrect"], 0);
    assert_eq!(kept(&home), changed);
    home.logged("api", "with X=first");
    home.verb(&["restart", "api", "--cron", "0"], 0);
    assert_eq!(kept(&home)[0], "\"api\" null 209715200 false");
    assert!(home.verb(&["restart", "api", "--cron", "3 3 3 3 *", "--watch"], 0).out.contains("api is watched from now on"));
    assert_eq!(kept(&home)[0], "\"api\" \"3 3 3 3 *\" 209715200 false");
}

#[test]
fn what_does_not_start_is_told_as_it_is() {
    let home = Home::new();
    for (file, text) in [("empty.json", "[]"), ("none.json", "{ \"apps\": [] }")] {
        home.project.save(file, text);
        let nothing = home.verb(&["start", "-d", file], 0);
        assert!(nothing.err.contains(&format!("{file}: it has no apps, so nothing runs")), "{}", nothing.all());
        assert_eq!(nothing.out, "");
    }
    home.project.save("off.json", "{ \"apps\": [{ \"name\": \"off\", \"script\": \"./api.sh\", \"autostart\": false }] }");
    assert_eq!(home.verb(&["start", "-d", "off.json"], 0).out, "off is stopped");
    home.verb(&["start", "off"], 0);
    home.verb(&["kill"], 0);
    let missing = home.verb(&["restart", "gone/missing.json"], 3);
    assert!(missing.err.contains("there is no file gone/missing.json here"), "{}", missing.all());
}

#[test]
fn what_a_restart_does_not_change_is_said_with_what_to_do() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    for (words, said) in [
        (&["restart", "api", "-i", "3"][..], "-i is not changed by restart\nhint: another number of instances: pmdev scale NAME N"),
        (
            &["restart", "api", "--name", "new"],
            "--name is not changed by restart\nhint: under another name it begins anew: pmdev delete NAME",
        ),
        (&["reload", "api", "--node-args", "x"], "--node-args is not changed by reload\nhint: put it into the project file"),
        (&["restart", "api", "--cron", "monday"], "--cron-restart: \"monday\" is not a cron pattern"),
        (&["restart", "api", "--bogus"], "--bogus is not an option here"),
        (&["start", "api", "--cron", "0"], "starting changes no options (--cron)\nhint: a restart does: pmdev restart api --cron ..."),
        (&["start", "api", "-i", "3"], "starting changes no options (-i)\nhint: edit the file they come from"),
    ] {
        let refused = home.verb(words, 2);
        assert!(refused.err.contains(said), "{words:?}: {}", refused.all());
    }
    assert_eq!(home.states(), ["0 api online 0"], "nothing was restarted");
    home.verb(&["kill"], 0);
    let mut runner = home.project.start(["api.sh"]);
    runner.wait_for(&says("api started"));
    let refused = home.verb(&["restart", "api", "--cron", "0"], 2);
    assert!(refused.err.contains("--cron-restart changes apps in the background, and api is run by the runner in "), "{}", refused.all());
}
