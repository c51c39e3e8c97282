//! What is measured: pmdev, and the runners people use today where they are installed.

use std::{
    collections::HashSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{child, processes, stamps::Stamps};

/// The variable by which processes of a subject are found.
const MARK: &str = "PMDEV_BENCH_SUBJECT";

/// A runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// This project's, with these options.
    Pmdev(&'static [&'static str]),
    Nodemon,
    Watchexec,
    Pm2Dev,
}

/// A runner and where it is.
#[derive(Debug, Clone)]
pub struct Runner {
    pub kind: Kind,
    program: PathBuf,
}

impl Runner {
    /// pmdev, as it was built with this bench.
    pub fn pmdev(options: &'static [&'static str]) -> Self {
        Self { kind: Kind::Pmdev(options), program: env!("CARGO_BIN_EXE_pmdev").into() }
    }

    /// The peers that are on PATH or below a prefix of `PMDEV_BENCH_PEERS`; what is missing is said.
    pub fn peers() -> Vec<Self> {
        let mut found = Vec::new();
        for (kind, name) in [(Kind::Nodemon, "nodemon"), (Kind::Watchexec, "watchexec"), (Kind::Pm2Dev, "pm2-dev")] {
            match find(name) {
                Some(program) => found.push(Self { kind, program }),
                None => println!("{name} is not installed and is left out."),
            }
        }
        found
    }

    /// For the tables.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Pmdev([]) => "pmdev".to_owned(),
            Kind::Pmdev(options) => format!("pmdev {}", options.join(" ")),
            Kind::Nodemon => "nodemon".to_owned(),
            Kind::Watchexec => "watchexec".to_owned(),
            Kind::Pm2Dev => "pm2-dev".to_owned(),
        }
    }

    /// How long it lets a single save settle, where that is known.
    pub fn settle(&self) -> Option<Duration> {
        match self.kind {
            Kind::Pmdev([]) => Some(Duration::from_millis(10)),
            Kind::Pmdev(["--watch-delay", delay]) => delay.strip_suffix("ms")?.parse().ok().map(Duration::from_millis),
            Kind::Pmdev(_) | Kind::Nodemon | Kind::Watchexec | Kind::Pm2Dev => None,
        }
    }

    /// Starts it on a project, with the stamping app. `home` is its own.
    pub fn start(&self, project: &Path, home: &Path) -> io::Result<Subject> {
        fs::create_dir_all(home)?;
        let stamps = Stamps::new(&home.join("stamps"))?;
        let mark = home.display().to_string();
        let app = [env::current_exe()?.display().to_string(), child::STAMP.to_owned(), stamps.path.display().to_string()];
        let mut command = Command::new(&self.program);
        command.current_dir(project).env("HOME", home).env(MARK, &mark);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match self.kind {
            Kind::Pmdev(options) => command.arg("start").args(["--watch", "."]).args(options).arg(&app[0]).arg("--").args(&app[1..]),
            Kind::Nodemon => command.args(["--watch", ".", "--ext", "js", "--exec", &app.join(" ")]),
            Kind::Watchexec => command.args(["--restart", "--shell=none", "--watch", ".", "--"]).args(&app),
            Kind::Pm2Dev => {
                let plan = serde_json::json!({ "apps": [{
                    "name": "app", "script": app[0], "args": app[1..], "cwd": project, "interpreter": "none", "exec_mode": "fork"
                }] });
                let file = home.join("process.json");
                fs::write(&file, plan.to_string())?;
                command.arg("start").arg(file)
            }
        };
        let others = processes::all().collect();
        let process = command.spawn()?;
        Ok(Subject { stamps, mark, process, others })
    }
}

/// A program on PATH or below a prefix of `PMDEV_BENCH_PEERS`.
pub fn find(name: &str) -> Option<PathBuf> {
    let split = |variable: &str| env::var_os(variable).map(|list| env::split_paths(&list).collect::<Vec<_>>()).unwrap_or_default();
    let prefixes = split("PMDEV_BENCH_PEERS").into_iter();
    let below = prefixes.flat_map(|prefix| ["", "bin", "node_modules/.bin"].map(|folder| prefix.join(folder)));
    below.chain(split("PATH")).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A runner under way; it ends, with all it started, when this is dropped.
pub struct Subject {
    pub stamps: Stamps,
    mark: String,
    process: Child,
    /// Processes that are known to be of others: to look at each again would take longer than some runners need to start.
    others: HashSet<i32>,
}

impl Subject {
    /// Every process of it, daemons included, but the apps.
    pub fn processes(&mut self) -> Vec<i32> {
        self.all().into_iter().filter(|pid| !processes::is_app(*pid)).collect()
    }

    fn all(&mut self) -> Vec<i32> {
        let first = self.process.id().cast_signed();
        let (ours, others): (Vec<_>, Vec<_>) = processes::all()
            .filter(|pid| !self.others.contains(pid))
            .partition(|pid| *pid == first || processes::has_variable(*pid, MARK, &self.mark));
        self.others.extend(others);
        ours
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // The runner first, so that it can stop its app itself; then whatever it left.
        let pid = self.process.id().cast_signed();
        processes::end(|| if matches!(self.process.try_wait(), Ok(None)) { vec![pid] } else { Vec::new() });
        let mark = &self.mark;
        processes::end(|| processes::all().filter(|pid| processes::has_variable(*pid, MARK, mark)).collect());
    }
}
