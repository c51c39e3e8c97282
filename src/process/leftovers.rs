//! What is left of runners that were killed together with their guards: it carries their marker, and is nobody's any more.

use std::{fs, path::PathBuf};

use rustix::{
    event::{Timespec, poll},
    process::Signal,
};

use super::{
    claim,
    processes::{Member, member},
    sweep,
    tree::{self, Identity, Stat, own_pid},
};

/// The pause between two passes.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// How often it is looked and killed: for two seconds in all.
const PASSES: usize = 100;

/// What was found of dead runners.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// What was killed.
    pub killed: Vec<Member>,
    /// What is there still.
    pub stuck: Vec<Member>,
    /// The runners below which we run ourselves: theirs is left alone.
    pub spared: Vec<i32>,
}

/// Kills all that these runners have started and that still lives. `runners`: the pids they had; one that lives is left alone, and so is one
/// below which we run ourselves.
pub fn kill(runners: &[i32]) -> Leftovers {
    let ancestors = ancestors();
    let above: Vec<i32> =
        ancestors.iter().flat_map(|pid| claim::runners(&claim::environ(*pid)).collect::<Vec<_>>()).map(|runner| runner.pid).collect();
    let dead = |runner: Identity| {
        runners.contains(&runner.pid)
            && !above.contains(&runner.pid)
            && Stat::read(runner.pid).is_none_or(|stat| stat.id != runner || !stat.alive)
    };
    let mut found: Vec<(Identity, Member)> = Vec::new();
    for pass in 0..PASSES {
        if pass > 0 {
            // Interrupted, it was a shorter pause.
            let _ = poll(&mut [], Some(&PAUSE));
        }
        // What is stopped forks no more: its children are those that are seen. We may be one of them whatever our environment says.
        let stop = |stat: &Stat| {
            if !ancestors.contains(&stat.id.pid) {
                sweep::send_stranger(stat, Signal::STOP);
            }
        };
        let mut tree = tree::walk(marked(dead), stop);
        tree.retain(|stat| !ancestors.contains(&stat.id.pid));
        if tree.is_empty() {
            break;
        }
        for stat in tree {
            if !found.iter().any(|(known, _)| *known == stat.id) {
                found.push((stat.id, member(stat.id.pid)));
            }
            sweep::send_stranger(&stat, Signal::KILL);
        }
    }
    let lives = |id: &Identity| Stat::read(id.pid).is_some_and(|stat| stat.id == *id && stat.alive);
    let (stuck, killed): (Vec<_>, Vec<_>) = found.into_iter().partition(|(id, _)| lives(id));
    let members = |found: Vec<(Identity, Member)>| found.into_iter().map(|(_, member)| member).collect();
    let spared = runners.iter().copied().filter(|runner| above.contains(runner)).collect();
    Leftovers { killed: members(killed), stuck: members(stuck), spared }
}

/// We, our parent, and so on.
fn ancestors() -> Vec<i32> {
    let parent = |pid: &i32| Stat::read(*pid).map(|stat| stat.parent).filter(|parent| *parent > 0);
    std::iter::successors(Some(own_pid()), parent).collect()
}

/// The processes that carry the marker of such a runner. Pids of another namespace, a container's, name other runners.
fn marked(is_wanted: impl Fn(Identity) -> bool) -> Vec<i32> {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/pid")).ok();
    let own: Option<PathBuf> = namespace("self");
    let pids = tree::every_pid();
    pids.filter(|pid| claim::runners(&claim::environ(*pid)).any(&is_wanted) && namespace(&pid.to_string()) == own).collect()
}
