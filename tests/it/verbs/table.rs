//! Every verb by four questions: without a runner, with a name that nobody has, with several targets, and with `--json`.

use std::iter;

use serde_json::Value;

use crate::{
    background::Home,
    support::{Project, runner::Ending},
};

/// What is typed after the verb, the exit code, and a part of what is said.
type Case = (&'static str, i32, &'static str);

/// A verb; the questions are asked in the order of the rows, those of `several` and `json` of one background runner.
struct Row {
    verb: &'static str,
    no_runner: Case,
    unknown: Case,
    several: Case,
    json: Case,
}

/// A verb that takes any number of targets and needs a runner.
const fn targets(verb: &'static str, several: Case, json: Case) -> Row {
    Row { verb, no_runner: ("api", 3, NO_RUNNER), unknown: ("api nobody", 1, NOBODY), several, json }
}

const NO_RUNNER: &str = "No runner of this user is there to talk to";
const NOBODY: &str = "nobody is no app of this runner; it has api, web";
const TOO_MANY: &str = "is one word too many here";
const NO_OPTION: &str = "is not an option here";

const ROWS: &[Row] = &[
    Row {
        verb: "start",
        no_runner: ("nobody", 2, "nobody"),
        unknown: ("-d nobody", 2, "nobody was not found"),
        several: ("api web", 0, "api:0, api:1, web are online"),
        json: ("-d pmdev.toml --json", 0, "["),
    },
    Row {
        verb: "list",
        no_runner: ("", 0, "│ id "),
        unknown: ("api nobody", 1, NOBODY),
        several: ("api web", 0, "│ web "),
        json: ("--json", 0, "["),
    },
    Row {
        verb: "jlist",
        no_runner: ("", 0, "[]"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "\"name\":\"web\""),
        json: ("--json", 0, "["),
    },
    Row {
        verb: "prettylist",
        no_runner: ("", 0, "[]"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "\"name\": \"web\""),
        json: ("--json", 0, "["),
    },
    targets("show", ("api web", 0, "│ name "), ("web --json", 0, "[")),
    targets("env", ("api web", 0, "web\n"), ("web --json", 0, "[")),
    Row { no_runner: ("", 3, NO_RUNNER), ..targets("pid", ("api web", 0, "\n"), ("web --json", 0, "[")) },
    targets("id", ("api web", 0, "[ 0, 1, 2 ]"), ("web --json", 0, "[2]")),
    targets("stop", ("api web", 0, "api:0, api:1, web are stopped"), ("web --json", 0, "\"stopped\"")),
    targets("restart", ("api web", 0, "api:0, api:1, web are online again"), ("web --json", 0, "\"online\"")),
    targets("reload", ("api web", 0, "api:0, api:1, web are reloaded"), ("web --json", 0, "\"online\"")),
    targets("reset", ("api web", 0, "the counters of api:0, api:1, web start afresh"), ("web --json", 0, "\"restarts\": 0")),
    Row {
        no_runner: ("HUP api", 3, NO_RUNNER),
        unknown: ("URG nobody", 1, NOBODY),
        ..targets("signal", ("URG api web", 0, "api:0, api:1, web got URG"), ("URG web --json", 0, "["))
    },
    Row {
        no_runner: ("web hello", 3, NO_RUNNER),
        unknown: ("nobody hello", 1, NOBODY),
        ..targets("send", ("api web hello", 2, TOO_MANY), ("web hello --json", 0, "["))
    },
    Row {
        no_runner: ("web 2", 3, NO_RUNNER),
        unknown: ("nobody 2", 1, "nobody is no app"),
        ..targets("scale", ("api web 2", 2, TOO_MANY), ("web 1 --json", 0, "["))
    },
    Row {
        no_runner: ("api --nostream", 3, "No runner"),
        unknown: ("api nobody --nostream", 1, NOBODY),
        ..targets("logs", ("api web --nostream", 0, "web   | runs"), ("web --nostream --json", 0, "{"))
    },
    Row { unknown: ("nobody", 1, NOBODY), ..targets("attach", ("api web", 2, TOO_MANY), ("web --json", 2, NO_OPTION)) },
    targets("flush", ("api web", 0, "log files were emptied"), ("web --json", 0, "\"files\"")),
    Row {
        verb: "reloadLogs",
        no_runner: ("", 3, NO_RUNNER),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "log files were opened again"),
        json: ("--json", 0, "\"files\""),
    },
    Row {
        no_runner: ("", 3, NO_RUNNER),
        unknown: ("nobody", 0, "nobody is nothing to api and web, which watch no files"),
        ..targets("why", ("api web", 0, "web is online"), ("web --json", 0, "\"app\""))
    },
    Row {
        verb: "doctor",
        no_runner: ("", 0, "inotify: "),
        // What is found is the output, also where it is bad.
        unknown: ("nobody", 2, ""),
        several: ("api web", 0, "project: api and web"),
        json: ("--json", 0, "\"problems\": 0"),
    },
    Row {
        verb: "save",
        no_runner: ("", 3, "No background runner is there"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "2 apps are kept in"),
        json: ("--json", 0, "["),
    },
    Row {
        verb: "resurrect",
        no_runner: ("", 1, "dump.pmdev is not there"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "everything runs already"),
        json: ("--json", 0, "["),
    },
    Row {
        verb: "cleardump",
        no_runner: ("", 0, "nothing is kept any more"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "nothing is kept any more"),
        json: ("--json", 0, "["),
    },
    Row {
        verb: "startOrRestart",
        no_runner: ("nobody.toml", 2, "nobody.toml"),
        unknown: ("nobody.toml", 2, "nobody.toml"),
        several: ("pmdev.toml", 0, "are online"),
        json: ("pmdev.toml --json", 0, "["),
    },
    Row {
        verb: "startOrReload",
        no_runner: ("nobody.toml", 2, "nobody.toml"),
        unknown: ("nobody.toml", 2, "nobody.toml"),
        several: ("pmdev.toml", 0, "are online"),
        json: ("pmdev.toml --json", 0, "["),
    },
    Row {
        verb: "ping",
        no_runner: ("", 3, NO_RUNNER),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("", 0, "pong from pid"),
        json: ("--json", 0, "\"pid\""),
    },
    Row {
        verb: "monit",
        no_runner: ("", 3, NO_RUNNER),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("api web", 2, TOO_MANY),
        json: ("--json", 2, NO_OPTION),
    },
    Row {
        verb: "init",
        no_runner: ("", 2, "pmdev.toml is the project file of this folder already"),
        unknown: ("nobody", 2, "nobody"),
        several: ("toml yaml", 2, TOO_MANY),
        json: ("--json", 2, NO_OPTION),
    },
    Row {
        verb: "check",
        no_runner: ("", 0, "web"),
        unknown: ("nobody", 2, "nobody"),
        several: ("api web", 0, "web"),
        json: ("--json", 0, "{"),
    },
    Row {
        verb: "schema",
        no_runner: ("", 0, "$schema"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("api web", 2, TOO_MANY),
        json: ("", 0, "{"),
    },
    Row {
        verb: "completions",
        no_runner: ("bash", 0, "pmdev"),
        unknown: ("nobody", 2, "nobody"),
        several: ("bash zsh", 2, TOO_MANY),
        json: ("bash --json", 2, NO_OPTION),
    },
    Row {
        verb: "man",
        no_runner: ("", 0, ".TH"),
        unknown: ("nobody", 2, "nobody"),
        several: ("start stop", 2, TOO_MANY),
        json: ("--json", 2, NO_OPTION),
    },
    Row {
        verb: "startup",
        no_runner: ("systemd", 0, "ExecStart"),
        unknown: ("nobody", 2, "nobody"),
        several: ("systemd openrc", 2, TOO_MANY),
        json: ("systemd --json", 2, NO_OPTION),
    },
    Row {
        verb: "unstartup",
        no_runner: ("systemd", 2, "there is nothing to take away"),
        unknown: ("nobody", 2, "nobody"),
        several: ("systemd openrc", 2, TOO_MANY),
        json: ("systemd --json", 2, NO_OPTION),
    },
    targets("delete", ("api web", 0, "api, web are gone"), ("api --json", 1, "api is no app")),
    Row {
        verb: "kill",
        no_runner: ("", 0, "no runner, nothing to end"),
        unknown: ("nobody", 2, TOO_MANY),
        several: ("--json", 0, "\"took_ms\""),
        json: ("--json", 0, "null"),
    },
];

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
instances = 2

