use super::*;

fn after(text: &str) -> Modes {
    let mut modes = Modes::default();
    modes.feed(text.as_bytes());
    modes
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\x1b', "^").replace('\x0e', "<SO>").replace('\x0f', "<SI>")
}

/// What enters, and what leaves.
#[track_caller]
fn check(text: &str, enter: &str, leave: &str) {
    let modes = after(text);
    assert_eq!((shown(&modes.enter()).as_str(), shown(&modes.leave()).as_str()), (enter, leave), "{text:?}");
    // Whoever was brought there is there, and whoever was brought back has nothing left.
    let mut other = after(&String::from_utf8(modes.enter()).unwrap());
    assert_eq!(other.enter(), modes.enter(), "{text:?}");
    other.feed(&modes.leave());
    assert_eq!((shown(&other.enter()).as_str(), shown(&other.leave()).as_str()), ("", "^[0m"), "{text:?}");
}

#[test]
fn what_was_switched_on_is_switched_off_and_the_other_way_round() {
    let editor = "x\x1b[?1049h\x1b[22;0;0t\x1b[?25l\x1b[?1000;1006h\x1b=\x1b[>1u\x1b[31mred";
    check(editor, "^[?25l^[?1000h^[?1006h^[?1049h^[>1u^=^[31m", "^[<1u^[?25h^[?1000l^[?1006l^[?1049l^>^[0m");
    assert!(after(editor).draws());
    let left = "\x1b[?1049h\x1b[?25l\x1b[>1ux\x1b[<u\x1b[?25h\x1b[?1049l";
    check(left, "", "^[0m");
    assert!(!after(left).draws());
    assert_eq!(shown(&after("\x1b[?2004h\x1bc").leave()), "^[0m", "a reset");
    assert_eq!(shown(&after("\x1b[?2026h").enter()), "", "a frame under way");
    check("\x1b[?7l\x1b[?1004h", "^[?7l^[?1004h", "^[?7h^[?1004l^[0m");
}

#[test]
fn margins_are_set_and_lifted_around_the_cursor() {
    check("\x1b[1;10rx", "^7^[1;10r^8", "^7^[r^8^[0m");
    check("\x1b[5r", "^7^[5r^8", "^7^[r^8^[0m");
    for lifted in ["\x1b[r", "\x1b[;r", "\x1b[1r", "\x1bc", "\x1b[!p"] {
        check(&format!("\x1b[2;10r{lifted}"), "", "^[0m");
    }
    // Only with margins at the sides; else it saves the cursor.
    check("\x1b[2;9s", "", "^[0m");
    check("\x1b[?69h\x1b[2;9s\x1b[3;4r", "^[?69h^7^[3;4r^[2;9s^8", "^7^[r^[s^8^[?69l^[0m");
    check("\x1b[?69h\x1b[2;9s\x1b[?69l", "", "^[0m");
    // On a screen of its own there is no place to keep, and the margins are that screen's.
    check("\x1b[?1049h\x1b[1;10r", "^[?1049h^[1;10r", "^[r^[?1049l^[0m");
    // To count from a margin moves the cursor.
    check("\x1b[3;9r\x1b[?6h", "^7^[3;9r^8^[?6h", "^7^[r^8^[?6l^[9999H^[0m");
    let mut smaller = after("\x1b[1;10r");
    smaller.resized();
    assert_eq!((shown(&smaller.enter()), shown(&smaller.leave())), (String::new(), "^7^[r^8^[0m".to_owned()));
    smaller.feed(b"\x1b[1;20r");
    assert_eq!(shown(&smaller.enter()), "^7^[1;20r^8");
}

#[test]
fn inserting_character_sets_and_the_cursors_shape_are_kept_and_taken_back() {
    check("\x1b[4h", "^[4h", "^[4l^[0m");
    check("\x1b[4;12h\x1b[20h\x1b[20l\x1b[12l", "^[4h^[12l", "^[4l^[12h^[0m");
    check("\x1b(0lqk", "^(0", "^(B^[0m");
    check("\x1b(0\x1b(B", "", "^[0m");
    check("\x1b)0\x0e", "^)0<SO>", "^)B<SI>^[0m");
    check("\x1b(%5x", "^(%5", "^(B^[0m");
    check("\x1b*0\x1bnx\x0ey\x0f", "^*0", "^*B^[0m");
    check("\x1b[5 q", "^[5 q", "^[0 q^[0m");
    check("\x1b[5 q\x1b[ q", "", "^[0m");
    // What the cursor took along comes back with it.
    check("\x1b7\x1b(0\x1b[1m\x1b8", "", "^[0m");
    check("\x1b(0\x1b7\x1b(B\x1b8", "^(0", "^(B^[0m");
    check("\x1b[4h\x1b(0\x1b[?25l\x1b[?2004h\x1b[!p", "^[?2004h", "^[?2004l^[0m");
}

#[test]
fn looks_are_those_of_what_is_written_next() {
    check("\x1b[1;31;44mx", "^[1;31;44m", "^[0m");
    check("\x1b[1;31m\x1b[22;92m", "^[92m", "^[0m");
    check("\x1b[31m\x1b[m", "", "^[0m");
    check("\x1b[38;5;196;1mx\x1b[48;2;1;2;3m", "^[1;38;5;196;48;2;1;2;3m", "^[0m");
    check("\x1b[4:3m\x1b[58:2::1:2:3m", "^[4:3;58:2::1:2:3m", "^[0m");
    check("\x1b[4:3;7m\x1b[4:0;27;39;49;59m", "", "^[0m");
}

#[test]
fn keyboards_are_told_screen_by_screen() {
    check("\x1b[>1u\x1b[>5u\x1b[?1049h\x1b[>3u", "^[>1u^[>5u^[?1049h^[>3u", "^[<1u^[?1049l^[<2u^[0m");
    check("\x1b[=3u\x1b[=4;2u\x1b[=1;3u", "^[=6u", "^[=0u^[0m");
    check("\x1b[>1u\x1b[=8u", "^[>8u", "^[<1u^[0m");
    check("\x1b[>4;2m", "^[>4;2m", "^[>4m^[0m");
    check("\x1b[>4;2m\x1b[>4m\x1b[>1;1m\x1b[>m", "", "^[0m");
}

#[test]
fn pieces_of_any_size_mean_the_same() {
    let text = "a\x1b[?1049;2004hb\x1b[?25l\x1b)0\x0e\x1b[2;5r\x1b[4 q\x1b[>4;1m\x1b[1;38;5;9m";
    let mut modes = Modes::default();
    text.bytes().for_each(|byte| modes.feed(&[byte]));
    assert_eq!(modes.enter(), after(text).enter());
}

#[test]
fn nonsense_costs_nothing() {
    let mut modes = Modes::default();
    for mode in 0..1000 {
        modes.feed(format!("\x1b[?{mode}h\x1b[>{mode}u\x1b[>{mode};1m\x1b[{mode};38;5;{mode}m\x1b({mode}").as_bytes());
    }
    modes.feed(format!("\x1b[?{}h", "9;".repeat(10_000)).as_bytes());
    modes.feed(b"\x1b[?99999999999999h\x1b(((((((((\x1b[");
    assert!(modes.made.private.len() <= MOST);
    modes.feed(&[b'1'; 100_000]);
    modes.feed(b"m\x1bc");
    assert_eq!(shown(&modes.enter()), "");
    // A sequence that is given up, and one in whose middle another begins.
    assert_eq!(shown(&after("\x1b[4\x18h\x1b[4\x1b[?1h").enter()), "^[?1h");
}
