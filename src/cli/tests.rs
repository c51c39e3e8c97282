mod flags;
mod help;
mod verbs;

use std::time::Duration;

use super::*;
use crate::{
    config::{Request, WatchArg},
    model::{PollMode, Signal},
};

fn words(line: &str) -> Vec<OsString> {
    shell_words::split(line).unwrap().into_iter().map(OsString::from).collect()
}

/// The request that a command line amounts to.
fn request(line: &str) -> Request {
    match parse(words(line)) {
        Ok(Cli { verb: Verb::Start(start) }) => start.request().0,
        other => panic!("{line}: {other:?}"),
    }
}

fn targets(line: &str) -> Vec<String> {
    request(line).targets.into_iter().map(|target| target.into_string().unwrap()).collect()
}

fn refusal(line: &str) -> String {
    match parse(words(line)) {
        Err(failure::Stop::Error(error)) => {
            assert_eq!(error.exit_code(), 2);
            let hint = error.hint.iter().map(|hint| format!("\nhint: {hint}")).collect::<String>();
            format!("{}{hint}", error.message)
        }
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_verb_may_be_left_out_and_options_may_stand_before_it() {
    let cases: [(&str, &[&str]); 11] = [
        ("pmdev", &[]),
        ("pmdev app.js", &["app.js"]),
        ("pmdev start app.js", &["app.js"]),
        ("pmdev start start", &["start"]),
        ("pmdev --quiet start app.js", &["app.js"]),
        ("pmdev --name api start app.js", &["app.js"]),
        ("pmdev -n api app.js worker.js", &["app.js", "worker.js"]),
        ("pmdev --name=start app.js", &["app.js"]),
        ("pmdev --node-args --inspect start app.js", &["app.js"]),
        ("pmdev 'npm run dev' --raw", &["npm run dev"]),
        ("pmdev -- start", &[]),
    ];
    for (line, expected) in cases {
        assert_eq!(targets(line), expected, "{line}");
    }
    assert!(matches!(parse(words("pmdev why a.js")), Ok(Cli { verb: Verb::Why(_) })));
    assert!(matches!(parse(words("pmdev ecosystem js")), Ok(Cli { verb: Verb::Init(_) })));
    assert!(matches!(parse(words("pmdev help start")), Err(failure::Stop::Text(text)) if text.contains("--watch-delay")));
    assert_eq!(request("pmdev app.js -- why --port 3").script_args, ["why", "--port", "3"]);
}

#[test]
fn log_flags_are_those_of_pm2() {
    let logs = request("pmdev app.js -o out.log -e NULL -l --merge-logs --log-type json --log-date-format HH:mm --disable-logs").logs;
    assert_eq!((logs.out.as_deref(), logs.error.as_deref(), logs.combined.as_deref()), (Some("out.log"), Some("NULL"), Some("")));
    assert_eq!((logs.merge, logs.json, logs.disabled), (true, Some(true), true));
    assert_eq!(logs.timestamp.unwrap().text(), "HH:mm");
    assert_eq!(request("pmdev app.js --time").logs.timestamp, Some("YYYY-MM-DDTHH:mm:ss".parse().unwrap()), "in files it is PM2's");
    assert_eq!(request("pmdev app.js --time=HH:mm").logs.timestamp, Some("HH:mm".parse().unwrap()));
    assert_eq!(request("pmdev app.js --time --log-date-format HH").logs.timestamp, Some("HH".parse().unwrap()));
    assert_eq!(request("pmdev app.js").logs.timestamp, None);
    for line in ["pmdev --log app.js", "pmdev -l app.js", "pmdev --watch src --log app.js"] {
        assert_eq!(targets(line), ["app.js"], "{line}");
        assert_eq!(request(line).logs.combined.as_deref(), Some(""), "{line}");
    }
    assert_eq!(request("pmdev --log=app.log").logs.combined.as_deref(), Some("app.log"));
    assert!(targets("pmdev --log=app.log").is_empty());
    assert_eq!(request("pmdev app.js --log all.log").logs.combined.as_deref(), Some("all.log"));
}

#[test]
fn without_a_target_the_last_value_of_a_watch_flag_was_it() {
    let list = |text: &str| WatchArg::List(text.to_owned());
    type Case<'a> = (&'a str, &'a [&'a str], &'a [WatchArg], &'a [WatchArg]);
    let cases: [Case; 9] = [
        ("pmdev --watch app.js", &["app.js"], &[WatchArg::Default], &[]),
        ("pmdev app.js --watch", &["app.js"], &[WatchArg::Default], &[]),
        ("pmdev --watch src app.js", &["app.js"], &[list("src")], &[]),
        ("pmdev --watch=src", &[], &[list("src")], &[]),
        ("pmdev --watch src --watch app.js", &["app.js"], &[list("src"), WatchArg::Default], &[]),
        ("pmdev --watch --raw --ignore-watch app.js", &["app.js"], &[WatchArg::Default], &[WatchArg::Default]),
        ("pmdev --ignore-watch logs --watch app.js", &["app.js"], &[WatchArg::Default], &[list("logs")]),
        ("pmdev --watch app.js --ignore-watch=logs", &["app.js"], &[WatchArg::Default], &[list("logs")]),
        ("pmdev --watch app.js -- --port 3", &["app.js"], &[WatchArg::Default], &[]),
    ];
    for (line, expected, watch, ignore) in cases {
        let request = request(line);
        assert_eq!(request.targets, expected, "{line}");
        assert_eq!((request.watch.as_slice(), request.ignore_watch.as_slice()), (watch, ignore), "{line}");
    }
}

