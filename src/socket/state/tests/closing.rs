use super::{super::closing::MOST, *};

#[test]
fn an_app_that_wants_too_many_sockets_is_told_so_and_leaves_the_others_theirs() {
    let mut world = World::default();
    world.state.attach(1, 10, 0, None);
    for port in 1000..4000 {
        world.said(1, query(port));
    }
    assert_eq!((world.sockets.len(), world.full.len(), world.full[0]), (MOST, 3000 - MOST, (1, MOST)));
    let last = world.sent.last().map(|(_, message)| message["errno"].clone());
    assert_eq!(last, Some(Value::from(wire::EMFILE)));
    world.state.attach(2, 20, 0, None);
    world.said(2, query(5000));
    assert_eq!(world.sockets.len(), MOST + 1);
    // Where one goes, another one may come.
    world.said(1, Said::Close("1".into()));
    let effects = world.state.close_unless_held(1);
    world.perform(effects);
    world.said(1, query(6000));
    assert_eq!((world.sockets.len(), world.full.len()), (MOST + 1, 3000 - MOST));

    // No app takes more than half of what all may have, and each gets its first.
    let mut few = World { state: State::with(6), ..World::default() };
    for (worker, ports) in [(1, 80..84), (2, 90..93), (3, 70..72)] {
        few.state.attach(worker, u32::try_from(worker).unwrap(), 0, None);
        ports.for_each(|port| few.said(worker, query(port)));
    }
    assert_eq!((few.full.as_slice(), few.sockets.len()), ([(1, 3), (3, 1)].as_slice(), 7));
}

#[test]
fn a_port_that_nobody_asks_for_any_more_is_closed_once_the_workers_of_now_listen() {
    let mut world = World::two();
    world.gone(1);
    world.gone(2);
    world.state.attach(3, 7, 1, None);
    world.said(3, Said::Online);
    world.said(3, query(81));
    assert!(world.unheld.is_empty(), "it may still come to that");
    world.said(3, Said::Listening);
    assert_eq!(world.unheld, [1]);
    let effects = world.state.close_unless_held(1);
    world.perform(effects);
    assert_eq!(world.sockets, BTreeSet::from([2]));
}
