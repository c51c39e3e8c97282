//! What a folder runs, found out from the files in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Host, build, lookup::Search, name, profile::Profile};

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// What to run.
    pub what: What,
    /// The file, and the place in it, that says so.
    pub why: String,
    /// The name the folder's files give it.
    pub name: Option<String>,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file in the folder.
    Script(PathBuf),
    /// A command line.
    Line(String),
}

/// What is looked for, for messages.
pub const LOOKED_FOR: &str =
    "package.json with a script or a main file, Cargo.toml, go.mod, manage.py, main.py, app.py, config.ru, mix.exs, deno.json";

/// What a folder runs; the order is that of the question "what did its author mean to be started?".
pub fn folder(folder: &Path, profile: Profile, host: &Host) -> Option<Detected> {
    let has = |name: &str| folder.join(name).is_file();
    let script = |file: &str, why: &str| Detected { what: What::Script(folder.join(file)), why: why.to_owned(), name: None };
    let line = |line: &str, why: &str| Detected { what: What::Line(line.to_owned()), why: why.to_owned(), name: None };
    if let Some(found) = package(folder, profile, host) {
        return Some(found);
    }
    for (file, why) in [("Cargo.toml", "the folder is a crate"), ("go.mod", "the folder is a Go module")] {
        if has(file) {
            return Some(script(file, why));
        }
    }
    // A command's folder inside a module: pmdev start cmd/api.
    if has("main.go") || build::is_go_main(folder) {
        let file = if has("main.go") { "main.go".to_owned() } else { first_go_file(folder)? };
        return Some(script(&file, "the folder is a Go program"));
    }
    if has("manage.py") {
        let python = if Search::new(folder, host).find("python3").is_some() { "python3" } else { "python" };
        // Django's own reloader would restart beside ours.
        let reload = if profile.watches() { " --noreload" } else { "" };
        return Some(line(&format!("{python} manage.py runserver{reload}"), "the folder has manage.py"));
    }
    for file in ["main.py", "app.py"] {
        if has(file) {
            return Some(script(file, "the folder has it"));
        }
    }
    if has("config.ru") {
        return Some(line(if has("Gemfile") { "bundle exec rackup" } else { "rackup" }, "the folder has config.ru"));
    }
    if has("mix.exs") {
        let phoenix = fs::read_to_string(folder.join("mix.exs")).is_ok_and(|text| text.contains(":phoenix"));
        return Some(line(if phoenix { "mix phx.server" } else { "mix run --no-halt" }, "the folder has mix.exs"));
    }
    ["deno.json", "deno.jsonc"].into_iter().find(|file| has(file)).and_then(|file| deno(folder, file, profile))
}

/// `scripts.dev` (prod: `scripts.start`), else `main` and the usual names, else (dev) `scripts.start`.
fn package(folder: &Path, profile: Profile, host: &Host) -> Option<Detected> {
    let package: Value = serde_json::from_str(&fs::read_to_string(folder.join("package.json")).ok()?).ok()?;
    let name = package["name"].as_str().and_then(|name| name.rsplit('/').next()).map(str::to_owned);
    let by_script = |key: &str| {
        let script = package["scripts"][key].as_str()?;
        // The script that started us, or one that would, is not what to run.
        let calls_us = host.text("npm_lifecycle_event") == Some(key) || runs_pmdev(script);
        let line = format!("{} run {key}", package_manager(&package, folder, host));
        (!calls_us).then(|| Detected { what: What::Line(line), why: format!("scripts.{key} in package.json"), name: name.clone() })
    };
    let by_main = || {
        let file =
            package["main"].as_str().and_then(|main| module_file(folder, main)).map(|file| (file, "main in package.json".to_owned()));
        let usual = || {
            let names =
                ["index", "server", "app"].into_iter().flat_map(|stem| ["js", "mjs", "cjs", "ts"].map(|ext| format!("{stem}.{ext}")));
            names.map(|name| folder.join(name)).find(|file| file.is_file()).map(|file| (file, "package.json names nothing else".to_owned()))
        };
        file.or_else(usual).map(|(file, why)| Detected { what: What::Script(file), why, name: name.clone() })
    };
    if profile.watches() { by_script("dev").or_else(by_main).or_else(|| by_script("start")) } else { by_script("start").or_else(by_main) }
}

/// Whether a package script calls this program.
fn runs_pmdev(script: &str) -> bool {
    script.split(['&', '|', ';']).any(|part| part.split_whitespace().any(|word| name::of_file(Path::new(word)) == "pmdev"))
}

/// A module as `main` names it: the file, with `.js`, or its `index.js` (<https://nodejs.org/api/modules.html#folders-as-modules>).
fn module_file(folder: &Path, main: &str) -> Option<PathBuf> {
    [main.to_owned(), format!("{main}.js"), format!("{main}/index.js")]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
}

/// The package manager the project uses: its `packageManager` field, else the lock file of the folder or one above, else npm.
fn package_manager(package: &Value, folder: &Path, host: &Host) -> &'static str {
    const LOCKS: [(&str, &str); 6] = [
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("bun.lockb", "bun"),
        ("package-lock.json", "npm"),
        ("npm-shrinkwrap.json", "npm"),
    ];
    let declared = package["packageManager"].as_str().and_then(|field| field.split('@').next());
    let declared = declared.and_then(|name| LOCKS.iter().find(|(_, known)| *known == name));
    let locked = || folder.ancestors().find_map(|above| LOCKS.iter().find(|(lock, _)| above.join(lock).is_file()));
    let found = declared.or_else(locked).map_or("npm", |(_, name)| name);
    if Search::new(folder, host).find(found).is_some() { found } else { "npm" }
}

fn deno(folder: &Path, file: &str, profile: Profile) -> Option<Detected> {
    // With comments in it, it is no JSON; then the usual file is as good a guess.
    let config: Value = fs::read_to_string(folder.join(file)).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let wanted: &[&str] = if profile.watches() { &["dev", "start"] } else { &["start"] };
    if let Some(task) = wanted.iter().find(|task| !config["tasks"][**task].is_null()) {
        return Some(Detected { what: What::Line(format!("deno task {task}")), why: format!("tasks.{task} in {file}"), name: None });
    }
    let main = ["main.ts", "main.js", "mod.ts", "server.ts"].into_iter().find(|name| folder.join(name).is_file())?;
    Some(Detected {
        what: What::Line(format!("deno run --allow-all {main}")),
        why: format!("the folder has {file} and {main}"),
        name: None,
    })
}

fn first_go_file(folder: &Path) -> Option<String> {
    let mut names: Vec<_> = folder.read_dir().ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names.into_iter().find(|name| name.ends_with(".go") && !name.ends_with("_test.go"))
}
