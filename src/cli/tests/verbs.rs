//! Which verb each name means.

use std::collections::BTreeSet;

use super::*;

/// Each verb with its other names, PM2's among them: those that help, pages and shells show, and those that are only understood.
const NAMES: &[(&str, &[&str], &[&str])] = &[
    ("start", &[], &[]),
    ("init", &[], &["ecosystem"]),
    ("check", &[], &[]),
    ("schema", &[], &[]),
    ("why", &[], &[]),
    ("doctor", &[], &[]),
    ("list", &["ls", "ps", "status"], &["l"]),
    ("jlist", &[], &[]),
    ("prettylist", &[], &[]),
    ("show", &["describe", "info"], &["desc"]),
    ("env", &[], &[]),
    ("pid", &[], &[]),
    ("id", &[], &[]),
    ("stop", &[], &[]),
    ("restart", &[], &[]),
    ("reload", &[], &[]),
    ("delete", &["del"], &[]),
    ("reset", &[], &[]),
    ("logs", &[], &["log"]),
    ("flush", &[], &[]),
    ("reloadLogs", &["reload-logs"], &[]),
    ("startOrRestart", &["start-or-restart"], &[]),
    ("startOrReload", &["start-or-reload"], &["startOrGracefulReload"]),
    ("save", &["dump"], &[]),
    ("resurrect", &[], &[]),
    ("cleardump", &[], &[]),
    ("scale", &[], &[]),
    ("signal", &[], &["sendSignal"]),
    ("send", &[], &[]),
    ("attach", &[], &[]),
    ("ping", &[], &[]),
    ("kill", &[], &[]),
    ("completions", &[], &[]),
    ("man", &[], &[]),
    ("monit", &["top", "dash"], &["dashboard", "imonit"]),
    ("startup", &[], &[]),
    ("unstartup", &[], &[]),
];

#[test]
fn every_name_means_its_verb_and_there_are_no_others() {
    let cli = Cli::command();
    for (verb, shown, understood) in NAMES {
        let command = cli.get_subcommands().find(|known| known.get_name() == *verb).unwrap_or_else(|| panic!("{verb} is no verb"));
        assert_eq!(command.get_visible_aliases().collect::<Vec<_>>(), *shown, "{verb}");
        let all: BTreeSet<&str> = command.get_all_aliases().collect();
        assert_eq!(all, shown.iter().chain(*understood).copied().collect(), "{verb}");
        for name in [verb].into_iter().chain(*shown).chain(*understood) {
            // At its place and after an option, it is not taken for something that is to be run.
            for line in [format!("pmdev {name}"), format!("pmdev --quiet {name}")] {
                let args = verb::insert(words(&line), &cli);
                let found = cli.find_subcommand(&args[1]).map(clap::Command::get_name);
                assert_eq!(found, Some(*verb), "{line}: {args:?}");
            }
        }
    }
    let known: BTreeSet<&str> = NAMES.iter().map(|(verb, ..)| *verb).collect();
    let there: BTreeSet<&str> = cli.get_subcommands().map(clap::Command::get_name).filter(|verb| !verb.starts_with("__")).collect();
    assert_eq!(there, known);
}

#[test]
fn a_name_that_is_understood_is_read_as_its_verb() {
    for (line, is_it) in [
        ("pmdev status", (|verb| matches!(verb, Verb::List(_))) as fn(&Verb) -> bool),
        ("pmdev l", |verb| matches!(verb, Verb::List(_))),
        ("pmdev desc api", |verb| matches!(verb, Verb::Show(_))),
        ("pmdev info api", |verb| matches!(verb, Verb::Show(_))),
        ("pmdev del api", |verb| matches!(verb, Verb::Delete(_))),
        ("pmdev dump", |verb| matches!(verb, Verb::Save(_))),
        ("pmdev log api", |verb| matches!(verb, Verb::Logs(_))),
        ("pmdev sendSignal HUP api", |verb| matches!(verb, Verb::Signal(_))),
        ("pmdev reload-logs", |verb| matches!(verb, Verb::ReloadLogs(_))),
        ("pmdev startOrGracefulReload a.json", |verb| matches!(verb, Verb::StartOrReload(_))),
        ("pmdev start-or-restart a.json", |verb| matches!(verb, Verb::StartOrRestart(_))),
        ("pmdev top", |verb| matches!(verb, Verb::Monit(_))),
        ("pmdev dashboard", |verb| matches!(verb, Verb::Monit(_))),
        ("pmdev ecosystem", |verb| matches!(verb, Verb::Init(_))),
    ] {
        match parse(words(line)) {
            Ok(Cli { verb }) => assert!(is_it(&verb), "{line}: {verb:?}"),
            Err(stop) => panic!("{line}: {stop:?}"),
        }
    }
}

#[test]
fn what_pm2_has_and_pmdev_has_not_is_answered() {
    let told = |line: &str| {
        let slip = verb::Slip::find(&words(line), &Cli::command()).unwrap_or_else(|| panic!("{line}"));
        let word = line.split(' ').nth(1).expect("there is a verb");
        let error = slip.explain(Error::usage(format!("{word} was not found: there is no such file, folder or program")));
        format!("{}\nhint: {}", error.message, error.hint.unwrap_or_default())
    };
    insta::assert_snapshot!(told("pmdev update"), @r"
    update is a verb of PM2 that pmdev does not have, and no file
    hint: a new pmdev runs after: pmdev save && pmdev kill && pmdev resurrect
    ");
    insta::assert_snapshot!(told("pmdev gracefulReload all"), @r"
    gracefulReload is a verb of PM2 that pmdev does not have, and no file
    hint: it is called reload here: pmdev reload NAME
    ");
    insta::assert_snapshot!(told("pmdev report"), @r"
    report is a verb of PM2 that pmdev does not have, and no file
    hint: what keeps apps from running well: pmdev doctor
    ");
    insta::assert_snapshot!(told("pmdev serve dist 8080"), @r#"
    serve is a verb of PM2 that pmdev does not have, and no file
    hint: start a server of files as any other app: pmdev start -d "npx serve dist"
    "#);
    insta::assert_snapshot!(told("pmdev statu"), @r"
    statu is no file and no verb
    hint: did you mean pmdev status?
    ");
    for line in
        ["pmdev deploy production setup", "pmdev set pm2:x 1", "pmdev install pm2-logrotate", "pmdev link a b", "pmdev trigger api x"]
    {
        assert!(told(line).contains("PM2"), "{}", told(line));
    }
}
