//! Who a process is, for those to whom it has sent something.

use super::tree::Stat;

/// Whether a process is alive: one that has ended may still wait for its parent to look after it.
pub fn is_alive(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.alive)
}

/// The user that a process runs as; `None`: it is gone.
pub fn user(pid: i32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(format!("/proc/{pid}")).ok().map(|about| about.uid())
}
