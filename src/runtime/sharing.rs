//! Log files into which several write: what stands there says whose it is where each line is an object, and else as far as the runner holds
//! what each of them has said.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use super::{logs, runner::Runner};
use crate::{
    control::{LogSource, Reply},
    log::Stream,
    model::InstanceId,
};

/// A stream of an instance.
pub type Writer = (InstanceId, Stream);

/// How a file is written by all who write into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// By those alone who were asked for, of one instance.
    Own,
    /// By several instances, all of which were asked for; or each line says whose it is.
    Known,
    /// By others as well, and no line says by whom.
    Mixed,
}

/// Who writes into each log file, and whether each of its lines says whose it is.
#[derive(Debug, Default)]
pub struct Writers(HashMap<PathBuf, (BTreeSet<Writer>, bool)>);

impl Writers {
    /// How a log file is shared, by whom of which these were asked for.
    pub fn sharing(&self, path: &Path, asked: &[Writer]) -> Sharing {
        let Some((writers, are_objects)) = self.0.get(path) else { return Sharing::Own };
        let several = writers.iter().any(|(id, _)| asked.first().is_some_and(|(first, _)| first != id));
        match (*are_objects || writers.iter().all(|writer| asked.contains(writer)), several) {
            (false, _) => Sharing::Mixed,
            (true, true) => Sharing::Known,
            (true, false) => Sharing::Own,
        }
    }
}

impl Runner {
    /// Who writes into which log file now.
    pub fn writers(&mut self) -> Writers {
        let mut found: HashMap<PathBuf, (BTreeSet<Writer>, bool)> = HashMap::new();
        for id in self.all_instances() {
            let number = self.apps.number_of(id);
            let Some(spec) = self.apps.spec(id.app) else { continue };
            for (what, path) in logs::paths(&spec.logs, number) {
                let (writers, are_objects) = found.entry(path).or_insert_with(|| (BTreeSet::new(), true));
                *are_objects &= spec.logs.json;
                match what {
                    "out" => drop(writers.insert((id, Stream::Out))),
                    "error" => drop(writers.insert((id, Stream::Err))),
                    _ => writers.extend([(id, Stream::Out), (id, Stream::Err)]),
                }
            }
        }
        Writers(found)
    }

    /// How many bytes of a log file are known: what the runner holds of all who write into it.
    pub fn bytes_known(&self, path: &Path, writers: &Writers) -> u64 {
        let known = |(id, stream): &Writer| {
            let held = self.apps.source(*id)?.held(&[*stream], usize::MAX);
            Some(held.bytes() + held.lines(*stream))
        };
        let writers = writers.0.get(path).into_iter().flat_map(|(writers, _)| writers);
        writers.filter_map(known).sum::<usize>() as u64
    }
}

/// What is said where lines of an instance stand in a file alone in which nobody can tell them from those of others.
pub fn untold(source: &LogSource, path: &Path, time: i64) -> Reply {
    let name = if source.instances > 1 { format!("{}:{}", source.name, source.instance) } else { source.name.clone() };
    let path = path.display();
    Reply::Notice {
        time,
        level: "info".to_owned(),
        app: Some(source.name.clone()),
        text: format!("What {name} said before, if anything, stands in {path} among other lines, and nothing there tells them apart"),
        hint: Some(format!("`pmdev logs {}` shows all of them; with `log_type: json` each line says whose it is", source.name)),
    }
}
