//! The process tree at less cost than [`tree`] has it, for whoever asks often and can miss a process that appears this very moment.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    os::unix::fs::FileExt as _,
};

use super::tree::{self, PAGE, STAT, Stat, own_pid};

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

/// A process by its pid and the inode of its folder in `/proc`, which is another one for a later process with that pid. The kernel may give
/// the same process another one as well, when it had to forget the first.
pub type Entry = (i32, u64);

/// What the kernel says where it has no inode.
const NO_INODE: u64 = 1;

/// Processes that do not descend from us, and are not looked at again. Who loses its parent goes to an ancestor, so that they never will, but
/// for who was sent into the pid namespace of an init below us: so all are forgotten from time to time.
#[derive(Debug, Default)]
pub struct Strangers {
    known: HashSet<Entry>,
    /// How often they were looked up since they were forgotten.
    looks: u32,
    /// How often it is not worth to look up who is there.
    pause: u32,
}

/// They are forgotten at so many looks.
const FORGET: u32 = 100;

/// For so many looks it is not found out again how many processes there are.
const PAUSE: u32 = 30;

/// The processes that are not known to be strangers, by their parents: cheaper than to list the children of many threads, where few of them
/// are not ours.
#[derive(Debug)]
pub struct Table {
    stats: HashMap<i32, Stat>,
    children: HashMap<i32, Vec<i32>>,
}

impl Strangers {
    /// Every process, where fewer have to be looked at than there are lists of children to open. `own`: how many are looked at anyway.
    pub fn worth(&mut self, lists: usize, own: usize) -> Option<Vec<Entry>> {
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let first = self.looks.is_multiple_of(FORGET);
        if first {
            self.known.clear();
        }
        let all: Vec<Entry> = tree::every_process().collect();
        self.looks += 1;
        // The first time everybody is new.
        if first || self.unknown(&all).saturating_sub(own) < lists {
            return Some(all);
        }
        self.pause = PAUSE;
        None
    }

    fn unknown(&self, all: &[Entry]) -> usize {
        all.iter().filter(|entry| !self.known.contains(entry)).count()
    }

    /// Looks at all that is there, but at strangers only once. `open`: some that have their files open.
    pub fn table<'a>(&mut self, all: &[Entry], open: impl Iterator<Item = &'a Proc>) -> Table {
        let open: HashMap<i32, &Proc> = open.map(|proc| (proc.pid, proc)).collect();
        let read = |pid: &i32| open.get(pid).map_or_else(|| Stat::read(*pid), |proc| proc.stat());
        let (known, new): (Vec<Entry>, Vec<Entry>) = all.iter().partition(|entry| self.known.contains(entry));
        let stats: HashMap<i32, Stat> = new.iter().filter_map(|(pid, _)| Some((*pid, read(pid)?))).collect();
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        stats.values().for_each(|stat| children.entry(stat.parent).or_default().push(stat.id.pid));
        let strangers: HashSet<i32> = known.iter().map(|(pid, _)| *pid).collect();
        let found = new.into_iter().filter(|(pid, inode)| *inode != NO_INODE && is_stranger(*pid, &stats, &strangers));
        self.known = known.into_iter().chain(found).collect();
        Table { stats, children }
    }
}

/// Whether every parent is seen up to one that has none, or is a stranger, and we are none of them. A parent that is younger than its child
/// is not the one that was meant.
fn is_stranger(pid: i32, stats: &HashMap<i32, Stat>, strangers: &HashSet<i32>) -> bool {
    let own = own_pid();
    let (mut pid, mut child) = (pid, u64::MAX);
    for _ in 0..=stats.len() {
        if pid == 0 || strangers.contains(&pid) {
            return true;
        }
        let Some(stat) = stats.get(&pid).filter(|stat| pid != own && stat.id.started <= child) else { return false };
        (pid, child) = (stat.parent, stat.id.started);
    }
    false
}

impl Table {
    /// Our children, those that have just become so among them.
    pub fn ours(&self) -> Vec<i32> {
        self.children.get(&own_pid()).cloned().unwrap_or_default()
    }

    /// What [`glance`] tells of these roots; `None`: one of them is not in it.
    pub fn below(&self, roots: &[i32]) -> Option<Vec<Stat>> {
        let children = |stat: &Stat| self.children.get(&stat.id.pid).cloned().unwrap_or_default();
        let all = roots.iter().all(|root| self.stats.contains_key(root));
        all.then(|| tree::follow(roots.iter().copied(), |pid| self.stats.get(&pid).copied(), |_| {}, children))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test waits for what it has started")]
mod tests {
    use std::{
        process::{Child, Command, Stdio},
        thread,
    };

    use super::*;

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
        let mut strangers = Strangers::default();
        let open = || std::iter::once(&proc);
        for round in 0..2 {
            let all: Vec<Entry> = tree::every_process().collect();
            let table = strangers.table(&all, open());
            assert_eq!(table.below(&[pid]).map(sorted), Some(whole.clone()), "{round}");
            // A thread that is gone has left it to another one of ours.
            let ours = sorted(table.below(&[own_pid()]).expect("we are there"));
            assert!(whole.iter().all(|member| ours.contains(member)), "{ours:?}");
            assert!(strangers.unknown(&all) < all.len(), "who is above us is looked at once");
        }
        assert_eq!(lists(&tree::walk([pid], |_| {})), 2);
        drop(child.stdin.take());
        child.wait().expect("it ends by itself");
        assert_eq!(glance([pid], Some(&proc)), [], "its files are its own");
        assert_eq!(strangers.table(&tree::every_process().collect::<Vec<_>>(), open()).below(&[pid]), None);
    }

    #[test]
    fn all_are_looked_up_where_that_is_worth_it() {
        let mut strangers = Strangers::default();
        let learn = |strangers: &mut Strangers, all: Vec<Entry>| drop(strangers.table(&all, std::iter::empty()));
        let all = strangers.worth(0, 0).expect("it is not known before what it is worth");
        learn(&mut strangers, all);
        assert!(strangers.worth(0, 0).is_none());
        for _ in 0..PAUSE {
            assert!(strangers.worth(usize::MAX, 0).is_none());
        }
        for look in 2..FORGET {
            let all = strangers.worth(usize::MAX, 0).unwrap_or_else(|| panic!("{look}"));
            learn(&mut strangers, all);
        }
        assert!(!strangers.known.is_empty());
        assert!(strangers.worth(0, 0).is_some() && strangers.known.is_empty(), "all are forgotten");
    }

    #[test]
    fn who_has_lost_a_parent_between_two_looks_is_taken_for_no_stranger() {
        let stat = |(pid, parent, started): (i32, i32, u64)| {
            let text = format!("{pid} (x) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {started} 0 0");
            (pid, Stat::parse(pid, text.as_bytes()).expect("it is well formed"))
        };
        let own = own_pid();
        let (a, b, c) = (own + 1, own + 2, own + 3);
        let is = |stats: &[(i32, i32, u64)], strangers: &[i32]| {
            is_stranger(c, &stats.iter().copied().map(stat).collect(), &strangers.iter().copied().collect())
        };
        assert!(is(&[(c, b, 9), (b, a, 8), (a, 0, 1)], &[]));
        assert!(is(&[(c, b, 9), (b, a, 8)], &[a]));
        assert!(!is(&[(c, b, 9), (a, 0, 1)], &[]), "its parent is gone, and may have been ours");
        assert!(!is(&[(c, b, 9), (b, a, 10), (a, 0, 1)], &[]), "another one has that pid now");
        assert!(!is(&[(c, b, 9), (b, own, 8), (own, a, 7), (a, 0, 1)], &[]));
    }
}
