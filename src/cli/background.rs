//! The background runner as its clients see it: whether it is there, how it is started, and what it is asked to run.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{commands::act, host, print, reach::Reached, verb, warn};
use crate::{
    control::{Folders, How, InstanceView, Reply, Request, Run, client, endpoint},
    model::{Error, Exit, HumanDuration, Level, Notice, NoticeKind},
    ui::list::called,
};

/// The verb that a background runner is started as.
pub const VERB: &str = "__background";

/// The pause between two looks whether a runner that is starting answers.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// How long a runner may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so many looks for a runner that another one has found in its place, it is started again.
const AGAIN: u32 = 100;

/// The background runner of this home; `None`: it is not there.
///
/// # Errors
/// It does not answer, or there is no home.
pub fn find() -> Result<Option<Reached>, Error> {
    let socket = folders()?.background_socket();
    Ok(client::greet(&socket)?.map(|hello| Reached { socket, hello }))
}

/// The background runner of this home, which is started where it is not there.
///
/// # Errors
/// It could not be started.
pub fn need() -> Result<Reached, Error> {
    match find()? {
        Some(runner) => Ok(runner),
        None => start(),
    }
}

/// The folders of this home.
///
/// # Errors
/// Nothing says which.
pub fn folders() -> Result<Folders, Error> {
    Folders::find(|name| env::var_os(name)).ok_or_else(|| {
        Error::failed("A background runner needs a home, and neither PMDEV_HOME nor HOME names one").hint("set PMDEV_HOME to a folder")
    })
}

/// Starts it, and returns when it answers: it, or the one that somebody else has started at this moment.
#[expect(clippy::disallowed_methods, reason = "nothing else runs yet that could tell the time")]
fn start() -> Result<Reached, Error> {
    let folders = folders()?;
    let mut starting = Some(Starting::new()?);
    let mut trouble = None;
    let deadline = Instant::now() + PATIENCE;
    for look in 0_u32.. {
        // A look at one that hangs takes seconds.
        if Instant::now() > deadline {
            break;
        }
        match find() {
            Ok(Some(runner)) => return Ok(runner),
            Ok(None) => trouble = None,
            // It may not have begun to answer.
            Err(error) => trouble = Some(error),
        }
        if let Some(own) = &mut starting {
            match own.ended()? {
                None => {}
                Some(why) if endpoint::is_taken(&folders.home, &why) => starting = None,
                Some(why) => {
                    return Err(
                        Error::failed("The background runner could not be started").because(why.trim().trim_start_matches("error: "))
                    );
                }
            }
        } else if look % AGAIN == 0 {
            // That other one was about to end.
            starting = Some(Starting::new()?);
        }
        if starting.is_none() {
            // Interrupted, it was a shorter pause.
            let _ = poll(&mut [], Some(&LOOK));
        }
    }
    Err(trouble.unwrap_or_else(|| {
        Error::failed(format!("The background runner does not answer at {}", folders.background_socket().display()))
            .hint(format!("what it says: {}", folders.home.join("pmdev.log").display()))
    }))
}

/// A background runner that is starting.
struct Starting {
    /// What it says; it ends with it, or once it runs.
    said: File,
}

impl Starting {
    fn new() -> Result<Self, Error> {
        let (read, write) = io::pipe().map_err(not_started)?;
        // The image that runs, whatever has become of the path it came from.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("pmdev").arg(VERB).current_dir("/").env_remove("PMDEV_RUN");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(write);
        command.spawn().map_err(not_started)?;
        drop(command);
        Ok(Self { said: File::from(OwnedFd::from(read)) })
    }

    /// Waits a moment for its end; what it has said then, which is why.
    fn ended(&mut self) -> Result<Option<String>, Error> {
        let mut ready = [PollFd::new(&self.said, PollFlags::IN)];
        match poll(&mut ready, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(errno) => return Err(not_started(errno.into())),
        }
        let mut why = String::new();
        self.said.read_to_string(&mut why).map_err(not_started)?;
        Ok(Some(why))
    }
}

fn not_started(error: io::Error) -> Error {
    Error::failed("The background runner could not be started").because(error)
}

