//! The same apps in every format are the same plan, byte for byte.

use serde_json::json;

use super::{
    super::plan,
    key_table::{node, written},
    *,
};

#[test]
fn the_same_apps_in_six_formats_are_the_same_plan() {
    let mut project = Project::new(&["node", "python3"]);
    project.host.run = std::sync::Arc::new(node);
    project.files(&["api/server.js", "worker.py", "views/a"]);
    let apps = [
        json!({
            "name": "api", "script": "server.js", "cwd": "api", "args": "--port 3000 'a b'", "instances": 2,
            "env": { "LEVEL": "debug", "DEEP": { "a": [1, 2.5, "x"] }, "ON": true, "PORT": 3000 },
            "env_production": { "LEVEL": "warn" }, "increment_var": "PORT", "max_memory_restart": "1.5G",
            "watch": ["..", { "paths": ["../views/**"], "action": "reload" }], "ignore_watch": "logs tmp",
        }),
        json!({ "name": "worker", "script": "worker.py", "restart_delay": "2s", "stop_exit_codes": [0, 2], "watch": false }),
    ];
    for profile in ["dev", "prod"] {
        let mut plans: Vec<(&str, String)> = Vec::new();
        for (format, file) in [
            ("json", "ecosystem.config.json"),
            ("json5", "ecosystem.config.json5"),
            ("yaml", "ecosystem.config.yaml"),
            ("toml", "pmdev.toml"),
            ("js", "ecosystem.config.js"),
            ("mjs", "ecosystem.config.mjs"),
        ] {
            let path = project.file(file, &written(format, &apps));
            let request = Request { profile: Some(profile.into()), ..Request::default() };
            let plan = format!("{:#}", plan::json(&project.resolve(&request), &project.host, &jiff::Zoned::default()));
            fs::remove_file(path).unwrap();
            // The file itself is never watched, so it is the one thing that differs.
            plans.push((format, plan.replace(file, "FILE")));
        }
        for (format, plan) in &plans {
            assert_eq!(plan, &plans[0].1, "{format}");
        }
    }
}
