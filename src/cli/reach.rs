//! Which runner a verb talks to.

use std::{
    env,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::Args;

use super::commands::act::target_word;
use crate::{
    config,
    control::{Connection, Folders, Hello, InstanceView, Reply, Request, Shown, client},
    model::Error,
    process,
};

/// Which runner.
#[derive(Debug, Default, Clone, Args)]
pub struct ReachArgs {
    /// The runner, by its pid, its folder or its socket [default: that of this folder or a parent, else the background one, else the only one]
    #[arg(long, value_name = "RUNNER", global = false)]
    pub runner: Option<String>,
}

/// A runner that answers.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its socket.
    pub socket: PathBuf,
    /// What it says of itself.
    pub hello: Hello,
}

impl Reached {
    /// Asks it one thing.
    ///
    /// # Errors
    /// It is gone, or refuses.
    pub fn answer(&self, request: Request) -> Result<Reply, Error> {
        self.connect()?.answer(request)
    }

    /// Whether it has ended since it answered.
    pub fn is_gone(&self) -> bool {
        matches!(client::greet(&self.socket), Ok(None))
    }

    /// A connection, for one request.
    ///
    /// # Errors
    /// It is gone.
    pub fn connect(&self) -> Result<Connection, Error> {
        Connection::open(&self.socket).map_err(client::lost)
    }
}

/// There is no runner to talk to.
pub fn nobody() -> Error {
    Error::no_runner("No runner of this user is there to talk to").hint("start one: pmdev start, or in the background: pmdev start -d")
}

impl Reached {
    /// The instances of targets, in the order of their ids; without any, all.
    ///
    /// # Errors
    /// As [`Self::answer`]; there are no such targets.
    pub fn instances(&self, targets: &[String], shown: Shown) -> Result<Vec<InstanceView>, Error> {
        let Shown { env, reveal, detail } = shown;
        let targets = targets.iter().map(|word| target_word(word)).collect();
        match self.answer(Request::List { targets, env, reveal, detail })? {
            Reply::List { instances } => Ok(instances),
            _ => Err(Error::failed("The runner answered something that was not asked for")),
        }
    }
}

impl ReachArgs {
    /// Every runner of this user that answers.
    pub fn all() -> Vec<Reached> {
        Self::look_around(client::greet).0
    }

    /// Every runner of this user that answers, without those in the foreground that are stopped: they would be waited for in vain.
    pub fn awake() -> Vec<Reached> {
        let is_stopped = |socket: &Path| Folders::foreground_pid(socket).is_some_and(process::is_stopped);
        Self::look_around(|socket| if is_stopped(socket) { Ok(None) } else { client::greet(socket) }).0
    }

    /// Every runner of this user that says within this time who it is.
    pub fn all_within(limit: Duration) -> Vec<Reached> {
        Self::look_around(|socket| client::greet_within(limit, socket)).0
    }

    /// The runner of this folder or a parent, else the background one, else the only one; `None`: that is unclear within this time.
    pub fn glance(limit: Duration) -> Option<Reached> {
        let (all, wrong) = Self::look_around(|socket| client::greet_within(limit, socket));
        choose(all, wrong, &env::current_dir().ok()?).ok()?
    }

    /// Every runner of this user that answers, and what is wrong with those that do not. They are asked all at once, a single one without
    /// a thread for it: a stopped one costs its two seconds only once.
    fn look_around(greet: impl Fn(&Path) -> Result<Option<Hello>, Error> + Sync) -> (Vec<Reached>, Vec<Error>) {
        let folders = Folders::find(|name| env::var_os(name));
        let barred = folders.as_ref().and_then(Folders::barred);
        let sockets = folders.map(|folders| folders.sockets()).unwrap_or_default();
        let answers: Vec<_> = thread::scope(|scope| {
            let Some((last, others)) = sockets.split_last() else { return Vec::new() };
            let asked: Vec<_> = others.iter().map(|socket| scope.spawn(|| greet(socket))).collect();
            let last = greet(last);
            asked.into_iter().map(|thread| thread.join().unwrap_or(Ok(None))).chain([last]).collect()
        });
        let (mut reached, mut wrong) = (Vec::new(), Vec::from_iter(barred.map(|(home, folder)| unentered(&home, &folder))));
        for (socket, answer) in sockets.into_iter().zip(answers) {
            match answer {
                Ok(Some(hello)) => reached.push(Reached { socket, hello }),
                Ok(None) => {}
                Err(error) => wrong.push(error),
            }
        }
        (reached, wrong)
    }

    /// The runner that is meant; `None`: there is none at all.
    ///
    /// # Errors
    /// Several could be meant, the one that was named is not there, or the one that may be meant does not answer.
    pub fn find(&self) -> Result<Option<Reached>, Error> {
        let here = env::current_dir().unwrap_or_default();
        if let Some(named) = &self.runner {
            return named_runner(named, &here).map(Some);
        }
        let (all, wrong) = Self::look_around(client::greet);
        choose(all, wrong, &here)
    }

