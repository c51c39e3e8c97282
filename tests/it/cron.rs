//! Restarts by the clock.

use jiff::{Timestamp, Zoned};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{PATIENCE, Project, Saying, clock::comes_true, words};

fn project(pattern: &str) -> Project {
    let project = Project::empty();
    project.script("api.sh", "echo \"pid $$\"; exec sleep 1000000\n");
    declare(&project, pattern);
    project
}

fn declare(project: &Project, pattern: &str) {
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", "watch": false, "cron_restart": {pattern} }}]"#));
}

fn by_clock() -> Saying {
    words::app_restarted("api").and(words::says("(cron_restart)"))
}

#[test]
fn an_app_is_restarted_at_its_times_until_they_are_edited_away() {
    let project = project(r#""* * * * * *""#);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::says("[pmdev] api restarts at "));
    for _ in 0..3 {
        runner.wait_for(&by_clock());
    }
    project.let_stamps_pass();
    // Far away, and told.
    declare(&project, r#""0 0 1 1 *""#);
    runner.wait_for(&words::says("cron_restart"));
    runner.wait_for(&words::says(format!("[pmdev] api restarts at {}-01-01 00:00 (in ", Zoned::now().year() + 1)));
    let before = runner.count(&by_clock());
    project.let_stamps_pass();
    declare(&project, r#""*/2 * * * * *""#);
    assert!(comes_true(PATIENCE, || runner.count(&by_clock()) > before), "a time that is edited in counts at once");
    project.let_stamps_pass();
    declare(&project, "false");
    runner.wait_for(&words::says("-> none"));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_job_that_ended_keeps_its_runner_and_runs_again() {
    let project = project(r#""* * * * * *""#);
    project.script("api.sh", "echo done\n");
    let runner = project.start([""; 0]);
    assert!(comes_true(PATIENCE, || runner.count(&words::app_says("done")) >= 3));
    assert!(runner.exit().is_none());
}

#[test]
fn check_tells_the_next_time_and_refuses_what_is_no_pattern() {
    let project = project(r#""0 0 29 2 *""#);
    let ending = project.pmdev(["check", "--json"]).finish();
    let plan: Value = serde_json::from_str(&ending.out).unwrap_or_else(|error| panic!("{error}: {}", ending.all()));
    let next: Timestamp = plan["apps"][0]["cron_next"].as_str().and_then(|text| text.parse().ok()).expect("it is a time");
    assert!(next > Timestamp::now() && plan["apps"][0]["cron"] == "0 0 29 2 *");
    let text = project.pmdev(["check"]).finish().out;
    assert!(text.contains("0 0 29 2 *, next at ") && text.contains("-02-29 00:00 (in "), "{text}");
    for (pattern, why) in
        [(r#""0 0 30 2 *""#, "there is no such date"), (r#""61 * * * *""#, "out of bounds"), (r#""daily""#, "between 5 and 7 fields")]
    {
        declare(&project, pattern);
        let ending = project.pmdev(["check"]).finish();
        assert_eq!(ending.code, Some(2), "{pattern}: {}", ending.all());
        assert!(ending.err.contains(why) && ending.err.contains("cron_restart"), "{pattern}: {}", ending.err);
    }
    for off in ["0", r#""0""#, "false"] {
        declare(&project, off);
        let plan: Value = serde_json::from_str(&project.pmdev(["check", "--json"]).finish().out).expect("it is an object");
        assert_eq!((&plan["apps"][0]["cron"], &plan["apps"][0]["cron_next"]), (&Value::Null, &Value::Null), "{off}");
    }
}
