//! From the system call that makes a saved file whole to the first instruction of the new process.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    child, clock,
    project::{self, SMALL, Save},
    ready,
    stamps::Stamps,
    stats::{Values, table},
    subject::{Runner, Subject},
};

/// How long saves of one project lie apart, in turn. Within half a second of a restart a save belongs to a series and settles longer;
/// and saves as regular as a clock look like an app that restarts itself.
const APART: [Duration; 3] = [Duration::from_millis(700), Duration::from_millis(1200), Duration::from_millis(1900)];

/// A restart that has not come by then is missed.
const LIMIT: Duration = Duration::from_secs(5);

/// The least that replacing a process costs.
#[derive(Default)]
struct Floor {
    /// Fork, exec, first instruction.
    spawn: Values,
    /// The same, and before it the signal to the old process and its reaping.
    replace: Values,
}

struct Entry {
    runner: Runner,
    subject: Subject,
    file: PathBuf,
    saved: u64,
    took: [Values; Save::ALL.len()],
    /// Starts before the first save.
    before: usize,
    saves: usize,
    missed: usize,
}

/// Saves in turn, each kind for each runner, so many times.
pub fn measure(runners: &[Runner], folder: &Path, rounds: usize) -> io::Result<()> {
    let mut entries = runners.iter().enumerate().map(|(index, runner)| begin(runner, folder, index)).collect::<io::Result<Vec<_>>>()?;
    let mut floor = Floor::default();
    let mut bare = Bare::start(&folder.join("bare"))?;
    for round in 0..rounds {
        for kind in 0..Save::ALL.len() {
            for index in 0..entries.len() {
                let index = (index + round) % entries.len();
                entries[index].save(kind)?;
            }
            bare.replace(&mut floor)?;
        }
    }
    bare.end()?;
    entries.iter_mut().try_for_each(|entry| entry.subject.stamps.take().map(drop))?;
    report(&entries, &floor, rounds);
    Ok(())
}

fn begin(runner: &Runner, folder: &Path, index: usize) -> io::Result<Entry> {
    let place = folder.join(format!("save-{index}"));
    let project = place.join("project");
    project::make(&project, SMALL)?;
    let began = clock::now();
    let mut subject = runner.start(&project, &place.join("home"))?;
    ready::wait(&mut subject, began)?.ok_or_else(|| io::Error::other(format!("{} is not ready", runner.name())))?;
    let took = Save::ALL.map(|_| Values::default());
    let before = subject.stamps.told;
    Ok(Entry { runner: runner.clone(), subject, file: project.join("app.js"), saved: clock::now(), took, before, saves: 0, missed: 0 })
}

impl Entry {
    fn save(&mut self, kind: usize) -> io::Result<()> {
        clock::rest(APART[self.saves % APART.len()].saturating_sub(clock::since(self.saved)));
        self.subject.stamps.take()?;
        let text = format!("// {}\n", clock::now());
        let last = Save::ALL[kind].perform(&self.file, &text)?;
        self.saves += 1;
        match self.subject.stamps.after(last, LIMIT)? {
            Some(at) => self.took[kind].push_time(Duration::from_nanos(at - last)),
            None => self.missed += 1,
        }
        self.saved = clock::now();
        Ok(())
    }
}

/// The same program, replaced by nothing but system calls.
struct Bare {
    stamps: Stamps,
    process: Child,
}

impl Bare {
    fn start(home: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(home)?;
        let stamps = Stamps::new(&home.join("stamps"))?;
        let process = Self::spawn(&stamps)?;
        Ok(Self { stamps, process })
    }

    fn spawn(stamps: &Stamps) -> io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(child::STAMP).arg(&stamps.path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    fn replace(&mut self, floor: &mut Floor) -> io::Result<()> {
        // It runs, and the one before has been forgotten.
        clock::rest(Duration::from_millis(20));
        self.stamps.take()?;
        let began = clock::now();
        self.process.kill()?;
        self.process.wait()?;
        let ended = clock::now();
        self.process = Self::spawn(&self.stamps)?;
        let at = self.stamps.after(began, LIMIT)?.ok_or_else(|| io::Error::other("the bare process did not start"))?;
        floor.spawn.push_time(Duration::from_nanos(at - ended));
        floor.replace.push_time(Duration::from_nanos(at - began));
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.process.kill()?;
        let status = self.process.wait()?;
        if status.signal().is_none() { Err(io::Error::other("the bare process had ended by itself")) } else { Ok(()) }
    }
}

fn report(entries: &[Entry], floor: &Floor, rounds: usize) {
    println!("## Save to first instruction, {rounds} rounds\n");
    let mut head = vec!["runner".to_owned()];
    head.extend(Save::ALL.iter().flat_map(|kind| [format!("{}, ms", kind.title()), "p90".to_owned(), "ratio".to_owned()]));
    head.extend(["starts a save".to_owned(), "missed".to_owned()]);
    let mut rows = vec![head];
    for entry in entries {
        let mut row = vec![entry.runner.name()];
        for (took, ours) in entry.took.iter().zip(&entries[0].took) {
            row.extend([took.median(), took.share(90), took.median() / ours.median()].map(|value| format!("{value:.1}")));
        }
        row.extend([
            format!("{:.2}", (entry.subject.stamps.told - entry.before) as f64 / entry.saves.max(1) as f64),
            entry.missed.to_string(),
        ]);
        rows.push(row);
    }
    table(&rows);
    let (spawn, replace) = (floor.spawn.median(), floor.replace.median());
    println!("## What is ours, plain write, ms\n");
    let mut rows = vec![["runner", "p50", "settle", "besides settling", "besides a bare fork and exec too"].map(str::to_owned).to_vec()];
    for entry in entries {
        let Some(settle) = entry.runner.settle() else { continue };
        let all = entry.took[0].median();
        let ours = all - settle.as_secs_f64() * 1e3;
        let settle = settle.as_millis().to_string();
        rows.push(vec![entry.runner.name(), format!("{all:.2}"), settle, format!("{ours:.2}"), format!("{:.2}", ours - spawn)]);
    }
    table(&rows);
    println!(
        "A bare fork and exec to the first instruction: {spawn:.2} ms (p90 {:.2}); with the kill and the reaping of the old process before it: {replace:.2} ms (p90 {:.2}).\n",
        floor.spawn.share(90),
        floor.replace.share(90)
    );
}
