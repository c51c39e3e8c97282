//! The picture: a head, the table of apps, the lines of what is selected, and a foot with keys or answers.

mod help;
mod log;
mod table;

use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    rows::{Mood, Rows, Watch},
    state::{Link, Mode, State},
};
use crate::ui::clean::clean;

/// The smallest terminal that is drawn on: columns and lines.
const SMALLEST: Size = Size { width: 60, height: 20 };

/// Lines that are always there for lines of apps.
const LEAST_LOG: u16 = 6;

/// The parts of the screen, from above. All are as wide as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Areas {
    head: Rect,
    /// The names of the columns, and the rows.
    table: Rect,
    title: Rect,
    pane: Rect,
    foot: Rect,
}

impl Areas {
    /// For so many rows of the table. It gets up to half of the screen.
    fn of(size: Size, rows: usize) -> Self {
        let rows = u16::try_from(rows).unwrap_or(u16::MAX);
        let most = (size.height / 2).min(size.height.saturating_sub(LEAST_LOG + 3));
        let table = rows.saturating_add(1).clamp(2, most.max(2));
        let line = |y: u16, height: u16| Rect { x: 0, y, width: size.width, height };
        let pane = size.height.saturating_sub(table + 3);
        Self {
            head: line(0, 1),
            table: line(1, table),
            title: line(1 + table, 1),
            pane: line(2 + table, pane),
            foot: line(2 + table + pane, 1),
        }
    }
}

/// Whether a terminal is large enough.
pub(super) fn fits(size: Size) -> bool {
    size.width >= SMALLEST.width && size.height >= SMALLEST.height
}

/// How many rows of the table are seen at a time.
pub(super) fn table_height(size: Size, rows: usize) -> usize {
    usize::from(Areas::of(size, rows).table.height.saturating_sub(1))
}

/// The size of the part for lines of apps.
pub(super) fn pane_size(size: Size, rows: usize) -> Size {
    Areas::of(size, rows).pane.as_size()
}

/// The looks of things. Without colour, they differ by weight alone.
#[derive(Debug, Clone, Copy)]
struct Looks {
    colour: bool,
}

impl Looks {
    const PLAIN: Style = Style::new();
    const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
    const DIM: Style = Style::new().add_modifier(Modifier::DIM);
    const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);

    fn colour(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Self::PLAIN }
    }

    fn mood(self, mood: Mood) -> Style {
        match mood {
            Mood::Off => Self::DIM,
            Mood::Good => self.colour(Color::Green),
            Mood::Busy => self.colour(Color::Yellow),
            Mood::Bad => self.bad(),
        }
    }

    fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// A word that was found.
    fn found(self) -> Style {
        if self.colour { Style::new().fg(Color::Black).bg(Color::Yellow) } else { Self::SELECTED }
    }

    /// The name before a line, by the name alone.
    fn label(self, label: &str) -> Style {
        let name = label.split(':').next().unwrap_or(label);
        self.colour(COLOURS[crate::ui::style::choice(name)])
    }
}

/// As [`crate::ui::style`] has them.
const COLOURS: [Color; 8] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::LightGreen, Color::LightMagenta, Color::LightBlue];

/// Draws it all.
pub fn draw(state: &State, buffer: &mut Buffer) {
    let looks = Looks { colour: state.colour };
    let area = buffer.area;
    if !fits(area.as_size()) {
        return too_small(area, buffer);
    }
    let rows = state.rows.shown();
    let areas = Areas::of(area.as_size(), rows.len());
    head(state, areas.head, looks, buffer);
    table::draw(state, &rows, areas.table, looks, buffer);
    log::title(state, areas, looks, buffer);
    log::lines(state, areas.pane, looks, buffer);
    foot(state, areas.foot, looks, buffer);
    if state.mode == Mode::Help {
        help::draw(area, looks, buffer);
    }
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let lines = [
        format!("too small: {}×{}", area.width, area.height),
        format!("needed: {}×{}", SMALLEST.width, SMALLEST.height),
        "q leaves".to_owned(),
    ];
    for (y, line) in (0..area.height).zip(&lines) {
        buffer.set_stringn(0, y, line, usize::from(area.width), Looks::PLAIN);
    }
}

