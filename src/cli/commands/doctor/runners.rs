//! The runners of this user: what dead ones have left, which of the living do not answer, and which are in each other's way.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    thread,
};

use super::machine::quoted;
use crate::{
    config,
    control::{Folders, Hello, client, endpoint},
    process::guard,
    ui::findings::Finding,
};

/// A socket and what became of its runner.
#[derive(Debug, Clone, PartialEq)]
pub struct Socket {
    /// Its path.
    pub path: PathBuf,
    /// What is behind it.
    pub sign: Sign,
}

/// What is behind a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Sign {
    /// A runner.
    Answers(Box<Hello>),
    /// A runner that does not answer as it should.
    Mute {
        /// Its pid, where it can be told.
        pid: Option<i32>,
        /// Who has to be continued where it is stopped, as by Ctrl-Z: its guard stops with it. Empty: it is not.
        stopped: Vec<i32>,
        /// What is wrong.
        why: String,
    },
    /// Nobody any more.
    Stale,
    /// Nobody any more, and now it is gone as well.
    Removed,
    /// Nobody any more, but it cannot be removed.
    Stuck(String),
}

/// Looks at all sockets there are; `fix` removes those of dead runners.
pub fn look(fix: bool) -> Vec<Socket> {
    let Some(folders) = Folders::find(|name| env::var_os(name)) else { return Vec::new() };
    let look = |path: PathBuf| -> Option<Socket> {
        let sign = if endpoint::is_stale(&path) {
            if fix { removed(endpoint::remove_stale(&path))? } else { Sign::Stale }
        } else {
            match client::greet(&path) {
                Ok(Some(hello)) => Sign::Answers(Box::new(hello)),
                Ok(None) => return None,
                Err(error) => {
                    let pid = pid_of(&path, &folders);
                    Sign::Mute { pid, stopped: pid.map(guard::stopped).unwrap_or_default(), why: error.to_string() }
                }
            }
        };
        Some(Socket { path, sign })
    };
    thread::scope(|scope| {
        let asked: Vec<_> = folders.sockets().into_iter().map(|path| scope.spawn(|| look(path))).collect();
        asked.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
    })
}

/// `None`: meanwhile a runner has it.
fn removed(result: io::Result<bool>) -> Option<Sign> {
    match result {
        Ok(true) => Some(Sign::Removed),
        Ok(false) => None,
        Err(error) => Some(Sign::Stuck(error.to_string())),
    }
}

/// The pid of the runner that has a socket: its name, or what the background runner has written beside it.
fn pid_of(socket: &Path, folders: &Folders) -> Option<i32> {
    if *socket == folders.background_socket() {
        return fs::read_to_string(socket.with_extension("pid")).ok()?.trim().parse().ok();
    }
    socket.file_stem()?.to_str()?.parse().ok()
}

/// What is to be said of them. `version`: ours.
pub fn findings(sockets: &[Socket], version: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let with = |sign: &Sign| sockets.iter().filter(|socket| socket.sign == *sign).map(|socket| socket.path.display().to_string()).collect();
    let (stale, removed): (Vec<String>, Vec<String>) = (with(&Sign::Stale), with(&Sign::Removed));
    if !removed.is_empty() {
        found.push(Finding::ok("sockets", format!("removed what dead runners left: {}", removed.join(", "))));
    }
    if !stale.is_empty() {
        let what = if stale.len() == 1 { "is the socket of a runner that is" } else { "are the sockets of runners that are" };
        let finding = Finding::warning("sockets", format!("{} {what} gone", stale.join(", ")));
        found.push(finding.advice("nobody needs what they left").command("pmdev doctor --fix"));
    }
    let mut alive: Vec<&Hello> = Vec::new();
    for Socket { path, sign } in sockets {
        match sign {
            Sign::Answers(hello) => alive.push(hello),
            Sign::Mute { pid, stopped, why } => found.push(mute(*pid, stopped, why)),
            Sign::Stuck(why) => {
                let text = format!("{} is the socket of a runner that is gone, and it cannot be removed ({why})", path.display());
                found.push(Finding::problem("sockets", text).advice("remove it").command(format!("rm -f {}", quoted(path))));
            }
            Sign::Stale | Sign::Removed => {}
        }
    }
    found.extend(rivals(&alive));
    for hello in alive.iter().filter(|hello| hello.pmdev != version) {
        let text = format!("The runner {} is pmdev {}, and this is pmdev {version}", named(hello), hello.pmdev);
        let advice = "start it anew to have the same: end it, and start it again where it was started";
        found.push(Finding::warning("runners", text).advice(advice).command(format!("pmdev kill --runner {}", hello.pid)));
    }
    if found.iter().all(|finding| finding.check == "sockets") && !alive.is_empty() {
        let each = alive.iter().map(|hello| match hello.apps.len() {
            1 => format!("{} with 1 app", named(hello)),
            apps => format!("{} with {apps} apps", named(hello)),
        });
        found.push(Finding::ok("runners", format!("runners: {}", each.collect::<Vec<_>>().join(", "))));
    }
    found
}

fn mute(pid: Option<i32>, stopped: &[i32], why: &str) -> Finding {
    let pids = stopped.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
    match (pid, stopped.is_empty()) {
        (Some(pid), false) => {
            Finding::warning("runners", format!("The runner {pid} is stopped, so it restarts nothing and answers nobody"))
                .advice("have it go on (or fg in its terminal)")
                .command(format!("kill -CONT {pids}"))
        }
        (Some(pid), true) => Finding::warning("runners", format!("The runner {pid} does not answer: {why}"))
            .advice("it may be busy; if that stays so, end it")
            .command(format!("kill {pid}")),
        (None, _) => Finding::warning("runners", why.to_owned()).advice("it may be busy; if that stays so, end it"),
    }
}

/// Runners that run the same project file: two of each app, which fight for the same ports.
fn rivals(alive: &[&Hello]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, one) in alive.iter().enumerate() {
        for other in &alive[at + 1..] {
            // Env files may well be shared.
            let is_project = |file: &&String| config::is_project_file(Path::new(file)) && other.files.contains(file);
            if let Some(file) = one.files.iter().find(is_project) {
                let text = format!(
                    "{file} is run by two runners, {} and {}: they want the same ports and write the same logs",
                    named(one),
                    named(other)
                );
                let finding = Finding::warning("runners", text).advice("end one of them");
                found.push(finding.command(format!("pmdev kill --runner {}", other.pid)));
            }
        }
    }
    found
}

/// A runner as people know it.
pub fn named(hello: &Hello) -> String {
    format!("{} {}", hello.pid, hello.place())
}
