//! The lines of what is selected, and the line above them.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Span,
};
use unicode_width::UnicodeWidthStr as _;

use super::{Areas, Looks, table::uptime};
use crate::ui::{
    monitor::{
        pane::{self, Pane},
        rows::{Mood, Row, Target},
        state::{Link, State},
    },
    table::cut,
};

/// Draws the line above: what is selected at the left, which of its lines are seen at the right.
pub fn title(state: &State, areas: Areas, looks: Looks, buffer: &mut Buffer) {
    let area = areas.title;
    let width = usize::from(area.width);
    let right = format!(" {} ─", place(&state.pane, areas));
    let room = width.saturating_sub(right.width() + 1);
    let mut facts = Vec::new();
    let mut name = "no app".to_owned();
    if let Some(row) = state.row() {
        name = row.target.called();
        facts.push(row.state.clone());
        facts.extend(restarts(row));
        facts.extend(uptime(state, row).map(|time| format!("up {time}")));
        facts.extend(row.pid.map(|pid| format!("pid {pid}")));
    }
    buffer.set_stringn(area.x, area.y, "─".repeat(width), width, Looks::DIM);
    let (x, _) = buffer.set_stringn(area.x + 2, area.y, format!(" {}", cut(&name, room / 2)), room, Looks::BOLD);
    let room = room.saturating_sub(usize::from(x));
    let facts: String = facts.iter().map(|fact| format!(" · {fact}")).collect();
    let (x, _) = buffer.set_stringn(x, area.y, cut(&facts, room), room, Looks::PLAIN);
    buffer.set_stringn(x, area.y, " ", 1, Looks::PLAIN);
    let style = if state.pane.is_live() { Looks::DIM } else { looks.found() };
    super::put_right(buffer, area, &right, Looks::DIM);
    let shown = u16::try_from(right.width()).unwrap_or(0);
    let inner = Rect { x: area.right().saturating_sub(shown), width: shown.saturating_sub(2), ..area };
    buffer.set_style(inner, style);
}

/// How often it was restarted, and why the last time: `restarted 3 times, last because of a change (src/api.js)`; `exit code 1`.
fn restarts(row: &Row) -> Vec<String> {
    let is_one = row.target != Target::All && !row.why.is_empty();
    let because = match () {
        () if !is_one || row.mood == Mood::Bad => String::new(),
        () if row.why.starts_with("a change") => format!("because of {}", row.why),
        () => format!("because {}", row.why),
    };
    let restarted = match (row.restarts, because.as_str()) {
        (0, _) => None,
        (1, "") => Some("restarted once".to_owned()),
        (1, because) => Some(format!("restarted once, {because}")),
        (count, "") => Some(format!("restarted {count} times")),
        (count, because) => Some(format!("restarted {count} times, last {because}")),
    };
    let ended = (is_one && row.mood == Mood::Bad).then(|| row.why.clone());
    ended.into_iter().chain(restarted).collect()
}

/// Which lines are seen, and what was found.
fn place(pane: &Pane, areas: Areas) -> String {
    let size = areas.pane.as_size();
    let found = pane.searched().map(|search| {
        let word = cut(&search.word, 20);
        match pane.found() {
            (_, 0) => format!("{word:?} not found, "),
            (Some(nth), count) => format!("{word:?} {nth} of {count}, "),
            (None, count) => format!("{word:?} {count} times, "),
        }
    });
    let place = if pane.is_live() {
        "live".to_owned()
    } else {
        let (last, count) = pane.position(size);
        format!("line {last} of {count}, End: live")
    };
    format!("{}{place}", found.unwrap_or_default())
}

/// Draws the lines.
pub fn lines(state: &State, area: Rect, looks: Looks, buffer: &mut Buffer) {
    let pane = &state.pane;
    let size = area.as_size();
    if pane.is_empty() {
        let text = match &state.link {
            Link::New => "",
            Link::Up => "no lines yet",
            Link::Lost(_) => "no lines",
        };
        buffer.set_stringn(area.x + 1, area.y, text, usize::from(area.width), Looks::DIM);
        return;
    }
    let margin = pane.margin(size);
    for (row, y) in pane.rows(size).into_iter().zip(area.y..area.bottom()) {
        if row.first && margin > 0 {
            let mut x = area.x;
            if pane.times && margin >= pane::TIME {
                buffer.set_stringn(x, y, &row.line.time, pane::TIME, Looks::DIM);
                x += u16::try_from(pane::TIME).expect("it is small");
            }
            if let Some(label) = row.line.label.as_ref().filter(|_| pane.labels) {
                let width = pane.label_width();
                let shown = cut(label, width);
                let padding = " ".repeat(width - shown.width());
                buffer.set_stringn(x, y, format!("{shown}{padding} |"), width + 2, looks.label(label));
            }
        }
        let is_word = row.line.label.is_none();
        let base = if is_word { Looks::DIM } else { Looks::PLAIN };
        let places = pane.searched().map(|search| search.places(&row.line.painted.text)).unwrap_or_default();
        let here = if pane.is_hit(row.line) { Modifier::BOLD | Modifier::UNDERLINED } else { Modifier::empty() };
        let (mut at, mut column, mut looked) = (row.part.start, 0_usize, 0);
        let text = &row.line.painted.text[row.part.clone()];
        for grapheme in Span::raw(text).styled_graphemes(Style::new()) {
            let width = grapheme.symbol.width();
            let ends = &row.line.painted.looks;
            while ends.get(looked).is_some_and(|(end, _)| *end <= at) {
                looked += 1;
            }
            let own = ends.get(looked).map_or(Looks::PLAIN, |(_, style)| if state.colour { *style } else { Looks::PLAIN });
            let mut style = base.patch(own);
            if places.iter().any(|place| place.contains(&at)) {
                style = looks.found().add_modifier(here);
            }
            let begin = column;
            at += grapheme.symbol.len();
            column += width;
            // What is shifted out is not seen, nor is a wide character that is shifted in half.
            let Some(x) = begin.checked_sub(pane.shifted()).map(|x| x + margin) else { continue };
            if width == 0 || x + width > usize::from(area.width) {
                continue;
            }
            buffer.set_stringn(area.x + u16::try_from(x).expect("it is below the width"), y, grapheme.symbol, width, style);
        }
    }
}
