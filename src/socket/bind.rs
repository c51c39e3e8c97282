//! Binding what workers ask for, as Node's primary does it.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt as _, PermissionsExt as _},
    },
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, bind, connect, getsockname, listen, socket_with,
        sockopt::{set_ipv6_v6only, set_socket_reuseaddr},
    },
};

use super::wire::{Place, Query, SockName};

/// A socket that is bound, and what it is bound to.
pub struct Bound {
    /// The socket.
    pub socket: OwnedFd,
    /// Its address, unless it is a unix socket.
    pub name: Option<SockName>,
    /// The file of a unix socket: it goes with it.
    pub file: Option<File>,
}

/// The file of a unix socket.
pub struct File {
    path: String,
    /// Its device and inode.
    mark: (u64, u64),
}

impl File {
    fn of(path: &str) -> io::Result<Self> {
        let about = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), mark: (about.dev(), about.ino()) })
    }

    /// Removes it, unless something else has its name by now.
    pub fn remove(&self) {
        if Self::of(&self.path).is_ok_and(|there| there.mark == self.mark) {
            // Whoever removed it at this moment did the same.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds, and listens at once, so that a port that is taken is an error now.
///
/// # Errors
/// The system's errno, negative, as the worker is told it.
pub fn open(query: &Query) -> Result<Bound, i32> {
    let bound = match &query.place {
        Place::Tcp(None) => {
            let every = |address: IpAddr, both| tcp(SocketAddr::new(address, query.port), both, query.backlog);
            every(Ipv6Addr::UNSPECIFIED.into(), Some(false)).or_else(|_| every(Ipv4Addr::UNSPECIFIED.into(), None))
        }
        Place::Tcp(Some(address)) => {
            parse(address).and_then(|address| tcp(SocketAddr::new(address, query.port), Some(false), query.backlog))
        }
        Place::Tcp6Only(address) => parse(address).and_then(|address| tcp(SocketAddr::new(address, query.port), Some(true), query.backlog)),
        Place::Unix(path) => unix(path, query),
        Place::Udp { six, address, reuse } => udp(*six, address, query.port, *reuse),
        // No descriptor of ours is a worker's to have.
        Place::Descriptor(_) => Err(Errno::INVAL),
    };
    bound.map_err(|errno| -errno.raw_os_error())
}

fn parse(address: &str) -> Result<IpAddr, Errno> {
    address.parse().map_err(|_| Errno::INVAL)
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET }
}

fn tcp(address: SocketAddr, six_only: Option<bool>, backlog: i32) -> Result<Bound, Errno> {
    let socket = socket_with(family(address.ip()), SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    set_socket_reuseaddr(&socket, true)?;
    if let (true, Some(only)) = (address.is_ipv6(), six_only) {
        set_ipv6_v6only(&socket, only)?;
    }
    bind(&socket, &address)?;
    listen(&socket, backlog)?;
    named(socket)
}

fn udp(six: bool, address: &str, port: u16, reuse: bool) -> Result<Bound, Errno> {
    let every: IpAddr = if six { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let address = if address.is_empty() { every } else { parse(address)? };
    let socket = socket_with(family(address), SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    set_socket_reuseaddr(&socket, reuse)?;
    bind(&socket, &SocketAddr::new(address, port))?;
    named(socket)
}

fn named(socket: OwnedFd) -> Result<Bound, Errno> {
    let address = SocketAddr::try_from(getsockname(&socket)?)?;
    let name = SockName { address: address.ip().to_string(), six: address.is_ipv6(), port: address.port() };
    Ok(Bound { socket, name: Some(name), file: None })
}

fn unix(path: &str, query: &Query) -> Result<Bound, Errno> {
    let address = SocketAddrAny::from(SocketAddrUnix::new(path)?);
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    match bind(&socket, &address) {
        // A file that nobody answers at was left behind.
        Err(Errno::ADDRINUSE) if is_abandoned(&address) => {
            fs::remove_file(path).map_err(|error| errno(&error))?;
            bind(&socket, &address)?;
        }
        bound => bound?,
    }
    let (read, write) = query.open;
    if read || write {
        let bits = if read { 0o444 } else { 0 } | if write { 0o222 } else { 0 };
        let mode = fs::metadata(path).map_err(|error| errno(&error))?.permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode | bits)).map_err(|error| errno(&error))?;
    }
    listen(&socket, query.backlog)?;
    let file = File::of(path).map_err(|error| errno(&error))?;
    Ok(Bound { socket, name: None, file: Some(file) })
}

/// Whether nobody listens at a unix socket. One whose queue is full, since nobody accepts, is somebody's; we do not wait for that.
fn is_abandoned(address: &SocketAddrAny) -> bool {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None);
    socket.is_ok_and(|socket| connect(&socket, address) == Err(Errno::CONNREFUSED))
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn query(place: Place, port: u16) -> Query {
        Query { place, port, index: 0, backlog: 511, open: (false, false), data: Value::Null }
    }

    #[test]
    fn a_port_that_is_taken_is_told_now() {
        let first = open(&query(Place::Tcp(Some("127.0.0.1".into())), 0)).unwrap_or_else(|errno| panic!("{errno}"));
        let port = first.name.map_or(0, |name| name.port);
        let again = |place| open(&query(place, port)).err();
        assert_eq!(again(Place::Tcp(Some("127.0.0.1".into()))), Some(-98));
        assert_eq!(open(&query(Place::Tcp(Some("192.0.2.1".into())), 0)).err(), Some(-99));
        assert_eq!(open(&query(Place::Tcp(Some("no address".into())), 0)).err(), Some(-22));
        assert_eq!(open(&query(Place::Descriptor(0), 0)).err(), Some(-22));
    }

    #[test]
    fn a_unix_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s").to_str().unwrap().to_owned();
        let mut asked = query(Place::Unix(path.clone()), 0);
        asked.open = (true, true);
        drop(open(&asked).unwrap_or_else(|errno| panic!("{errno}")));
        let live = open(&asked).unwrap_or_else(|errno| panic!("{errno}"));
        assert_eq!(open(&asked).err(), Some(-98));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o666, 0o666);
        drop(live);
        // Nor is that of somebody who accepts nobody, and whose queue is full.
        fs::remove_file(&path).unwrap();
        asked.backlog = 1;
        let _busy = open(&asked).unwrap_or_else(|errno| panic!("{errno}"));
        let address = SocketAddrAny::from(SocketAddrUnix::new(&path).unwrap());
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let waits = || socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        let queue: Vec<OwnedFd> = std::iter::repeat_with(waits).take_while(|socket| connect(socket, &address).is_ok()).collect();
        assert!(!queue.is_empty());
        assert_eq!(open(&asked).err(), Some(-98));
    }
}
