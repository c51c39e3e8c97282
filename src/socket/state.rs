//! Who shares which socket, and who gets the next connection. Pure: sockets and connections are numbers, and what is to be done comes out.
//!
//! A connection is accepted only when a worker is free for it, so the queue stays in the kernel and outlives everything here. A worker has at
//! most one that it has not acknowledged; only when its channel is gone does that one go to another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::wire::{self, EACCES, EADDRINUSE, EMFILE, Place, Query, Said, SockName};

/// A worker: its run.
pub type WorkerId = u64;
/// A socket.
pub type KeyId = u64;
/// A connection.
pub type ConnId = u64;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Say this.
    Send(WorkerId, String),
    /// Say this, and hand over the socket.
    SendSocket(WorkerId, String, KeyId),
    /// Say this, and hand over the connection.
    SendConnection(WorkerId, String, ConnId),
    /// Accept one connection.
    Accept(KeyId),
    /// Close our copy of a connection.
    Drop(ConnId),
    /// Look soon whether anybody has this socket again, or else close it. `soon`: by their own will.
    CloseUnlessHeld(KeyId, bool),
    /// Close a socket.
    Close(KeyId),
    /// A worker was refused a socket, because its app, or all of them, have as many as may be.
    /// With how many its app has.
    Full(WorkerId, usize),
}

/// What an attempt to bind came to: the address and whether the socket itself is shared, or an errno, negative.
pub type Attempt = Result<(Option<SockName>, bool), i32>;

#[derive(Debug)]
struct Worker {
    app: u32,
    slot: u16,
    /// As whom it runs, where that is not our own user.
    user: Option<u32>,
    /// It gets no new connection.
    leaving: bool,
    listening: bool,
    keys: BTreeSet<KeyId>,
    /// The connection that it has not acknowledged.
    pending: Option<Pending>,
    seq: u64,
    /// When it was last given one, in order.
    served: u64,
}

#[derive(Debug)]
struct Pending {
    seq: u64,
    key: KeyId,
    conn: ConnId,
    /// Who has refused it before.
    refused: BTreeSet<WorkerId>,
}

#[derive(Debug)]
struct Key {
    name: Name,
    sock: Option<SockName>,
    shared: bool,
    /// In whose name it was bound, where that is not our own user.
    user: Option<u32>,
    data: Value,
    apps: BTreeSet<u32>,
    accepting: bool,
    waiting: VecDeque<(ConnId, BTreeSet<WorkerId>)>,
}

/// What makes two queries mean one socket. A socket of any port is its app's own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    place: Place,
    port: u16,
    own: Option<(u32, u64)>,
}

/// All workers and sockets.
#[derive(Debug, Default)]
pub struct State {
    workers: BTreeMap<WorkerId, Worker>,
    keys: BTreeMap<KeyId, Key>,
    /// Apps that are to have no run any more, though the news of the end of their last ones may still be to come.
    released: BTreeSet<u32>,
    minted: u64,
    turns: u64,
    /// Sockets that all may have.
    most: Option<usize>,
}