#[test]
fn every_flag_reaches_the_request() {
    let request = request(
        "pmdev a.js b.js -n x --name y --cwd srv --interpreter bun --interpreter-args '--a b' --node-args --inspect --env-file .env --env-file .env.local
         --kill-signal term -k 1600 --profile prod --watch --ignore-watch 'logs,*.tmp' --ext js,ts --watch-delay 0.5 --poll=500ms
         --no-gitignore --no-default-ignore --no-gate",
    );
    assert_eq!(request.names, ["x", "y"]);
    assert_eq!(request.cwd.as_deref(), Some("srv".as_ref()));
    assert_eq!(request.interpreter.as_deref(), Some("bun"));
    assert_eq!(request.interpreter_args, ["--a b", "--inspect"]);
    assert_eq!(request.env_files.len(), 2);
    assert_eq!((request.kill_signal, request.kill_timeout), (Some(Signal::TERM), Some(Duration::from_millis(1600))));
    assert_eq!(request.profile.as_deref(), Some("prod"));
    assert_eq!((request.watch.len(), request.ignore_watch.len(), request.ext.len()), (1, 1, 1));
    assert_eq!(
        (request.watch_delay, request.poll),
        (Some(Duration::from_millis(500)), Some(PollMode::Always(Some(Duration::from_millis(500)))))
    );
    assert!(request.no_gitignore && request.no_default_ignore && request.no_gate && !request.no_watch);
    assert_eq!(self::request("pmdev a.js --poll").poll, Some(PollMode::Always(None)));
    assert_eq!(self::request("pmdev a.js --no-poll").poll, Some(PollMode::Never));
    assert_eq!(self::request("pmdev --prod a.js").profile.as_deref(), Some("prod"));
}

#[test]
fn the_output_is_told_apart_from_the_request() {
    let output = |line: &str| match parse(words(line)) {
        Ok(Cli { verb: Verb::Start(start) }) => start.request().1,
        other => panic!("{line}: {other:?}"),
    };
    let all = output("pmdev a.js --stdin --raw --timestamp --json -q --no-color --explain");
    assert!(all.raw && all.json && all.quiet && all.no_color && all.explain);
    assert_eq!((all.stdin.as_deref(), all.timestamp.as_deref()), (Some(""), Some("YYYY-MM-DDTHH:mm:ss.SSS")));
    let named = output("pmdev --stdin=a --timestamp=HH:mm a.js --silent");
    assert_eq!((named.stdin.as_deref(), named.timestamp.as_deref(), named.quiet), (Some("a"), Some("HH:mm"), true));
    assert_eq!(targets("pmdev --stdin a.js --timestamp b.js --poll"), ["a.js", "b.js"]);
}

