//! The project file that `pmdev init` writes: what detection would run, written down, with the keys people reach for next as comments.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Host,
    detect::{self, What},
    name, place,
    profile::Profile,
    source::{Format, discover},
};
use crate::model::Error;

/// A project file that was written.
#[derive(Debug)]
pub struct Starter {
    /// Where.
    pub file: PathBuf,
    /// What its app runs, and why that; `None`: nothing was found, and the script is an example.
    pub chosen: Option<(String, String)>,
}

/// Writes a project file for a folder. `Procfile` and `package.json` are read, not written.
///
/// # Errors
/// If the folder has a project file already, whatever it is called, or nothing can be written there.
pub fn write(folder: &Path, format: Format, host: &Host) -> Result<Starter, Error> {
    if let Some(file) = discover(folder) {
        let shown = place::shown(&host.cwd, &file);
        return Err(Error::usage(format!("{shown} is the project file of this folder already; nothing was written"))
            .hint(format!("edit it, or move it away first; what comes of it: pmdev check {shown}")));
    }
    let detected = detect::folder(folder, Profile::Dev, host);
    let chosen = detected.as_ref().map(|detected| {
        let what = match &detected.what {
            What::Script(path) => place::shown(folder, path),
            What::Line(line) => line.clone(),
        };
        (what, detected.why.clone())
    });
    let name = detected.and_then(|detected| detected.name).unwrap_or_else(|| name::of_folder(folder));
    let (script, why) = match &chosen {
        Some((script, why)) => (script.as_str(), why.as_str()),
        None => ("app.js", "an example: nothing was found here that could be run"),
    };
    let (file, template) = match format {
        Format::Yaml => ("pmdev.yaml", YAML),
        Format::Json => ("pmdev.json", JSON),
        Format::JavaScript => ("pmdev.config.js", JAVASCRIPT),
        Format::Toml | Format::Procfile | Format::Package => ("pmdev.toml", TOML),
    };
    let file = folder.join(file);
    let export = if is_module(folder) { "export default" } else { "module.exports =" };
    let text = template
        .replace("{EXPORT}", export)
        .replace("{NAME}", &quoted(&name))
        .replace("{SCRIPT}", &quoted(script))
        .replace("{WHY}", &why.replace('\n', " "));
    let written = File::create_new(&file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|error| Error::failed(format!("{} cannot be written", place::shown(&host.cwd, &file))).because(error))?;
    Ok(Starter { file, chosen })
}

/// A text in double quotes, as all four formats read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether `.js` is a module here, <https://nodejs.org/api/packages.html#type>.
fn is_module(folder: &Path) -> bool {
    let package = folder.ancestors().map(|above| above.join("package.json")).find(|file| file.is_file());
    let text = package.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|package| package["type"] == "module")
}

const TOML: &str = r#"# What `pmdev` runs in this folder. `pmdev check` shows what comes of this file, `pmdev schema` lists every key.

[[apps]]
name = {NAME}
script = {SCRIPT} # {WHY}
# args = ["--port", "3000"]
# watch = ["src"] # default: the folder, without what git ignores
# env_file = ".env"
# instances = 2

[apps.env]
# PORT = 3000

# On top of env, with --profile prod.
[apps.env_production]
# LOG_LEVEL = "warn"
"#;

const YAML: &str = r#"# What `pmdev` runs in this folder. `pmdev check` shows what comes of this file, `pmdev schema` lists every key.

apps:
  - name: {NAME}
    script: {SCRIPT} # {WHY}
    # args: ["--port", "3000"]
    # watch: [src] # default: the folder, without what git ignores
    # env_file: .env
    # instances: 2
    # env:
    #   PORT: 3000
    # env_production: # on top of env, with --profile prod
    #   LOG_LEVEL: warn
"#;

const JSON: &str = r#"// What `pmdev` runs in this folder. `pmdev check` shows what comes of this file, `pmdev schema` lists every key.
{
  "apps": [
    {
      "name": {NAME},
      "script": {SCRIPT}, // {WHY}
      // "args": ["--port", "3000"],
      // "watch": ["src"], // default: the folder, without what git ignores
      // "env_file": ".env",
      // "instances": 2,
      "env": {
        // "PORT": 3000
      },
      // On top of env, with --profile prod.
      "env_production": {
        // "LOG_LEVEL": "warn"
      }
    }
  ]
}
"#;

/// `{EXPORT}` is the word for it in this kind of module.
const JAVASCRIPT: &str = r#"// What `pmdev` runs in this folder. `pmdev check` shows what comes of this file, `pmdev schema` lists every key.
{EXPORT} {
  apps: [
    {
      name: {NAME},
      script: {SCRIPT}, // {WHY}
      // args: ["--port", "3000"],
      // watch: ["src"], // default: the folder, without what git ignores
      // env_file: ".env",
      // instances: 2,
      env: {
        // PORT: 3000,
      },
      // On top of env, with --profile prod.
      env_production: {
        // LOG_LEVEL: "warn",
      },
    },
  ],
};
"#;
