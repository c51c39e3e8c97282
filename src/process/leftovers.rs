//! What is left of runners that were killed together with their guards: it carries their marker, and is nobody's any more.

use std::{env, fs, os::unix::ffi::OsStrExt as _, path::PathBuf};

use rustix::{
    event::{Timespec, poll},
    process::Signal,
};

use super::{
    claim,
    processes::{Member, member},
    sweep,
    tree::{self, Identity, Stat},
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
}

/// Kills all that these runners have started and that still lives. `runners`: the pids they had; one that lives is left alone, and so is one
/// below which we run ourselves.
pub fn kill(runners: &[i32]) -> Leftovers {
    let own = env::var_os(claim::MARKER).map(|value| [claim::MARKER.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default();
    let above: Vec<i32> = claim::runners(&own).map(|runner| runner.pid).collect();
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
        // What is stopped forks no more: its children are those that are seen.
        let tree = tree::walk(marked(dead), |stat| sweep::send_stranger(stat, Signal::STOP));
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
    Leftovers { killed: members(killed), stuck: members(stuck) }
}

/// The processes that carry the marker of such a runner. Pids of another namespace, a container's, name other runners.
fn marked(is_wanted: impl Fn(Identity) -> bool) -> Vec<i32> {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/pid")).ok();
    let own: Option<PathBuf> = namespace("self");
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        claim::runners(&environ).any(&is_wanted) && namespace(&pid.to_string()) == own
    })
    .collect()
}
