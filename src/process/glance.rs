//! The process tree at less cost than [`tree`] has it, for whoever asks often and can miss a process that appears this very moment.

use std::{collections::HashMap, fs::File, os::unix::fs::FileExt as _};

use super::tree::{self, PAGE, STAT, Stat};

/// A process whose files in `/proc` stay open: to read them again costs a third of what it costs to open them, and they are never those
/// of a later process with its pid.
#[derive(Debug)]
pub struct Proc {
    pid: i32,
    stat: File,
    children: File,
}

impl Proc {
    /// How many files that are.
    pub const FILES: usize = 2;

    /// Opens them; `None` if the process is gone, or no more files can be opened.
    pub fn open(pid: i32) -> Option<Self> {
        Some(Self { pid, stat: File::open(tree::stat_of(pid)).ok()?, children: File::open(tree::children_of_main(pid)).ok()? })
    }

    fn stat(&self) -> Option<Stat> {
        let mut buffer = [0; STAT];
        let length = self.stat.read_at(&mut buffer, 0).ok()?;
        Stat::parse(self.pid, &buffer[..length])
    }

    fn main_children(&self) -> Vec<i32> {
        let mut buffer = [0; PAGE];
        let length = self.children.read_at(&mut buffer, 0).ok();
        tree::pids(length.map(|length| &buffer[..length]), tree::children_of_main(self.pid))
    }
}

/// Every live process at or below the given roots, parents before their children. The threads of a process are listed only where it has
/// some. `proc`: one of them whose files are open.
pub fn glance(roots: impl IntoIterator<Item = i32>, proc: Option<&Proc>) -> Vec<Stat> {
    let of = |pid| proc.filter(|proc| proc.pid == pid);
    let read = |pid| of(pid).map_or_else(|| Stat::read(pid), Proc::stat);
    let children = |stat: &Stat| match of(stat.id.pid) {
        _ if stat.threads > 1 => tree::children(stat.id.pid),
        Some(proc) => proc.main_children(),
        None => tree::main_children(stat.id.pid),
    };
    tree::follow(roots, read, |_| {}, children)
}

/// How many lists of children are opened for a glance at these processes, the first of which has its files open.
pub fn lists(tree: &[Stat]) -> usize {
    let of = |(nth, stat): (usize, &Stat)| match usize::try_from(stat.threads) {
        Ok(threads) if threads > 1 => 1 + threads,
        Ok(_) | Err(_) => usize::from(nth > 0),
    };
    tree.iter().enumerate().map(of).sum()
}

/// Every process there is, by its parent: cheaper than to list the children of many threads, where there are few other processes.
#[derive(Debug)]
pub struct Table {
    stats: HashMap<i32, Stat>,
    children: HashMap<i32, Vec<i32>>,
}

impl Table {
    /// Looks at these processes, some of which have their files open.
    pub fn read<'a>(pids: &[i32], open: impl Iterator<Item = &'a Proc>) -> Self {
        let open: HashMap<i32, &Proc> = open.map(|proc| (proc.pid, proc)).collect();
        let read = |pid: &i32| open.get(pid).map_or_else(|| Stat::read(*pid), |proc| proc.stat());
        let stats: HashMap<i32, Stat> = pids.iter().filter_map(|pid| Some((*pid, read(pid)?))).collect();
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        stats.values().for_each(|stat| children.entry(stat.parent).or_default().push(stat.id.pid));
        Self { stats, children }
    }

    /// What [`glance`] tells of these roots.
    pub fn below(&self, roots: impl IntoIterator<Item = i32>) -> Vec<Stat> {
        let children = |stat: &Stat| self.children.get(&stat.id.pid).cloned().unwrap_or_default();
        tree::follow(roots, |pid| self.stats.get(&pid).copied(), |_| {}, children)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test waits for what it has started")]
mod tests {
    use std::{
        process::{Child, Command, Stdio},
        thread,
    };

    use super::{super::tree::own_pid, *};

    fn sleep() -> Child {
        let shell = ["-c", "sleep 60 >/dev/null & one=$!; sleep 60 >/dev/null & echo; read line; kill $one $!"];
        let mut command = Command::new("sh");
        command.args(shell).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("a shell can be started")
    }

    fn sorted(mut tree: Vec<Stat>) -> Vec<(i32, i32)> {
        tree.sort_by_key(|stat| stat.id.pid);
        tree.into_iter().map(|stat| (stat.id.pid, stat.parent)).collect()
    }

    #[test]
    fn every_way_to_look_shows_the_same_tree_also_what_other_threads_have_started() {
        let mut child = thread::spawn(sleep).join().expect("it does not panic");
        let pid = i32::try_from(child.id()).expect("a pid fits");
        // It has said that both run.
        std::io::Read::read_exact(child.stdout.as_mut().expect("it is piped"), &mut [0]).expect("it says something");
        let whole = sorted(tree::walk([pid], |_| {}));
        assert_eq!(whole.len(), 3, "{whole:?}");
        let proc = Proc::open(pid).expect("it is there");
        assert_eq!(sorted(glance([pid], None)), whole);
        assert_eq!(sorted(glance([pid], Some(&proc))), whole);
        let all: Vec<i32> = tree::every_pid().collect();
        let table = Table::read(&all, std::iter::once(&proc));
        assert_eq!(sorted(table.below([pid])), whole);
        // A thread that is gone has left it to another one of ours.
        let ours = sorted(table.below([own_pid()]));
        assert!(whole.iter().all(|member| ours.contains(member)), "{ours:?}");
        assert_eq!(lists(&table.below([pid])), 2);
        drop(child.stdin.take());
        child.wait().expect("it ends by itself");
        assert_eq!(glance([pid], Some(&proc)), [], "its files are its own");
        assert_eq!(Table::read(&all, std::iter::once(&proc)).below([pid]), []);
    }
}
