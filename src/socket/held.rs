//! The sockets that workers share, for as long as they are held.

use std::{collections::HashMap, os::fd::OwnedFd, rc::Rc};

use tokio::{sync::mpsc::UnboundedSender, task::JoinHandle};

use super::{
    bind::{self, Bound, File},
    state::{Attempt, KeyId},
    user,
    wire::{Place, Query},
};
use crate::model::Identity;

/// A bound socket.
pub struct Socket {
    /// It listens, or, for datagrams, is bound.
    pub listening: Rc<OwnedFd>,
    /// Accepts one connection for each word.
    pub accepting: Option<(UnboundedSender<()>, JoinHandle<()>)>,
    /// The file of a unix socket, and in whose name it was made.
    file: Option<(File, Option<Identity>)>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.accepting {
            task.abort();
        }
        // Node's workers leave it to us. The worker chose the path, so it goes with the worker's rights.
        if let Some((file, user)) = &self.file {
            let _ = user::acting_as(user.as_ref(), || {
                file.remove();
                Ok(())
            });
        }
    }
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
