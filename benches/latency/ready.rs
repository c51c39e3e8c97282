//! From the start of a runner until everything is watched, what it weighs then, and what it does at rest.

use std::{io, path::Path, time::Duration};

use crate::{
    clock, processes,
    stats::{Values, table},
    subject::{Runner, Subject},
};

/// The watches do not grow any more after this long without a change, in which hardly anything was computed either.
const STILL: Duration = Duration::from_secs(2);

/// What counts as computing, in ticks of 10 ms.
const BUSY: u64 = 10;

/// How long a runner has to begin and to be ready.
const LIMIT: Duration = Duration::from_secs(90);

/// A runner that watches.
pub struct Ready {
    /// From its start until the last watch was there, as far as sampling tells.
    pub took: Duration,
    pub watches: usize,
}

/// Samples the number of watches until it stands still; the app must run as well. `None`: that did not come.
pub fn wait(subject: &mut Subject, began: u64) -> io::Result<Option<Ready>> {
    let mut ready = Ready { took: Duration::ZERO, watches: 0 };
    let mut changed = clock::now();
    let (mut runs, mut busy) = (false, 0);
    while !(runs && ready.watches > 0 && clock::since(changed) > STILL) {
        if clock::since(began) > LIMIT {
            println!("A runner was not ready within {} s; it is left out.", LIMIT.as_secs());
            return Ok(None);
        }
        let sampled = clock::now();
        let pids = subject.processes();
        let (watches, ticks) = (processes::watches(&pids), processes::ticks(&pids));
        if ticks >= busy + BUSY {
            changed = clock::now();
            busy = ticks;
        }
        if watches != ready.watches {
            changed = clock::now();
            ready = Ready { took: Duration::from_nanos(changed - began), watches };
        }
        runs |= !subject.stamps.take()?.is_empty();
        // Looking takes the kernel's lock of the watches: most of the time it must be free.
        clock::rest((clock::since(sampled) * 3).clamp(Duration::from_millis(1), Duration::from_millis(200)));
    }
    Ok(Some(ready))
}

/// What is gathered about one runner.
#[derive(Clone, Default)]
struct Figures {
    took: Values,
    watches: Values,
    /// As [`processes::Memory`] has it, in mebibytes.
    memory: [Values; 3],
}

/// Starts each runner on the project, so many times in turn.
pub fn measure(runners: &[Runner], project: &Path, homes: &Path, rounds: usize) -> io::Result<()> {
    let mut figures = vec![Figures::default(); runners.len()];
    for round in 0..rounds {
        for (index, (runner, figures)) in runners.iter().zip(&mut figures).enumerate() {
            let began = clock::now();
            let mut subject = runner.start(project, &homes.join(format!("start-{round}-{index}")))?;
            let Some(ready) = wait(&mut subject, began)? else { continue };
            figures.took.push_time(ready.took);
            figures.watches.push(ready.watches as f64);
            let memory = processes::memory(&subject.processes());
            for (values, kilobytes) in figures.memory.iter_mut().zip([memory.largest, memory.resident, memory.proportional]) {
                values.push(kilobytes as f64 / 1024.0);
            }
        }
    }
    println!("## Start on the big project, {rounds} rounds, medians\n");
    let head = ["runner", "ready, ms", "best", "ratio", "watches", "RSS of its largest process, MiB", "RSS of all", "PSS of all"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (runner, Figures { took, watches, memory }) in runners.iter().zip(&figures) {
        let ratio = took.median() / figures[0].took.median();
        let mut row = vec![runner.name(), format!("{:.0}", took.median()), format!("{:.0}", took.share(0))];
        row.extend([format!("{ratio:.1}"), format!("{:.0}", watches.median())]);
        row.extend(memory.iter().map(|values| format!("{:.1}", values.median())));
        rows.push(row);
    }
    table(&rows);
    Ok(())
}

/// What each runner does while nothing happens.
pub fn idle(runners: &[Runner], project: &Path, homes: &Path) -> io::Result<()> {
    /// The last look of pmdev at a fresh run is after 5 s.
    const CALM: Duration = Duration::from_secs(6);
    const TIME: Duration = Duration::from_secs(10);
    println!("## At rest, {} s\n", TIME.as_secs());
    let mut rows = vec![["runner", "context switches", "processor time, ms"].map(str::to_owned).to_vec()];
    for (index, runner) in runners.iter().enumerate() {
        let began = clock::now();
        let mut subject = runner.start(project, &homes.join(format!("idle-{index}")))?;
        if wait(&mut subject, began)?.is_none() {
            continue;
        }
        clock::rest(CALM);
        let pids = subject.processes();
        let before = (processes::switches(&pids), processes::ticks(&pids));
        clock::rest(TIME);
        let after = (processes::switches(&pids), processes::ticks(&pids));
        let switches: u64 = after.0.iter().map(|(thread, count)| count - before.0.get(thread).unwrap_or(&0)).sum();
        rows.push(vec![runner.name(), switches.to_string(), ((after.1 - before.1) * 10).to_string()]);
    }
    table(&rows);
    Ok(())
}