impl State {
    /// One in which all workers have no more sockets than this.
    pub fn with(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// A worker is about to begin. `user`: as whom, where that is not our own.
    pub fn attach(&mut self, id: WorkerId, app: u32, slot: u16, user: Option<u32>) {
        let worker = Worker { app, slot, user, leaving: false, listening: false, keys: BTreeSet::new(), pending: None, seq: 0, served: 0 };
        self.released.remove(&app);
        self.workers.insert(id, worker);
    }

    /// Whether a worker listens, and on all that those in its slot before it do.
    pub fn listens(&self, id: WorkerId) -> Option<bool> {
        let own = self.workers.get(&id).filter(|worker| worker.listening)?;
        let before = self.workers.range(..id).filter(|(_, other)| (other.app, other.slot) == (own.app, own.slot));
        Some(before.flat_map(|(_, other)| &other.keys).all(|key| own.keys.contains(key)))
    }

    /// What a worker said. `bind` binds the socket of a number, after it has closed others.
    pub fn said(&mut self, id: WorkerId, said: Said, bind: &mut dyn FnMut(KeyId, &Query, &[KeyId]) -> Attempt) -> Vec<Effect> {
        let mut out = Vec::new();
        let Some(worker) = self.workers.get_mut(&id) else { return out };
        match said {
            Said::Ready | Said::Other | Said::Nothing | Said::Lost | Said::Ack | Said::Nack | Said::Drains | Said::Drained => {}
            // One Node program after the other over the same channel: the first one's servers are gone.
            Said::Online => {
                worker.listening = false;
                self.let_go_of_all(id, &mut out);
            }
            Said::Listening => {
                worker.listening = true;
                let app = worker.app;
                out.extend(self.forsaken(app).map(|key| Effect::CloseUnlessHeld(key, false)));
            }
            Said::Quits(ack) => {
                worker.leaving = true;
                let seq = worker.next();
                out.push(Effect::Send(id, wire::dismissed(seq, ack)));
            }
            // Nobody waits for the answer in one that leaves.
            Said::Query(..) if worker.leaving => {}
            Said::Query(ack, query) => self.query(id, ack, &query, bind, &mut out),
            Said::Close(key) => {
                if let Ok(key) = key.parse()
                    && worker.keys.remove(&key)
                    && !worker.leaving
                    && !self.is_held(key)
                {
                    out.push(Effect::CloseUnlessHeld(key, true));
                }
            }
            Said::Taken(ack, accepted) => {
                let Some(Pending { key, conn, mut refused, .. }) = worker.pending.take_if(|pending| pending.seq == ack) else { return out };
                if accepted {
                    out.push(Effect::Drop(conn));
                } else if let Some(key) = self.keys.get_mut(&key) {
                    refused.insert(id);
                    key.waiting.push_front((conn, refused));
                } else {
                    out.push(Effect::Drop(conn));
                }
            }
        }
        self.dispatch(&mut out);
        out
    }

    fn query(
        &mut self,
        id: WorkerId,
        ack: u64,
        query: &Query,
        bind: &mut dyn FnMut(KeyId, &Query, &[KeyId]) -> Attempt,
        out: &mut Vec<Effect>,
    ) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let any = query.port == 0 && !matches!(query.place, Place::Unix(_));
        let name = Name { place: query.place.clone(), port: query.port, own: any.then_some((worker.app, query.index)) };
        let seq = worker.next();
        let known = self.keys.iter().find(|(_, key)| key.name == name).map(|(key, _)| *key);
        if let Some(key) = known.filter(|key| worker.keys.contains(key)) {
            let data = self.keys.get(&key).map_or(Value::Null, |key| key.data.clone());
            out.push(Effect::Send(id, wire::refused(seq, ack, &key.to_string(), EADDRINUSE, &data)));
            return;
        }
        let (app, user) = (worker.app, worker.user);
        let stale = self.stale(app, &name);
        let foreign = known.filter(|key| self.keys.get(key).is_some_and(|entry| entry.user != user));
        // What another user bound is that user's, as it would be without us.
        if let Some(key) = foreign.filter(|key| !stale.contains(key)) {
            let errno = if user.is_some() && query.is_guarded() { EACCES } else { EADDRINUSE };
            out.push(Effect::Send(id, wire::refused(seq, ack, &key.to_string(), errno, &query.data)));
            return;
        }
        let key = match known.filter(|_| foreign.is_none()) {
            Some(key) => key,
            None => {
                if let Some(own) = self.full(app) {
                    out.push(Effect::Send(id, wire::refused(seq, ack, "", EMFILE, &query.data)));
                    out.push(Effect::Full(id, own));
                    return;
                }
                self.minted += 1;
                let key = self.minted;
                let attempt = match bind(key, query, &[]) {
                    Err(EADDRINUSE) if !stale.is_empty() => {
                        stale.iter().for_each(|key| self.close(*key, out));
                        bind(key, query, &stale)
                    }
                    attempt => attempt,
                };
                match attempt {
                    Ok((sock, shared)) => {
                        let (apps, waiting) = (BTreeSet::new(), VecDeque::new());
                        self.keys.insert(key, Key { name, sock, shared, user, data: Value::Null, apps, accepting: false, waiting });
                        key
                    }
                    Err(errno) => {
                        out.push(Effect::Send(id, wire::refused(seq, ack, &key.to_string(), errno, &query.data)));
                        return;
                    }
                }
            }
        };
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.keys.insert(key);
        let Some(entry) = self.keys.get_mut(&key) else { return };
        entry.apps.insert(app);
        if entry.data.is_null() {
            entry.data = query.data.clone();
        }
        out.push(if entry.shared {
            Effect::SendSocket(id, wire::shared(seq, ack, &key.to_string(), &entry.data), key)
        } else {
            Effect::Send(id, wire::granted(seq, ack, &key.to_string(), entry.sock.as_ref(), &entry.data))
        });
    }

    /// A connection was accepted.
    pub fn accepted(&mut self, key: KeyId, conn: ConnId) -> Vec<Effect> {
        let mut out = Vec::new();
        match self.keys.get_mut(&key) {
            Some(key) => {
                key.accepting = false;
                key.waiting.push_back((conn, BTreeSet::new()));
            }
            None => out.push(Effect::Drop(conn)),
        }
        self.dispatch(&mut out);
        out
    }

