//! The table of apps. The wider the screen, the more columns it has.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr as _;

use super::Looks;
use crate::{
    model::HumanDuration,
    ui::{
        monitor::{
            figures,
            rows::{Mood, Row},
            state::{Link, State},
        },
        table::cut,
    },
};

/// Columns a name is not cut below, and above which it gets no more.
const NAME: (usize, usize) = (12, 32);

/// Columns of bars, where there is room for them.
const BARS: usize = 8;
const MORE_BARS: usize = 20;

/// Per cent of a processor that fill a column of bars, unless more was seen.
const FULL_LOAD: f64 = 25.0;

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Name,
    State,
    Pid,
    Uptime,
    Load,
    LoadBars,
    Size,
    SizeBars,
    Restarts,
    Why,
}

use Column::{Id, Load, LoadBars, Name, Pid, Restarts, Size, SizeBars, State as Status, Uptime, Why};

/// Every column, from the left.
const ORDER: [Column; 11] = [Id, Name, Status, Pid, Uptime, Load, LoadBars, Size, SizeBars, Restarts, Why];

/// Those that are there only where there is room, the most wanted first.
const WANTED: [Column; 6] = [LoadBars, SizeBars, Uptime, Why, Pid, Id];

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::State => "state",
            Self::Pid => "pid",
            Self::Uptime => "up",
            Self::Load => "cpu",
            Self::Size => "memory",
            Self::LoadBars | Self::SizeBars => "",
            Self::Restarts => "↺",
            Self::Why => "why it started last",
        }
    }

    /// Its columns on the screen, at least.
    fn width(self) -> usize {
        match self {
            Self::Id => 4,
            Self::Name => NAME.0,
            Self::State => 15,
            Self::Pid => 7,
            Self::Uptime => 9,
            Self::Load => 6,
            Self::Size => 8,
            Self::LoadBars | Self::SizeBars => BARS,
            Self::Restarts => 4,
            Self::Why => 22,
        }
    }

    fn is_right(self) -> bool {
        matches!(self, Self::Id | Self::Pid | Self::Uptime | Self::Load | Self::Size | Self::Restarts)
    }
}

/// The columns for a width, each with its own. What is left over goes to the bars, the name and the reason.
fn columns(width: usize, longest: usize) -> Vec<(Column, usize)> {
    // The mark of the selected row.
    let mut left = width.saturating_sub(1);
    let mut kept: Vec<Column> = ORDER.into_iter().filter(|column| !WANTED.contains(column)).collect();
    left = left.saturating_sub(kept.iter().map(|column| column.width() + 1).sum());
    for column in WANTED {
        if left > column.width() {
            left -= column.width() + 1;
            kept.push(column);
        }
    }
    let mut widths: Vec<(Column, usize)> =
        ORDER.into_iter().filter(|column| kept.contains(column)).map(|column| (column, column.width())).collect();
    let mut widen = |wide: Column, most: usize| {
        if let Some((_, width)) = widths.iter_mut().find(|(column, _)| *column == wide) {
            let more = most.saturating_sub(*width).min(left);
            (*width, left) = (*width + more, left - more);
        }
    };
    widen(Name, longest.min(NAME.1));
    widen(Why, 40);
    widen(LoadBars, MORE_BARS);
    widen(SizeBars, MORE_BARS);
    widen(Why, 80);
    widths
}