fn head(state: &State, area: Rect, looks: Looks, buffer: &mut Buffer) {
    let right = match &state.link {
        Link::Up => summary(&state.rows),
        Link::New | Link::Lost(_) => String::new(),
    };
    let runner = match (&state.link, state.pid) {
        (Link::New, _) | (_, None) => "asking the runner".to_owned(),
        (Link::Up, Some(pid)) => format!("runner {pid} {}", state.place),
        (Link::Lost(why), Some(_)) => format!("{why}; waiting for it to come back"),
    };
    let style = if matches!(state.link, Link::Lost(_)) { looks.bad() } else { Looks::PLAIN };
    let width = usize::from(area.width);
    let room = width.saturating_sub(right.width() + 2);
    let (x, _) = buffer.set_stringn(area.x, area.y, "pmdev monit", room, Looks::BOLD);
    let room = room.saturating_sub(usize::from(x) + 2);
    buffer.set_stringn(x + 2, area.y, crate::ui::table::cut(&clean(&runner), room), room, style);
    put_right(buffer, area, &right, style);
}

/// The instances by their states: `1 crashed, 3 online, watching is paused`.
fn summary(rows: &Rows) -> String {
    let mut states: Vec<(&str, Mood, usize)> = Vec::new();
    for (state, mood) in rows.states() {
        match states.iter_mut().find(|(known, ..)| *known == state) {
            Some((.., count)) => *count += 1,
            None => states.push((state, mood, 1)),
        }
    }
    let any = !states.is_empty();
    let paused = rows.apps().any(|app| app.watch == Watch::Paused);
    states.sort_by_key(|(_, mood, count)| (*mood != Mood::Bad, std::cmp::Reverse(*count)));
    let (shown, more) = states.split_at(states.len().min(3));
    let mut parts: Vec<String> = shown.iter().map(|(state, _, count)| format!("{count} {state}")).collect();
    if !more.is_empty() {
        parts.push(format!("{} others", more.iter().map(|(.., count)| count).sum::<usize>()));
    }
    if !any {
        parts.push("no apps".to_owned());
    }
    if paused {
        parts.push("watching is paused".to_owned());
    }
    parts.join(", ")
}

/// The keys of the foot, the dispensable ones last; drawn in the order of the help.
const HINTS: [(usize, &str); 10] = [
    (9, "?: help"),
    (10, "q: leave"),
    (1, "r: restart"),
    (4, "x: stop"),
    (3, "s: start"),
    (8, "/: search"),
    (2, "l: reload"),
    (5, "p: pause watching"),
    (6, "+ -: scale"),
    (7, "t: times"),
];

fn foot(state: &State, area: Rect, looks: Looks, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let (text, style) = match (&state.mode, &state.said, state.pending.last()) {
        (Mode::Confirm(question), ..) => (format!("{} y: yes, any other key: no", question.text), Looks::BOLD),
        (Mode::Search(word), ..) => {
            // What is typed last is what has to be seen.
            let room = width.saturating_sub(3);
            let skipped = word.width().saturating_sub(room);
            let shown: String = word.chars().skip(skipped).collect();
            (format!("/{shown}▏"), Looks::BOLD)
        }
        (Mode::Help, ..) => ("any key: back".to_owned(), Looks::DIM),
        (Mode::Browse, Some(said), _) => (said.text.clone(), if said.bad { looks.bad() } else { Looks::BOLD }),
        (Mode::Browse, None, Some((_, wish))) => (format!("{} …", wish.doing), Looks::BOLD),
        (Mode::Browse, None, None) => (hints(width), Looks::DIM),
    };
    buffer.set_stringn(area.x, area.y, crate::ui::table::cut(&clean(&text), width), width, style);
}

fn hints(width: usize) -> String {
    let mut kept: Vec<(usize, &str)> = Vec::new();
    let mut used = 0;
    for (place, hint) in HINTS {
        used += hint.width() + 2;
        if used > width + 2 {
            break;
        }
        kept.push((place, hint));
    }
    kept.sort_unstable();
    kept.into_iter().map(|(_, hint)| hint).collect::<Vec<_>>().join("  ")
}

/// Puts a text at the right end.
fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(area.width);
    buffer.set_stringn(area.right() - width, area.y, text, usize::from(width), style);
}
