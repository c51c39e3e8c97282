//! When a socket is closed, or none is given: who has it, who may never ask for it again, and how many an app may have.

use super::{Effect, Key, KeyId, Name, State};

/// Sockets that an app may have.
pub(super) const MOST: usize = 1024;

impl State {
    /// How many sockets an app has, where it gets no more.
    pub(super) fn full(&self, app: u32) -> Option<usize> {
        let own = self.keys.values().filter(|key| key.apps.contains(&app)).count();
        let all = self.most.unwrap_or(usize::MAX);
        // The first is everybody's right, and no app takes what others need.
        (own >= MOST.min(all / 2).max(1) || own > 0 && self.keys.len() >= all).then_some(own)
    }

    /// What an app alone had bound there and is only held by workers that leave: an edit has given it another address, or another user.
    /// Those serve what they have begun, and need no socket for that.
    pub(super) fn stale(&self, app: u32, wanted: &Name) -> Vec<KeyId> {
        let same = |name: &Name| name == wanted || wanted.port != 0 && name.port == wanted.port;
        let its = |key: &Key| same(&key.name) && key.is_alone(app);
        let holds = |id: &KeyId| self.workers.values().any(|worker| !worker.leaving && worker.keys.contains(id));
        self.keys.iter().filter(|(id, key)| its(key) && !holds(id)).map(|(id, _)| *id).collect()
    }

    /// The time of a `CloseUnlessHeld` is over.
    pub fn close_unless_held(&mut self, key: KeyId) -> Vec<Effect> {
        let mut out = Vec::new();
        if !self.is_held(key) {
            self.close(key, &mut out);
        }
        out
    }

    /// What is an app's alone and none of its workers has, though one listens: those before it may have had another address.
    pub(super) fn forsaken(&self, app: u32) -> impl Iterator<Item = KeyId> {
        self.keys.iter().filter(move |(id, key)| key.is_alone(app) && !self.is_held(**id)).map(|(id, _)| *id)
    }

    pub(super) fn is_held(&self, key: KeyId) -> bool {
        self.workers.values().any(|worker| worker.keys.contains(&key))
    }
}

impl Key {
    /// Whether no other app has it.
    fn is_alone(&self, app: u32) -> bool {
        self.apps.iter().all(|other| *other == app)
    }
}
