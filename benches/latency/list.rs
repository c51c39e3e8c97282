//! How long a runner of many apps takes to tell how they are: over its socket, and by the commands people and scripts use, beside pm2's.

use std::{
    cell::Cell,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use pmdev::control::{Connection, Reply, Request};
use serde_json::json;

use crate::{
    clock, many,
    stats::{Values, table},
    subject,
};

const APPS: usize = 100;

/// Long enough for every look to be a new one.
const REST: Duration = Duration::from_millis(600);

/// How long a hundred interpreters take to come to rest.
const TO_SETTLE: Duration = Duration::from_secs(15);

/// So many questions of each kind, in turn.
pub fn measure(folder: &Path, rounds: usize) -> io::Result<()> {
    println!("## A list of {APPS} apps, {rounds} rounds\n");
    let mut runner = many::start(folder, APPS, many::SLEEP)?;
    let socket = socket(folder)?;
    let pm2 = subject::find("pm2");
    let pm2_in = |args: &[&str]| pm2.as_deref().map(|pm2| run(pm2, args, folder)).transpose().map(drop);
    if pm2.is_none() {
        println!("pm2 is not installed and is left out.");
    }
    let apps: Vec<_> = (0..APPS)
        .map(|number| json!({ "name": format!("app{number}"), "script": "/bin/sleep", "args": "1000000", "interpreter": "none" }))
        .collect();
    fs::write(folder.join("apps.json"), json!({ "apps": apps }).to_string())?;
    pm2_in(&["start", "apps.json"])?;

    let pmdev = Path::new(env!("CARGO_BIN_EXE_pmdev"));
    let names = [
        "over the socket",
        "over the socket, with all that is declared",
        "`pmdev list`",
        "`pmdev jlist`",
        "`pmdev ping`",
        "a shell completes `pmdev restart`",
        "`pm2 jlist`",
        "over the socket, of apps in Node",
    ];
    let given_up = Cell::new(0);
    let mut figures = vec![Values::default(); names.len()];
    for _ in 0..rounds {
        let mut take = |row: usize, what: &dyn Fn() -> io::Result<()>| -> io::Result<()> {
            clock::rest(REST);
            let began = clock::now();
            what()?;
            figures[row].push_time(clock::since(began));
            Ok(())
        };
        take(0, &|| ask(&socket, false))?;
        take(1, &|| ask(&socket, true))?;
        take(2, &|| run(pmdev, &["list"], folder))?;
        take(3, &|| run(pmdev, &["jlist"], folder))?;
        take(4, &|| run(pmdev, &["ping"], folder))?;
        take(5, &|| {
            let names = offered(pmdev, folder)?;
            given_up.set(given_up.get() + usize::from(names < APPS));
            Ok(())
        })?;
        if pm2.is_some() {
            take(6, &|| pm2_in(&["jlist"]))?;
        }
    }
    let _ = pm2_in(&["kill"]);
    let _ = run(pmdev, &["kill"], folder);
    runner.wait()?;
    if subject::find("node").is_some() {
        figures[7] = node(&folder.join("node"), rounds)?;
    }

    let mut rows = vec![["", "p50, ms", "p90", "best"].map(str::to_owned).to_vec()];
    for (name, values) in names.iter().zip(&figures).filter(|(_, values)| !values.median().is_nan()) {
        let shown = [values.median(), values.share(90), values.share(0)].map(|figure| format!("{figure:.1}"));
        rows.push([vec![(*name).to_owned()], shown.to_vec()].concat());
    }
    table(&rows);
    println!("\nCompletions without the names of the apps, because they took too long: {}.", given_up.get());
    Ok(())
}

/// The same question over the socket, where every app has the threads of Node.
fn node(folder: &Path, rounds: usize) -> io::Result<Values> {
    fs::create_dir_all(folder)?;
    let mut runner = many::start(folder, APPS, many::NODE)?;
    clock::rest(TO_SETTLE);
    let (socket, mut values) = (socket(folder)?, Values::default());
    let mut asked = Ok(());
    for _ in 0..rounds {
        clock::rest(REST);
        let began = clock::now();
        asked = asked.and_then(|()| ask(&socket, false));
        values.push_time(clock::since(began));
    }
    run(Path::new(env!("CARGO_BIN_EXE_pmdev")), &["kill"], folder)?;
    runner.wait()?;
    asked.map(|()| values)
}

fn socket(folder: &Path) -> io::Result<PathBuf> {
    let mut entries = fs::read_dir(folder.join("pmdev"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let socket = entries.find(|path| path.extension().is_some_and(|ending| ending == "sock"));
    socket.ok_or_else(|| io::Error::other("the runner has no socket"))
}

/// Asks over the socket, and reads the answer to its end.
fn ask(socket: &Path, all: bool) -> io::Result<()> {
    let request = Request::List { targets: Vec::new(), env: all, reveal: false, detail: all };
    match Connection::open(socket)?.answer(request).map_err(|error| io::Error::other(error.to_string()))? {
        Reply::List { instances } if instances.len() == APPS => Ok(()),
        _ => Err(io::Error::other("not all apps were listed")),
    }
}

/// How many words a shell is offered behind `pmdev restart`, as bash's script asks for them.
fn offered(pmdev: &Path, folder: &Path) -> io::Result<usize> {
    let mut command = Command::new(pmdev);
    command.args(["--", "pmdev", "restart", ""]).current_dir(folder).env("PMDEV_HOME", folder.join("home")).env("XDG_RUNTIME_DIR", folder);
    command.env("PMDEV_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_IFS", "\n");
    let output = command.stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

fn run(program: &Path, args: &[&str], folder: &Path) -> io::Result<()> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("PMDEV_HOME", folder.join("home")).env("XDG_RUNTIME_DIR", folder);
    command.env("PM2_HOME", folder.join("pm2")).env("HOME", folder);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{} {} ended with {status}", program.display(), args.join(" ")))) }
}
