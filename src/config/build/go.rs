//! Go: `go build` of a package, or of a file outside every module.

use std::{ffi::OsString, fs, path::Path};

use crate::model::Error;

use super::{Host, Program, Script, compiler, folder_with, output};
use crate::config::{name, place, program::Build};

/// The program for a `.go` file or a `go.mod`.
pub fn program(script: &Script, host: &Host) -> Result<Program, Error> {
    let go = compiler("go", script)?;
    let folder = place::folder(script.path);
    let (cwd, package) = match folder_with("go.mod", folder) {
        Some(module) if script.path.ends_with("go.mod") => {
            let package = main_package(&module, script)?;
            (module, package)
        }
        Some(_) if !stands_alone(script.path) => (folder.to_owned(), ".".to_owned()),
        _ => (folder.to_owned(), format!("./{}", script.path.file_name().unwrap_or_default().display())),
    };
    let built_from = cwd.join(&package);
    let name = match package.as_str() {
        "." => name::of_folder(&cwd),
        other => name::of_file(Path::new(other)),
    };
    let binary = output(&built_from, &name, host)?;
    let mut argv = vec![go, "build".into(), "-o".into(), binary.clone().into()];
    argv.extend(script.args.iter().cloned());
    argv.push(package.into());
    Ok(Program {
        argv: vec![binary.clone().into()],
        build: Some(Build { argv, cwd, output: vec![place::folder(&binary).to_owned()] }),
        name: Some(name),
        hint: Some(format!("go build made no {}; is there a `package main`?", binary.display())),
        ..Program::default()
    })
}

/// Whether a file is no part of the package it lies in (`//go:build ignore`).
fn stands_alone(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line.trim() == "//go:build ignore"))
}

/// The package of a module that is a program: the module's own folder, else the only one in `cmd/`.
fn main_package(module: &Path, script: &Script) -> Result<String, Error> {
    if is_main(module) {
        return Ok(".".to_owned());
    }
    let commands = module.join("cmd").read_dir().ok();
    let mut commands: Vec<OsString> =
        commands.into_iter().flatten().flatten().filter(|entry| is_main(&entry.path())).map(|entry| entry.file_name()).collect();
    commands.sort();
    match commands.as_slice() {
        [one] => Ok(format!("./cmd/{}", one.display())),
        [] => Err(Error::usage(format!("{} has no program: neither its folder nor cmd/ has a file with `package main`", script.shown))
            .hint("name the file: pmdev start path/to/main.go")),
        several => {
            let list: Vec<_> = several.iter().map(|name| format!("cmd/{}", name.display())).collect();
            Err(Error::usage(format!("{} has several programs: {}", script.shown, list.join(", ")))
                .hint(format!("name one: pmdev start {}", list[0])))
        }
    }
}

/// Whether a folder is a `package main`.
pub fn is_main(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().map(|entry| entry.path()).any(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".go")
            && !name.ends_with("_test.go")
            && !stands_alone(&file)
            && fs::read_to_string(&file).is_ok_and(|text| text.lines().any(|line| line.trim_end() == "package main"))
    })
}
