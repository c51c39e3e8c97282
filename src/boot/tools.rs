//! Where the programs lie by which the apps run, besides the folders that every init system looks into: version managers keep theirs at home.

use std::path::{Path, PathBuf};

use super::{needs::program, service::USUAL_PATH};
use crate::model::AppSpec;

/// Programs that run an app and start nothing else by name.
const INTERPRETERS: [&str; 12] = ["node", "bun", "deno", "python3", "python", "ruby", "php", "perl", "lua", "java", "go", "cargo"];

/// Programs that scripts and package managers start by name.
const TOOLS: [&str; 14] = ["node", "npm", "npx", "pnpm", "yarn", "bun", "deno", "python3", "uv", "ruby", "bundle", "php", "java", "mix"];

/// The folders of a PATH that hold a program of the apps and are none of the usual, in the order of the PATH; `holds` looks for a file.
pub fn folders(apps: &[AppSpec], javascript: bool, path: &[PathBuf], holds: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut wanted: Vec<&str> = Vec::new();
    if javascript {
        wanted.extend(["node", "bun", "deno"]);
    }
    for launch in apps.iter().flat_map(|app| app.build.iter().chain([&app.launch])) {
        match program(launch) {
            known if INTERPRETERS.contains(&known) => wanted.push(known),
            other => wanted.extend(TOOLS.iter().copied().chain([other])),
        }
    }
    let first = |tool: &&str| path.iter().find(|folder| holds(&folder.join(tool)));
    let chosen: Vec<&PathBuf> = wanted.iter().filter_map(first).collect();
    let usual = |folder: &Path| USUAL_PATH.iter().any(|usual| folder == Path::new(usual));
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in path {
        if !usual(folder) && chosen.contains(&folder) && !found.contains(folder) {
            found.push(folder.clone());
        }
    }
    found
}
