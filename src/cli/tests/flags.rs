//! Flags that are keys of a project file, and a verb that is misspelt.

use super::*;

#[test]
fn flags_that_are_keys_reach_the_request() {
    let keys = |line: &str| -> Vec<String> { request(line).flags.iter().map(ToString::to_string).collect() };
    let all =
        "pmdev a.js -i max --namespace back --restart-delay 1s --exp-backoff-restart-delay 100 --max-restarts 3 --max-memory-restart 1.5G
         --stop-exit-codes 0,143 --no-autorestart --no-autostart --no-treekill --shutdown-with-message --cron '0 3 * * *' --wait-ready --tty
         --listen-timeout 5000 --filter-env AWS_,TOKEN --filter-env SSH --uid www --gid www-data -x -p run/a.pid -f
         --no-pmx --no-automation --no-vizion --trace --disable-trace --v8 --event-loop-inspector --deep-monitoring --no-daemon";
    insta::assert_snapshot!(keys(all).join("\n"), @r#"
    instances = "max"
    restart_delay = "1s"
    exp_backoff_restart_delay = "100"
    max_restarts = "3"
    max_memory_restart = "1.5G"
    cron_restart = "0 3 * * *"
    stop_exit_codes = ["0", "143"]
    autorestart = false
    treekill = false
    shutdown_with_message = true
    namespace = "back"
    listen_timeout = "5000"
    uid = "www"
    gid = "www-data"
    pid_file = "run/a.pid"
    filter_env = ["AWS_", "TOKEN", "SSH"]
    autostart = false
    wait_ready = true
    tty = true
    execute_command = true
    "#);
    // The numbers behind it are all codes, and nothing else is.
    assert_eq!(keys("pmdev a.js --stop-exit-codes 0 143 -x"), ["stop_exit_codes = [\"0\", \"143\"]", "execute_command = true"]);
    assert_eq!(targets("pmdev --stop-exit-codes 0 1 app.js"), ["app.js"]);
    assert_eq!(request("pmdev a.js -- --stop-exit-codes 0 1").script_args, ["--stop-exit-codes", "0", "1"]);
    assert_eq!(keys("pmdev -i -1 app.js"), ["instances = \"-1\""]);
    assert_eq!(keys("pmdev app.js -c 0 -u www"), ["cron_restart = \"0\"", "uid = \"www\""]);
    assert_eq!(targets("pmdev -i 2 app.js"), ["app.js"]);
    // A flag beats what a file has under the other of two keys.
    let fixed = keys("pmdev --restart-delay 1s");
    assert_eq!(fixed, ["exp_backoff_restart_delay = \"0\"", "restart_delay = \"1s\""]);
    assert_eq!(keys("pmdev --source-map-support"), ["source_map_support = true", "disable_source_map_support = false"]);
    assert_eq!(keys("pmdev --disable-source-map-support"), ["source_map_support = false", "disable_source_map_support = true"]);
}

#[test]
fn flags_that_are_keys_are_refused_by_what_they_take() {
    insta::assert_snapshot!(refusal("pmdev a.js -i many"), @r#"--instances: "many" is not a number of instances, or max; example: 2"#);
    insta::assert_snapshot!(refusal("pmdev a.js -i 4000"), @"--instances: 4000, and more than 1024 instances are refused; example: 2");
    insta::assert_snapshot!(refusal("pmdev a.js --max-memory-restart lots"), @r#"--max-memory-restart: "lots" is not a size: bytes, or a number with K, M or G; example: 512M"#);
    insta::assert_snapshot!(refusal("pmdev a.js --restart-delay soon"), @r#"--restart-delay: "soon" is not a duration: milliseconds, or a number with ms, s, m or h; example: 1000"#);
    insta::assert_snapshot!(refusal("pmdev a.js --stop-exit-codes 0,256"), @r#"--stop-exit-codes: "256" is not an exit code, or a list of them; example: [0]"#);
    insta::assert_snapshot!(refusal("pmdev a.js --cron daily"), @r#"--cron-restart: "daily" is not a cron pattern of 5 or 6 fields, or false; example: 0 3 * * *"#);
    insta::assert_snapshot!(refusal("pmdev a.js --max-restarts"), @r"
    --max-restarts needs a value
    hint: what it takes: pmdev start --help
    ");
    insta::assert_snapshot!(refusal("pmdev a.js --source-map-support --disable-source-map-support"), @r"
    --source-map-support and --disable-source-map-support contradict each other
    hint: leave one of them out
    ");
}

#[test]
fn a_misspelt_verb_is_told_where_nothing_of_that_name_can_be_run() {
    let told = |line: &str, message: &str| {
        let error = Error::usage(message);
        let error = match verb::Slip::find(&words(line), &Cli::command()) {
            Some(slip) => slip.explain(error),
            None => error,
        };
        format!("{}{}", error.message, error.hint.map(|hint| format!("; {hint}")).unwrap_or_default())
    };
    let missing = |word: &str| format!("{word} was not found: there is no such file, folder or program (looked in /p)");
    assert_eq!(told("pmdev strat x", &missing("strat")), "strat is no file and no verb; did you mean pmdev start x?");
    assert_eq!(
        told("pmdev --quiet chekc 'a b' --json", &missing("chekc")),
        "chekc is no file and no verb; did you mean pmdev --quiet check 'a b' --json?"
    );
    for (line, word) in [
        ("pmdev app.js", "app.js"),
        ("pmdev start strat", "strat"),
        ("pmdev strat x", "x"),
        ("pmdev worker", "worker"),
        ("pmdev -n strat a", "a"),
    ] {
        assert_eq!(told(line, &missing(word)), missing(word), "{line}");
    }
    assert_eq!(told("pmdev strat x", "strat cannot be run: it is not executable"), "strat cannot be run: it is not executable");
}
