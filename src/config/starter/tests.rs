use std::{fs, process::Command};

use tempfile::TempDir;

use super::*;
use crate::{
    config::{End, Output, Owner, Pipes, Seen, node::Value, source},
    model::{Exit, Launch},
};

/// A package with a script, and a host that can run JavaScript.
fn project(package: &str) -> (TempDir, Host) {
    let folder = TempDir::new().unwrap();
    let cwd = folder.path().canonicalize().unwrap();
    fs::write(cwd.join("package.json"), package).unwrap();
    let run = |launch: &Launch, _| {
        let output = Command::new(&launch.argv[0]).args(&launch.argv[1..]).current_dir(&launch.cwd).output().unwrap();
        Ok(Output { end: End::Exited(Exit::Code(output.status.code().unwrap())), said: String::new() })
    };
    let ask = |_: &Launch| Err(Error::failed("nothing is to be asked"));
    (
        folder,
        Host {
            cwd,
            env: std::env::vars_os().collect(),
            home: None,
            colour: false,
            ask: std::sync::Arc::new(ask),
            run: std::sync::Arc::new(run),
            owner: Owner::default(),
            asks_as: None,
            pipes: Pipes::default(),
            seen: Seen::default(),
        },
    )
}

#[test]
fn what_was_detected_is_written_down_and_read_again() {
    for kind in ["commonjs", "module"] {
        for format in [Format::Toml, Format::Yaml, Format::Json, Format::JavaScript] {
            let package = format!(r#"{{ "name": "@x/my \"api\"", "type": "{kind}", "scripts": {{ "dev": "node a.js" }} }}"#);
            let (_folder, host) = project(&package);
            let starter = write(&host.cwd, format, &host).unwrap();
            assert_eq!(starter.chosen.unwrap(), ("npm run dev".to_owned(), "scripts.dev in package.json".to_owned()));
            assert_eq!(discover(&host.cwd).as_deref(), Some(starter.file.as_path()));
            let document = source::read(&starter.file, false, &host).unwrap();
            let Value::List(apps) = &document.root.get("apps").unwrap().node.value else { panic!("{document:?}") };
            let text = |key| &apps[0].get(key).unwrap().node.value;
            assert_eq!(text("name"), &Value::Text("my \"api\"".to_owned()), "{format:?}");
            assert_eq!(text("script"), &Value::Text("npm run dev".to_owned()), "{format:?}");
            let again = write(&host.cwd, Format::Toml, &host).unwrap_err();
            assert_eq!(again.exit_code(), 2);
            assert!(again.message.contains("nothing was written"), "{again}");
        }
    }
}

#[test]
fn comments_are_right_when_they_are_taken_away() {
    for (name, template, mark) in [("a.toml", TOML, "# "), ("a.yaml", YAML, "# "), ("a.json", JSON, "// ")] {
        let (_folder, host) = project("{}");
        let text = template.replace("{NAME}", "\"n\"").replace("{SCRIPT}", "\"s\"").replace("{WHY}", "w");
        let is_key = |line: &str| {
            line.trim_start().strip_prefix(mark).is_some_and(|rest| {
                rest.trim_start().starts_with(|c: char| c == '"' || c.is_ascii_alphabetic())
                    && (rest.contains(" = ") || rest.contains(": ") || rest.ends_with(':'))
                    && !rest.contains("pmdev")
            })
        };
        let bare: Vec<String> = text.lines().map(|line| if is_key(line) { line.replacen(mark, "", 1) } else { line.to_owned() }).collect();
        fs::write(host.cwd.join(name), bare.join("\n")).unwrap();
        let document = source::read(Path::new(name), false, &host).unwrap_or_else(|error| panic!("{error}\n{}", bare.join("\n")));
        let Value::List(apps) = &document.root.get("apps").unwrap().node.value else { panic!("{document:?}") };
        for key in ["args", "watch", "env_file", "instances", "env", "env_production"] {
            assert!(apps[0].get(key).is_some(), "{name} has {key}:\n{}", bare.join("\n"));
        }
    }
}
