//! What it costs to look at what apps use, by how many there are: the look at all of them that is made every second, and the exact one.

use std::{env, io, time::Duration};

use pmdev::{
    model::{Hardening, Launch, RunId},
    process::{ProcessEvent, Processes, Spawned},
};

use crate::{
    clock,
    stats::{Values, table},
};

/// How many apps there are at a time.
const APPS: [u64; 3] = [1, 10, 100];

/// An app with one thread and one with several, as Node has them; both do nothing.
const IDLE: [(&str, &[&str]); 2] = [("sleep", &["sleep", "1000000"]), ("node", &["node", "-e", "setInterval(() => {}, 1e9)"])];

/// How long apps have to come to rest.
const LIMIT: Duration = Duration::from_secs(60);

/// Looks so often at each number of apps.
pub fn measure(rounds: usize) -> io::Result<()> {
    println!("## What apps use, {rounds} looks\n");
    let head = ["app", "apps", "threads", "all, p50, ms", "p90", "processor, p50, ms", "one, exact, p50, ms"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, argv) in IDLE {
        for count in APPS {
            let mut apps = match Apps::start(argv, count) {
                Ok(apps) => apps,
                Err(error) => {
                    println!("{name} is left out: {error}");
                    break;
                }
            };
            rows.push([vec![name.to_owned(), count.to_string()], apps.figures(rounds)].concat());
            apps.processes.finish(std::time::Instant::now() + LIMIT);
        }
    }
    table(&rows);
    Ok(())
}

struct Apps {
    processes: Processes,
    pids: Vec<i32>,
    _pipes: Vec<Spawned>,
}

impl Apps {
    /// Starts them and waits until they are at rest.
    fn start(argv: &[&str], count: u64) -> io::Result<Self> {
        let launch = Launch {
            argv: argv.iter().map(Into::into).collect(),
            cwd: "/".into(),
            env: env::vars_os().collect(),
            hardening: Hardening::default(),
        };
        let mut processes = Processes::new()?;
        let started = (0..count).map(|run| processes.spawn(RunId(run), &launch).map_err(|failure| io::Error::other(failure.to_string())));
        let pipes = started.collect::<io::Result<Vec<_>>>()?;
        let (mut pids, began) = (Vec::new(), clock::now());
        while pids.len() < pipes.len() {
            for event in processes.collect(std::time::Instant::now()) {
                match event {
                    ProcessEvent::Executed { run: _, pid } => pids.push(pid),
                    other => return Err(io::Error::other(format!("{other:?}"))),
                }
            }
            if clock::since(began) > LIMIT {
                return Err(io::Error::other("they do not start"));
            }
            clock::rest(Duration::from_millis(10));
        }
        let mut apps = Self { processes, pids, _pipes: pipes };
        loop {
            let before = apps.ticks();
            clock::rest(Duration::from_secs(1));
            if apps.ticks() == before {
                break;
            }
        }
        Ok(apps)
    }

    fn ticks(&mut self) -> u64 {
        self.processes.usages().iter().map(|(_, usage)| usage.cpu_ticks).sum()
    }

    fn figures(&mut self, rounds: usize) -> Vec<String> {
        let (mut all, mut spent, mut exact) = (Values::default(), Values::default(), Values::default());
        for round in 0..rounds {
            let (began, before) = (clock::now(), clock::spent());
            let seen = self.processes.usages();
            all.push_time(clock::since(began));
            spent.push_time(Duration::from_nanos(clock::spent() - before));
            assert_eq!(seen.len(), self.pids.len(), "nobody ended");
            let began = clock::now();
            self.processes.exact_memory(RunId((round % self.pids.len()) as u64));
            exact.push_time(clock::since(began));
            clock::rest(Duration::from_millis(10));
        }
        let threads: usize = self.pids.iter().map(|pid| std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)).sum();
        let figures = [all.median(), all.share(90), spent.median(), exact.median()];
        [vec![threads.to_string()], figures.map(|figure| format!("{figure:.2}")).to_vec()].concat()
    }
}
