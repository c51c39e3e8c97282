//! Which files are project files, and which of them a folder has.

use std::path::{Path, PathBuf};

use super::{Format, package};

/// Stems and extensions of project files, in the order in which they are looked for.
const NAMES: [(&str, &[&str]); 4] = [
    ("pmdev", &["toml", "yaml", "yml", "json"]),
    ("pmdev.config", &["js", "cjs", "mjs"]),
    ("ecosystem.config", &["js", "cjs", "mjs", "json", "json5", "yaml", "yml"]),
    ("process", &["json", "yaml", "yml"]),
];

/// Files of other tools that lie beside a project's own.
const OTHERS: [&str; 6] = ["package-lock.json", "deno.json", "deno.jsonc", "tsconfig.json", "composer.json", "jsconfig.json"];

/// The project file of a folder, where it has one: pmdev's own names first, then PM2's, the key of `package.json`, `Procfile`.
pub fn discover(folder: &Path) -> Option<PathBuf> {
    let names = NAMES.iter().flat_map(|(stem, extensions)| extensions.iter().map(move |extension| format!("{stem}.{extension}")));
    let package = || Some(folder.join("package.json")).filter(|file| file.is_file() && package::has_key(file));
    let procfile = || Some(folder.join("Procfile")).filter(|file| file.is_file());
    names.map(|name| folder.join(name)).find(|file| file.is_file()).or_else(package).or_else(procfile)
}

/// Whether a file that was named is meant as a project file. As with PM2, any JSON or YAML is; of JavaScript what is called
/// `*.config.js`, and of TOML what is called after this program, since `Cargo.toml` and `app.js` are things to run.
pub fn is_project_file(file: &Path) -> bool {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
    match Format::of(file) {
        None => false,
        Some(Format::Package) => package::has_key(file),
        Some(Format::Procfile | Format::Yaml) => true,
        Some(Format::Json) => !OTHERS.contains(&name),
        Some(Format::JavaScript) => name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".config") || stem == "pmdev"),
        Some(Format::Toml) => name.starts_with("pmdev.") || name.ends_with(".pmdev.toml") || name.starts_with("ecosystem."),
    }
}
