//! Flags that are keys: for apps that were typed and for those of a project file, where they win.

use super::{
    super::{Flag, flag, list_flag, plan},
    *,
};

fn flags(list: Vec<Flag>) -> Request {
    Request { flags: list, ..Request::default() }
}

fn all() -> Vec<Flag> {
    let text = |name, key, value| flag(name, key, value).unwrap();
    vec![
        text("--instances", "instances", "3"),
        text("--namespace", "namespace", "back"),
        text("--restart-delay", "restart_delay", "1s"),
        text("--max-restarts", "max_restarts", "7"),
        text("--max-memory-restart", "max_memory_restart", "1M"),
        text("--cron-restart", "cron_restart", "0 3 * * *"),
        text("--listen-timeout", "listen_timeout", "9s"),
        text("--pid", "pid_file", "run/a.pid"),
        list_flag("--stop-exit-codes", "stop_exit_codes", "0,143").unwrap(),
        list_flag("--filter-env", "filter_env", "SECRET").unwrap(),
        Flag::switch("--no-autostart", "autostart", false),
        Flag::switch("--no-treekill", "treekill", false),
        Flag::switch("--wait-ready", "wait_ready", true),
        Flag::switch("--shutdown-with-message", "shutdown_with_message", true),
        Flag::switch("--execute-command", "execute_command", true),
    ]
}

