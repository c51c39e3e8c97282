//! What apps need of each other, and what they are to say.

use super::*;

fn with(profile: &str, only: &[&str]) -> Request {
    Request { profile: Some(profile.into()), only: only.iter().map(ToString::to_string).collect(), ..Request::default() }
}

fn project(text: &str) -> Project {
    let project = Project::new(&["node", "npm"]);
    project.files(&["app.js"]);
    project.file("pmdev.json", text);
    project
}

fn warnings(resolved: &Resolved) -> String {
    resolved.notices.iter().map(|notice| notice.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_job_that_others_wait_for_stays_over_after_code_0() {
    let codes = |profile: &str, job: &str| {
        let text = format!(
            r#"[{{ "name": "a", "script": "app.js", "depends_on": {{ "j": "completed" }} }}, {{ "name": "j", "script": "app.js"{job} }}]"#
        );
        let resolved = project(&text).resolve(&with(profile, &[]));
        resolved.apps.into_iter().map(|app| app.restart.stop_exit_codes).collect::<Vec<_>>()
    };
    assert_eq!(codes("prod", ""), [vec![], vec![0]]);
    assert_eq!(codes("prod", r#", "stop_exit_codes": [3]"#), [vec![], vec![3, 0]]);
    assert_eq!(codes("prod", r#", "autorestart": true"#), [Vec::<i32>::new(), Vec::new()]);
    assert_eq!(codes("dev", ""), [Vec::<i32>::new(), Vec::new()]);
}

#[test]
fn who_is_left_out_is_not_waited_for_and_that_is_told() {
    let project = project(
        r#"[{ "name": "a", "script": "app.js", "depends_on": ["b", "c"] }, { "name": "b", "script": "app.js" }, { "name": "c", "script": "app.js" }]"#,
    );
    let told = warnings(&project.resolve(&with("dev", &["a"])));
    assert!(told.contains("a needs b, c, but that is not to run; a does not wait for it"), "{told}");
    let told = warnings(&project.resolve(&with("dev", &["a", "c"])));
    assert!(told.contains("a needs b, but"), "{told}");
    assert_eq!(warnings(&project.resolve(&with("dev", &[]))), "");
}

#[test]
fn messages_that_cannot_come_are_told() {
    let told = |app: &str| warnings(&project(&format!(r#"[{{ "name": "a", {app} }}]"#)).resolve(&with("dev", &[])));
    let ready = told(r#""script": "npm start", "wait_ready": true"#);
    assert!(ready.contains("a is ready only when it says process.send('ready'), but pmdev starts npm, which"), "{ready}");
    let ready = told(r#""script": "npm start", "ready": { "message": true }"#);
    assert!(ready.contains("but pmdev starts npm"), "{ready}");
    let stop = told(r#""script": "npm start", "shutdown_with_message": true"#);
    assert!(
        stop.contains("a is to be told to stop by a message, but pmdev starts npm, which does not get it; SIGINT is sent instead"),
        "{stop}"
    );
    for fine in [r#""script": "app.js", "wait_ready": true, "shutdown_with_message": true"#, r#""script": "npm start", "ready": 3000"#] {
        assert_eq!(told(fine), "");
    }
}

#[test]
fn a_soft_limit_that_never_acts_is_told_where_it_stands() {
    let told = |app: &str| warnings(&project(&format!(r#"[{{ "name": "a", "script": "app.js", {app} }}]"#)).resolve(&with("prod", &[])));
    let soft = told(r#""limits": { "memory": "1G", "memory_hard": "512M" }"#);
    let expected = "a is to be restarted gracefully at 1 GiB of memory, but it is killed at 512 MiB (limits.memory_hard) before that";
    assert!(soft.starts_with("pmdev.json:1:") && soft.ends_with(expected), "{soft}");
    let same = told(r#""max_memory_restart": "512M", "limits": { "memory_hard": "512M" }"#);
    assert!(same.contains("gracefully at 512 MiB of memory, but it is killed at 512 MiB"), "{same}");
    for fine in [r#""limits": { "memory": "512M", "memory_hard": "1G" }"#, r#""limits": { "memory": "512M", "memory_hard": 0 }"#] {
        assert_eq!(told(fine), "");
    }
}
