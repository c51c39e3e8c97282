//! What is to be seen, at three sizes and below.

use super::*;

/// The shop after some looks, with lines.
fn bench(columns: u16, lines: u16) -> Bench {
    let mut bench = Bench::new(columns, lines);
    for step in 0..30_u32 {
        let mut apps = shop();
        apps[0].cpu = f64::from(step % 8) * 10.0;
        apps[0].memory = u64::from(step + 1) << 20;
        bench.list(apps).pass(1000);
    }
    bench.print("api:0", ["listening on http://localhost:3000", "\x1b[32mGET\x1b[0m /items \x1b[1m200\x1b[0m in 12 ms"]);
    bench.print("web", ["名前 🦀 größe: 全角の行", "", "\x1b]0;owned\x07\x1b[2Jno escape of an app gets through"]);
    let long: String = (1..=40).map(|number| format!("word{number} ")).collect();
    bench.print("worker", [format!("a long line: {long}").as_str(), "Error: connect ECONNREFUSED 127.0.0.1:5432"]);
    bench
}

#[test]
fn eighty_by_twenty_four() {
    insta::assert_snapshot!(bench(80, 24).screen(), @"
    pmdev monit  runner 4711 in /home/ann/shop                   1 crashed, 3 online
     name         state                  up    cpu             memory             ↺
    ▸all apps     3/4 online           12 s   164% ▇██▅▆▆▆▇▇  2.1 GiB ████████    4
     api ▾        online               12 s  52.3% ▆▇█▁▂▃▄▅▆ 75.0 MiB ▇▇██████    3
       api:0      online           3 m 20 s  50.0% ▆▇█▁▂▃▄▅▆ 30.0 MiB ▆▇▇▇▇███    0
       api:1      online               12 s   2.3% ▂▂▂▂▂▂▂▂▂ 45.0 MiB ████████    3
     web          online           3 m 20 s   112% █████████  2.0 GiB ████████    0
     worker       crashed                 -   0.0% ▁▁▁▁▁▁▁▁▁        - ▁▁▁▁▁▁▁▁    1
    ── all apps · 3/4 online · restarted 4 times · up 12 s ────────────────── live ─
    api:0  | listening on http://localhost:3000
    api:0  | GET /items 200 in 12 ms
    web    | 名前 🦀 größe: 全角の行
    web    |
    web    | no escape of an app gets through
    worker | a long line: word1 word2 word3 word4 word5 word6 word7 word8 word9 word
             10 word11 word12 word13 word14 word15 word16 word17 word18 word19 word2
             0 word21 word22 word23 word24 word25 word26 word27 word28 word29 word30
              word31 word32 word33 word34 word35 word36 word37 word38 word39 word40
    worker | Error: connect ECONNREFUSED 127.0.0.1:5432




    r: restart  l: reload  s: start  x: stop  /: search  ?: help  q: leave
    ");
}

#[test]
fn a_hundred_and_twenty_by_forty() {
    insta::assert_snapshot!(bench(120, 40).press("<Down><Down>").pass(200).print("api:0", ["only one's lines"]).screen(), @"
    pmdev monit  runner 4711 in /home/ann/shop                                                           1 crashed, 3 online
       id name         state               pid        up    cpu            memory             ↺ why it started last
          all apps     3/4 online                   12 s   164% ██▅▆▆▆▇▇  2.1 GiB ████████    4 a change (src/api.js)
          api ▾        online                       12 s  52.3% ▇█▁▂▃▄▅▆ 75.0 MiB ▇▇██████    3 a change (src/api.js)
    ▸   0   api:0      online             4712  3 m 20 s  50.0% ▇█▁▂▃▄▅▆ 30.0 MiB ▆▇▇▇▇███    0 the runner began
        1   api:1      online             4713      12 s   2.3% ▂▂▂▂▂▂▂▂ 45.0 MiB ████████    3 a change (src/api.js)
        2 web          online             4714  3 m 20 s   112% ████████  2.0 GiB ████████    0 the runner began
        3 worker       crashed                         -   0.0% ▁▁▁▁▁▁▁▁        - ▁▁▁▁▁▁▁▁    1 exit code 1
    ── api:0 · online · up 3 m 20 s · pid 4712 ────────────────────────────────────────────────────────────────────── live ─
    only one's lines





























    r: restart  l: reload  s: start  x: stop  p: pause watching  + -: scale  t: times  /: search  ?: help  q: leave
    ");
}

#[test]
fn two_hundred_by_sixty() {
    insta::assert_snapshot!(bench(200, 60).press("t").screen(), @"
    pmdev monit  runner 4711 in /home/ann/shop                                                                                                                                           1 crashed, 3 online
       id name         state               pid        up    cpu                        memory                         ↺ why it started last
    ▸     all apps     3/4 online                   12 s   164% ▆▆▇▇██▅▆▆▆▇▇██▅▆▆▆▇▇  2.1 GiB ████████████████████    4 a change (src/api.js)
          api ▾        online                       12 s  52.3% ▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆ 75.0 MiB ▆▆▆▇▇▇▇▇▇▇▇▇▇▇██████    3 a change (src/api.js)
        0   api:0      online             4712  3 m 20 s  50.0% ▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆ 30.0 MiB ▄▄▄▄▅▅▅▅▅▆▆▆▆▇▇▇▇███    0 the runner began
        1   api:1      online             4713      12 s   2.3% ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂ 45.0 MiB ████████████████████    3 a change (src/api.js)
        2 web          online             4714  3 m 20 s   112% ████████████████████  2.0 GiB ████████████████████    0 the runner began
        3 worker       crashed                         -   0.0% ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁        - ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    1 exit code 1
    ── all apps · 3/4 online · restarted 4 times · up 12 s ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────── live ─
    09:30:00.123 api:0  | listening on http://localhost:3000
    09:30:00.123 api:0  | GET /items 200 in 12 ms
    09:30:00.123 web    | 名前 🦀 größe: 全角の行
    09:30:00.123 web    |
    09:30:00.123 web    | no escape of an app gets through
    09:30:00.123 worker | a long line: word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 word12 word13 word14 word15 word16 word17 word18 word19 word20 word21 word22 word23 word24 word25
                           word26 word27 word28 word29 word30 word31 word32 word33 word34 word35 word36 word37 word38 word39 word40
    09:30:00.123 worker | Error: connect ECONNREFUSED 127.0.0.1:5432










































    r: restart  l: reload  s: start  x: stop  p: pause watching  + -: scale  t: times  /: search  ?: help  q: leave
    ");
}

#[test]
fn the_help_covers_what_is_below() {
    insta::assert_snapshot!(bench(80, 24).press("?").screen(), @"
    pmdev monit  runner 4711 in /home/ann/shop                   1 crashed, 3 online
     name         state                  up    cpu             memory             ↺
    ▸all apps┌─ keys ────────────────────────────────────────────────────┐████    4
     api ▾   │ ↑ ↓  k j       select an app                              │████    3
       api:0 │ Enter          show or hide the instances of an app       │▇███    0
       api:1 │ r              restart what is selected                   │████    3
     web     │ l              reload it: one instance after the other    │████    0
     worker  │ s              start it                                   │▁▁▁▁    1
    ── all ap│ x              stop it                                    │─── live ─
    api:0  | │ d              delete it: stop, and forget                │
    api:0  | │ + -            one instance more, one less                │
    web    | │ p              pause watching, or go on with it           │
    web    | │ PgUp PgDn      older, newer lines (K J: one by one)       │
    web    | │ Home End       the oldest lines, the newest (g G)         │
    worker | │ /              search the lines; Enter keeps, Esc ends it │word9 word
             │ n N            the next older, the next newer line found  │rd19 word2
             │ w              wrap long lines, or not (← → moves them)   │d29 word30
             │ t              show or hide the times of lines            │39 word40
    worker | │ Ctrl-L Ctrl-Z  draw anew; back to the shell until fg      │
             │ ?              this help                                  │
             │ q  Ctrl-C      leave; the apps run on                     │
             └───────────────────────────────────────────────────────────┘

    any key: back
    ");
}

#[test]
fn a_long_list_scrolls_with_the_selection() {
    let mut bench = Bench::new(80, 24);
    let apps: Vec<InstanceView> = (0..100).map(|number| app(number, &format!("app-{number:02}"))).collect();
    bench.list(apps);
    bench.sees("1-11 of 101");
    bench.press(&"<Down>".repeat(50)).pass(200);
    bench.selects("app-49");
    bench.sees("41-51 of 101");
    assert_eq!(bench.followed().unwrap().1, "app-49");
    bench.press(&"<Up>".repeat(5));
    bench.sees("41-51 of 101");
    bench.press(&"<Down>".repeat(500));
    bench.sees("91-101 of 101");
    bench.press(&"<Up>".repeat(500));
    bench.sees("1-11 of 101");
}

#[test]
fn every_size_is_drawn_and_a_small_one_says_so() {
    let mut bench = bench(80, 24);
    for mode in ["", "/wo<Enter>", "<Esc>x"] {
        bench.press(mode);
        for (columns, lines) in [0, 1, 20, 59, 60, 61, 75, 80, 101, 129]
            .into_iter()
            .flat_map(|columns| [0, 1, 5, 19, 20, 23, 24, 40].map(|lines| (columns, lines)))
        {
            bench.tell(Message::Resized(columns, lines));
            let screen = bench.screen();
            let is_small = columns < 60 || lines < 20;
            assert_eq!(screen.contains("pmdev monit"), !is_small, "{columns}×{lines}:\n{screen}");
        }
        bench.tell(Message::Resized(80, 24));
    }
    bench.tell(Message::Resized(40, 10));
    insta::assert_snapshot!(bench.screen().trim_end(), @"
    too small: 40×10
    needed: 60×20
    q leaves
    ");
    bench.taken();
    bench.press("xr");
    assert!(bench.taken().is_empty(), "what is not seen is not acted on");
    bench.press("q");
    assert_eq!(bench.taken(), [Command::Quit]);
}

#[test]
fn without_colour_there_is_none_and_with_it_only_that_is_more() {
    let colours = |buffer: &Buffer| {
        buffer.content().iter().filter(|cell| cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset).count()
    };
    let mut bench = bench(120, 40);
    bench.press("/GET<Enter>");
    let (plain, text) = (bench.buffer(), bench.screen());
    assert_eq!(colours(&plain), 0);
    bench.state.colour = true;
    assert!(colours(&bench.buffer()) > 100);
    assert_eq!(bench.screen(), text);
}

#[test]
fn a_runner_without_apps_and_none_at_all() {
    let mut bench = Bench::new(80, 24);
    bench.sees("asking the runner");
    bench.list(Vec::new());
    bench.sees("this runner has no apps");
    bench.list(shop());
    bench.sees("1 crashed, 3 online");
    bench.tell(Message::Lost("the runner with pid 4711 has ended".to_owned()));
    bench.sees("the runner with pid 4711 has ended; waiting for it to come back");
    bench.sees("web");
    bench.taken();
    bench.press("r").press("y");
    bench.sees("no runner is there to be asked");
    assert!(!bench.taken().iter().any(|command| matches!(command, Command::Ask { .. })));
}
