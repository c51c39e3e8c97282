//! Save → running, start, memory, log lines on a screen and in files, rest, reading project files, measuring apps and listing them, beside the runners people use today. docs/benchmarks.md tells how to read it.
//! It measures and judges nothing: no figure makes it fail. Start reading with [`save`]; [`child`] is what is being run.
#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "rests between measurements")]
#![expect(clippy::disallowed_types, reason = "a bench is the parent of what it measures")]
#![expect(clippy::cast_precision_loss, reason = "figures are small")]

mod check;
mod child;
mod clients;
mod clock;
mod files;
mod list;
mod logs;
mod many;
mod processes;
mod project;
mod ready;
mod save;
mod stamps;
mod stats;
mod subject;
mod usage;

use std::{env, fs, io, path::PathBuf};

use pmdev::process::shim;
use project::BIG;
use subject::Runner;

const HELP: &str = "\
cargo bench --bench latency -- [SECTION]... [--rounds N] [--dir FOLDER] [--alone]

Sections: save, start, logs, files, idle, check, usage, many, list, clients; without one, all of them.
  --rounds N    saves of each kind, for each runner [default: 31]; a third of it are the starts on the big project
  --dir FOLDER  where projects are made for the time of the run [default: the system's folder for such files]
  --alone       without the peers

Peers (nodemon, watchexec, pm2-dev, pm2) are found on PATH, and in, in bin/ and in node_modules/.bin/ of each folder of the
list in PMDEV_BENCH_PEERS.";

/// What was asked for.
struct Options {
    sections: Vec<String>,
    rounds: usize,
    dir: PathBuf,
    alone: bool,
}

fn main() -> io::Result<()> {
    let began = clock::now();
    let args: Vec<String> = env::args().skip(1).collect();
    // What is started by the library itself goes through its own image.
    if args.first().is_some_and(|arg| arg == shim::COMMAND) {
        return shim::main(&args[1..]).map(drop).map_err(io::Error::other);
    }
    if let Some(played) = child::play(&args, began) {
        return played;
    }
    match options(args) {
        Some(options) => measure(&options),
        None => {
            println!("{HELP}");
            Ok(())
        }
    }
}

fn options(args: Vec<String>) -> Option<Options> {
    let mut options = Options { sections: Vec::new(), rounds: 31, dir: env::temp_dir(), alone: false };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo adds it.
            "--bench" => {}
            "--rounds" => options.rounds = args.next()?.parse().ok()?,
            "--dir" => options.dir = args.next()?.into(),
            "--alone" => options.alone = true,
            "save" | "start" | "logs" | "files" | "idle" | "check" | "usage" | "many" | "list" | "clients" => options.sections.push(arg),
            _ => return None,
        }
    }
    Some(options)
}

fn measure(options: &Options) -> io::Result<()> {
    let wants = |section: &str| options.sections.is_empty() || options.sections.iter().any(|one| one == section);
    let folder = tempfile::Builder::new().prefix("pmdev-bench-").tempdir_in(&options.dir)?;
    let peers = if options.alone || !(wants("save") || wants("start") || wants("idle")) { Vec::new() } else { Runner::peers() };
    let with_peers =
        |own: &[&'static [&'static str]]| own.iter().map(|options| Runner::pmdev(options)).chain(peers.clone()).collect::<Vec<_>>();
    if wants("save") {
        let own: [&[&str]; 3] = [&[], &["--watch-delay", "1ms"], &["--watch-delay", "50ms"]];
        save::measure(&with_peers(&own), folder.path(), options.rounds)?;
    }
    if wants("start") || wants("idle") {
        let project = folder.path().join("big");
        project::make(&project, BIG)?;
        if wants("start") {
            ready::measure(&with_peers(&[&[]]), &project, folder.path(), (options.rounds / 3).max(1))?;
        }
        if wants("idle") {
            ready::idle(&with_peers(&[&[]]), &project, folder.path())?;
        }
    }
    if wants("logs") {
        logs::measure(300, 5)?;
    }
    if wants("files") {
        files::measure(folder.path(), 300, (options.rounds / 6).max(1))?;
    }
    if wants("check") {
        let project = folder.path().join("check");
        fs::create_dir(&project)?;
        check::measure(&project, options.rounds)?;
    }
    if wants("usage") {
        usage::measure(options.rounds)?;
    }
    if wants("many") {
        let project = folder.path().join("many");
        fs::create_dir(&project)?;
        many::measure(&project)?;
    }
    if wants("list") {
        let project = folder.path().join("list");
        fs::create_dir(&project)?;
        list::measure(&project, options.rounds)?;
    }
    if wants("clients") {
        clients::measure(&folder.path().join("clients"), (options.rounds / 8).max(1))?;
    }
    Ok(())
}
