//! The sockets that workers share, for as long as they are held.

use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    os::fd::OwnedFd,
    rc::{Rc, Weak},
    task::{Poll, ready},
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{SocketFlags, accept_with},
};
use tokio::{
    io::unix::AsyncFd,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::sleep,
};

use super::{
    bind::{self, Bound, File},
    state::{Attempt, KeyId},
    user,
    wire::{Place, Query},
};
use crate::model::Identity;

/// Before the next try, where there are no descriptors left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// A bound socket. Dropping it closes it, so that its address can be bound again right away.
pub struct Socket {
    /// It listens, or, for datagrams, is bound.
    pub listening: Rc<OwnedFd>,
    accepting: Option<Accepting>,
    /// The file of a unix socket, and in whose name it was made.
    file: Option<(File, Option<Identity>)>,
}

struct Accepting {
    /// One connection for each.
    words: UnboundedSender<()>,
    /// The task that accepts has a weak hold of it alone.
    _socket: Rc<AsyncFd<Rc<OwnedFd>>>,
}

impl Socket {
    /// Accepts one connection, and tells it when it comes; `tell` is that of the first call.
    pub fn accept(&mut self, tell: impl Fn(OwnedFd) + 'static) {
        if self.accepting.is_none() {
            #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
            let Ok(socket) = AsyncFd::new(Rc::clone(&self.listening)) else { return };
            let socket = Rc::new(socket);
            let (words, wanted) = mpsc::unbounded_channel();
            tokio::task::spawn_local(accept_all(Rc::downgrade(&socket), wanted, tell));
            self.accepting = Some(Accepting { words, _socket: socket });
        }
        if let Some(accepting) = &self.accepting {
            let _ = accepting.words.send(());
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Node's workers leave it to us. The worker chose the path, so it goes with the worker's rights.
        if let Some((file, user)) = &self.file {
            let _ = user::acting_as(user.as_ref(), || {
                file.remove();
                Ok(())
            });
        }
    }
}

async fn accept_all(socket: Weak<AsyncFd<Rc<OwnedFd>>>, mut wanted: UnboundedReceiver<()>, tell: impl Fn(OwnedFd)) {
    while wanted.recv().await.is_some() {
        let Some(conn) = accept_one(&socket).await else { return };
        tell(conn);
    }
}

/// The next connection; `None`: the socket is closed.
async fn accept_one(socket: &Weak<AsyncFd<Rc<OwnedFd>>>) -> Option<OwnedFd> {
    loop {
        let tried = poll_fn(|context| -> Poll<Option<io::Result<OwnedFd>>> {
            // Held for the moment of a look alone.
            let Some(socket) = socket.upgrade() else { return Poll::Ready(None) };
            loop {
                let Ok(mut ready) = ready!(socket.poll_read_ready(context)) else { return Poll::Ready(None) };
                if let Ok(tried) =
                    ready.try_io(|socket| Ok(accept_with(&**socket.get_ref(), SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?))
                {
                    return Poll::Ready(Some(tried));
                }
            }
        });
        match tried.await? {
            Ok(conn) => return Some(conn),
            // Those that have gone meanwhile; without descriptors, what waits goes on waiting.
            Err(error) if error.raw_os_error().is_some_and(is_short) => sleep(EXHAUSTED).await,
            Err(_) => {}
        }
    }
}

fn is_short(errno: i32) -> bool {
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].iter().any(|short| short.raw_os_error() == errno)
}

/// Binds a socket in the name of a worker's user, and holds it. What is stale is closed first.
pub fn open(sockets: &mut HashMap<KeyId, Socket>, key: KeyId, query: &Query, stale: &[KeyId], user: Option<&Identity>) -> Attempt {
    stale.iter().for_each(|key| drop(sockets.remove(key)));
    let Bound { socket, name, file } = user::acting_as(user, || bind::open(query))?;
    let shared = matches!(query.place, Place::Udp { .. });
    let file = file.map(|file| (file, user.cloned()));
    sockets.insert(key, Socket { listening: Rc::new(socket), accepting: None, file });
    Ok((name, shared))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_stale_is_closed_at_once_also_while_it_accepts() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let query = |port| Query {
                place: Place::Tcp(Some("127.0.0.1".to_owned())),
                port,
                index: 0,
                backlog: 511,
                open: (false, false),
                data: Value::Null,
            };
            let mut sockets = HashMap::new();
            let (name, _) = open(&mut sockets, 1, &query(0), &[], None).unwrap_or_else(|errno| panic!("{errno}"));
            let port = name.expect("it has an address").port;
            let (told, mut conns) = mpsc::unbounded_channel();
            let accept = |socket: &mut Socket| {
                let told = told.clone();
                socket.accept(move |conn| drop(told.send(conn)));
            };
            let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let socket = sockets.get_mut(&1).unwrap();
            accept(socket);
            let _first = connect();
            assert!(conns.recv().await.is_some());
            // It waits for the next one in this moment.
            accept(socket);
            tokio::task::yield_now().await;
            assert_eq!(open(&mut sockets, 2, &query(port), &[], None).err(), Some(-98));
            assert!(open(&mut sockets, 2, &query(port), &[1], None).is_ok());
            accept(sockets.get_mut(&2).unwrap());
            let _second = connect();
            assert!(conns.recv().await.is_some());
        });
    }
}
