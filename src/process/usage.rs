//! What process sets use: resident memory and processor time of every member, and for one set the memory that it alone accounts for.
//!
//! Resident memory counts what processes share once for each of them: cheap, and never too low. Before anybody is judged by it, it is
//! looked at exactly.

use std::{fs, io, os::unix::fs::MetadataExt as _, thread};

use rustix::{
    process::{Gid, Uid},
    thread::{set_thread_res_gid, set_thread_res_uid},
};

use super::tree::Stat;

/// What a process set uses now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory of all its processes, in bytes; shared pages are counted for each of them.
    pub rss: u64,
    /// Processor time of its processes and of their children that ended and were waited for, in clock ticks ([`ticks_per_second`]).
    pub cpu_ticks: u64,
    /// How many processes.
    pub processes: usize,
    /// Whether one of them runs, or would if it had a processor or an answer of a disk.
    pub busy: bool,
}

impl Usage {
    /// The sum over a tree.
    pub fn of(tree: &[Stat]) -> Self {
        Self {
            rss: tree.iter().map(|stat| stat.resident_pages).sum::<u64>() * page(),
            cpu_ticks: tree.iter().map(|stat| stat.cpu_ticks).sum(),
            processes: tree.len(),
            busy: tree.iter().any(|stat| stat.busy),
        }
    }
}

/// Clock ticks in a second, as [`Usage::cpu_ticks`] counts them.
pub fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

fn page() -> u64 {
    rustix::param::page_size() as u64
}

/// The memory of a tree in bytes, shared pages counted once: the proportional set size where the kernel shows it, and else the sum of
/// what is resident and not shared, plus the largest shared part (which is too high for what a fork shares: that counts as not shared).
pub fn exact(tree: &[Stat]) -> u64 {
    let mut total = 0;
    for stat in tree {
        match proportional(stat.id.pid) {
            Ok(bytes) => total += bytes,
            Err(_) => return shared_once(tree),
        }
    }
    total
}

/// The same without the kernel's help, at the cost of one short read for each process.
pub fn shared_once(tree: &[Stat]) -> u64 {
    estimate(tree.iter().filter_map(|stat| Pages::read(stat.id.pid))) * page()
}

/// The most memory that a process has had resident so far, in bytes: `VmHWM` of `/proc/PID/status`, proc_pid_status(5).
pub fn peak(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().split(' ').next()?.parse::<u64>().ok()?;
    Some(kib << 10)
}

/// The proportional set size of a process in bytes; 0 for one that has no memory any more.
fn proportional(pid: i32) -> io::Result<u64> {
    match rollup(pid) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => as_its_user(pid),
        read => read,
    }
}

/// The same for whoever may not look at processes of others, but become them: root in a container, or below a unit with few capabilities.
/// Who is the user of a process may look at it, ptrace(2). A thread becomes that, and stays it to its end.
fn as_its_user(pid: i32) -> io::Result<u64> {
    let about = fs::metadata(format!("/proc/{pid}"))?;
    let (user, group) = (Uid::from_raw(about.uid()), Gid::from_raw(about.gid()));
    let look = move || {
        set_thread_res_gid(None, group, None)?;
        set_thread_res_uid(None, user, None)?;
        rollup(pid)
    };
    thread::Builder::new().spawn(look)?.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}

/// `Pss` of `/proc/PID/smaps_rollup` in bytes, proc_pid_smaps(5).
fn rollup(pid: i32) -> io::Result<u64> {
    let text = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(text) => text,
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound && Stat::read(pid).is_none() => return Ok(0),
        Err(error) => return Err(error),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// `resident` and `shared` of `/proc/PID/statm`, in pages.
struct Pages {
    resident: u64,
    shared: u64,
}

impl Pages {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/statm")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_ascii_whitespace().skip(1).map(str::parse);
        Some(Self { resident: numbers.next()?.ok()?, shared: numbers.next()?.ok()? })
    }
}

fn estimate(members: impl Iterator<Item = Pages>) -> u64 {
    let (mut own, mut largest) = (0, 0);
    for Pages { resident, shared } in members {
        own += resident.saturating_sub(shared);
        largest = shared.max(largest);
    }
    own + largest
}

#[cfg(test)]
mod tests {
    use super::{super::tree::own_pid, *};

    #[test]
    fn what_is_shared_is_estimated_once() {
        let members =
            ["900 110 100 1 0 5 0", "900 120 100 1 0 5 0", "900 15 10 1 0 5 0"].map(|text| Pages::parse(text).expect("it has all"));
        assert_eq!(estimate(members.into_iter()), 10 + 20 + 5 + 100);
        assert_eq!(estimate(std::iter::empty()), 0);
        assert!(Pages::parse("900 x").is_none());
    }

    #[test]
    fn our_own_memory_is_no_more_than_what_is_resident() {
        let ballast = vec![1_u8; 32 << 20];
        let stat = Stat::read(own_pid()).expect("we are there");
        let usage = Usage::of(&[stat]);
        assert!(usage.processes == 1 && usage.rss > ballast.len() as u64, "{usage:?}");
        let exact = exact(&[stat]);
        assert!(exact > ballast.len() as u64, "{exact}");
        // Other tests allocate meanwhile.
        assert!(exact < usage.rss + (256 << 20), "{exact} {usage:?}");
        assert!(ticks_per_second() > 0);
        assert!(peak(own_pid()).expect("we are there") >= usage.rss);
        assert_eq!(peak(i32::MAX), None);
    }
}