/// Draws the names of the columns, and the rows that are seen.
pub fn draw(state: &State, rows: &[&Row], area: Rect, looks: Looks, buffer: &mut Buffer) {
    let longest = rows.iter().map(|row| row.name.width() + 2).max().unwrap_or_default();
    let columns = columns(usize::from(area.width), longest);
    let heads: Vec<(String, Style)> = columns.iter().map(|(column, _)| (column.head().to_owned(), Looks::BOLD)).collect();
    cells(buffer, area, area.y, &columns, &heads);
    let height = usize::from(area.height.saturating_sub(1));
    if rows.len() > height {
        let seen = format!("{}-{} of {}", state.first + 1, (state.first + height).min(rows.len()), rows.len());
        super::put_right(buffer, Rect { height: 1, ..area }, &seen, Looks::DIM);
    }
    let is_lost = matches!(state.link, Link::Lost(_));
    for (row, y) in rows.iter().skip(state.first).take(height).zip(area.y + 1..) {
        let is_selected = state.selected.as_ref() == Some(&row.target);
        let shown: Vec<(String, Style)> = columns.iter().map(|(column, width)| cell(state, row, *column, *width, looks)).collect();
        if is_selected {
            buffer.set_stringn(area.x, y, "▸", 1, Looks::BOLD);
        }
        cells(buffer, area, y, &columns, &shown);
        let line = Rect { y, height: 1, ..area };
        if is_lost {
            buffer.set_style(line, Looks::DIM);
        }
        if is_selected {
            let before: usize = columns.iter().take_while(|(column, _)| *column != Name).map(|(_, width)| width + 1).sum();
            let width = columns.iter().find(|(column, _)| *column == Name).map_or(0, |(_, width)| *width);
            let [before, width] = [before, width].map(|count| u16::try_from(count).unwrap_or(u16::MAX));
            buffer.set_style(Rect { x: area.x + 1 + before, width, ..line }.intersection(line), Looks::SELECTED);
        }
    }
    if rows.is_empty() && state.link == Link::Up {
        buffer.set_stringn(area.x + 1, area.y + 1, "this runner has no apps", usize::from(area.width), Looks::DIM);
    }
}

/// A text in the cell of a row, and how it looks.
fn cell(state: &State, row: &Row, column: Column, width: usize, looks: Looks) -> (String, Style) {
    let number = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    match column {
        Id => (row.id.map(|id| id.to_string()).unwrap_or_default(), Looks::DIM),
        Name => {
            let sign = match row.folded {
                Some(true) => " ▸",
                Some(false) => " ▾",
                None => "",
            };
            let name = cut(&row.name, width.saturating_sub(sign.width()));
            (format!("{name}{sign}"), if row.mood == Mood::Bad { looks.bad() } else { Looks::PLAIN })
        }
        Status => (row.state.clone(), looks.mood(row.mood)),
        Pid => (row.pid.map(|pid| pid.to_string()).unwrap_or_default(), Looks::PLAIN),
        Uptime => (number(uptime(state, row)), Looks::PLAIN),
        Load => (figures::load(row.cpu), Looks::PLAIN),
        LoadBars => (row.loads.bars(width, FULL_LOAD), looks.mood(Mood::Good)),
        Size => (figures::size(row.memory), Looks::PLAIN),
        SizeBars => (row.sizes.bars(width, 0.0), looks.colour(ratatui::style::Color::Cyan)),
        Restarts => (row.restarts.to_string(), if row.restarts == 0 { Looks::DIM } else { Looks::PLAIN }),
        Why => (row.why.clone(), Looks::DIM),
    }
}

/// How long a row has been up.
pub fn uptime(state: &State, row: &Row) -> Option<String> {
    let millis = u64::try_from(state.at - row.since?).unwrap_or(0);
    // A tenth of a second would only flicker.
    let whole = std::time::Duration::from_secs(millis / 1000);
    Some(if whole.is_zero() { "now".to_owned() } else { HumanDuration(whole).to_string() })
}

fn cells(buffer: &mut Buffer, area: Rect, y: u16, columns: &[(Column, usize)], shown: &[(String, Style)]) {
    let mut x = usize::from(area.x) + 1;
    for ((column, width), (text, style)) in columns.iter().zip(shown) {
        let text = cut(text, *width);
        let indent = if column.is_right() { width.saturating_sub(text.width()) } else { 0 };
        if let Ok(x) = u16::try_from(x + indent)
            && x < area.right()
        {
            buffer.set_stringn(x, y, &text, *width, *style);
        }
        x += width + 1;
    }
}
