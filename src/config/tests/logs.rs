//! Where log files lie, by profile, keys and flags.

use super::{
    super::{LogRequest, plan},
    *,
};
use crate::model::{LogFile, Logs};

/// The files of an app, as people would name them.
fn files(project: &Project, logs: &Logs) -> String {
    let shown = |file: &LogFile| match file {
        LogFile::None => "none".to_owned(),
        LogFile::Default => panic!("it has no path yet"),
        LogFile::At(path) => project.short(&path.display().to_string()),
    };
    format!("{} {} {}", shown(&logs.out), shown(&logs.error), shown(&logs.combined))
}

fn of(project: &Project, request: &Request) -> String {
    files(project, &project.app_of(request).logs)
}

#[test]
fn the_profile_decides_whether_there_are_any() {
    let mut project = Project::new(&["node"]);
    project.file("a.js", "");
    assert_eq!(of(&project, &request(&["a.js"])), "none none none");
    let prod = Request { profile: Some("prod".into()), ..request(&["a.js"]) };
    assert_eq!(of(&project, &prod), "/home/.pmdev/logs/a-out.log /home/.pmdev/logs/a-error.log none");
    project.var("PMDEV_HOME", "own");
    assert_eq!(of(&project, &prod), "/home/p/own/logs/a-out.log /home/p/own/logs/a-error.log none");
    project.host.env.pop();
    project.host.home = None;
    assert_eq!(of(&project, &prod), "none none none");
    insta::assert_snapshot!(project.notices(&prod).join("\n"), @r"
    a keeps no log files, because neither HOME nor PMDEV_HOME says where
    set PMDEV_HOME to a folder
    ");
}

#[test]
fn flags_beat_keys_and_count_for_every_app() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", "sub/b.js"]);
    project.file(
        "pmdev.toml",
        r#"
        [[apps]]
        script = "a.js"
        out = "logs/a.log"
        log = true
        error = "NULL"
        [[apps]]
        script = "b.js"
        cwd = "sub"
        instances = 2
        out_file = "../b.log"
        log_type = "json"
        time = true
        [[apps]]
        name = "c"
        script = "a.js"
        exec_mode = "cluster"
        disable_logs = true
        "#,
    );
    let all = |request: &Request| {
        let apps = project.resolve(request).apps;
        let shown = apps.iter().map(|app| {
            let Logs { merge, json, timestamp, disabled, .. } = &app.logs;
            let time = timestamp.as_ref().map(|format| format.text().to_owned());
            format!("{} merge={merge} json={json} time={time:?} disabled={disabled}", files(&project, &app.logs))
        });
        shown.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(all(&request(&[])), @r#"
    /home/p/logs/a.log none /home/.pmdev/logs/a.log merge=true json=false time=None disabled=false
    /home/p/b.log none none merge=false json=true time=Some("YYYY-MM-DDTHH:mm:ss") disabled=false
    none none none merge=false json=false time=None disabled=true
    "#);
    let logs = LogRequest {
        out: Some("all.log".into()),
        error: Some(String::new()),
        combined: Some("/dev/null".into()),
        merge: true,
        json: Some(false),
        timestamp: Some("HH".parse().unwrap()),
        disabled: false,
    };
    insta::assert_snapshot!(all(&Request { logs, ..request(&[]) }), @r#"
    /home/p/all.log /home/.pmdev/logs/a-error.log none merge=true json=false time=Some("HH") disabled=false
    /home/p/all.log /home/.pmdev/logs/b-error.log none merge=true json=false time=Some("HH") disabled=false
    none none none merge=true json=false time=Some("HH") disabled=true
    "#);
    let plan = plan::text(&project.resolve(&request(&[])), &project.host, &jiff::Zoned::default());
    assert!(plan.contains("  logs      nowhere, and nothing is shown\n"), "{plan}");
    assert!(project.short(&plan).contains("  logs      out /home/p/b-1.log and so on\n            as JSON, with the time as "), "{plan}");
}

#[test]
fn a_file_that_somebody_needs_is_no_log_file() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", "folder/x"]);
    let app = |out: &str| {
        project.file("pmdev.toml", &format!("[[apps]]\nname = \"api\"\nscript = \"a.js\"\nout_file = \"{out}\"\n"));
        project.refusal(&request(&[]))
    };
    insta::assert_snapshot!(app("a.js"), @r"
    api cannot write its lines into /home/p/a.js, which is part of its command line
    hint: name a file that holds nothing but log lines, such as logs/out.log
    ");
    assert!(app("folder").contains("which is a folder"));
    assert!(app("pmdev.toml").contains("which is a file that says what shall run"));
}

#[test]
fn log_files_are_in_no_change_set() {
    let project = Project::new(&["node"]);
    project.file("a.js", "");
    let logs = LogRequest { out: Some("o.txt".into()), ..LogRequest::default() };
    let app = project.app_of(&Request { logs, ..request(&["a.js"]) });
    let own: Vec<String> = app.watch.unwrap().own.iter().map(|path| project.short(&path.display().to_string())).collect();
    assert_eq!(own, ["/home/p/o.txt", "/home/.pmdev"]);
}
