//! Whose environment an app has, and for how long.

use super::Home;

#[test]
fn it_is_that_of_each_caller_and_is_kept_until_it_is_updated() {
    let home = Home::new();
    home.verb_with(&["start", "-d", "api.sh"], &[("X", "first")], 0);
    home.logged("api", "X=first");
    home.verb_with(&["start", "-d", "web.sh"], &[("X", "second")], 0);
    home.logged("web", "X=second");
    home.verb_with(&["restart", "api"], &[("X", "third")], 0);
    assert_eq!(home.listed()[0]["restarts"], 1);
    let count = |text: &str| std::fs::read_to_string(home.path("logs/api-out.log")).expect("it is there").matches(text).count();
    assert!(crate::support::clock::comes_true(crate::support::PATIENCE, || count("X=first") == 2), "a restart keeps it");
    home.verb_with(&["restart", "api", "--update-env"], &[("X", "third")], 0);
    home.logged("api", "X=third");
    home.verb(&["reload", "api", "--update-env"], 0);
    home.logged("api", "X=\n");
    home.verb(&["restart", "api"], 0);
    assert!(crate::support::clock::comes_true(crate::support::PATIENCE, || count("X=\n") == 2), "what was taken away stays so");
    assert_eq!(home.states(), ["0 api online 4", "1 web online 0"]);
}

#[test]
fn node_env_is_untouched_and_profiles_are_as_they_are_everywhere() {
    let home = Home::new();
    home.project.script("env.sh", "echo \"NODE_ENV=$NODE_ENV.\"\nexec sleep 1000000\n");
    home.verb(&["start", "-d", "env.sh", "--name", "plain"], 0);
    home.logged("plain", "NODE_ENV=.");
    home.verb(&["start", "-d", "env.sh", "--prod", "--name", "prod"], 0);
    home.logged("prod", "NODE_ENV=production.");
    home.verb(&["start", "-d", "env.sh", "--profile", "dev", "--name", "dev", "-o", "dev.log"], 0);
    let watching: Vec<_> = home.listed().iter().map(|view| view["watching"].as_bool()).collect();
    assert_eq!(watching, [Some(false), Some(false), Some(true)]);
}

#[test]
fn variables_set_defaults_for_apps_that_do_not_say() {
    let home = Home::new();
    home.project.script("stubborn.sh", "trap '' INT TERM\necho \"ready now\"\nwhile :; do sleep 0.05; done\n");
    home.verb_with(&["start", "-d", "stubborn.sh"], &[("PMDEV_KILL_TIMEOUT", "200"), ("PMDEV_KILL_SIGNAL", "TERM")], 0);
    home.logged("stubborn", "ready now");
    let stopped = home.verb(&["stop", "stubborn"], 0);
    assert!(stopped.out.contains("stubborn is stopped"), "{}", stopped.all());
    let journal = std::fs::read_to_string(home.path("pmdev.log")).expect("it is there");
    assert!(journal.contains("200 ms"), "{journal}");
}

#[test]
fn variables_say_how_node_apps_are_stopped_and_how_long_ready_may_take() {
    if !crate::support::programs::have(&["node"]) {
        return;
    }
    let home = Home::new();
    home.project.save(
        "told.js",
        "process.on('SIGINT', () => console.log('by signal'));\n\
         process.on('message', word => { console.log(`by message ${word}`); process.exit(0); });\nconsole.log('listens');\n",
    );
    home.verb_with(&["start", "-d", "told.js"], &[("PMDEV_KILL_USE_MESSAGE", "true")], 0);
    home.logged("told", "listens");
    home.verb(&["stop", "told"], 0);
    home.logged("told", "by message shutdown");
    home.project.save("mute.js", "setInterval(() => {}, 1e9);\n");
    let late =
        home.verb_with(&["start", "-d", "mute.js", "--wait-ready", "--max-restarts", "0"], &[("PMDEV_GRACEFUL_LISTEN_TIMEOUT", "150")], 1);
    assert!(late.all().contains("150 ms"), "{}", late.all());
}

#[test]
fn several_requests_are_updated_at_once_and_keep_what_was_said_about_their_apps() {
    let home = Home::new();
    home.verb_with(&["start", "-d", "api.sh"], &[("X", "first")], 0);
    home.verb_with(&["start", "-d", "web.sh"], &[("X", "second")], 0);
    home.verb(&["scale", "api", "2"], 0);
    home.verb(&["restart", "web", "--watch"], 0);
    let updated = home.verb_with(&["restart", "all", "--update-env", "--json"], &[("X", "third")], 0).out;
    let updated: Vec<serde_json::Value> = serde_json::from_str(&updated).unwrap_or_else(|error| panic!("{error}: {updated}"));
    assert_eq!(updated.len(), 3, "one answer for all: {updated:#?}");
    home.logged("web", "X=third");
    let third = || std::fs::read_to_string(home.path("logs/api-out.log")).expect("it is there").matches("X=third").count();
    assert!(crate::support::clock::comes_true(crate::support::PATIENCE, || third() == 2), "both instances");
    assert_eq!(home.states(), ["0 api online 1", "1 web online 2", "2 api online 1"]);
    let watching: Vec<_> = home.listed().iter().map(|view| view["watching"].as_bool()).collect();
    assert_eq!(watching, [Some(false), Some(true), Some(false)]);
    // One that cannot be completed keeps the others as they are.
    std::fs::remove_file(home.project.path("web.sh")).expect("it is ours");
    let refused = home.verb_with(&["restart", "all", "--update-env"], &[("X", "fourth")], 2);
    assert!(refused.err.contains("web.sh was not found"), "{}", refused.all());
    assert!(home.states().contains(&"0 api online 1".to_owned()), "{:?}", home.states());
}
