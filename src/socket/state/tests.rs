mod closing;

use super::*;

const HTTP: &str = "http";

fn query(port: u16) -> Said {
    let place = Place::Tcp(None);
    Said::Query(5, Box::new(Query { place, port, index: 0, backlog: 511, open: (false, false), data: Value::from(HTTP) }))
}

/// Workers that answer, and what they and the system have.
#[derive(Default)]
struct World {
    state: State,
    sockets: BTreeSet<KeyId>,
    accepting: BTreeSet<KeyId>,
    /// Connections that are open, with the worker that has each now.
    conns: BTreeMap<ConnId, Option<WorkerId>>,
    /// What workers have still to answer.
    offered: Vec<(WorkerId, u64, ConnId)>,
    sent: Vec<(WorkerId, Value)>,
    unheld: Vec<KeyId>,
    full: Vec<(WorkerId, usize)>,
    minted: ConnId,
}

impl World {
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(worker, text) | Effect::SendSocket(worker, text, _) => {
                    assert!(self.state.workers.contains_key(&worker), "{worker} is gone");
                    self.sent.push((worker, serde_json::from_str(&text).unwrap()));
                }
                Effect::SendConnection(worker, text, conn) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    let before = self.conns.insert(conn, Some(worker));
                    assert_eq!(before, Some(None), "{conn} is in two hands");
                    self.offered.push((worker, message["msg"]["seq"].as_u64().unwrap(), conn));
                }
                Effect::Accept(key) => assert!(self.sockets.contains(&key) && self.accepting.insert(key), "{key} accepts twice"),
                Effect::Drop(conn) => assert!(self.conns.remove(&conn).is_some(), "{conn} was dropped before"),
                Effect::CloseUnlessHeld(key, _) => self.unheld.push(key),
                Effect::Full(worker, own) => self.full.push((worker, own)),
                Effect::Close(key) => {
                    assert!(self.sockets.remove(&key), "{key} was closed before");
                    self.accepting.remove(&key);
                }
            }
        }
    }

    fn said(&mut self, worker: WorkerId, said: Said) {
        let Self { state, sockets, .. } = self;
        let effects = state.said(worker, said, &mut |key, query, stale| {
            // The first port is taken by a stranger, the fourth by whatever was bound there before.
            if query.port == 1 || query.port == 4 && stale.is_empty() && !sockets.is_empty() {
                return Err(-98);
            }
            sockets.insert(key);
            Ok((None, query.port == 2))
        });
        self.perform(effects);
    }

    fn accept(&mut self, key: KeyId) {
        self.accepting.remove(&key);
        self.minted += 1;
        self.conns.insert(self.minted, None);
        let effects = self.state.accepted(key, self.minted);
        self.perform(effects);
    }

    fn answer(&mut self, at: usize, accepted: bool) {
        let (worker, seq, conn) = self.offered.remove(at);
        if !accepted {
            self.conns.insert(conn, None);
        }
        self.said(worker, Said::Taken(seq, accepted));
    }

    fn gone(&mut self, worker: WorkerId) {
        for (of, _, conn) in &self.offered {
            if *of == worker {
                self.conns.insert(*conn, None);
            }
        }
        self.offered.retain(|(of, ..)| *of != worker);
        let effects = self.state.gone(worker);
        self.perform(effects);
    }

    fn two() -> Self {
        let mut world = Self::default();
        for worker in [1, 2] {
            world.state.attach(worker, 7, u16::try_from(worker).unwrap(), None);
            world.said(worker, Said::Online);
            world.said(worker, query(80));
            world.said(worker, Said::Listening);
        }
        world
    }
}

#[test]
fn workers_take_turns_on_one_socket() {
    let mut world = World::two();
    assert_eq!((world.sockets.len(), world.accepting.len()), (1, 1));
    world.accept(1);
    world.accept(1);
    assert_eq!(world.offered.iter().map(|(worker, ..)| *worker).collect::<Vec<_>>(), [1, 2]);
    assert!(world.accepting.is_empty(), "nobody is free");
    world.answer(1, true);
    assert!(world.accepting.contains(&1));
    world.accept(1);
    assert_eq!(world.offered.last().map(|(worker, ..)| *worker), Some(2));
}

#[test]
fn what_a_dead_worker_had_not_acknowledged_goes_to_another() {
    let mut world = World::two();
    world.accept(1);
    world.gone(1);
    assert_eq!(world.offered.iter().map(|(worker, ..)| *worker).collect::<Vec<_>>(), [2]);
    world.gone(2);
    assert_eq!(world.conns.values().collect::<Vec<_>>(), [&None], "it waits for those that come");
    assert_eq!(world.sockets.len(), 1);
}

