//! Verbs answer when the thing is true, and say how long that took; with `--no-wait` at once.

use std::{fs, time::Duration};

use crate::{
    background::Home,
    support::{PATIENCE, Project, clock::comes_true, programs, runner::Ending},
};

/// Says that it is up, and stops, only once it may.
const SLOW: &str = "\
may() { until [ -e ../outside/$1 ]; do sleep 0.02; done; }
trap 'may stop; exit 0' INT TERM
may start
echo \"is up\"
while :; do sleep 0.02; done
";

const FILE: &str = "\
[[apps]]
name = \"slow\"
script = \"slow.sh\"
ready = { log = \"is up\", timeout = \"5m\" }
kill_timeout = \"5m\"
";

fn home() -> Home {
    let home = Home::new();
    home.project.script("slow.sh", SLOW);
    home.project.save("pmdev.toml", FILE);
    home
}

fn may(project: &Project, what: &[&str]) {
    for name in ["start", "stop"] {
        let file = project.outside(name);
        if what.contains(&name) {
            fs::write(file, "").expect("the folder is ours");
        } else if file.exists() {
            fs::remove_file(file).expect("the folder is ours");
        }
    }
}

/// The time that an answer says it took.
#[track_caller]
fn took(ending: &Ending) -> Duration {
    let time = ending.out.trim_end().rsplit_once("(in ").and_then(|(_, rest)| rest.strip_suffix(')'));
    let (number, unit) = time.and_then(|time| time.split_once(' ')).unwrap_or_else(|| panic!("no time: {}", ending.all()));
    let number: f64 = number.parse().unwrap_or_else(|error| panic!("{error}: {}", ending.all()));
    Duration::from_secs_f64(match unit {
        "ms" => number / 1000.0,
        "s" => number,
        unit => panic!("{unit}: {}", ending.all()),
    })
}

/// Every verb with `--no-wait`, while nothing may happen; then without, while what it waits for comes.
#[test]
fn verbs_wait_for_what_they_say_unless_told_not_to() {
    let home = home();
    let project = &home.project;
    let state =
        || home.states().into_iter().map(|state| state.split(' ').nth(2).expect("it has one").to_owned()).collect::<Vec<_>>().join(" ");
    let comes = |wanted: &str| assert!(comes_true(PATIENCE, || state() == wanted), "{wanted}: {:?}", home.states());
    // The verb, what is said at once, the state by then, what has to come, and the state afterwards.
    type Case<'a> = (&'a [&'a str], &'a str, &'a str, &'a [&'a str], &'a str);
    let cases: [Case<'_>; 11] = [
        (&["start", "-d", "pmdev.toml"], "slow is launching", "launching", &["start"], "online"),
        (&["stop", "slow"], "slow is being stopped", "stopping", &["stop"], "stopped"),
        (&["start", "slow"], "slow is being started", "launching", &["start"], "online"),
        (&["restart", "slow"], "slow is being restarted", "stopping", &["start", "stop"], "online"),
        (&["reload", "slow"], "slow is being reloaded", "stopping", &["start", "stop"], "online"),
        (&["restart", "slow", "--update-env"], "slow is stopping", "stopping", &["start", "stop"], "online"),
        (&["restart", "pmdev.toml"], "slow is stopping", "stopping", &["start", "stop"], "online"),
        (&["startOrReload", "pmdev.toml"], "slow is stopping", "stopping", &["start", "stop"], "online"),
        (&["startOrRestart", "pmdev.toml"], "slow is stopping", "stopping", &["start", "stop"], "online"),
        (&["scale", "slow", "2"], "slow is being scaled to 2 instances", "online launching", &["start"], "online online"),
        (&["delete", "slow"], "slow is being deleted", "", &["stop"], ""),
    ];
    for (words, said, then, what, end) in cases {
        may(project, &[]);
        let ending = home.verb(&[words, &["--no-wait"]].concat(), 0);
        assert!(ending.out.contains(said) && !ending.out.contains("(in "), "{words:?}: {}", ending.all());
        comes(then);
        may(project, what);
        comes(end);
    }
    may(project, &["start", "stop"]);
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    home.verb(&["save"], 0);
    home.verb(&["delete", "slow"], 0);
    may(project, &[]);
    let resurrected = home.verb(&["resurrect", "--no-wait"], 0);
    assert!(!resurrected.out.contains("(in "), "{}", resurrected.all());
    comes("launching");
    may(project, &["start", "stop"]);
    comes("online");
}

#[test]
fn answers_say_how_long_it_took() {
    let home = home();
    let project = &home.project;
    may(project, &["stop"]);
    let waits = |words: &[&str], what: &[&str]| {
        let asked = project.pmdev(words).spawn();
        // It has reached the runner by the time that this has come; what is being deleted is listed no more.
        let moves = || {
            let states = home.states();
            let is_under_way = |state: &String| state.contains("launching") || state.contains("stopping");
            if words[0] == "delete" { states.is_empty() } else { states.iter().any(is_under_way) }
        };
        assert!(comes_true(PATIENCE, moves), "{words:?}: {:?}", home.states());
        assert_eq!(asked.exit(), None, "{words:?}: it is not true yet");
        may(project, what);
        let ending = asked.finish();
        assert_eq!(ending.code, Some(0), "{words:?}: {}", ending.all());
        let took = took(&ending);
        assert!(took < PATIENCE, "{words:?}: {took:?}");
        ending.out
    };
    assert!(waits(&["start", "-d", "pmdev.toml"], &["start"]).contains("slow is online in the background (in "));
    assert!(waits(&["stop", "slow"], &["stop"]).contains("slow is stopped (in "));
    assert!(waits(&["start", "slow"], &["start"]).contains("slow is online (in "));
    assert!(waits(&["restart", "slow"], &["start", "stop"]).contains("slow is online again (in "));
    may(project, &[]);
    assert!(waits(&["reload", "slow"], &["start", "stop"]).contains("slow is reloaded (in "));
    may(project, &[]);
    assert!(waits(&["scale", "slow", "2"], &["start"]).contains("slow has 2 instances: slow:0, slow:1 (in "));
    assert!(waits(&["delete", "slow"], &["stop"]).contains("slow is gone (in "));
}

#[test]
fn whoever_scales_while_others_do_is_answered() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    for round in 0..5 {
        let scales: Vec<_> = ["6", "3", "1", "4", "2"].iter().map(|count| home.project.pmdev(["scale", "api", count]).spawn()).collect();
        for scale in scales {
            let ending = scale.finish();
            let overtaken = ["has fewer instances meanwhile", "is wanted again meanwhile"].iter().any(|word| ending.err.contains(word));
            assert!(ending.code == Some(0) || ending.code == Some(1) && overtaken, "round {round}: {}", ending.all());
        }
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    for verb in ["list", "jlist", "show api", "pid"] {
        let ending = home.project.hook(&["sh", "-c", &format!("exec {} {verb} > /dev/full", programs::PMDEV)]).finish();
        assert_eq!(ending.code, Some(1), "{verb}: {}", ending.all());
        let why = ["The answer could not be written", "No space left on device"];
        assert!(why.iter().all(|part| ending.err.contains(part)), "{}", ending.all());
    }
}

#[test]
fn scripts_of_pm2_have_verbs_say_nothing() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh", "-s"], 0);
    for verb in [
        &["restart", "api", "-s"][..],
        &["list", "--silent"],
        &["reload", "api", "--silent"],
        &["stop", "all", "-s"],
        &["delete", "api", "-s"],
    ] {
        let ending = home.verb(verb, 0);
        assert_eq!(ending.all().trim(), "", "{verb:?}");
    }
    assert_eq!(home.verb(&["jlist", "-s"], 0).out.trim(), "[]");
    home.verb(&["start", "-d", "api.sh", "-s"], 0);
    assert_eq!(home.states(), ["0 api online 0"], "after everything was deleted, ids begin with 0 again");
    home.verb(&["delete", "all", "-s"], 0);
    assert!(home.verb(&["restart", "api", "-s"], 1).err.contains("api"), "what is wrong is told all the same");
}
