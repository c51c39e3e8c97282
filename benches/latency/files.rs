//! How fast lines of an app get into a file: through `cat`, through pmdev, and through pm2 where it is on PATH.

use std::{
    env, fs, io,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;

use crate::{
    child, clock,
    stats::{Values, table},
    subject,
};

/// What takes the lines to the file.
#[derive(Clone, Copy)]
enum Way {
    Cat,
    /// With these keys of `logs`.
    Pmdev(&'static str),
    Pm2,
}

const WAYS: [(&str, Way); 6] = [
    ("`cat >file`", Way::Cat),
    ("pmdev, never rotated", Way::Pmdev(r#"{ "max_size": 0, "total_size": 0 }"#)),
    ("pmdev, rotated at 10 MiB and compressed", Way::Pmdev("{}")),
    ("pmdev, with the time", Way::Pmdev(r#"{ "max_size": 0, "total_size": 0, "timestamp": "YYYY-MM-DD HH:mm:ss" }"#)),
    ("pmdev, as JSON", Way::Pmdev(r#"{ "max_size": 0, "total_size": 0, "format": "json" }"#)),
    ("pm2", Way::Pm2),
];

/// One app prints so many megabytes.
pub fn measure(folder: &Path, megabytes: usize, rounds: usize) -> io::Result<()> {
    println!("## {megabytes} MB of lines of 100 bytes into a file, median of {rounds}\n");
    let pm2 = subject::find("pm2");
    if pm2.is_none() {
        println!("pm2 is not installed and is left out.");
    }
    let ways: Vec<_> = WAYS.into_iter().filter(|(_, way)| pm2.is_some() || !matches!(way, Way::Pm2)).collect();
    let mut figures = vec![Values::default(); ways.len()];
    for _ in 0..rounds {
        for ((_, way), figures) in ways.iter().zip(&mut figures) {
            let place = tempfile::tempdir_in(folder)?;
            let took = match way {
                Way::Cat => cat(place.path(), megabytes)?,
                Way::Pmdev(logs) => pmdev(place.path(), logs, megabytes)?,
                Way::Pm2 => self::pm2(pm2.as_deref().unwrap_or(Path::new("pm2")), place.path(), megabytes)?,
            };
            figures.push(megabytes as f64 / took.as_secs_f64());
        }
    }
    let mut rows = vec![["", "MB/s", "million lines/s"].map(str::to_owned).to_vec()];
    for ((name, _), figures) in ways.iter().zip(&figures) {
        let speed = figures.median();
        rows.push(vec![(*name).to_owned(), format!("{speed:.0}"), format!("{:.2}", speed / 100.0)]);
    }
    table(&rows);
    Ok(())
}

/// The arguments that make the app print so much, and note when it began.
fn app(place: &Path, megabytes: usize) -> io::Result<[String; 4]> {
    let began = place.join("began").display().to_string();
    Ok([env::current_exe()?.display().to_string(), child::FLOOD.to_owned(), megabytes.to_string(), began])
}

/// Since the app began.
fn took(place: &Path) -> io::Result<Duration> {
    let now = clock::now();
    let began: u64 = fs::read_to_string(place.join("began"))?.trim().parse().map_err(io::Error::other)?;
    Ok(Duration::from_nanos(now.saturating_sub(began)))
}

fn cat(place: &Path, megabytes: usize) -> io::Result<Duration> {
    let mut command = Command::new("sh");
    command.args(["-c", "\"$@\" | cat >out.log", "sh"]).args(app(place, megabytes)?).current_dir(place).status()?;
    let took = took(place)?;
    arrived(&place.join("out.log"), megabytes)?;
    Ok(took)
}

fn pmdev(place: &Path, logs: &str, megabytes: usize) -> io::Result<Duration> {
    let logs: serde_json::Value = serde_json::from_str(logs)?;
    let [program, args @ ..] = app(place, megabytes)?;
    let declared = json!({ "apps": [{
        "name": "app", "script": program, "interpreter": "none", "args": args, "autorestart": false,
        "out_file": "out.log", "error_file": "NULL", "logs": logs,
    }] });
    fs::write(place.join("pmdev.json"), declared.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pmdev"));
    let status = command.args(["start", "--prod"]).current_dir(place).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let took = took(place)?;
    if !status.success() {
        return Err(io::Error::other(format!("pmdev ended with {status}")));
    }
    if logs.get("max_size").is_some() {
        arrived(&place.join("out.log"), megabytes)?;
    }
    Ok(took)
}

fn pm2(pm2: &Path, place: &Path, megabytes: usize) -> io::Result<Duration> {
    let run = |args: &[&str]| {
        let mut command = Command::new(pm2);
        command.args(args).current_dir(place).env("PM2_HOME", place.join("pm2")).env("HOME", place);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop)
    };
    // So that its daemon is there before the app begins.
    run(&["ping"])?;
    let [program, args @ ..] = app(place, megabytes)?;
    let mut start = vec!["start", &program, "--name", "app", "--interpreter", "none", "--no-autorestart"];
    start.extend(["-o", "out.log", "-e", "/dev/null", "--"]);
    start.extend(args.iter().map(String::as_str));
    run(&start)?;
    // Until the file grows no more: the last lines of an app that has ended may never come.
    let (file, mut length, mut took) = (place.join("out.log"), 0, took(place)?);
    let mut grown = clock::now();
    while clock::since(grown) < Duration::from_secs(1) {
        let now = fs::metadata(&file).map_or(0, |about| about.len());
        if now > length {
            (length, took, grown) = (now, self::took(place)?, clock::now());
        }
        clock::rest(Duration::from_millis(2));
    }
    run(&["kill"])?;
    if let Err(error) = arrived(&file, megabytes) {
        println!("pm2: {error}");
    }
    Ok(took)
}

/// Whether the file holds everything.
fn arrived(file: &Path, megabytes: usize) -> io::Result<()> {
    let length = fs::metadata(file)?.len();
    if length >= (megabytes * 1_000_000 / child::BLOCK * child::BLOCK) as u64 {
        return Ok(());
    }
    Err(io::Error::other(format!("only {length} bytes of {megabytes} MB are in {}", file.display())))
}
