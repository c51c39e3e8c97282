//! Every key of the table, under every name, in every format: what it resolves to, or what is said of it.

use std::{fmt::Write as _, process::Command, time::Duration};

use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        element::{Fate, keyed::camel},
        keys::AppKeys,
        plan,
        request::{End, Output},
    },
    *,
};
use crate::model::Exit;

/// A key, a value, where its effect shows in the plan (`app` is the folder of the project), and what shows there.
type Row = (&'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    ("script", r#""other.js""#, "/argv", r#"["node", "other.js"]"#),
    ("name", r#""renamed""#, "/name", r#""renamed""#),
    ("name_prefix", r#""shop""#, "/name", r#""shop:NAME""#),
    ("namespace", r#""back""#, "/namespace", r#""back""#),
    ("cwd", r#""sub""#, "/cwd", r#""/home/p/sub""#),
    ("args", r#""-a 'b c'""#, "/argv", r#"["node", "app.js", "-a", "b c"]"#),
    ("interpreter", r#""python3""#, "/argv", r#"["python3", "app.js"]"#),
    ("interpreter_args", r#"["--x", 3]"#, "/argv", r#"["node", "--x", "3", "app.js"]"#),
    ("instances", r#""3""#, "/instances", "3"),
    ("exec_mode", r#""cluster_mode""#, "/exec_mode", r#""cluster""#),
    ("execute_command", "true", "/exec_mode", r#""fork""#),
    ("instance_var", r#""SLOT""#, "/env/SLOT", r#""0""#),
    ("increment_var", r#""COUNT""#, "/env/COUNT", r#""0""#),
    ("env", r#"{ "A": { "b": [1] } }"#, "/env/A", r#""{\"b\":[1]}""#),
    ("env_file", r#"["my.env"]"#, "/env/FROM_FILE", r#""yes""#),
    ("filter_env", r#"["HIDDEN"]"#, "/env/IS_HIDDEN_ONE", "null"),
    ("append_env_to_name", "true", "/name", r#""NAME-stage""#),
    ("port", r#""3000""#, "/env/PORT", r#""3000""#),
    ("autostart", "false", "/autostart", "false"),
    ("autorestart", "true", "/restart/automatic", "true"),
    ("stop_exit_codes", "0", "/restart/stop_exit_codes", "[0]"),
    ("min_uptime", r#""5s""#, "/restart/min_uptime_ms", "5000"),
    ("max_restarts", "0", "/restart/max_restarts", "0"),
    ("restart_window", r#""2m""#, "/restart/window_ms", "120000"),
    ("restart_delay", "700", "/restart/delay_ms", "700"),
    ("exp_backoff_restart_delay", r#""150""#, "/restart/backoff_from_ms", "150"),
    ("max_memory_restart", r#""1.5G""#, "/limits/memory", "1610612736"),
    ("cron_restart", r#""0 3 * * *""#, "/cron", r#""0 3 * * *""#),
    ("kill_timeout", "0", "/stop/timeout_ms", "0"),
    ("drain_timeout", r#""7s""#, "/stop/drain_ms", "7000"),
    ("kill_signal", r#""term""#, "/stop/signal", r#""SIGTERM""#),
    ("treekill", "false", "/stop/tree", "false"),
    ("shutdown_with_message", "true", "/stop/message", "true"),
    ("wait_ready", "true", "/ready/by", r#""message""#),
    ("tty", "true", "/tty", "true"),
    ("listen_timeout", r#""10s""#, "/ready/timeout_ms", "10000"),
    ("watch", r#"["sub", { "paths": ["t/*"], "action": "reload" }]"#, "/rules/0/action", r#""reload""#),
    ("ignore_watch", r#""logs tmp""#, "/watch/ignore", r#"["logs", "tmp"]"#),
    ("watch_delay", "250", "/watch/delay_ms", "250"),
    ("watch_options", r#"{ "usePolling": true, "interval": 300 }"#, "/watch/poll", "300"),
    ("ext", r#""js,json""#, "/watch/ext", r#"["js", "json"]"#),
    ("poll", "false", "/watch/poll", "false"),
    ("gitignore", "false", "/watch/gitignore", "false"),
    ("default_ignore", "false", "/watch/default_ignore", "false"),
    ("gate", "false", "/watch/gate", "false"),
    ("build", r#""make && true""#, "/build/argv", r#"["sh", "-c", "make && true"]"#),
    ("depends_on", r#"{ "anchor": "completed" }"#, "/depends_on/anchor", r#""completed""#),
    ("ready", r#"{ "http": "http://localhost/x" }"#, "/ready/by/http", r#""http://localhost/x""#),
    ("health", r#"{ "tcp": 3000, "interval": "2s" }"#, "/health/interval_ms", "2000"),
    ("listen", r#"["tmp/x.sock"]"#, "/listen/0", r#""/home/p/tmp/x.sock""#),
    ("hooks", r#"{ "onCrash": "make" }"#, "/hooks/on_crash", r#""make""#),
    ("crash_capsules", "true", "/crash_capsules", "true"),
    ("limits", r#"{ "nofile": 100, "noNewPrivs": true }"#, "/limits/nofile", "100"),
    ("umask", r#""022""#, "/limits/umask", r#""022""#),
    ("uid", "1000", "/user", r#""1000""#),
    ("gid", r#""1000""#, "/group", r#""1000""#),
    ("logs", r#"{ "out": "a.log", "maxSize": "1K" }"#, "/logs/max_size", "1024"),
    ("out_file", r#""a.log""#, "/logs/out", r#""/home/p/a.log""#),
    ("error_file", r#""b.log""#, "/logs/error", r#""/home/p/b.log""#),
    ("log_file", "true", "/logs/file", r#""/home/.pmdev/logs/FILE.log""#),
    ("disable_logs", "true", "/logs/disabled", "true"),
    ("log_type", r#""json""#, "/logs/format", r#""json""#),
    ("log_date_format", r#""HH:mm""#, "/logs/timestamp", r#""HH:mm""#),
    ("time", "true", "/logs/timestamp", r#""YYYY-MM-DDTHH:mm:ss""#),
    ("merge_logs", "false", "/logs/merge", "false"),
    ("pid_file", r#""x.pid""#, "/pid_file", r#""/home/p/x.pid""#),
    ("profiles", r#"{ "dev": { "kill_timeout": 1 }, "prod": { "kill_timeout": 2 } }"#, "/stop/timeout_ms", "1"),
    ("source_map_support", "true", "/argv", r#"["node", "--enable-source-maps", "app.js"]"#),
    ("disable_source_map_support", "true", "/argv", r#"["node", "mapped.js"]"#),
    // They have no place in a plan: what is said of them is told below.
    ("kill_retry_time", "100", "", ""),
    ("windows_hide", "true", "", ""),
    ("force", "true", "", ""),
    ("write", "true", "", ""),
    ("vizion", "true", "", ""),
    ("post_update", r#"["x"]"#, "", ""),
    ("install_url", r#""x""#, "", ""),
    ("username", r#""x""#, "", ""),
    ("io", r#"{ "a": 1 }"#, "", ""),
    ("pmx", "true", "", ""),
    ("automation", "true", "", ""),
    ("trace", "true", "", ""),
    ("disable_trace", "true", "", ""),
    ("v8", "true", "", ""),
    ("event_loop_inspector", "true", "", ""),
    ("deep_monitoring", "true", "", ""),
];

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The names under which a key may stand.
fn spellings(names: impl Iterator<Item = &'static str>) -> Vec<String> {
    let mut all: Vec<String> = names.flat_map(|name| [name.to_owned(), camel(name)]).collect();
    all.sort();
    all.dedup();
    all
}

/// One app for each name of each key, and the row it tests.
fn apps() -> (Vec<Json>, Vec<&'static Row>) {
    let mut apps = vec![json!({ "name": "anchor", "script": "app.js" })];
    let mut rows = Vec::new();
    for key in AppKeys::KEYS {
        let row = ROWS.iter().find(|row| row.0 == key.about.name);
        let row = row.unwrap_or_else(|| panic!("the key {} has no row in this test", key.about.name));
        for (at, spelled) in spellings(key.about.names()).into_iter().enumerate() {
            let mut app = Map::new();
            if key.about.name != "name" {
                app.insert("name".into(), format!("{}-{at}", row.0).into());
            }
            if key.about.name != "script" {
                app.insert("script".into(), "app.js".into());
            }
            // Without these the effect would not show.
            match row.0 {
                "restart_delay" | "exp_backoff_restart_delay" => app.insert("autorestart".into(), true.into()),
                "disable_source_map_support" => app.insert("script".into(), "mapped.js".into()),
                "execute_command" => app.insert("instances".into(), 1.into()),
                _ => None,
            };
            let mut value = json(row.1);
            if row.0 == "name" {
                value = format!("renamed-{at}").into();
            }
            app.insert(spelled, value);
            apps.push(app.into());
            rows.push(row);
        }
    }
    (apps, rows)
}

/// JSON as YAML's block style, so that nothing is read that JSON would have read as well.
fn yaml(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let _ = write!(out, "\n{:indent$}{key}:", "");
                yaml(value, indent + 2, out);
            }
        }
        Json::Array(list) if !list.is_empty() => {
            for value in list {
                let _ = write!(out, "\n{:indent$}-", "");
                yaml(value, indent + 2, out);
            }
        }
        Json::String(text) => {
            let _ = write!(out, " '{}'", text.replace('\'', "''"));
        }
        other => {
            let _ = write!(out, " {other}");
        }
    }
}

/// The text of a project file with these apps.
pub fn written(format: &str, apps: &[Json]) -> String {
    let whole = json!({ "apps": apps });
    match format {
        "json" | "json5" => whole.to_string(),
        "js" => format!("// A comment.\nmodule.exports = {whole};"),
        "mjs" => format!("export default {whole};"),
        "yaml" => {
            let mut out = String::new();
            yaml(&whole, 0, &mut out);
            out
        }
        "toml" => toml::to_string(&whole).unwrap(),
        other => panic!("{other} is no format"),
    }
}

/// Runs the program that evaluates JavaScript.
pub fn node(launch: &Launch, _: Duration) -> Result<Output, Error> {
    let output = Command::new("node")
        .args(&launch.argv[1..])
        .current_dir(&launch.cwd)
        .envs(launch.env.iter().filter(|(name, _)| name != "PATH").cloned())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ok(Output { end: End::Exited(Exit::Code(output.status.code().unwrap_or(1))), said })
}

#[test]
fn every_key_under_every_name_in_every_format() {
    let mut project = Project::new(&["node", "python3", "sh"]);
    project.host.run = std::sync::Arc::new(node);
    project.files(&["app.js", "mapped.js", "mapped.js.map", "other.js", "sub/app.js", "t/x"]);
    project.file("my.env", "FROM_FILE=yes\n");
    project.var("IS_HIDDEN_ONE", "1");
    let (apps, rows) = apps();
    for (format, file) in [("json", "a.json"), ("yaml", "a.yaml"), ("toml", "pmdev.toml"), ("js", "a.config.js")] {
        let written = project.file(file, &written(format, &apps));
        let request = Request { env_name: Some("stage".into()), ..request(&[file]) };
        let plan = plan::json(&project.resolve(&request), &project.host, &jiff::Zoned::default());
        let told = project.notices(&request).join("\n");
        for (at, (key, value, pointer, expected)) in rows.iter().enumerate() {
            let app = &plan["apps"][at + 1];
            let about = AppKeys::KEYS.iter().find(|known| known.about.name == *key).unwrap().about;
            if pointer.is_empty() {
                assert!(matches!(about.fate, Fate::Ignored(_) | Fate::Later(_)), "{key} does something, but its row does not say what");
            } else {
                let shown = json(&project.short(&app.pointer(pointer).cloned().unwrap_or_default().to_string()));
                let name = app["name"].as_str().unwrap();
                let plain = name.trim_start_matches("shop:").trim_end_matches("-stage");
                let expected = match *key {
                    "name" => json!(format!("renamed-{}", plain.rsplit('-').next().unwrap())),
                    _ => json(&expected.replace("NAME", plain).replace("FILE", &plain.replace('_', "-"))),
                };
                assert_eq!(shown, expected, "{format}: {key}: {value} at {pointer}: {app:#}");
            }
            // Some are told by the key they were written with, camelCase and all.
            let names = spellings(about.names());
            let is_told = names.iter().any(|name| told.contains(&format!(": {name} (")));
            assert_eq!(is_told, !matches!(about.fate, Fate::Honoured), "{format}: {key}: {told}");
        }
        fs::remove_file(written).unwrap();
    }
}

#[test]
fn every_row_is_a_key_and_every_example_is_valid() {
    for (key, ..) in ROWS {
        assert!(AppKeys::KEYS.iter().any(|known| known.about.name == *key), "{key} is no key");
    }
    let mut names: Vec<String> = AppKeys::KEYS.iter().flat_map(|key| spellings(key.about.names())).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two keys share a name");
    for key in AppKeys::KEYS {
        let example = super::super::element::tests::node(&json(key.about.example));
        let mut reader = super::super::element::Reader::new(Path::new("/p/f"));
        (key.set)(&mut AppKeys::default(), &example, &mut reader);
        assert!(reader.problems.is_empty(), "{}: {:?}", key.about.name, reader.problems);
    }
}