/// What the guard of a runner says when that has not ended by itself.
pub fn killed(runner: i32, exit: Exit) -> Option<Notice> {
    let Exit::Signal { .. } = exit else { return None };
    let text = format!("the runner (pid {runner}) was killed ({exit}), and everything that it had started is ended");
    let hint = "where nobody did that, the kernel may have, for want of memory: dmesg | grep -i oom";
    Some(Notice::new(Level::Error, NoticeKind::Shutdown, text).hint(hint))
}

/// The words of this command line after its verb.
pub fn typed(cli: &clap::Command) -> Result<Vec<String>, Error> {
    let args = verb::join_codes(verb::insert(env::args_os().collect(), cli));
    args.into_iter().skip(2).map(text).collect()
}

fn text(word: OsString) -> Result<String, Error> {
    word.into_string().map_err(|word| {
        Error::usage(format!("{} cannot be handed to the background runner, because it is not UTF-8", word.to_string_lossy()))
    })
}

/// The environment as it is handed over. A value that is no text stays behind.
pub fn environment() -> Vec<(String, String)> {
    host::environment().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// A request with these words, from this folder and environment. A target `-` is read from standard input.
///
/// # Errors
/// There is no such folder, or standard input is a terminal or no text.
pub fn run(args: Vec<String>, how: How) -> Result<Run, Error> {
    let takes_stdin = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "-");
    let stdin = if takes_stdin { Some(standard_input()?) } else { None };
    Ok(Run { args, cwd: text(host::cwd()?.into_os_string())?, env: environment(), how, stdin, ..Run::default() })
}

/// The text of a project file that comes through standard input.
///
/// # Errors
/// It is a terminal, or no text.
pub fn standard_input() -> Result<String, Error> {
    if io::stdin().is_terminal() {
        return Err(Error::usage("- is standard input, which is a terminal here")
            .hint("pipe a project file into it: cat apps.json | pmdev start -d -"));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| Error::failed("Standard input could not be read").because(error))?;
    Ok(text)
}

/// How a request for the background runner is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Telling {
    /// What is wrong alone.
    pub silent: bool,
    /// The instances as JSON.
    pub json: bool,
}

/// Asks the background runner, and tells what came of it.
///
/// # Errors
/// It refuses, or an app did not come online.
pub fn ask(runner: &Reached, request: Request, telling: Telling) -> Result<Vec<InstanceView>, Error> {
    ask_after(runner, request, telling, &mut Vec::new())
}

/// Asks it as one of several, of which these words were told already.
///
/// # Errors
/// As [`ask`].
pub fn ask_after(runner: &Reached, request: Request, telling: Telling, told: &mut Vec<String>) -> Result<Vec<InstanceView>, Error> {
    let mut connection = runner.connect()?;
    connection.ask(request)?;
    let mut is_told = false;
    loop {
        match connection.reply()? {
            Some(Reply::Text { lines }) => {
                is_told = true;
                for line in lines {
                    if !told.contains(&line) {
                        warn(&line);
                        told.push(line);
                    }
                }
            }
            Some(Reply::Done { instances, took_ms }) => {
                // Why there is nothing to do is what was told.
                if !instances.is_empty() || !is_told || telling.json {
                    report(&instances, took_ms, telling);
                }
                return Ok(instances);
            }
            Some(Reply::Refused { code, message, hint }) => return Err(client::refusal(code, message, hint)),
            Some(_) => {}
            None => return Err(Error::failed("The background runner ended before it had answered")),
        }
    }
}

fn report(instances: &[InstanceView], took_ms: u64, telling: Telling) {
    if telling.json {
        return print(act::json(instances).as_bytes());
    }
    if telling.silent {
        return;
    }
    let took = HumanDuration(Duration::from_millis(took_ms));
    let (online, others): (Vec<_>, Vec<_>) = instances.iter().partition(|view| view.status == "online");
    if !online.is_empty() {
        let names: Vec<String> = online.into_iter().map(called).collect();
        let is = if names.len() == 1 { "is" } else { "are" };
        print(format!("{} {is} online in the background (in {took})\n", names.join(", ")).as_bytes());
    }
    for view in others {
        print(format!("{} is {}\n", called(view), view.status).as_bytes());
    }
    if instances.is_empty() {
        print(b"nothing to do: everything runs already\n");
    }
}

/// Whether a word is a project file that is there.
pub fn is_project_file(word: &str) -> bool {
    let path = Path::new(word);
    path.is_file() && crate::config::is_project_file(path)
}