#[test]
fn what_is_wrong_is_said_as_everything_else_is() {
    insta::assert_snapshot!(refusal("pmdev app.js --wacth"), @r"
    --wacth is not an option here
    hint: did you mean --watch?
    arguments for the app go after --: pmdev start app.js -- --wacth
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --port 3000"), @r"
    --port is not an option here
    hint: did you mean --prod?
    arguments for the app go after --: pmdev start app.js -- --port
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --name"), @r"
    --name needs a value
    hint: what it takes: pmdev start --help
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --kill-signal SIGFOO"), @r#"--kill-signal: "SIGFOO" is not a signal; examples: SIGTERM, INT, 15"#);
    insta::assert_snapshot!(refusal("pmdev app.js --watch-delay soon"), @r#"--watch-delay: "soon" is not a duration; examples: 250ms, 2s, 1.5m"#);
    insta::assert_snapshot!(refusal("pmdev app.js --kill-timeout soon"), @r#"--kill-timeout: "soon" is not a duration; examples: 250ms, 5000, 1.5m"#);
    insta::assert_snapshot!(refusal("pmdev app.js --poll=often"), @r#"--poll: "often" is not a duration; examples: 250ms, 5000, 1.5m"#);
    insta::assert_snapshot!(refusal("pmdev app.js --no-watch --watch"), @r"
    --no-watch and --watch contradict each other
    hint: leave one of them out
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --prod --profile dev"), @r"
    --prod and --profile contradict each other
    hint: leave one of them out
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --cwd a --cwd b"), @r"
    --cwd was given twice
    hint: give it once
    ");
    insta::assert_snapshot!(refusal("pmdev app.js --raw=3"), @r#"--raw takes no value, but was given "3""#);
    insta::assert_snapshot!(refusal("pmdev init xml"), @r#""xml" is none of toml, yaml, json, js"#);
    insta::assert_snapshot!(refusal("pmdev show"), @r"
    TARGET is missing
    hint: how it is used: pmdev show --help
    ");
    insta::assert_snapshot!(refusal("pmdev scale"), @r"
    APP and NUMBER are missing
    hint: how it is used: pmdev scale --help
    ");
    insta::assert_snapshot!(refusal("pmdev logs --lines"), @r"
    --lines needs a value
    hint: what it takes: pmdev logs --help
    ");
    insta::assert_snapshot!(refusal("pmdev ping --loudly"), @r"
    --loudly is not an option here
    hint: how it is used: pmdev ping --help
    ");
    insta::assert_snapshot!(refusal("pmdev check --loudly"), @r"
    --loudly is not an option here
    hint: arguments for the app go after --: pmdev check app.js -- --loudly
    how it is used: pmdev check --help
    ");
}

/// What `pmdev VERB --help` prints at this width.
fn help(verb: &str) -> String {
    let mut cli = Cli::command().term_width(120);
    cli.build();
    cli.find_subcommand_mut(verb).unwrap().render_help().to_string()
}

#[test]
fn help_has_examples_that_are_understood() {
    for verb in ["start", "why"] {
        let help = help(verb);
        let examples: Vec<_> = help.split("Examples:").nth(1).unwrap().lines().filter(|line| line.contains("pmdev")).collect();
        assert!(examples.len() >= 3, "{help}");
        for example in examples {
            let line = example.trim().split("  ").next().unwrap();
            parse(words(line)).unwrap_or_else(|stop| panic!("{line}: {stop:?}"));
        }
    }
}