[[apps]]
name = \"web\"
script = \"web.sh\"
";

fn home() -> Home {
    let home = Home::new();
    for app in ["api", "web"] {
        home.project.script(&format!("{app}.sh"), "echo runs\ncat > /dev/null\n");
    }
    home.project.save("pmdev.toml", FILE);
    home
}

/// Types it, and looks at the code and at what is said. Code 0 speaks on standard output, any other on standard error.
fn ask(home: &Home, row: &Row, (arguments, code, part): Case, wrong: &mut Vec<String>) -> Ending {
    let words: Vec<&str> = iter::once(row.verb).chain(arguments.split_whitespace()).collect();
    let ending = home.project.pmdev(&words).finish();
    let said = if code == 0 { &ending.out } else { &ending.err };
    if ending.code != Some(code) || !said.contains(part) {
        wrong.push(format!("{} is not {code} with {part:?}: {:?} {}", words.join(" "), ending.code, ending.all()));
    }
    ending
}

/// Asks every row one question.
fn ask_all(home: &Home, question: impl Fn(&Row) -> Case) {
    let mut wrong = Vec::new();
    for row in ROWS {
        ask(home, row, question(row), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_verb_of_the_help_has_a_row() {
    let help = Project::empty().pmdev(["help"]).finish().out;
    let shown = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = |line: &str| {
        line.strip_prefix("  ").filter(|line| !line.starts_with(' ')).and_then(|line| Some(line.split_once(' ')?.0.to_owned()))
    };
    let verbs: Vec<String> = shown.filter_map(named).collect();
    let missing: Vec<&String> = verbs.iter().filter(|verb| *verb != "help" && !ROWS.iter().any(|row| row.verb == **verb)).collect();
    assert!(missing.is_empty() && verbs.len() > 20, "{missing:?} of {verbs:?}");
}

#[test]
fn without_a_runner() {
    let home = home();
    ask_all(&home, |row| row.no_runner);
}

#[test]
fn names_that_nobody_has() {
    let home = home();
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    let states = home.states();
    ask_all(&home, |row| row.unknown);
    assert_eq!(home.states(), states, "what is refused changes nothing");
}

#[test]
fn several_targets_and_json() {
    let home = home();
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    let mut wrong = Vec::new();
    for row in ROWS {
        ask(&home, row, row.several, &mut wrong);
        let ending = ask(&home, row, row.json, &mut wrong);
        let documents: Vec<_> = serde_json::Deserializer::from_str(&ending.out).into_iter::<Value>().collect();
        let is_one = documents.iter().all(Result::is_ok) && (documents.len() == 1 || row.verb == "logs");
        if ending.code == Some(0) && !is_one {
            wrong.push(format!("{} --json is no JSON: {}", row.verb, ending.all()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