    /// The runner that is meant.
    ///
    /// # Errors
    /// As [`Self::find`], and where there is none: exit code 3.
    pub fn need(&self) -> Result<Reached, Error> {
        self.find()?.ok_or_else(nobody)
    }
}

/// A home that is closed to us.
fn unentered(home: &Path, folder: &Path) -> Error {
    let owner = folder.metadata().map_or_else(|_| "another user's".to_owned(), |about| format!("{}'s", config::user_name(about.uid())));
    let which = if folder == home { String::new() } else { format!(" in {}", home.display()) };
    Error::failed(format!("{} may not be entered, so the background runner{which} cannot be asked", folder.display()))
        .because(format!("permission denied: it is {owner}"))
        .hint("run this as that user (sudo -u USER -H pmdev …), or set PMDEV_HOME to a folder of your own")
}

fn named_runner(named: &str, here: &Path) -> Result<Reached, Error> {
    let path = here.join(named);
    let mut meant: Vec<Reached> = ReachArgs::all()
        .into_iter()
        .filter(|runner| {
            let folder = Path::new(&runner.hello.cwd);
            runner.hello.pid.to_string() == named
                || folder == path
                || path.canonicalize().is_ok_and(|path| folder == path)
                || runner.socket == path
        })
        .collect();
    if meant.is_empty()
        && let Some(hello) = client::greet(&path)?
    {
        meant.push(Reached { socket: path, hello });
    }
    match meant.len() {
        0 => Err(Error::no_runner(format!("--runner {named} is no runner that answers")).hint(listed(&ReachArgs::all()))),
        1 => Ok(meant.remove(0)),
        _ => Err(ambiguous(&meant)),
    }
}

fn choose(mut all: Vec<Reached>, mut wrong: Vec<Error>, here: &Path) -> Result<Option<Reached>, Error> {
    for folder in here.ancestors() {
        let own: Vec<usize> =
            (0..all.len()).filter(|index| !all[*index].hello.background && Path::new(&all[*index].hello.cwd) == folder).collect();
        match own.as_slice() {
            [] => {}
            [one] => return Ok(Some(all.swap_remove(*one))),
            several => return Err(ambiguous(&several.iter().map(|index| all[*index].clone()).collect::<Vec<_>>())),
        }
    }
    if let Some(background) = all.iter().position(|runner| runner.hello.background) {
        return Ok(Some(all.swap_remove(background)));
    }
    // One that says nothing of itself may be the one that is meant.
    if let Some(error) = wrong.pop() {
        return Err(error);
    }
    match all.len() {
        0 | 1 => Ok(all.pop()),
        _ => Err(ambiguous(&all)),
    }
}

fn ambiguous(runners: &[Reached]) -> Error {
    Error::usage(format!("{} runners could be meant", runners.len())).hint(listed(runners))
}

/// The runners, one a line.
fn listed(runners: &[Reached]) -> String {
    if runners.is_empty() {
        return "no runner answers; start one: pmdev start".to_owned();
    }
    let lines =
        runners.iter().map(|runner| format!("--runner {}  {}: {}", runner.hello.pid, runner.hello.place(), runner.hello.apps.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(pid: i32, cwd: &str, background: bool) -> Reached {
        let hello =
            Hello { pmdev: String::new(), protocol: 1, pid, cwd: cwd.into(), files: Vec::new(), apps: vec!["api".into()], background };
        Reached { socket: format!("/run/{pid}.sock").into(), hello }
    }

    #[test]
    fn the_nearest_folder_wins_then_the_background_one_then_the_only_one() {
        let all = || vec![runner(1, "/p", false), runner(2, "/p/q", false), runner(3, "/home", true)];
        let pid =
            |all: Vec<Reached>, here: &str| choose(all, Vec::new(), Path::new(here)).map(|found| found.map(|runner| runner.hello.pid));
        assert_eq!(pid(all(), "/p/q/r").unwrap(), Some(2));
        assert_eq!(pid(all(), "/p/x").unwrap(), Some(1));
        assert_eq!(pid(all(), "/elsewhere").unwrap(), Some(3));
        assert_eq!(pid(vec![runner(1, "/p", false)], "/elsewhere").unwrap(), Some(1));
        assert_eq!(pid(Vec::new(), "/").unwrap(), None);
        let two = pid(vec![runner(1, "/p", false), runner(2, "/q", false)], "/elsewhere").unwrap_err();
        insta::assert_snapshot!(two.hint.unwrap(), @r"
        --runner 1  in /p: api
        --runner 2  in /q: api
        ");
        assert!(pid(vec![runner(1, "/p", false), runner(2, "/p", false)], "/p").is_err());
        let beside_a_silent_one = |here: &str| choose(vec![runner(1, "/p", false)], vec![Error::failed("silent")], Path::new(here));
        assert_eq!(beside_a_silent_one("/p").unwrap().expect("it answers").hello.pid, 1);
        assert_eq!(beside_a_silent_one("/elsewhere").unwrap_err().message, "silent");
    }
}
