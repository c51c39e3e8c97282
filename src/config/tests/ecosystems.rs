//! Apps of project files, completed.

use std::{sync::Mutex, time::Duration};

use super::{super::plan, *};
use crate::model::{AfterExit, Backoff, ExecMode, Hardening, Identity, Signal, WatchRoot};

fn project(text: &str) -> Project {
    let project = Project::new(&["node", "python3", "cargo"]);
    project.files(&["app.js", "api/server.js", "worker.py"]);
    project.file("pmdev.json", text);
    project
}

fn with(profile: &str) -> Request {
    Request { profile: Some(profile.into()), ..Request::default() }
}

#[test]
fn variables_from_low_to_high() {
    let mut project = project(
        r#"{ "script": "app.js", "env_file": ["one.env", "two.env"], "port": 3000,
             "env": { "C": "env", "D": "env", "GONE": null, "PORT": 1 },
             "env_development": { "D": "development" }, "env_production": { "D": "production" }, "env_stage": { "E": "stage" } }"#,
    );
    project.file("one.env", "A=one\nB=one\nC=one\nSHELL_WINS=flag\n");
    project.file("two.env", "B=two\n");
    project.file("flag.env", "SHELL_WINS=flag\nFLAG=flag\nB=flag\n");
    for (name, value) in [("A", "shell"), ("GONE", "shell"), ("KEPT", "shell")] {
        project.var(name, value);
    }
    let values = |request: &Request| {
        let app = project.app_of(request);
        ["A", "B", "C", "D", "E", "PORT", "GONE", "KEPT", "NODE_ENV"].map(|name| var(&app, name).unwrap_or("-").to_owned()).join(" ")
    };
    assert_eq!(values(&with("dev")), "one two env development - 3000 - shell development");
    assert_eq!(values(&with("prod")), "one two env production - 3000 - shell production");
    let stage = Request { env_name: Some("stage".into()), env_files: vec!["flag.env".into()], ..Request::default() };
    assert_eq!(values(&stage), "one two env development stage 3000 - shell development");
    let resolved = project.resolve(&stage);
    assert_eq!(var(&resolved.apps[0], "FLAG"), Some("flag"));
    assert_eq!(resolved.apps[0].port, Some(3000));
    // Edits of these are applied, and restart nothing by being saved.
    let files = |names: &[&str]| names.iter().map(|name| project.host.cwd.join(name)).collect::<Vec<_>>();
    assert_eq!(resolved.files, files(&["pmdev.json", "one.env", "two.env", "flag.env"]));
    let watch = resolved.apps[0].watch.as_ref().unwrap();
    assert!(watch.roots.iter().all(|root| !matches!(root, WatchRoot::File(_))), "{:?}", watch.roots);
}

