//! The table from extension to how a script is run.

use std::{ffi::OsString, path::Path};

/// One kind of script.
#[derive(Debug)]
pub struct Row {
    /// Extensions, without the dot, and whole file names, with theirs.
    pub names: &'static [&'static str],
    /// How it is run.
    pub how: How,
}

/// How a script is run.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// By the first of these programs that is there.
    Run(&'static [Candidate]),
    /// Built, then run.
    Build(Builder),
}

/// What builds a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// `go build`.
    Go,
    /// `cargo build`; `rustc` for a file outside every crate.
    Cargo,
}

/// A program that can run a script.
#[derive(Debug)]
pub struct Candidate {
    /// Its name.
    pub program: &'static str,
    /// What stands between it and the script.
    pub args: &'static [&'static str],
    /// What else must be true.
    pub only: Only,
}

/// What else must be true of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Nothing.
    Anywhere,
    /// The project has it installed.
    Project,
    /// This Node runs TypeScript.
    StripsTypes,
}

const fn any(program: &'static str, args: &'static [&'static str]) -> Candidate {
    Candidate { program, args, only: Only::Anywhere }
}

const TSX: Candidate = Candidate { program: "tsx", args: &[], only: Only::Project };
const NODE_TS: Candidate = Candidate { program: "node", args: &[], only: Only::StripsTypes };
const BUN: Candidate = any("bun", &[]);
const DENO: Candidate = any("deno", &["run", "--allow-all"]);

const TABLE: &[Row] = &[
    Row { names: &["js", "mjs", "cjs"], how: How::Run(&[any("node", &[])]) },
    Row { names: &["ts", "mts", "cts"], how: How::Run(&[TSX, NODE_TS, BUN, DENO]) },
    // Node strips types, but it does not know JSX.
    Row { names: &["tsx"], how: How::Run(&[TSX, BUN, DENO]) },
    // The project's virtual environment comes first on PATH.
    Row { names: &["py"], how: How::Run(&[any("python3", &[]), any("python", &[])]) },
    Row { names: &["rb"], how: How::Run(&[any("ruby", &[])]) },
    Row { names: &["php"], how: How::Run(&[any("php", &[])]) },
    Row { names: &["pl"], how: How::Run(&[any("perl", &[])]) },
    Row { names: &["sh"], how: How::Run(&[any("bash", &[]), any("sh", &[])]) },
    Row {
        names: &["lua"],
        how: How::Run(&[any("lua", &[]), any("lua5.4", &[]), any("lua5.3", &[]), any("lua5.1", &[]), any("luajit", &[])]),
    },
    Row { names: &["coffee"], how: How::Run(&[any("coffee", &[])]) },
    Row { names: &["ls"], how: How::Run(&[any("lsc", &[])]) },
    Row { names: &["ex", "exs"], how: How::Run(&[any("elixir", &[])]) },
    Row { names: &["jar"], how: How::Run(&[any("java", &["-jar"])]) },
    Row { names: &["r", "R"], how: How::Run(&[any("Rscript", &[])]) },
    Row { names: &["jl"], how: How::Run(&[any("julia", &[])]) },
    Row { names: &["dart"], how: How::Run(&[any("dart", &["run"])]) },
    Row { names: &["go", "go.mod"], how: How::Build(Builder::Go) },
    Row { names: &["rs", "Cargo.toml"], how: How::Build(Builder::Cargo) },
];

/// Major and minor version of the first Node that runs TypeScript: <https://nodejs.org/api/typescript.html>.
pub const STRIPS_TYPES: (u32, u32) = (22, 6);

/// Whether this Node, new enough for TypeScript, needs no flag for it: since 22.18 and 23.6.
pub fn strips_types_unasked((major, minor): (u32, u32)) -> bool {
    match major {
        22 => minor >= 18,
        23 => minor >= 6,
        _ => true,
    }
}

impl Row {
    /// Whether it is TypeScript for Node.
    pub fn strips_types(&self) -> bool {
        match self.how {
            How::Run(candidates) => candidates.iter().any(|candidate| candidate.program == TSX.program),
            How::Build(_) => false,
        }
    }
}

/// The row of a file.
pub fn row(script: &Path) -> Option<&'static Row> {
    let (name, ext) = (script.file_name()?.to_str()?, script.extension().and_then(|ext| ext.to_str()));
    let is = |known: &str| if known.contains('.') { known == name } else { Some(known) == ext };
    TABLE.iter().find(|row| row.names.iter().any(|known| is(known)))
}

/// The builder of this name.
pub fn builder(name: &str) -> Option<Builder> {
    match name {
        "go" => Some(Builder::Go),
        "cargo" | "rustc" => Some(Builder::Cargo),
        _ => None,
    }
}

/// What the table puts between a program and its script.
pub fn args_of(program: &str) -> &'static [&'static str] {
    let candidates = TABLE.iter().filter_map(|row| match row.how {
        How::Run(candidates) => Some(candidates),
        How::Build(_) => None,
    });
    candidates.flatten().find(|candidate| candidate.program == program).map_or(&[], |candidate| candidate.args)
}

/// Variables that a program needs where people have not set them. Python holds back what it prints into a pipe.
pub fn env_of(program: &str) -> Vec<(&'static str, OsString)> {
    if program.starts_with("python") || program.starts_with("pypy") { unbuffered() } else { Vec::new() }
}

/// What makes Python write at once.
pub fn unbuffered() -> Vec<(&'static str, OsString)> {
    vec![("PYTHONUNBUFFERED", OsString::from("1"))]
}
