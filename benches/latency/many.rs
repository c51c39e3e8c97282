//! What a runner of many apps that do nothing costs: its memory by their number, and its processor time in a minute of rest.

use std::{
    fmt::Write as _,
    fs,
    io::{self, BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{clock, stats::table};

/// How many apps there are at a time.
const APPS: [usize; 3] = [1, 10, 100];

/// How long a runner rests before it is looked at.
const REST: Duration = Duration::from_secs(5);

/// For how long processor time is counted, with the most apps.
const MINUTE: Duration = Duration::from_secs(60);

/// Memory after a rest, and with the most apps the processor time of a minute, by the profile of a server.
pub fn measure(folder: &Path) -> io::Result<()> {
    println!("## Many idle apps\n");
    let mut rows =
        vec![["apps", "runner, RSS, KiB", "guard, RSS, KiB", "processor time in an idle minute, ms"].map(str::to_owned).to_vec()];
    for count in APPS {
        let mut runner = start(folder, count, SLEEP)?;
        clock::rest(REST);
        let guard = runner.id();
        let own = children(guard).into_iter().next().ok_or_else(|| io::Error::other("the runner is not there"))?;
        let spent = if count == APPS[APPS.len() - 1] {
            let before = ticks(guard)? + ticks(own)?;
            clock::rest(MINUTE);
            // A tick is a hundredth of a second, proc_pid_stat(5).
            ((ticks(guard)? + ticks(own)? - before) * 10).to_string()
        } else {
            "-".to_owned()
        };
        rows.push(vec![count.to_string(), resident(own)?.to_string(), resident(guard)?.to_string(), spent]);
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(guard.cast_signed()).expect("a child has a pid"),
            rustix::process::Signal::TERM,
        )?;
        runner.wait()?;
    }
    table(&rows);
    Ok(())
}

/// An app that does nothing, with one thread.
pub const SLEEP: &str = "sleep 1000000";

/// One that does nothing with the threads of Node.
pub const NODE: &str = "node -e 'setInterval(() => {}, 1e9)'";

/// A runner of so many apps of a kind, all of which have started.
pub fn start(folder: &Path, count: usize, script: &str) -> io::Result<Child> {
    let mut file = String::new();
    for number in 0..count {
        writeln!(file, "[[apps]]\nname = \"app{number}\"\nscript = \"{script}\"\n").map_err(io::Error::other)?;
    }
    fs::write(folder.join("pmdev.toml"), file)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pmdev"));
    command.args(["start", "--prod"]).current_dir(folder).env("PMDEV_HOME", folder.join("home")).env("XDG_RUNTIME_DIR", folder);
    let mut runner = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(runner.stdout.take().ok_or_else(|| io::Error::other("its output is not there"))?).lines();
    let mut started = 0;
    while started < count {
        let line = lines.next().ok_or_else(|| io::Error::other("the runner ended"))??;
        started += usize::from(line.contains(" started (pid "));
    }
    // What it says at its end has to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(runner)
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).ok_or_else(|| io::Error::other("it has no memory"))
}

/// Processor time so far, user's and system's, in clock ticks.
fn ticks(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(field(11) + field(12))
}