#[test]
fn prod_passes_on_nothing_that_speaks_to_the_caller_alone() {
    let mut project = project(r#"{ "script": "app.js" }"#);
    let own = ["PMDEV_HOME", "LISTEN_FDS", "NOTIFY_SOCKET", "WATCHDOG_USEC", "NODE_CHANNEL_FD", "SUDO_USER"];
    for name in own.into_iter().chain(["PMDEV_RUN", "LISTENER", "MY_SUDO_X"]) {
        project.var(name, "1");
    }
    let passed = |profile: &str| {
        let app = project.app_of(&with(profile));
        own.into_iter().chain(["PMDEV_RUN", "LISTENER", "MY_SUDO_X"]).filter(|name| var(&app, name).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(passed("dev").len(), 8, "all but Node's, whose descriptor is not there");
    assert_eq!(passed("prod"), ["PMDEV_RUN", "LISTENER", "MY_SUDO_X"]);
}

#[test]
fn instances_are_told_apart() {
    let project = project(
        r#"[{ "name": "a", "script": "app.js", "instances": 2, "increment_var": "PORT", "port": 4000 },
            { "name": "b", "script": "app.js", "instance_var": "SLOT", "increment_var": "N", "env": { "pm_id": "mine" } }]"#,
    );
    let resolved = project.resolve(&request(&[]));
    let seen = |app: usize, slot: u16, id: usize, name: &str| {
        let mut env = resolved.apps[app].launch.env.clone();
        resolved.env[app].add_instance(&mut env, &resolved.apps[app].name, slot, id);
        assert!(env.is_sorted(), "{env:?}");
        env.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_string().unwrap())
    };
    let is = |value: &str| Some(value.to_owned());
    assert_eq!([seen(0, 0, 0, "PORT"), seen(0, 1, 1, "PORT")], [is("4000"), is("4001")]);
    assert_eq!([seen(0, 1, 1, "NODE_APP_INSTANCE"), seen(0, 1, 1, "pm_id"), seen(0, 1, 1, "name")], [is("1"), is("1"), is("a")]);
    assert_eq!([seen(1, 3, 5, "SLOT"), seen(1, 3, 5, "N"), seen(1, 3, 5, "NODE_APP_INSTANCE")], [is("3"), is("3"), None]);
    assert_eq!(seen(1, 3, 5, "pm_id"), is("mine"));
    assert_eq!(resolved.apps[0].exec_mode, ExecMode::Cluster);
    assert_eq!(resolved.apps[1].exec_mode, ExecMode::Fork);
}

#[test]
fn restarts_follow_profile_and_keys() {
    let policy = |keys: &str, profile: &str| {
        let project = project(&format!(r#"{{ "script": "app.js" {keys} }}"#));
        project.app_of(&with(profile)).restart
    };
    let grows = |ms| AfterExit::Restart(Backoff::Exponential { initial: Duration::from_millis(ms) });
    let fixed = |ms| AfterExit::Restart(Backoff::Fixed(Duration::from_millis(ms)));
    for (keys, dev, prod) in [
        ("", AfterExit::Wait, grows(100)),
        (r#", "autorestart": true"#, grows(100), grows(100)),
        (r#", "autorestart": false"#, AfterExit::Wait, AfterExit::Wait),
        (r#", "autorestart": "false""#, AfterExit::Wait, AfterExit::Wait),
        (r#", "restart_delay": 50"#, AfterExit::Wait, fixed(50)),
        (r#", "autorestart": true, "restart_delay": 50"#, fixed(50), fixed(50)),
        (r#", "restart_delay": 50, "exp_backoff_restart_delay": 7"#, AfterExit::Wait, grows(7)),
        (r#", "restart_delay": 0"#, AfterExit::Wait, fixed(0)),
        (r#", "exp_backoff_restart_delay": 0"#, AfterExit::Wait, fixed(0)),
        (r#", "autorestart": true, "exp_backoff_restart_delay": 0"#, fixed(0), fixed(0)),
        (r#", "restart_delay": 50, "exp_backoff_restart_delay": 0"#, AfterExit::Wait, fixed(50)),
        // The budget says no then, and the app is given up; in dev it waits for a save, as after any crash.
        (r#", "max_restarts": 0"#, AfterExit::Wait, grows(100)),
    ] {
        assert_eq!((policy(keys, "dev").after_exit, policy(keys, "prod").after_exit), (dev, prod), "{keys}");
    }
    assert_eq!(policy(r#", "max_restarts": "unlimited""#, "prod").max_restarts, None);
    assert_eq!(policy(r#", "min_uptime": "1m""#, "prod").min_uptime, Duration::from_secs(60));
}

#[test]
fn profiles_override_keys_and_flags_override_both() {
    let project = project(
        r#"{ "script": "app.js", "kill_timeout": 100, "watch": ["api"], "env": { "A": "1", "B": "1" },
             "profiles": { "dev": { "kill_timeout": 200, "env": { "B": "2" } }, "production": { "killSignal": "TERM", "watch": true } } }"#,
    );
    let (dev, prod) = (project.app_of(&with("dev")), project.app_of(&with("prod")));
    assert_eq!((dev.stop.timeout.as_millis(), dev.stop.signal), (200, Signal::INT));
    assert_eq!((prod.stop.timeout.as_millis(), prod.stop.signal), (100, Signal::TERM));
    assert_eq!([var(&dev, "A"), var(&dev, "B"), var(&prod, "B")], [Some("1"), Some("2"), Some("1")]);
    let roots = |app: &AppSpec| app.watch.as_ref().map(|watch| watch.roots.len());
    assert_eq!((roots(&dev), roots(&prod)), (Some(1), Some(1)));
    let flags = Request { kill_timeout: Some(Duration::ZERO), no_watch: true, names: vec!["x".into()], ..Request::default() };
    let app = project.app_of(&flags);
    assert_eq!((app.stop.timeout.as_millis(), app.watch, app.name.as_str()), (0, None, "x"));
}

#[test]
fn scripts_and_paths_count_from_the_apps_folder() {
    let project = project(
        r#"{ "interpreters": { ".py": "python3 -u", "zig": "node" }, "apps": [
             { "script": "server.js", "cwd": "api" },
             { "script": "worker.py", "args": "--a 'b c'" },
             { "name": "shell", "script": "node app.js | cat" },
             { "name": "npm", "script": "node", "args": ["app.js"], "interpreter": "none" },
             { "name": "made", "script": "dist/main.js", "build": "node build.js" },
             { "script": "main.zig", "build": false, "name": "zig" }
           ] }"#,
    );
    project.file("main.zig", "");
    let resolved = project.resolve(&Request { script_args: Vec::new(), ..request(&[]) });
    let lines: Vec<_> = resolved.apps.iter().map(|app| project.words(&app.launch)).collect();
    assert_eq!(
        lines,
        ["node server.js", "python3 -u worker.py --a b c", "sh -c node app.js | cat", "node app.js", "node dist/main.js", "node main.zig"]
    );
    assert_eq!(names(&resolved), ["server", "worker", "shell", "npm", "made", "zig"]);
    let folders: Vec<_> = resolved.apps.iter().map(|app| project.short(app.launch.cwd.to_str().unwrap())).collect();
    assert_eq!(folders[..2], ["/home/p/api", "/home/p"]);
    let build = resolved.apps[4].build.as_ref().unwrap();
    assert_eq!((project.words(build).as_str(), resolved.apps[4].watch.as_ref().unwrap().early_stop), ("node build.js", false));
    assert_eq!(resolved.apps[5].build, None);
}

#[test]
fn a_file_elsewhere_counts_from_where_the_command_was_typed_and_then_from_itself() {
    let project = project("[]");
    project.file("deploy/apps.json", r#"[{ "script": "app.js" }, { "script": "inner.js" }]"#);
    project.files(&["deploy/inner.js", "deploy/app.js"]);
    let resolved = project.resolve(&request(&["deploy/apps.json"]));
    let folders: Vec<_> = resolved.apps.iter().map(|app| project.short(app.launch.cwd.to_str().unwrap())).collect();
    assert_eq!(folders, ["/home/p", "/home/p/deploy"]);
}

#[test]
fn names_have_prefixes_and_environments_and_make_room() {
    let project = project(
        r#"[{ "script": "app.js" }, { "name": "app", "script": "app.js" }, { "script": "server.js", "cwd": "api", "name_prefix": "shop" },
            { "name": "x", "script": "app.js", "append_env_to_name": true, "env_stage": {} }]"#,
    );
    let resolved = project.resolve(&Request { env_name: Some("stage".into()), ..Request::default() });
    assert_eq!(names(&resolved), ["p-app", "app", "shop:server", "x-stage"]);
    let only = Request { only: vec!["app, shop:server".into()], ..Request::default() };
    assert_eq!(names(&project.resolve(&only)), ["app", "shop:server"]);
}

#[test]
fn plans_hide_secrets_and_say_what_differs() {
    let mut project = project(
        r#"{ "script": "app.js", "args": "--password s3cret --db pg://u:s3cret@h", "hooks": { "onCrash": "./tell.sh", "on_ready": "make warm --token s3cret" }, "env": { "API_TOKEN": "s3cret", "DB": "pg://u:s3cret@h/d", "A": "x y", "OLD": null }, "instances": 2, "restart_delay": 5, "autorestart": true, "stop_exit_codes": 0, "watch": ["api", { "paths": ["*.html"], "run": "make", "action": "reload" }], "ignore_watch": "*.tmp", "ext": "js", "cron": "0 3 * * *", "max_memory_restart": "300M" }"#,
    );
    project.var("OLD", "1");
    project.var("SAME", "1");
    let resolved = project.resolve(&request(&[]));
    let json = plan::json(&resolved, &project.host, &jiff::Zoned::default()).to_string();
    assert!(!json.contains("s3cret") && !json.contains("SAME"), "{json}");
    insta::assert_snapshot!(project.short(&plan::text(&resolved, &project.host, &jiff::Zoned::default())), @r#"
    app (2 instances, cluster)
      runs      node app.js --password ******** --db pg://u:********@h
      in        /home/p
      env       A='x y'
                API_TOKEN='********'
                DB='pg://u:********@h/d'
                NODE_APP_INSTANCE=0
                NODE_ENV=development
                OLD is not passed on
                name=app
                pm_id=0
      watches   api, *.html; *.html: run "make", then reload; only .js; not *.tmp
      restarts  after 5 ms, given up after 16 runs shorter than 1 s in a row, or 16 restarts within 15 m; not after exit code 0
      cron      0 3 * * *, next at 03:00 (in 3 h)
      stops     SIGINT, and SIGKILL after 5 s
      limits    300 MiB of memory
      hooks     on_ready: make warm --token ********
                on_crash: ./tell.sh
    "#);
}

#[test]
fn only_root_starts_apps_as_somebody_else() {
    let mut project =
        project(r#"[{ "name": "api", "script": "app.js", "user": "root" }, { "name": "job", "script": "worker.py", "gid": 33 }]"#);
    insta::assert_snapshot!(project.refusal(&Request::default()));
    project.file("pmdev.json", r#"[{ "name": "api", "script": "app.js", "uid": 1000, "gid": 1000 }]"#);
    assert_eq!(project.app_of(&Request::default()).launch.hardening.identity, None, "it is so already");
    project.host.owner = Owner { user: 0, group: 0 };
    project.file("pmdev.json", r#"[{ "name": "api", "script": "app.js", "uid": "rooot" }]"#);
    assert!(project.refusal(&Request::default()).contains("did you mean root?"));
    project.file("pmdev.json", r#"[{ "name": "api", "script": "app.js", "uid": 4294967295, "gid": 0 }]"#);
    assert!(project.refusal(&Request::default()).contains("there is no user"), "it would mean: as it was");
    project.file("pmdev.json", r#"[{ "name": "api", "script": "app.js", "uid": "root", "gid": 0 }]"#);
    let app = project.app_of(&Request::default());
    let identity = app.launch.hardening.identity.as_ref().unwrap();
    assert_eq!((identity.user, identity.group, identity.name.as_str()), (0, 0, "root"));
    assert_eq!((var(&app, "USER"), var(&app, "LOGNAME"), var(&app, "HOME")), (Some("root"), Some("root"), identity.home.to_str()));
    project.file(
        "pmdev.json",
        r#"[{ "name": "api", "script": "app.js", "profiles": { "prod": { "uid": 54321, "gid": 5, "limits": { "nproc": 9 } } } }]"#,
    );
    assert_eq!(project.app_of(&with("dev")).launch.hardening, Hardening::default());
    let hardening = project.app_of(&with("prod")).launch.hardening;
    let identity = Identity { user: 54321, group: 5, groups: vec![5], name: "54321".to_owned(), home: "/".into() };
    let limits = Hardening { core: Some(0), umask: Some(0o027), no_new_privs: true, nproc: Some(9), ..Hardening::default() };
    assert_eq!(hardening, Hardening { identity: Some(identity), ..limits });
}

#[test]
fn what_is_asked_and_built_for_an_app_runs_as_its_user() {
    let mut project = project(
        r#"[{ "name": "api", "script": "app.ts", "uid": 54321, "gid": 5, "build": "node x", "limits": { "nofile": 9, "core": 7 } }]"#,
    );
    project.file("app.ts", "");
    project.var("XDG_RUNTIME_DIR", "/run/user/0");
    project.host.owner = Owner { user: 0, group: 0 };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asks = Arc::clone(&asked);
    project.host.ask = Arc::new(move |launch| {
        asks.lock().unwrap().push(launch.clone());
        Ok("v24.0.0".to_owned())
    });
    let app = project.app_of(&Request::default());
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].hardening.identity, app.launch.hardening.identity);
    assert!(asked[0].env.contains(&("HOME".into(), "/".into())) && var(&app, "XDG_RUNTIME_DIR").is_none());
    let build = app.build.unwrap();
    assert_eq!(build.hardening.identity.unwrap().user, 54321);
    assert_eq!((build.hardening.nofile, build.hardening.core), (None, Some(7)), "what the app may use says nothing of its build");
}

#[test]
fn a_file_without_apps_says_so() {
    assert_eq!(project(r#"{ "apps": [] }"#).notices(&Request::default()), ["pmdev.json: it has no apps, so nothing runs\n"]);
}

#[test]
fn what_an_app_says_itself_wins_over_what_yaml_merges_whatever_name_the_key_has() {
    let project = Project::new(&["node"]);
    project.files(&["own.js", "first.js", "second.js"]);
    let base = "base: &base { exec: first.js, killTimeout: 1s, cron: '@daily', env: { A: '1' } }\nother: &other { cmd: second.js, kill_timeout: 2s }\n";
    let of = |app: &str| {
        project.file("pmdev.yaml", &format!("{base}apps:\n  - {{ name: x, {app} }}\n"));
        let app = project.app_of(&request(&[]));
        let told = project.notices(&request(&[])).join("\n");
        assert!(!told.contains("by another name"), "{told}");
        (app.launch.argv[1].to_str().unwrap().to_owned(), app.stop.timeout.as_secs(), app.cron)
    };
    let daily = Some("@daily".to_owned());
    assert_eq!(of("<<: *base"), ("first.js".to_owned(), 1, daily.clone()));
    // Before it or behind it.
    assert_eq!(of("script: own.js, <<: *base, kill_timeout: 3s"), ("own.js".to_owned(), 3, daily.clone()));
    assert_eq!(of("<<: *base, command: own.js, killTimeout: 3s, cron_restart: 0"), ("own.js".to_owned(), 3, None));
    // Of several maps, the earlier one wins.
    assert_eq!(of("<<: [*other, *base]"), ("second.js".to_owned(), 2, daily.clone()));
    assert_eq!(of("<<: [*base, *other]"), ("first.js".to_owned(), 1, daily.clone()));
    assert_eq!(of("<<: { <<: *base, script: own.js }"), ("own.js".to_owned(), 1, daily));
    // Written twice in the app itself, the later one counts, and that is told.
    project.file("pmdev.yaml", "apps:\n  - { exec: first.js, script: own.js }\n");
    assert!(project.notices(&request(&[])).join("\n").contains("by another name"));
}
