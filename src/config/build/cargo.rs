//! Cargo: `cargo build` of a crate's binary or example; `rustc` for a file outside every crate.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::model::Error;

use super::{Host, Program, Script, compiler, folder_with, output};
use crate::config::{name, place, program::Build};

/// What `cargo metadata --no-deps` tells, as far as it matters: <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    #[serde(default)]
    workspace_default_members: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Target {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|known| known == kind)
    }
}

/// The program for a `.rs` file or a `Cargo.toml`.
pub fn program(script: &Script, host: &Host) -> Result<Program, Error> {
    let folder = place::folder(script.path);
    let Some(manifest) = folder_with("Cargo.toml", folder) else { return lone_file(script, host) };
    let cargo = compiler("cargo", script)?;
    let metadata = metadata(&cargo, &manifest, script, host)?;
    let (package, target) = pick(&metadata, &manifest, script)?;
    let example = target.is("example");
    let mut argv = vec![cargo, "build".into(), "--package".into(), OsString::from(&package.name)];
    argv.extend([OsString::from(if example { "--example" } else { "--bin" }), OsString::from(&target.name)]);
    argv.extend(script.args.iter().cloned());
    let mut binary = metadata.target_directory.clone();
    binary.extend(option(&script.args, &["--target"]).or_else(|| host.text("CARGO_BUILD_TARGET").map(str::to_owned)));
    binary.push(profile_folder(&script.args));
    binary.extend(example.then_some("examples"));
    binary.push(&target.name);
    let home = place::folder(&package.manifest_path);
    Ok(Program {
        argv: vec![binary.clone().into()],
        // As `cargo run` does; programs look for their assets there. One we inherit is that of a crate that runs us (`cargo xtask`).
        fixed: vec![("CARGO_MANIFEST_DIR", home.into())],
        build: Some(Build { argv, cwd: manifest, output: vec![metadata.target_directory.clone()] }),
        name: Some(target.name.clone()),
        hint: Some(format!("cargo build did not make {}; is another target set in .cargo/config.toml?", binary.display())),
        ..Program::default()
    })
}

fn metadata(cargo: &OsString, manifest: &Path, script: &Script, host: &Host) -> Result<Metadata, Error> {
    let argv =
        [cargo.clone()].into_iter().chain(["metadata", "--no-deps", "--format-version", "1", "--quiet"].map(OsString::from)).collect();
    let unread = |error: &dyn std::fmt::Display| {
        Error::usage(format!("{} cannot be read by cargo", place::shown(&host.cwd, &manifest.join("Cargo.toml")))).because(error)
    };
    let answer = host.tool(argv, manifest, script.search.path()).map_err(|error| unread(&error))?;
    serde_json::from_str(&answer).map_err(|error| unread(&error))
}

/// The binary or example that is meant: the one this file is the root of, else the one its package runs by default.
fn pick<'a>(metadata: &'a Metadata, manifest: &Path, script: &Script) -> Result<(&'a Package, &'a Target), Error> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (source, manifest) = (real(script.path), real(&manifest.join("Cargo.toml")));
    let runs = |target: &Target| target.is("bin") || target.is("example");
    let all = metadata.packages.iter().flat_map(|package| package.targets.iter().map(move |target| (package, target)));
    if let Some(found) = all.clone().find(|(_, target)| runs(target) && real(&target.src_path) == source) {
        return Ok(found);
    }
    let own: Vec<_> = metadata.packages.iter().filter(|package| real(&package.manifest_path) == manifest).collect();
    let default =
        |package: &&Package| metadata.workspace_default_members.is_empty() || metadata.workspace_default_members.contains(&package.id);
    let packages = if own.is_empty() { metadata.packages.iter().filter(default).collect() } else { own };
    let bins: Vec<(&Package, &Target)> = packages
        .iter()
        .flat_map(|package| package.targets.iter().filter(|target| target.is("bin")).map(move |target| (*package, target)))
        .collect();
    let by_default = bins.iter().find(|(package, target)| package.default_run.as_ref() == Some(&target.name));
    match (by_default, bins.as_slice()) {
        (Some(found), _) => Ok(*found),
        (None, [one]) => Ok(*one),
        (None, []) => Err(Error::usage(format!("{} has no program: its package has no binary", script.shown))
            .hint("name the file of a binary or an example: pmdev start examples/demo.rs")),
        (None, several) => {
            let list: Vec<_> = several.iter().map(|(_, target)| target.name.as_str()).collect();
            let file = place::shown(script.cwd, &several[0].1.src_path);
            Err(Error::usage(format!("{} has several programs: {}", script.shown, list.join(", ")))
                .hint(format!("name the file of one: pmdev start {file}\nor set default-run in Cargo.toml")))
        }
    }
}

/// The folder below the target directory: <https://doc.rust-lang.org/cargo/reference/build-cache.html>.
fn profile_folder(args: &[OsString]) -> String {
    match option(args, &["--profile"]) {
        Some(profile) if profile == "dev" || profile == "test" => "debug".to_owned(),
        Some(profile) if profile == "bench" => "release".to_owned(),
        Some(profile) => profile,
        None if args.iter().any(|arg| arg == "--release" || arg == "-r") => "release".to_owned(),
        None => "debug".to_owned(),
    }
}

/// The value of an option in a list of arguments.
fn option(args: &[OsString], names: &[&str]) -> Option<String> {
    let args: Vec<_> = args.iter().filter_map(|arg| arg.to_str()).collect();
    names.iter().find_map(|name| {
        let joined = args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
        let apart = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1).copied());
        joined.or(apart).map(str::to_owned)
    })
}

fn lone_file(script: &Script, host: &Host) -> Result<Program, Error> {
    let rustc = compiler("rustc", script)?;
    let name = name::of_file(script.path);
    let binary = output(script.path, &name, host)?;
    let mut argv = vec![rustc, "-o".into(), binary.clone().into()];
    // rustc's own default is the edition of 2015.
    if option(&script.args, &["--edition"]).is_none() {
        argv.extend(["--edition".into(), "2021".into()]);
    }
    argv.extend(script.args.iter().cloned());
    argv.push(script.path.into());
    Ok(Program {
        argv: vec![binary.clone().into()],
        build: Some(Build { argv, cwd: place::folder(script.path).to_owned(), output: vec![place::folder(&binary).to_owned()] }),
        hint: Some(format!("rustc made no {}", binary.display())),
        ..Program::default()
    })
}