#[test]
fn a_worker_that_leaves_gets_nothing_new_and_no_answer() {
    let mut world = World::two();
    world.state.leave(1);
    let sent = world.sent.len();
    world.said(1, query(81));
    assert_eq!(world.sent.len(), sent);
    for _ in 0..3 {
        world.accept(1);
        assert_eq!(world.offered[0].0, 2);
        world.answer(0, true);
    }
    world.said(1, Said::Quits(9));
    let (worker, message) = world.sent.last().unwrap();
    assert_eq!((*worker, &message["ack"]), (1, &Value::from(9)));
}

#[test]
fn a_refused_connection_is_offered_to_each_once_and_then_after_a_pause() {
    let mut world = World::two();
    world.accept(1);
    world.answer(0, false);
    assert_eq!(world.offered[0].0, 2);
    assert!(!world.state.is_refused(), "it is on its way");
    world.state.leave(2);
    world.answer(0, false);
    assert!(world.state.is_refused());
    let effects = world.state.retry();
    world.perform(effects);
    assert_eq!(world.offered[0].0, 1);
}

#[test]
fn errors_and_keys_are_told_with_the_shared_data() {
    let mut world = World::two();
    world.said(1, query(1));
    let of = |world: &World| world.sent.last().map(|(_, message)| (message["errno"].clone(), message["data"].clone())).unwrap();
    assert_eq!(of(&world), (Value::from(-98), Value::from(HTTP)));
    world.said(1, query(80));
    assert_eq!(of(&world), (Value::from(-98), Value::from(HTTP)), "it has that socket already");
}

#[test]
fn any_port_is_an_apps_own_and_stays() {
    let mut world = World::two();
    world.state.attach(3, 8, 0, None);
    for worker in [1, 2, 3] {
        world.said(worker, query(0));
    }
    assert_eq!(world.sockets.len(), 3);
    world.state.attach(4, 7, 1, None);
    world.said(4, query(0));
    assert_eq!(world.sockets.len(), 3);
}

#[test]
fn a_released_app_keeps_nothing_and_others_keep_theirs() {
    let mut world = World::two();
    world.state.attach(3, 8, 0, None);
    world.said(3, query(80));
    world.said(3, query(90));
    let effects = world.state.release(7);
    world.perform(effects);
    world.gone(1);
    world.gone(2);
    assert_eq!(world.sockets.len(), 2);
    world.gone(3);
    let effects = world.state.release(8);
    world.perform(effects);
    assert!(world.sockets.is_empty());
}

#[test]
fn a_successor_listens_once_it_has_what_the_one_before_it_has() {
    let mut world = World::two();
    world.said(1, query(90));
    world.state.attach(3, 7, 1, None);
    assert_eq!(world.state.listens(3), None);
    world.said(3, query(80));
    world.said(3, Said::Listening);
    assert_eq!(world.state.listens(3), Some(false));
    world.said(3, query(90));
    assert_eq!(world.state.listens(3), Some(true));
}

#[test]
fn a_socket_closed_by_its_last_holder_goes_unless_somebody_has_it_again() {
    let mut world = World::two();
    world.said(1, Said::Close("1".into()));
    assert!(world.unheld.is_empty());
    world.said(2, Said::Close("1".into()));
    assert_eq!(world.unheld, [1]);
    world.said(1, query(80));
    let effects = world.state.close_unless_held(1);
    world.perform(effects);
    assert_eq!(world.sockets.len(), 1);
    world.said(1, Said::Close("1".into()));
    let effects = world.state.close_unless_held(1);
    world.perform(effects);
    assert!(world.sockets.is_empty() && world.accepting.is_empty());
}

