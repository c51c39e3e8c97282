//! A runner among two hundred clients that list, follow logs and restart an app, while another app is saved: what a save costs then, and whether anything is lost.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use crate::{
    child, clock,
    project::Save,
    stamps::Stamps,
    stats::{Values, table},
};

/// What a client does until the time is over.
type Client = fn(&Path, &Seen) -> io::Result<()>;

/// How long a phase is; quiet ones and loud ones take turns.
const PHASE: Duration = Duration::from_secs(10);

/// How far saves lie apart, in milliseconds.
const APART: std::ops::Range<u64> = 1200..2500;

/// A restart that has not come by then is missed.
const LIMIT: Duration = Duration::from_secs(5);

/// Clients that list, each so often.
const LISTING: (usize, Duration) = (120, Duration::from_millis(100));

/// Clients that follow the logs of an app.
const FOLLOWING: usize = 60;

/// Clients that restart an app, each so often, and wait until it is online again.
const RESTARTING: (usize, Duration) = (20, Duration::from_millis(500));

/// What the clients saw.
#[derive(Debug, Default)]
struct Seen {
    lists: AtomicUsize,
    restarts: AtomicUsize,
    lines: AtomicUsize,
    /// Requests without a good answer.
    failed: AtomicUsize,
    /// Lines that were not the next ones.
    torn: AtomicUsize,
    over: AtomicBool,
}

/// Quiet and loud phases in turn, so many of each.
pub fn measure(folder: &Path, phases: usize) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut stamps = Stamps::new(&folder.join("stamps"))?;
    let mut runner = start(folder, &stamps.path)?;
    let socket = socket(folder)?;
    let file = folder.join("app.js");
    let mut random = fastrand::Rng::with_seed(11);
    let (mut quiet, mut loud, mut missed) = (Values::default(), Values::default(), 0);
    let seen = Seen::default();
    for _ in 0..phases {
        missed += saves(&file, &mut stamps, &mut random, &mut quiet)?;
        seen.over.store(false, Ordering::Relaxed);
        missed += thread::scope(|scope| {
            let clients: [(usize, Client); 3] = [(LISTING.0, list), (FOLLOWING, follow), (RESTARTING.0, restart)];
            for (count, client) in clients {
                for _ in 0..count {
                    let (socket, seen) = (&socket, &seen);
                    scope.spawn(move || {
                        if client(socket, seen).is_err() {
                            seen.failed.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            }
            let missed = saves(&file, &mut stamps, &mut random, &mut loud);
            seen.over.store(true, Ordering::Relaxed);
            missed
        })?;
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(runner.id().cast_signed()).expect("a child has a pid"),
        rustix::process::Signal::TERM,
    )?;
    runner.wait()?;
    report(&quiet, &loud, missed, &seen);
    Ok(())
}

/// Saves for the time of a phase; how many were missed.
fn saves(file: &Path, stamps: &mut Stamps, random: &mut fastrand::Rng, took: &mut Values) -> io::Result<usize> {
    let began = clock::now();
    let mut missed = 0;
    loop {
        clock::rest(Duration::from_millis(random.u64(APART)));
        if clock::since(began) >= PHASE {
            return Ok(missed);
        }
        stamps.take()?;
        let last = Save::Plain.perform(file, &format!("// {}\n", clock::now()))?;
        match stamps.after(last, LIMIT)? {
            Some(at) => took.push_time(Duration::from_nanos(at - last)),
            None => missed += 1,
        }
    }
}

fn start(folder: &Path, stamps: &Path) -> io::Result<Child> {
    let own = std::env::current_exe()?;
    let app = |name: &str, command: String, watch: &str| format!("[[apps]]\nname = {name:?}\nscript = {command:?}\nwatch = {watch}\n\n");
    let text = [
        app("saved", format!("{} {} {}", own.display(), child::STAMP, stamps.display()), "[\"app.js\"]"),
        app("other", "sleep 1000000".to_owned(), "false"),
        app("chatty", format!("{} {} 10", own.display(), child::COUNT), "false"),
    ];
    fs::write(folder.join("app.js"), "// 0\n")?;
    fs::write(folder.join("pmdev.toml"), text.concat())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pmdev"));
    command.arg("start").current_dir(folder).env("PMDEV_HOME", folder.join("home")).env("XDG_RUNTIME_DIR", folder);
    let mut runner = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(runner.stdout.take().ok_or_else(|| io::Error::other("its output is not there"))?).lines();
    let (mut started, mut watching) = (0, false);
    while started < 3 || !watching {
        let line = lines.next().ok_or_else(|| io::Error::other("the runner ended"))??;
        started += usize::from(line.contains(" started (pid "));
        watching |= line.contains("[pmdev] watching ");
    }
    thread::spawn(move || lines.for_each(drop));
    Ok(runner)
}

/// The one socket of the folder.
fn socket(folder: &Path) -> io::Result<PathBuf> {
    let mut entries = fs::read_dir(folder.join("pmdev"))?.flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|end| end == "sock")).ok_or_else(|| io::Error::other("the runner has no socket"))
}

fn ask(socket: &Path, request: &str) -> io::Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(format!("{{\"protocol\":1,\"pmdev\":\"bench\",\"request\":{request}}}\n").as_bytes())?;
    Ok(BufReader::new(stream))
}

