//! Project files that say something wrong, and what people read then.

use super::*;

/// What each of them says wrong, and the apps of the file.
const MISTAKES: &[(&str, &str)] = &[
    ("no apps", r#"{ "app": [{ "script": "app.js" }] }"#),
    ("apps of another kind", r#"{ "apps": "app.js" }"#),
    ("an app of another kind", r#"{ "apps": ["app.js"] }"#),
    ("a file of another kind", "3"),
    ("a number where a list belongs", r#"{ "script": "app.js", "watch": 3, "args": true, "stop_exit_codes": { "a": 1 } }"#),
    ("no size", r#"{ "script": "app.js", "max_memory_restart": "lots" }"#),
    ("no duration", r#"{ "script": "app.js", "killTimeout": "soon" }"#),
    ("an unknown interpreter", r#"{ "script": "app.js", "interpreter": "nodee" }"#),
    ("an unknown interpreter of the file", r#"{ "interpreters": { "js": "nodee --x" }, "apps": [{ "script": "app.js" }] }"#),
    ("two apps of one name", r#"{ "apps": [{ "name": "a", "script": "app.js" }, { "name": "a", "script": "worker.py" }] }"#),
    ("a script that is not there", r#"{ "script": "src/sevrer.js" }"#),
    ("no script", r#"{ "apps": [{ "name": "api" }, { "name": "web", "script": "app.js" }] }"#),
    ("a folder that is not there", r#"{ "script": "server.js", "cwd": "scr" }"#),
    ("a folder that is a file", r#"{ "script": "server.js", "cwd": "app.js" }"#),
    ("an env file that is not there", r#"{ "script": "app.js", "env_file": [".env", "broken.evn"] }"#),
    ("a broken env file", r#"{ "script": "app.js", "env_file": "broken.env" }"#),
    ("a watched folder that is not there", r#"{ "script": "app.js", "watch": ["scr"] }"#),
    (
        "a circle",
        r#"[{ "name": "a", "script": "app.js", "depends_on": "b" }, { "name": "b", "script": "app.js", "depends_on": { "c": "ready" } }, { "name": "c", "script": "app.js", "depends_on": ["a"] }]"#,
    ),
    (
        "a need that is no app",
        r#"[{ "name": "api", "script": "app.js", "depends_on": ["dbb"] }, { "name": "db", "script": "app.js", "depends_on": { "db": "up" } }]"#,
    ),
    ("an unknown action", r#"{ "script": "app.js", "watch": ["src", { "paths": "src", "action": "explode" }, { "action": "reload" }] }"#),
    ("a wrong value for one profile", r#"{ "script": "app.js", "profiles": { "prod": { "instances": "many" } } }"#),
    ("a variable that cannot be", r#"{ "script": "app.js", "env": { "A=B": "secret" } }"#),
    ("a broken command line", r#"{ "script": "app.js", "build": "make '" }"#),
    ("several in one app", r#"{ "script": "nope.js", "port": "http", "umask": 22, "cron": "daily", "uid": [] }"#),
];

fn project() -> Project {
    let project = Project::new(&["node", "python3"]);
    project.files(&["app.js", "src/server.js", "worker.py", ".env"]);
    project.file("broken.env", "A=1\nB='x\n");
    project
}

#[test]
fn every_mistake_has_a_place_and_says_what_is_right() {
    let project = project();
    let mut all = String::new();
    for (what, text) in MISTAKES {
        project.file("pmdev.json", text);
        let refusal = project.refusal(&request(&[]));
        assert!(refusal.contains("pmdev.json"), "{what}: {refusal}");
        assert!(!refusal.contains("secret"), "{what}: {refusal}");
        all.push_str(&format!("# {what}\n{refusal}\n\n"));
    }
    insta::assert_snapshot!("mistakes", all);
}

#[test]
fn what_is_only_doubtful_is_told_and_runs() {
    let project = project();
    project.file(
        "pmdev.json",
        r#"{
  "apps": [
    { "name": "api", "script": "app.js", "wacth": true, "kill-timeout": 3, "port": 3000, "pmx": true, "vizion": false },
    { "name": "web", "script": "app.js", "interpreter": "node", "exec_interpreter": "node", "port": 3000, "max_memory_restart": 0 },
    { "name": "job", "script": "app.js", "listen": "3000", "watch_options": { "usePoling": true, "atomic": true }, "merge_logs": null }
  ],
  "deploy": {},
  "static": [],
  "scripts": {}
}"#,
    );
    let request = Request { env_name: Some("stagin".into()), ..request(&[]) };
    insta::assert_snapshot!("doubts", project.notices(&request).join("\n"));
    assert_eq!(project.resolve(&request).apps.len(), 3);
}

#[test]
fn names_that_no_app_has() {
    let project = project();
    project.file("pmdev.json", r#"[{ "name": "api", "script": "app.js" }, { "name": "web", "script": "app.js" }]"#);
    let only = |names: &str| Request { only: vec![names.to_owned()], ..request(&[]) };
    insta::assert_snapshot!(project.refusal(&only("web,ap")), @r"
    ap is no app of pmdev.json; there is api, web
    hint: did you mean api?
    ");
    fs::remove_file(project.host.cwd.join("pmdev.json")).unwrap();
    insta::assert_snapshot!(project.refusal(&only("web")), @"--only web names an app of a project file, and /home/p has none");
    let script = Request { only: vec!["web".to_owned()], ..request(&["app.js"]) };
    insta::assert_snapshot!(project.refusal(&script), @r"
    --only web names an app of a project file, and no TARGET is one
    hint: leave out --only, or the TARGETs that are to stay away
    ");
}
