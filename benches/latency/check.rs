//! How long `pmdev check` takes on a project file with many apps, in each kind of format, beside what a JavaScript runtime takes for nothing.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    clock,
    stats::{Values, table},
};

/// How many apps the files have.
const APPS: usize = 200;

/// Writes the same apps in each format, and asks what would run; so many rounds in turn.
pub fn measure(folder: &Path, rounds: usize) -> io::Result<()> {
    let files = write(folder)?;
    let pmdev = env!("CARGO_BIN_EXE_pmdev");
    let mut rows: Vec<(String, Vec<&str>, Values)> =
        files.iter().map(|file| (format!("check {file}"), vec![pmdev, "check", file.as_str()], Values::default())).collect();
    rows.push(("pmdev --version".to_owned(), vec![pmdev, "--version"], Values::default()));
    rows.push(("node, an empty file".to_owned(), vec!["node", "empty.cjs"], Values::default()));
    rows.push(("node, importing the same file".to_owned(), vec!["node", "import.mjs"], Values::default()));
    // One that is not here, or fails, is left out; the first round only warms the caches.
    let has = |argv: &[&str]| run(argv, folder).inspect_err(|error| println!("{} is left out: {error}", argv.join(" "))).is_ok();
    rows.retain(|(_, argv, _)| has(argv));
    for _ in 0..rounds {
        for (_, argv, values) in &mut rows {
            let began = clock::now();
            run(argv, folder)?;
            values.push_time(clock::since(began));
        }
    }
    println!("## What would run, {APPS} apps, {rounds} rounds\n");
    let mut shown = vec![["command", "p50, ms", "p90", "best"].map(str::to_owned).to_vec()];
    let figures = |values: &Values| [values.median(), values.share(90), values.share(0)].map(|figure| format!("{figure:.1}"));
    shown.extend(rows.iter().map(|(name, _, values)| [vec![name.clone()], figures(values).to_vec()].concat()));
    table(&shown);
    Ok(())
}

/// Runs a command to its end. The error is why it did not succeed.
fn run(argv: &[&str], folder: &Path) -> io::Result<()> {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
}

/// The names of the files.
fn write(folder: &Path) -> io::Result<Vec<String>> {
    for part in ["src", "lib"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("empty.cjs"), "")?;
    fs::write(folder.join("import.mjs"), "await import('./apps.config.js');\n")?;
    fs::write(folder.join("app.sh"), "#!/bin/sh\n")?;
    let apps: Vec<Value> = (0..APPS).map(app).collect();
    let whole = json!({ "apps": apps });
    let tables: String = apps.iter().map(toml).collect();
    let items: String = apps.iter().map(yaml).collect();
    let files = [
        ("apps.pmdev.toml", tables),
        ("apps.yaml", format!("apps:\n{items}")),
        ("apps.json", format!("{whole:#}\n")),
        ("apps.config.js", format!("module.exports = {whole:#};\n")),
    ];
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))?;
    Ok(files.map(|(name, _)| name.to_owned()).into())
}

/// An app with the keys that most have.
fn app(index: usize) -> Value {
    let port = 3000 + index;
    json!({
        "name": format!("app-{index}"),
        "script": "app.sh",
        "args": ["--port", port.to_string()],
        "watch": ["src", "lib"],
        "ignore_watch": ["*.log"],
        "kill_timeout": "5s",
        "env": { "PORT": port, "LOG_LEVEL": "debug" },
        "env_production": { "LOG_LEVEL": "warn" },
    })
}

/// The app as a table; a map in one line needs `=`.
fn toml(app: &Value) -> String {
    let map = |(name, value): (&String, &Value)| format!("{name} = {value}");
    let line = |(key, value): (&String, &Value)| match value.as_object() {
        Some(values) => format!("{key} = {{ {} }}\n", values.iter().map(map).collect::<Vec<_>>().join(", ")),
        None => format!("{key} = {value}\n"),
    };
    format!("[[apps]]\n{}\n", app.as_object().into_iter().flatten().map(line).collect::<String>())
}

/// The app as an item of a list, in block style, with the lists in one line.
fn yaml(app: &Value) -> String {
    let inner = |(name, value): (&String, &Value)| format!("      {name}: {value}\n");
    let line = |(key, value): (&String, &Value)| match value.as_object() {
        Some(values) => format!("    {key}:\n{}", values.iter().map(inner).collect::<String>()),
        None => format!("    {key}: {value}\n"),
    };
    let lines: String = app.as_object().into_iter().flatten().map(line).collect();
    format!("  - {}", lines.trim_start())
}