    /// A worker gets no new connections any more.
    pub fn leave(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.leaving = true;
        }
    }

    /// Tells a worker that leaves to close its servers and the channel.
    pub fn disconnect(&mut self, id: WorkerId) -> Vec<Effect> {
        let Some(worker) = self.workers.get_mut(&id) else { return Vec::new() };
        worker.leaving = true;
        let seq = worker.next();
        vec![Effect::Send(id, wire::disconnect(seq))]
    }

    /// The channel of a worker is gone. Its sockets stay for those that come.
    pub fn gone(&mut self, id: WorkerId) -> Vec<Effect> {
        let mut out = Vec::new();
        self.let_go_of_all(id, &mut out);
        if let Some(worker) = self.workers.remove(&id)
            && self.released.contains(&worker.app)
        {
            out.extend(self.release(worker.app));
        }
        self.dispatch(&mut out);
        out
    }

    fn let_go_of_all(&mut self, id: WorkerId, out: &mut Vec<Effect>) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let (app, keys) = (worker.app, std::mem::take(&mut worker.keys));
        if let Some(Pending { key, conn, refused, .. }) = worker.pending.take() {
            match self.keys.get_mut(&key) {
                Some(key) => key.waiting.push_front((conn, refused)),
                None => out.push(Effect::Drop(conn)),
            }
        }
        // Those that go on, or came in its place, may never ask for it.
        let others = self.workers.iter().any(|(other, worker)| *other != id && worker.app == app && worker.listening && !worker.leaving);
        out.extend(keys.into_iter().filter(|key| others && !self.is_held(*key)).map(|key| Effect::CloseUnlessHeld(key, false)));
    }

    /// An app is to have no run any more: its sockets are closed that nobody else has.
    pub fn release(&mut self, app: u32) -> Vec<Effect> {
        self.released.insert(app);
        // After the last of them nobody asks.
        self.released.retain(|app| self.workers.values().any(|worker| worker.app == *app));
        let mut out = Vec::new();
        let users: Vec<KeyId> = self.keys.iter().filter(|(_, key)| key.apps.contains(&app)).map(|(key, _)| *key).collect();
        for key in users {
            let held = self.workers.values().any(|worker| worker.app == app && worker.keys.contains(&key));
            if let (false, Some(entry)) = (held, self.keys.get_mut(&key)) {
                entry.apps.remove(&app);
                if entry.apps.is_empty() {
                    self.close(key, &mut out);
                }
            }
        }
        out
    }

    fn close(&mut self, key: KeyId, out: &mut Vec<Effect>) {
        if let Some(entry) = self.keys.remove(&key) {
            out.extend(entry.waiting.into_iter().map(|(conn, _)| Effect::Drop(conn)));
            out.push(Effect::Close(key));
        }
    }

    /// Whether a connection waits that every worker has refused (`maxConnections`): to ask again at once would keep a processor busy.
    pub fn is_refused(&self) -> bool {
        self.keys.values().flat_map(|key| &key.waiting).any(|(_, refused)| !refused.is_empty())
    }

    /// Those that refused are asked again.
    pub fn retry(&mut self) -> Vec<Effect> {
        self.keys.values_mut().flat_map(|key| &mut key.waiting).for_each(|(_, refused)| refused.clear());
        let mut out = Vec::new();
        self.dispatch(&mut out);
        out
    }

    /// Hands over what waits, and accepts where somebody is free.
    fn dispatch(&mut self, out: &mut Vec<Effect>) {
        for (id, key) in &mut self.keys {
            if key.shared {
                continue;
            }
            let free = |worker: &Worker| !worker.leaving && worker.pending.is_none() && worker.keys.contains(id);
            while let Some((_, refused)) = key.waiting.front() {
                let able = self.workers.iter_mut().filter(|(other, worker)| free(worker) && !refused.contains(other));
                let Some((other, worker)) = able.min_by_key(|(_, worker)| worker.served) else { break };
                let Some((conn, refused)) = key.waiting.pop_front() else { break };
                self.turns += 1;
                worker.served = self.turns;
                let seq = worker.next();
                worker.pending = Some(Pending { seq, key: *id, conn, refused });
                out.push(Effect::SendConnection(*other, wire::connection(seq, &id.to_string()), conn));
            }
            if key.waiting.is_empty() && !key.accepting && self.workers.values().any(free) {
                key.accepting = true;
                out.push(Effect::Accept(*id));
            }
        }
    }
}

impl Worker {
    fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}

mod closing;
#[cfg(test)]
mod tests;
