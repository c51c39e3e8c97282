//! How fast lines of an app get into a file: through `cat`, through pmdev, and through pm2 where it is on PATH.

use std::{
    env, fs,
    io::{self, Read},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use flate2::read::MultiGzDecoder;
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
    ("pmdev, rotated at 10 MiB and compressed", Way::Pmdev(r#"{ "keep": 100000, "total_size": 0 }"#)),
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
    arrived(&place.join("out.log"), megabytes)?;
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

/// Whether the file, and what was put away of it, hold every line.
fn arrived(file: &Path, megabytes: usize) -> io::Result<()> {
    let lines = lines(file)?;
    let printed = (megabytes * 1_000_000 / child::BLOCK * child::BLOCK / child::LINE.len()) as u64;
    if lines >= printed {
        return Ok(());
    }
    Err(io::Error::other(format!("only {lines} of {printed} lines are in {} and what was put away of it", file.display())))
}

fn lines(file: &Path) -> io::Result<u64> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut names = Vec::new();
    for entry in fs::read_dir(file.parent().unwrap_or(Path::new(".")))? {
        names.extend(entry?.file_name().into_string().ok().filter(|own| own.starts_with(name)));
    }
    // A file and its compressed copy are both there where the end came in between.
    let counted = names.iter().filter(|own| !own.ends_with(".tmp") && !names.contains(&format!("{own}.gz")));
    counted.map(|own| newlines(&file.with_file_name(own))).sum()
}

fn newlines(file: &Path) -> io::Result<u64> {
    let open = fs::File::open(file)?;
    let mut bytes: Box<dyn Read> =
        if file.extension().is_some_and(|ending| ending == "gz") { Box::new(MultiGzDecoder::new(open)) } else { Box::new(open) };
    let (mut block, mut count) = (vec![0; 1 << 20], 0);
    loop {
        match bytes.read(&mut block)? {
            0 => return Ok(count),
            length => count += memchr::memchr_iter(b'\n', &block[..length]).count() as u64,
        }
    }
}
