//! How fast lines of an app pass through.

use std::{
    env,
    io::{self, Read as _},
    process::{Command, Stdio},
};

use crate::{
    child, clock,
    stats::{Values, table},
};

/// Where the lines go.
#[derive(Clone, Copy)]
enum Sink {
    Null,
    Pipe,
}

/// One app prints so many megabytes.
pub fn measure(megabytes: usize, rounds: usize) -> io::Result<()> {
    println!("## {megabytes} MB of lines of 100 bytes, median of {rounds}, MB/s\n");
    let ways: [(&str, Option<&[&str]>); 4] =
        [("the app alone", None), ("pmdev", Some(&[])), ("pmdev --timestamp", Some(&["--timestamp"])), ("pmdev --json", Some(&["--json"]))];
    let mut figures = vec![(Values::default(), Values::default()); ways.len()];
    for _ in 0..rounds {
        for ((_, options), (null, pipe)) in ways.iter().zip(&mut figures) {
            null.push(once(*options, Sink::Null, megabytes)?);
            pipe.push(once(*options, Sink::Pipe, megabytes)?);
        }
    }
    let mut rows = vec![["", "to /dev/null", "to a pipe"].map(str::to_owned).to_vec()];
    for ((name, _), (null, pipe)) in ways.iter().zip(&figures) {
        rows.push(vec![(*name).to_owned(), format!("{:.0}", null.median()), format!("{:.0}", pipe.median())]);
    }
    table(&rows);
    Ok(())
}

fn once(options: Option<&[&str]>, sink: Sink, megabytes: usize) -> io::Result<f64> {
    let app = env::current_exe()?;
    let mut command = match options {
        None => Command::new(&app),
        Some(options) => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pmdev"));
            command.args(["start", "--no-watch"]).args(options).arg(&app).arg("--");
            command
        }
    };
    command.args([child::FLOOD, &megabytes.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
    let began = clock::now();
    match sink {
        Sink::Null => {
            command.stdout(Stdio::null()).status()?;
        }
        Sink::Pipe => {
            let mut process = command.stdout(Stdio::piped()).spawn()?;
            let mut out = process.stdout.take().ok_or_else(|| io::Error::other("it was asked for a pipe"))?;
            let (mut buffer, mut read) = (vec![0; 64 * 1024], 0);
            loop {
                match out.read(&mut buffer)? {
                    0 => break,
                    length => read += length,
                }
            }
            process.wait()?;
            if read < megabytes * 990_000 {
                return Err(io::Error::other(format!("only {read} bytes of {megabytes} MB arrived")));
            }
        }
    }
    Ok(megabytes as f64 / clock::since(began).as_secs_f64())
}
