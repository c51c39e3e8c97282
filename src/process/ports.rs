//! Who listens on a TCP port: `/proc/net/tcp` names sockets, `/proc/PID/fd` who holds them, proc_pid_net(5).

use std::{collections::HashSet, fs, os::unix::ffi::OsStrExt as _};

use super::tree::{self, Stat, own_pid};

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its pid; `None` if another user holds the port and we may not see who.
    pub pid: Option<i32>,
    /// Its command line; empty without a pid.
    pub command: String,
    /// Whether it is this runner or descends from it.
    pub ours: bool,
}

/// The processes that listen on a port of any local address; empty if it is free.
pub fn holders(port: u16) -> Vec<Holder> {
    let mut sockets = HashSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        sockets.extend(listeners(&fs::read_to_string(table).unwrap_or_default(), port));
    }
    if sockets.is_empty() {
        return Vec::new();
    }
    let found: Vec<Holder> = tree::every_pid()
        .filter(|pid| holds(*pid, &sockets))
        .map(|pid| Holder { pid: Some(pid), command: tree::command(pid), ours: descends(pid, own_pid()) })
        .collect();
    if found.is_empty() { vec![Holder { pid: None, command: String::new(), ours: false }] } else { found }
}

/// The inodes of the sockets in a table that listen (state 0A) on a port.
fn listeners(table: &str, port: u16) -> Vec<u64> {
    let wanted = format!("{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        (local == wanted && *fields.get(3)? == "0A").then(|| fields.get(9)?.parse().ok())?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds(pid: i32, sockets: &HashSet<u64>) -> bool {
    let socket = |text: &[u8]| str::from_utf8(text.strip_prefix(b"socket:[")?.strip_suffix(b"]")?).ok()?.parse::<u64>().ok();
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter_map(|link| socket(link.as_os_str().as_bytes())).any(|inode| sockets.contains(&inode))
}

/// Whether a process is or descends from a runner: orphans come to it, so the chain of parents says it all.
pub fn descends(pid: i32, runner: i32) -> bool {
    let ancestors = std::iter::successors(Stat::read(pid), |stat| Stat::read(stat.parent));
    ancestors.take(10_000).any(|stat| stat.id.pid == runner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_and_a_connected_one_is_not() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
             1: 0100007F:0BB8 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n\
             2: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0\n";
        assert_eq!(listeners(table, 3000), [4711]);
    }

    #[test]
    fn we_hold_the_port_we_bind_and_nobody_holds_a_free_one() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let port = listener.local_addr().expect("it is bound").port();
            let found = holders(port);
            assert!(found.iter().any(|holder| holder.pid == Some(own_pid()) && holder.ours && !holder.command.is_empty()), "{found:?}");
            drop(listener);
            assert_eq!(holders(port), []);
        }
    }

    #[test]
    fn our_parent_is_not_ours() {
        assert!(!descends(Stat::read(own_pid()).expect("we are there").parent, own_pid()));
    }
}