#[test]
fn whatever_happens_no_connection_is_lost_or_in_two_hands() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::default();
        let mut next = 0;
        for _ in 0..400 {
            let workers: Vec<_> = world.state.workers.keys().copied().collect();
            let worker = rng.choice(&workers).copied();
            match (rng.u8(0..20), worker) {
                (0..=1, _) | (_, None) => {
                    next += 1;
                    world.state.attach(next, rng.u32(0..3), rng.u16(0..2), None);
                }
                (2, Some(worker)) => world.gone(worker),
                (3, Some(worker)) => world.state.leave(worker),
                (4..=6, Some(worker)) => world.said(worker, query(rng.u16(0..5))),
                (7, Some(worker)) => {
                    let key = rng.u64(0..8).to_string();
                    world.said(worker, Said::Close(key));
                }
                (8, Some(worker)) => {
                    let said = rng.choice([Said::Online, Said::Listening, Said::Quits(1), Said::Taken(10_000, true)]).unwrap();
                    for (of, _, conn) in world.offered.clone() {
                        if of == worker && said == Said::Online {
                            world.conns.insert(conn, None);
                        }
                    }
                    if said == Said::Online {
                        world.offered.retain(|(of, ..)| *of != worker);
                    }
                    world.said(worker, said);
                }
                (9, Some(_)) => {
                    let effects = world.state.release(rng.u32(0..3));
                    world.perform(effects);
                }
                (10, Some(_)) if !world.unheld.is_empty() => {
                    let key = world.unheld.remove(0);
                    let effects = world.state.close_unless_held(key);
                    world.perform(effects);
                }
                (11, Some(_)) => {
                    let effects = world.state.retry();
                    world.perform(effects);
                }
                (12..=15, Some(_)) => {
                    let keys: Vec<_> = world.accepting.iter().copied().collect();
                    rng.choice(keys).into_iter().for_each(|key| world.accept(key));
                }
                _ => {
                    if !world.offered.is_empty() {
                        let at = rng.usize(0..world.offered.len());
                        world.answer(at, rng.u8(0..5) > 0);
                    }
                }
            }
            let held = world.state.workers.values().flat_map(|worker| &worker.keys);
            assert!(held.into_iter().all(|key| world.sockets.contains(key)), "{seed}: a socket that is held is closed");
            let waiting = world.state.keys.values().flat_map(|key| &key.waiting).count();
            let pending = world.state.workers.values().filter(|worker| worker.pending.is_some()).count();
            assert_eq!(waiting + pending, world.conns.len(), "{seed}: a connection is lost");
            let most = world.state.keys.len() + usize::try_from(next).unwrap();
            assert!(world.conns.len() <= most, "{seed}: connections pile up here instead of in the kernel");
        }
    }
}

#[test]
fn a_port_that_one_user_bound_is_not_for_another() {
    let mut world = World::default();
    world.state.attach(1, 7, 0, None);
    world.state.attach(2, 8, 0, Some(65534));
    for port in [80, 8080] {
        world.said(1, query(port));
        world.said(2, query(port));
    }
    let errno =
        |worker: WorkerId| world.sent.iter().filter(|(to, _)| *to == worker).map(|(_, text)| text["errno"].clone()).collect::<Vec<_>>();
    assert_eq!(errno(1), [Value::Null, Value::Null]);
    assert_eq!(errno(2), [Value::from(-13), Value::from(-98)]);
}

#[test]
fn what_only_leaving_workers_hold_gives_way_to_another_address() {
    let mut world = World::default();
    let at = |address: &str| {
        let query =
            Query { place: Place::Tcp(Some(address.into())), port: 4, index: 0, backlog: 511, open: (false, false), data: Value::Null };
        Said::Query(1, Box::new(query))
    };
    let errno = |world: &World, worker: WorkerId| world.sent.iter().rfind(|(to, _)| *to == worker).map(|(_, text)| text["errno"].clone());
    for worker in [1, 2] {
        world.state.attach(worker, 7, 0, None);
        world.said(worker, at("::"));
        world.said(worker, Said::Listening);
    }
    world.state.attach(3, 7, 0, None);
    world.said(3, at("127.0.0.1"));
    assert_eq!(errno(&world, 3), Some(Value::from(-98)), "those before serve there");
    world.state.leave(1);
    world.state.leave(2);
    let effects = world.state.gone(1);
    world.perform(effects);
    world.said(3, at("127.0.0.1"));
    assert_eq!(errno(&world, 3), Some(Value::Null));
    assert_eq!(world.sockets.len(), 1);
}

#[test]
fn nothing_is_kept_of_apps_that_are_gone() {
    let mut world = World::default();
    for app in 0..100 {
        let worker = u64::from(app);
        world.state.attach(worker, app, 0, None);
        world.said(worker, query(80));
        // Its end and the word that it is to have no run come in either order.
        for is_end in [app % 2 == 0, app % 2 != 0] {
            if is_end {
                world.gone(worker);
            } else {
                let effects = world.state.release(app);
                world.perform(effects);
            }
        }
    }
    let State { workers, keys, released, .. } = &world.state;
    assert_eq!((workers.len(), keys.len(), released.len()), (0, 0, 0));
}