#[test]
fn they_are_the_same_for_what_is_typed_and_for_what_a_file_declares_and_win_over_it() {
    let mut project = Project::new(&["node"]);
    project.var("A_SECRET", "x");
    project.files(&["api/app.js"]);
    let typed = Request { targets: vec!["api/app.js".into()], cwd: Some("api".into()), profile: Some("prod".into()), ..flags(all()) };
    let typed = project.resolve(&typed);
    let other = r#""instances": 1, "namespace": "x", "restart_delay": 5, "max_restarts": 1, "max_memory_restart": 5, "cron": "@daily",
        "listenTimeout": 1, "pid": "x", "stop_exit_codes": 3, "filter_env": true, "autostart": true, "treekill": true, "wait_ready": false,
        "exec_mode": "cluster""#;
    let groups = r#""ready": { "http": "http://localhost:1/up", "timeout": "1m" }, "limits": { "memory": "2G" }"#;
    for keys in ["", other, groups] {
        let comma = if keys.is_empty() { "" } else { "," };
        let prod = r#""profiles": { "prod": { "namespace": "prod", "max_restarts": 2 } }"#;
        project
            .file("pmdev.json", &format!(r#"{{ "apps": [{{ "name": "app", "script": "app.js", "cwd": "api", {prod}{comma} {keys} }}] }}"#));
        let declared = project.resolve(&Request { profile: Some("prod".into()), ..flags(all()) });
        let strip = |resolved: &Resolved| {
            let mut app = plan::json(resolved, &project.host, &jiff::Zoned::default())["apps"][0].clone();
            // Without a flag, nothing is watched in prod; the file's own path is no part of it.
            app["watch"] = serde_json::Value::Null;
            app
        };
        assert_eq!(strip(&declared), strip(&typed), "{keys}");
    }
    let plan = plan::json(&typed, &project.host, &jiff::Zoned::default())["apps"][0].clone();
    let at = |pointer: &str| project.short(&plan.pointer(pointer).unwrap().to_string());
    assert_eq!((at("/instances"), at("/exec_mode"), at("/namespace")), ("3".into(), r#""fork""#.into(), r#""back""#.into()));
    assert_eq!(
        (at("/restart/delay_ms"), at("/restart/max_restarts"), at("/restart/stop_exit_codes")),
        ("1000".into(), "7".into(), "[0,143]".into())
    );
    assert_eq!((at("/stop/tree"), at("/stop/message"), at("/autostart")), ("false".into(), "true".into(), "false".into()));
    assert_eq!((at("/ready/by"), at("/ready/timeout_ms"), at("/limits/memory")), (r#""message""#.into(), "9000".into(), "1048576".into()));
    assert_eq!(
        (at("/cron"), at("/pid_file")),
        (r#""0 3 * * *""#.into(), r#""/home/p/run/a-*.pid""#.into()),
        "a path counts from where it was typed"
    );
    assert_eq!(at("/env/A_SECRET"), "null");
}

#[test]
fn without_flags_an_app_that_is_typed_is_what_its_profile_says() {
    let project = Project::new(&["node"]);
    project.files(&["app.js"]);
    let app = project.app("app.js");
    assert_eq!((app.instances, app.namespace.as_str(), app.autostart, app.stop.tree, app.stop.message), (1, "default", true, true, false));
    assert_eq!((app.restart, app.logs), (super::super::profile::Profile::Dev.restart(), crate::model::Logs::default()));
}

#[test]
fn variables_of_the_runner_are_defaults() {
    let mut project = Project::new(&["node"]);
    project.files(&["app.js"]);
    project.var("PMDEV_KILL_USE_MESSAGE", "true");
    project.var("PMDEV_GRACEFUL_LISTEN_TIMEOUT", "8000");
    let app = project.app("app.js");
    assert_eq!((app.stop.message, app.ready.timeout.as_secs()), (true, 8));
    project.file("pmdev.json", r#"{ "script": "app.js", "listen_timeout": 1000, "shutdown_with_message": false }"#);
    let app = project.app_of(&Request::default());
    assert_eq!((app.stop.message, app.ready.timeout.as_secs()), (false, 1));
    project.var("PMDEV_GRACEFUL_LISTEN_TIMEOUT", "soon");
    assert!(project.refusal(&request(&["app.js"])).starts_with("PMDEV_GRACEFUL_LISTEN_TIMEOUT: "));
    project.var("PMDEV_KILL_USE_MESSAGE", "maybe");
    assert!(project.refusal(&request(&["app.js"])).starts_with("PMDEV_KILL_USE_MESSAGE: "));
}

#[test]
fn source_maps_are_on_where_a_map_lies_beside_the_script() {
    let mut project = Project::new(&["node", "bun", "python3"]);
    project.files(&["plain.js", "dist/app.js", "dist/app.js.map", "dist/app.mjs", "dist/app.mjs.map", "tool.py", "tool.py.map"]);
    let line = |project: &Project, request: &Request| project.words(&project.app_of(request).launch);
    let of = |project: &Project, target: &str, flags: Vec<Flag>| line(project, &Request { flags, ..request(&[target]) });
    let on = || vec![Flag::switch("--source-map-support", "source_map_support", true)];
    let off = || vec![Flag::switch("--disable-source-map-support", "source_map_support", false)];
    assert_eq!(of(&project, "dist/app.js", vec![]), "node --enable-source-maps dist/app.js");
    assert_eq!(of(&project, "dist/app.mjs", vec![]), "node --enable-source-maps dist/app.mjs");
    assert_eq!(of(&project, "plain.js", vec![]), "node plain.js");
    assert_eq!(of(&project, "tool.py", on()), "python3 tool.py");
    assert_eq!(of(&project, "plain.js", on()), "node --enable-source-maps plain.js");
    assert_eq!(of(&project, "dist/app.js", off()), "node dist/app.js");
    let own = |args: &str| line(&project, &Request { interpreter_args: vec![args.into()], ..request(&["dist/app.js"]) });
    assert_eq!(own("--inspect"), "node --enable-source-maps --inspect dist/app.js");
    assert_eq!(own("--no-enable-source-maps"), "node --no-enable-source-maps dist/app.js");
    assert_eq!(line(&project, &Request { interpreter: Some("bun".into()), ..request(&["dist/app.js"]) }), "bun dist/app.js");
    for (keys, expected) in [
        ("", "node --enable-source-maps dist/app.js"),
        (r#", "disable_source_map_support": true"#, "node dist/app.js"),
        (r#", "sourceMapSupport": false"#, "node dist/app.js"),
        (r#", "source_map_support": true, "disable_source_map_support": true"#, "node dist/app.js"),
    ] {
        project.file("pmdev.json", &format!(r#"{{ "script": "dist/app.js"{keys} }}"#));
        assert_eq!(line(&project, &request(&[])), expected, "{keys}");
    }
    project.var("NODE_OPTIONS", "--enable-source-maps");
    assert_eq!(of(&project, "dist/app.js", vec![]), "node dist/app.js", "it is said already");
}

#[test]
fn only_root_runs_apps_as_somebody_else() {
    let mut project = Project::new(&["node"]);
    project.files(&["app.js"]);
    let with = |flags: Vec<Flag>| Request { flags, ..request(&["app.js"]) };
    let uid = || vec![flag("--uid", "uid", "65533").unwrap(), flag("--gid", "gid", "65532").unwrap()];
    insta::assert_snapshot!(project.refusal(&with(uid())), @r#"
    --uid: only root can run it as user "65533"; pmdev itself runs as user 1000
    hint: no `--uid`, and the whole of pmdev started so: sudo -u '#65533' pmdev start
    "#);
    project.host.owner = Owner { user: 0, group: 0 };
    let resolved = project.resolve(&with(uid()));
    let identity = resolved.apps[0].launch.hardening.identity.as_ref().unwrap();
    assert_eq!((identity.user, identity.group), (65533, 65532));
}
