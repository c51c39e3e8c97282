//! The runner's own words.

use jiff::Timestamp;
use owo_colors::Style as Paint;

use super::{Style, clean::clean};
use crate::model::{Level, Notice, NoticeKind};

const NAME: &str = "[pmdev]";

/// A notice as an object.
#[derive(serde::Serialize)]
struct Object<'a> {
    time: String,
    level: &'static str,
    event: NoticeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Whether a notice is shown: with `--quiet` warnings and errors alone, and what was asked for.
pub fn is_shown(notice: &Notice, quiet: bool) -> bool {
    !quiet || notice.level > Level::Info || notice.kind == NoticeKind::Answer
}

/// A notice as whole lines: `[pmdev] text`, the hint below it, indented; or, for `--json`, as one object of that time.
pub fn render(notice: &Notice, style: Style, json: bool, now: Timestamp) -> Vec<u8> {
    if json { object(notice, now) } else { text(notice, style).into_bytes() }
}

fn text(notice: &Notice, style: Style) -> String {
    let level = match notice.level {
        Level::Info => Paint::new(),
        Level::Warning => Paint::new().yellow(),
        Level::Error => Paint::new().red(),
    };
    let name = match notice.level {
        Level::Info => Paint::new().bold().cyan(),
        Level::Warning => Paint::new().bold().yellow(),
        Level::Error => Paint::new().bold().red(),
    };
    // An app that died in the middle of something red must not colour the news of it.
    let reset = if style.colour { "\x1b[0m" } else { "" };
    let mut shown = format!("{reset}{} {}\n", style.paint(NAME, name), style.paint(&clean(&notice.text), level));
    for line in notice.hint.iter().flat_map(|hint| hint.lines()) {
        let line = clean(line.trim_end());
        shown.push_str(&format!("{:1$}{2}\n", "", NAME.len() + 1, style.paint(&line, Paint::new().dimmed())));
    }
    shown
}

fn object(notice: &Notice, now: Timestamp) -> Vec<u8> {
    let level = match notice.level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let Notice { level: _, kind, app, text, hint } = notice;
    let object = Object { time: format!("{now:.3}"), level, event: *kind, app: app.as_deref(), text, hint: hint.as_deref() };
    let mut shown = serde_json::to_vec(&object).expect("strings always serialize");
    shown.push(b'\n');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_772_649_429, 42_000_000);

    fn shown(notice: &Notice, style: Style, json: bool) -> String {
        String::from_utf8(render(notice, style, json, NOW)).unwrap()
    }

    #[test]
    fn one_line_and_the_hint_below_it() {
        let notice = Notice::new(Level::Error, NoticeKind::Crashed, "api crashed (exit code 1), waiting for a change");
        assert_eq!(shown(&notice, Style::PLAIN, false), "[pmdev] api crashed (exit code 1), waiting for a change\n");
        let hinted = notice.hint("Look here.\n  And there.\n");
        assert_eq!(
            shown(&hinted, Style::PLAIN, false),
            "[pmdev] api crashed (exit code 1), waiting for a change\n        Look here.\n          And there.\n"
        );
        let coloured = shown(&hinted, Style { colour: true }, false);
        assert!(coloured.starts_with("\x1b[0m\x1b[") && coloured.contains("\x1b[31mapi crashed"), "{coloured:?}");
    }

    #[test]
    fn names_from_outside_cannot_make_lines_or_steer_the_terminal() {
        let notice = Notice::new(Level::Info, NoticeKind::Restarted, "api restarted (a\n[pmdev] b\x1b[2J)").hint("rm \x1b]0;x\x07");
        for style in [Style::PLAIN, Style { colour: true }] {
            let shown = shown(&notice, style, false);
            assert_eq!(shown.lines().count(), 2, "{shown:?}");
            assert!(shown.contains(r"(a\n[pmdev] b\u{1b}[2J)") && shown.contains(r"rm \u{1b}]0;x\u{7}"), "{shown:?}");
        }
    }

    #[test]
    fn json_has_what_is_known_and_no_more() {
        let notice = Notice::new(Level::Warning, NoticeKind::PortHeld, "port 3000 is held\n").about("api").hint("stop it");
        assert_eq!(
            shown(&notice, Style { colour: true }, true),
            "{\"time\":\"2026-03-04T18:37:09.042Z\",\"level\":\"warning\",\"event\":\"port_held\",\"app\":\"api\",\
             \"text\":\"port 3000 is held\\n\",\"hint\":\"stop it\"}\n"
        );
        let bare = Notice::new(Level::Info, NoticeKind::Shutdown, "bye");
        assert_eq!(
            shown(&bare, Style::PLAIN, true),
            "{\"time\":\"2026-03-04T18:37:09.042Z\",\"level\":\"info\",\"event\":\"shutdown\",\"text\":\"bye\"}\n"
        );
    }

    #[test]
    fn quiet_leaves_warnings_errors_and_answers() {
        for (level, kind, expected) in [
            (Level::Info, NoticeKind::Restarted, false),
            (Level::Info, NoticeKind::Answer, true),
            (Level::Warning, NoticeKind::Watch, true),
            (Level::Error, NoticeKind::Crashed, true),
        ] {
            let notice = Notice::new(level, kind, "x");
            assert_eq!(is_shown(&notice, true), expected, "{kind:?}");
            assert!(is_shown(&notice, false));
        }
    }
}
