//! What keys do, and what follows from answers.

use super::*;
use crate::control::{Action, Request};

/// The request that was made, if one was.
fn asked(bench: &mut Bench) -> Option<Request> {
    let mut requests = bench.taken().into_iter().filter_map(|command| match command {
        Command::Ask { request, .. } => Some(request),
        _ => None,
    });
    let first = requests.next();
    assert_eq!(requests.next(), None, "one key is one request");
    first
}

fn act(action: Action, target: &str) -> Option<Request> {
    Some(Request::Act { action, targets: vec![target.to_owned()], wait: true })
}

/// The shop, and a row of it selected by name.
fn at(row: &str) -> Bench {
    let mut bench = Bench::new(100, 30);
    bench.list(shop());
    for _ in 0..10 {
        if bench.state.selected.as_ref().is_some_and(|target| target.word() == row) {
            break;
        }
        bench.press("<Down>");
    }
    assert_eq!(bench.state.selected.as_ref().map(|target| target.word()).as_deref(), Some(row));
    bench.taken();
    bench
}

#[test]
fn keys_ask_for_what_is_selected() {
    for (row, key, request) in [
        ("web", "r", act(Action::Restart, "web")),
        ("web", "l", act(Action::Reload, "web")),
        ("web", "s", act(Action::Start, "web")),
        ("web", "x", act(Action::Stop, "web")),
        ("api:1", "r", act(Action::Restart, "api:1")),
        ("api", "x", act(Action::Stop, "api")),
        ("all", "s", act(Action::Start, "all")),
        ("api:1", "+", Some(Request::Scale { app: "api".into(), count: "+1".into(), wait: false })),
        ("web", "-", Some(Request::Scale { app: "web".into(), count: "-1".into(), wait: false })),
        ("all", "+", None),
        ("all", "p", Some(Request::Pause { on: true })),
        ("web", "<C-r>", None),
        ("web", "R", None),
    ] {
        let mut bench = at(row);
        bench.press(key);
        assert_eq!(asked(&mut bench), request, "{key} on {row}");
    }
}

#[test]
fn what_cannot_be_taken_back_is_asked_once() {
    for (row, key, question, request) in [
        ("all", "x", "Stop all 3 apps?", act(Action::Stop, "all")),
        ("all", "r", "Restart all 3 apps?", act(Action::Restart, "all")),
        ("web", "d", "Delete web?", act(Action::Delete, "web")),
    ] {
        let mut bench = at(row);
        for no in ["n", "<Esc>", "<Enter>", key] {
            bench.press(key).sees(question);
            bench.press(no).misses(question);
            assert_eq!(asked(&mut bench), None, "{no}");
        }
        bench.press(key).press("y").misses(question);
        assert_eq!(asked(&mut bench), request);
    }
}

#[test]
fn answers_are_shown_for_a_while_and_the_runner_is_looked_at_at_once() {
    let mut bench = at("web");
    bench.press("r").sees("web is being restarted");
    let number = bench.state.pending[0].0;
    bench.taken();
    bench.press("r").sees("web is being restarted already");
    assert_eq!(asked(&mut bench), None, "a key that is held down asks once");
    bench.press("x");
    assert_eq!(asked(&mut bench), act(Action::Stop, "web"), "but something else may be asked meanwhile");
    bench.tell(Message::Answered { number, outcome: Ok(Duration::from_millis(180)) });
    bench.sees("web is online again (in 180 ms)");
    assert!(bench.taken().contains(&Command::Look));
    bench.pass(5000).misses("online again");
    let number = bench.state.pending[0].0;
    bench.tell(Message::Answered { number, outcome: Err("web has crashed (exit code 1)".to_owned()) });
    bench.sees("web has crashed (exit code 1)");
    bench.pass(16_000).misses("web has crashed");
    bench.tell(Message::Answered { number, outcome: Ok(Duration::ZERO) });
    bench.misses("stopped");
}

#[test]
fn the_runner_is_looked_at_every_second_and_once_at_a_time() {
    let mut bench = Bench::new(80, 24);
    assert_eq!(bench.taken(), [Command::Look]);
    bench.pass(10_000);
    assert_eq!(bench.taken(), [], "it has not answered yet");
    bench.list(shop());
    bench.taken();
    bench.pass(700);
    assert_eq!(bench.taken(), []);
    bench.pass(200);
    assert_eq!(bench.taken(), [Command::Look]);
    bench.tell(Message::Lost("gone".to_owned())).pass(1000);
    assert_eq!(bench.taken(), [Command::Look]);
}

#[test]
fn who_walks_down_a_list_asks_for_lines_only_where_he_stays() {
    let mut bench = Bench::new(80, 24);
    bench.list(shop());
    assert_eq!(bench.followed().unwrap().1, "all");
    bench.taken();
    bench.press("jjj").pass(100);
    assert_eq!(bench.followed(), None);
    bench.press("j").pass(200);
    let follows: Vec<_> = bench.taken().into_iter().filter(|command| matches!(command, Command::Follow { .. })).collect();
    assert!(matches!(follows.as_slice(), [Command::Follow { target, .. }] if target == "web"), "{follows:?}");
}

#[test]
fn the_selection_stays_with_its_app_and_goes_to_a_neighbour_when_that_goes() {
    let mut bench = at("web");
    let mut apps = shop();
    apps.insert(0, app(9, "added"));
    bench.list(apps);
    bench.selects("web");
    bench.list(shop().into_iter().filter(|view| view.name != "web").collect());
    bench.selects("worker");
    let mut bench = at("api:1");
    bench.list(shop().into_iter().filter(|view| view.pm_id != 1).collect());
    bench.selects("api ");
    bench.list(vec![app(7, "other")]);
    bench.selects("other");
    bench.list(Vec::new());
    bench.list(shop());
    assert!(bench.state.row().is_some());
}

#[test]
fn instances_are_folded_and_unfolded() {
    let mut bench = at("api:1");
    bench.press("<Enter>").selects("api ▸");
    bench.misses("api:0");
    bench.list(shop()).misses("api:0");
    bench.press("<Enter>").sees("api:0");
    let mut many = Bench::new(80, 24);
    many.list(instances(0, "many", 20));
    many.selects("many ▸");
    many.misses("many:0");
    many.press("<Enter>").sees("many:0");
}

#[test]
fn pause_is_a_switch() {
    let paused = || shop().into_iter().map(|view| InstanceView { paused: true, ..view }).collect::<Vec<_>>();
    let mut bench = at("web");
    bench.list(paused()).sees("watching is paused");
    bench.taken();
    bench.press("p");
    assert_eq!(asked(&mut bench), Some(Request::Pause { on: false }));
}

#[test]
fn a_pasted_text_is_never_keys() {
    let mut bench = at("web");
    bench.tell(Message::Pasted("xxx\nrrr".to_owned()));
    assert_eq!(asked(&mut bench), None);
    bench.press("/").tell(Message::Pasted("two words\nrrr".to_owned())).sees("/two words▏");
}

#[test]
fn leaving() {
    for (keys, command) in [
        ("q", Command::Quit),
        ("<C-c>", Command::Quit),
        ("/word<C-c>", Command::Quit),
        ("<C-z>", Command::Suspend),
        ("<C-l>", Command::Redraw),
    ] {
        let mut bench = at("web");
        bench.press(keys);
        assert_eq!(bench.taken(), [command], "{keys}");
    }
    let mut bench = at("web");
    bench.press("?q");
    assert_eq!(bench.taken(), [], "a key ends the help and does nothing else");
}