/// One answer, which must be of this kind.
fn answer(socket: &Path, request: &str, kind: &str) -> io::Result<()> {
    let mut line = String::new();
    ask(socket, request)?.read_line(&mut line)?;
    if line.starts_with(&format!("{{\"reply\":\"{kind}\"")) { Ok(()) } else { Err(io::Error::other(line)) }
}

fn list(socket: &Path, seen: &Seen) -> io::Result<()> {
    while !seen.over.load(Ordering::Relaxed) {
        answer(socket, r#"{"verb":"list"}"#, "list")?;
        seen.lists.fetch_add(1, Ordering::Relaxed);
        clock::rest(LISTING.1);
    }
    Ok(())
}

/// Reads what the app prints from now on, until the phase is over: each number must be the one after the last.
fn follow(socket: &Path, seen: &Seen) -> io::Result<()> {
    let request = r#"{"verb":"logs","targets":["chatty"],"lines":1,"history":"none","follow":true}"#;
    let mut replies = ask(socket, request)?;
    let mut last: Option<u64> = None;
    let mut line = String::new();
    while !seen.over.load(Ordering::Relaxed) {
        line.clear();
        if replies.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the runner has ended the connection"));
        }
        let reply: serde_json::Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        if reply["reply"] == "left_out" {
            seen.torn.fetch_add(1, Ordering::Relaxed);
        }
        for number in reply["lines"].as_array().into_iter().flatten().filter_map(|line| line.as_str()?.parse::<u64>().ok()) {
            if last.is_some_and(|last| number != last + 1) {
                seen.torn.fetch_add(1, Ordering::Relaxed);
            }
            last = Some(number);
            seen.lines.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn restart(socket: &Path, seen: &Seen) -> io::Result<()> {
    while !seen.over.load(Ordering::Relaxed) {
        answer(socket, r#"{"verb":"act","action":"restart","targets":["other"],"wait":true}"#, "done")?;
        seen.restarts.fetch_add(1, Ordering::Relaxed);
        clock::rest(RESTARTING.1);
    }
    Ok(())
}

fn report(quiet: &Values, loud: &Values, missed: usize, seen: &Seen) {
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed).to_string();
    let clients = LISTING.0 + FOLLOWING + RESTARTING.0;
    println!("## Save to first instruction among {clients} clients\n");
    let mut rows = vec![["clients", "saves", "p50, ms", "p90, ms", "ratio"].map(str::to_owned).to_vec()];
    for (name, took) in [("none", quiet), ("all", loud)] {
        let values = [took.median(), took.share(90), took.median() / quiet.median()].map(|value| format!("{value:.1}"));
        rows.push([vec![name.to_owned(), took.len().to_string()], values.to_vec()].concat());
    }
    table(&rows);
    let mut rows = vec![
        ["saves missed", "lists", "restarts", "lines followed", "lines lost or doubled", "requests failed"].map(str::to_owned).to_vec(),
    ];
    let (lists, restarts, lines) = (count(&seen.lists), count(&seen.restarts), count(&seen.lines));
    rows.push(vec![missed.to_string(), lists, restarts, lines, count(&seen.torn), count(&seen.failed)]);
    table(&rows);
}
