//! Which processes belong to a run, now, and what they use.

use std::collections::HashSet;

use super::{Member, Owner, Phase, Processes, clock, member};
use crate::{
    model::RunId,
    process::{
        claim::{self, Shown},
        glance::{self, Proc, Table},
        tree::{self, Stat, own_pid},
        usage::{self, Usage},
    },
};

/// So few lists of children are read sooner than it is found out how many processes there are.
const FEW: usize = 100;

impl Processes {
    /// The live processes of a run.
    pub fn members(&mut self, run: RunId) -> Vec<Member> {
        self.tree_of(run).iter().map(|stat| member(stat.id.pid)).collect()
    }

    /// What the process set of a run uses; `None` if there is no such run.
    pub fn usage(&mut self, run: RunId) -> Option<Usage> {
        self.adopt();
        self.runs.contains_key(&run).then(|| Usage::of(&self.glance(run)))
    }

    /// What every process set uses, in one pass over all of them: to be called once a second or so.
    pub fn usages(&mut self) -> Vec<(RunId, Usage)> {
        self.oom.look(clock());
        self.adopt();
        self.glance_at_all().into_iter().map(|(run, tree)| (run, Usage::of(&tree))).collect()
    }

    /// What every process set uses, with its memory as people are told it: shared pages counted once, as far as that can be told cheaply.
    pub fn measures(&mut self) -> Vec<(RunId, Usage, u64)> {
        self.oom.look(clock());
        // We alone start them, and what is orphaned comes to us: a runner with many log files has as many threads, none with a child.
        self.adopt_all(tree::main_children(own_pid()));
        self.glance_at_all().into_iter().map(|(run, tree)| measured(run, &tree)).collect()
    }

    /// The same of one set.
    pub fn measure(&mut self, run: RunId) -> (RunId, Usage, u64) {
        measured(run, &self.glance(run))
    }

    /// The memory of a run's process set in bytes, shared pages counted once: dearer than [`Self::usage`], which docs/benchmarks.md tells.
    pub fn exact_memory(&mut self, run: RunId) -> u64 {
        usage::exact(&self.tree_of(run))
    }

    /// Finds out whose our new children are.
    pub(super) fn adopt(&mut self) {
        self.adopt_all(tree::children(own_pid()));
    }

    fn adopt_all(&mut self, children: Vec<i32>) {
        let related = own_pid() != 1;
        let mains: HashSet<i32> = self.runs.values().filter(|run| !matches!(run.phase, Phase::Ended)).map(|run| run.pid).collect();
        for pid in children {
            if mains.contains(&pid) || self.orphans.contains_key(&pid) {
                continue;
            }
            let Some(stat) = Stat::read(pid).filter(|stat| stat.alive) else { continue };
            let started = self.runs.iter().filter(|(_, entry)| !matches!(entry.phase, Phase::Failed));
            let sets = started.map(|(run, entry)| (*run, &entry.set));
            let owner = claim::claim(&stat, sets, &Shown { pid, marker: &self.marker }, related);
            self.orphans.insert(pid, owner.map_or(Owner::Nobody, Owner::Run));
        }
    }

    /// The live tree of a run, which is also the last one seen from now on.
    pub(super) fn tree_of(&mut self, run: RunId) -> Vec<Stat> {
        let tree = tree::walk(self.roots_of(run), |_| {});
        self.saw(run, tree)
    }

    /// The same below the children of ours that are known, at less cost.
    fn glance(&mut self, run: RunId) -> Vec<Stat> {
        self.keep_open(run);
        let tree = glance::glance(self.known_roots(run), self.runs.get(&run).and_then(|entry| entry.proc.as_ref()));
        self.saw(run, tree)
    }

    /// The same of every run.
    fn glance_at_all(&mut self) -> Vec<(RunId, Vec<Stat>)> {
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        runs.iter().for_each(|run| self.keep_open(*run));
        let table = self.table();
        let look = |run| match table.as_ref().and_then(|table| table.below(&self.known_roots(run))) {
            Some(tree) => (run, self.saw(run, tree)),
            None => (run, self.glance(run)),
        };
        let trees: Vec<(RunId, Vec<Stat>)> = runs.into_iter().map(look).collect();
        self.lists = trees.iter().map(|(_, tree)| glance::lists(tree)).sum();
        trees
    }

    /// Our processes among all, where that costs less than the lists of children that the sets had the last time.
    fn table(&mut self) -> Option<Table> {
        let all = if self.lists > FEW { self.strangers.worth(self.lists, self.runs.len())? } else { return None };
        let table = self.strangers.table(&all, self.runs.values().filter_map(|entry| entry.proc.as_ref()));
        // Who has lost its parent since is still known by the last tree.
        self.adopt_all(table.ours());
        Some(table)
    }

    fn keep_open(&mut self, run: RunId) {
        let few = self.runs.len() <= self.kept_open;
        if let Some(entry) = self.runs.get_mut(&run)
            && few
            && entry.proc.is_none()
            && !matches!(entry.phase, Phase::Ended)
        {
            entry.proc = Proc::open(entry.pid);
        }
    }

    fn saw(&mut self, run: RunId, tree: Vec<Stat>) -> Vec<Stat> {
        if let Some(entry) = self.runs.get_mut(&run) {
            entry.set.see(entry.pid, &tree, self.session);
        }
        tree
    }

    /// Our children that belong to a run, looked up now.
    pub(super) fn roots_of(&mut self, run: RunId) -> Vec<i32> {
        self.adopt();
        self.known_roots(run)
    }

    pub(super) fn known_roots(&self, run: RunId) -> Vec<i32> {
        let main = self.runs.get(&run).filter(|entry| !matches!(entry.phase, Phase::Ended)).map(|entry| entry.pid);
        let orphans = self.orphans.iter().filter(|(_, owner)| **owner == Owner::Run(run)).map(|(pid, _)| *pid);
        main.into_iter().chain(orphans).collect()
    }

    /// Every child of ours that is ours to kill. As PID 1 we have the orphans of others too, which are only reaped.
    pub(super) fn all_roots(&mut self) -> Vec<i32> {
        self.adopt();
        let mains = self.runs.values().filter(|entry| !matches!(entry.phase, Phase::Ended)).map(|entry| entry.pid);
        let ours = |owner: Owner| match owner {
            Owner::Run(_) => true,
            Owner::Nobody => own_pid() != 1,
            Owner::Foreign => false,
        };
        mains.chain(self.orphans.iter().filter(|(_, owner)| ours(**owner)).map(|(pid, _)| *pid)).collect()
    }
}

/// What a set uses, and its memory: what a process shares with others than those of its set is its own here.
fn measured(run: RunId, tree: &[Stat]) -> (RunId, Usage, u64) {
    let usage = Usage::of(tree);
    (run, usage, if tree.len() > 1 { usage::shared_once(tree) } else { usage.rss })
}
