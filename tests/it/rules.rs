//! Watch rules with an action of their own, on real processes; the pids tell what was replaced.

use crate::support::{
    PATIENCE, Project, Runner,
    clock::comes_true,
    words::{self, app_says, plan},
};

const APP: &str = "trap 'echo \"hung up\"' HUP\necho \"runs pid=$$.\"\nwhile :; do sleep 1000000 & wait $!; done\n";

const FILE: &str = "\
apps:
  - name: api
    script: api.sh
    watch:
      - { paths: [\"docs/**\"], action: none }
      - { paths: [\"conf\"], signal: SIGHUP }
      - { paths: [\"views/*.html\"], action: reload }
      - { paths: [\"proto/**\"], run: \"cp proto/a docs/made\", action: restart }
      - .
";

fn start(project: &Project) -> Runner<'_> {
    project.script("api.sh", APP);
    for file in ["docs/a", "conf/a", "views/a.html", "proto/a"] {
        project.save(file, "old");
    }
    project.save("pmdev.yaml", FILE);
    project.let_stamps_pass();
    let mut runner = project.start(["--explain"]);
    runner.wait_for(&words::watching());
    runner.wait_for(&app_says("runs pid="));
    runner
}

fn runs(runner: &Runner<'_>) -> usize {
    runner.count(&app_says("runs pid="))
}

#[test]
fn each_path_does_what_its_rule_says() {
    let project = Project::empty();
    let mut runner = start(&project);
    project.save("conf/a", "new");
    runner.wait_for(&words::says("api was sent SIGHUP (conf/a)"));
    runner.wait_for(&app_says("hung up"));
    project.save("docs/a", "new");
    runner.wait_for(&words::says("api settled"));
    runner.wait_for(&words::says("docs/a"));
    assert_eq!(runs(&runner), 1, "neither replaces anything");
    project.save("views/a.html", "new");
    runner.wait_for(&words::restarted_by("views/a.html"));
    project.save("proto/a", "new");
    runner.wait_for(&words::says("api runs cp proto/a docs/made first"));
    // What the command wrote may be told with it.
    runner.wait_for(&words::restarted());
    assert!(comes_true(PATIENCE, || runs(&runner) == 3), "{} runs", runs(&runner));
    assert_eq!(std::fs::read_to_string(project.path("docs/made")).unwrap(), "new", "the command ran first");
    // What no rule matches restarts, whatever the command wrote besides.
    project.save("other", "new");
    runner.wait_for(&words::restarted());
    assert!(comes_true(PATIENCE, || runs(&runner) == 4), "{} runs", runs(&runner));
}

#[test]
fn a_rule_that_is_edited_acts_at_once_and_restarts_nothing() {
    let project = Project::empty();
    let mut runner = start(&project);
    project.edit("pmdev.yaml", "[\"conf\"], signal: SIGHUP", "[\"conf\"], action: none");
    runner.wait_for(&plan("api: watch rules with actions changed"));
    project.save("conf/a", "newer");
    project.edit("pmdev.yaml", "action: none", "signal: SIGHUP");
    runner.wait_for(&plan("api: watch rules with actions changed"));
    project.save("docs/a", "newer");
    runner.wait_for(&words::says("api was sent SIGHUP (docs/a)"));
    runner.wait_for(&app_says("hung up"));
    assert_eq!((runs(&runner), runner.count(&words::says("SIGHUP (conf/a)"))), (1, 0));
}

#[test]
fn why_names_the_rule() {
    let project = Project::empty();
    drop(start(&project));
    let said = project.pmdev(["why", "views/a.html", "docs/x", "api.sh"]).finish().out;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "views/a.html is watched by api: the rule views/*.html reloads it",
            "docs/x is watched by api: the rule docs/** does nothing to it",
            "api.sh is watched by api: no rule ignores it",
        ]
    );
    let checked = project.pmdev(["check"]).finish().out;
    assert!(checked.contains("conf: SIGHUP") && checked.contains("proto/**: run \"cp proto/a docs/made\", then restart"), "{checked}");
}
