//! The lines of what is selected: the last ones, which of them are looked at, and what is looked for among them.

use std::{collections::VecDeque, ops::Range};

use ratatui::{layout::Size, style::Style, text::Span};
use unicode_width::UnicodeWidthStr as _;

use super::{ansi::Painted, search::Search};

/// As many lines are kept, and as many bytes of them.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 8 << 20;

/// The widest label; a longer name is cut.
const WIDEST_LABEL: usize = 24;

/// Columns of a time and the gap behind it: `09:30:00.123 `.
pub const TIME: usize = 13;

/// Columns by which ← and → move.
const SHIFT: usize = 16;

/// What comes from the runner for the pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line of an app.
    Line {
        /// Who printed it, as people call it.
        label: String,
        /// When, as it is shown; empty where nobody knows.
        time: String,
        /// What, with whatever the app put into it.
        text: String,
    },
    /// A word about the lines: where some are missing, where they end.
    Note(String),
}

/// A kept line.
#[derive(Debug)]
pub struct Line {
    /// Its number, rising.
    number: u64,
    /// Who printed it; `None`: it is a word about the others.
    pub label: Option<String>,
    /// When.
    pub time: String,
    /// What.
    pub painted: Painted,
}

/// Which lines are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The newest, as they come.
    Live,
    /// Those from here on, whatever comes.
    At(Top),
}

/// The first row that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Top {
    /// The number of its line.
    line: u64,
    /// Which of the line's rows.
    row: usize,
}

/// A row of the pane.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its line.
    pub line: &'a Line,
    /// Which bytes of it.
    pub part: Range<usize>,
    /// Whether it is the line's first.
    pub first: bool,
}

/// The lines, and the look at them.
#[derive(Debug)]
pub struct Pane {
    lines: VecDeque<Line>,
    next: u64,
    bytes: usize,
    /// Lines that came while nothing could be put away without moving what is looked at.
    missed: u64,
    place: Place,
    label_width: usize,
    /// Whether the time of any line is known.
    timed: bool,
    /// Whether long lines go on in the next row.
    pub wrap: bool,
    /// Whether times are shown.
    pub times: bool,
    /// Whether it is shown who printed a line.
    pub labels: bool,
    shift: usize,
    search: Option<Search>,
    hits: VecDeque<u64>,
    hit: Option<u64>,
}

impl Pane {
    /// Without lines.
    pub fn new() -> Self {
        Self {
            lines: VecDeque::new(),
            next: 0,
            bytes: 0,
            missed: 0,
            place: Place::Live,
            label_width: 0,
            timed: false,
            wrap: true,
            times: false,
            labels: false,
            shift: 0,
            search: None,
            hits: VecDeque::new(),
            hit: None,
        }
    }

    /// Forgets the lines; how they are looked at stays.
    pub fn clear(&mut self) {
        let (wrap, times, labels, search) = (self.wrap, self.times, self.labels, self.search.take());
        *self = Self { wrap, times, labels, search, ..Self::new() };
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// One more line.
    pub fn push(&mut self, entry: Entry) {
        let is_full = self.lines.len() >= MOST || self.bytes >= MOST_BYTES;
        if is_full && self.place != Place::Live {
            self.missed += 1;
            return;
        }
        while self.lines.len() >= MOST || self.bytes >= MOST_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.painted.text.len();
            if self.hits.front() == Some(&oldest.number) {
                self.hits.pop_front();
            }
        }
        let (label, time, painted) = match entry {
            Entry::Line { label, time, text } => (Some(label), time, Painted::translate(&text)),
            Entry::Note(text) => (None, String::new(), Painted::plain(Painted::translate(&text).text, Style::new())),
        };
        if let Some(label) = &label {
            self.label_width = self.label_width.max(label.width().min(WIDEST_LABEL));
        }
        self.timed |= !time.is_empty();
        self.bytes += painted.text.len();
        if self.search.as_ref().is_some_and(|search| search.hits(&painted.text)) {
            self.hits.push_back(self.next);
        }
        self.lines.push_back(Line { number: self.next, label, time, painted });
        self.next += 1;
    }

    /// Whether the newest lines are looked at.
    pub fn is_live(&self) -> bool {
        self.place == Place::Live
    }

    /// Looks at the newest lines; true where some of them were not kept, so that they have to be asked for again.
    pub fn go_live(&mut self) -> bool {
        self.place = Place::Live;
        std::mem::take(&mut self.missed) > 0
    }

    /// Looks at the oldest lines.
    pub fn go_oldest(&mut self, size: Size) {
        if let Some(first) = self.lines.front() {
            let oldest = Top { line: first.number, row: 0 };
            self.place = if oldest < self.last_top(size) { Place::At(oldest) } else { Place::Live };
        }
    }

    /// Looks at what is this many rows above.
    pub fn scroll_up(&mut self, rows: usize, size: Size) {
        let top = self.up(self.top(size), rows, size);
        if top < self.last_top(size) {
            self.place = Place::At(top);
        }
    }

    /// Looks at what is this many rows below; true as in [`Self::go_live`].
    pub fn scroll_down(&mut self, rows: usize, size: Size) -> bool {
        let top = self.down(self.top(size), rows, size);
        if top >= self.last_top(size) {
            return self.go_live();
        }
        self.place = Place::At(top);
        false
    }

    /// Moves long lines that are not wrapped: to their ends, or back.
    pub fn shift(&mut self, to_ends: bool) {
        if !self.wrap {
            self.shift = if to_ends { self.shift + SHIFT } else { self.shift.saturating_sub(SHIFT) };
        }
    }

    /// How many columns of lines that are not wrapped are hidden at the left.
    pub fn shifted(&self) -> usize {
        if self.wrap { 0 } else { self.shift }
    }

    /// How many lines there are, and the number among them of the last one that is seen.
    pub fn position(&self, size: Size) -> (usize, usize) {
        let last = self.rows(size).last().map_or(0, |row| self.index(row.line.number) + 1);
        (last, self.lines.len())
    }

    /// What is looked for.
    pub fn searched(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// The number of the line among those found, and how many there are.
    pub fn found(&self) -> (Option<usize>, usize) {
        let at = self.hit.and_then(|hit| self.hits.iter().position(|other| *other == hit)).map(|index| self.hits.len() - index);
        (at, self.hits.len())
    }

    /// Looks for a word, and goes to the newest line that has it and is not below what is seen.
    pub fn search(&mut self, word: &str, size: Size) {
        self.search = Search::new(word);
        self.hit = None;
        let found = |search: &Search| self.lines.iter().filter(|line| search.hits(&line.painted.text)).map(|line| line.number).collect();
        self.hits = self.search.as_ref().map(found).unwrap_or_default();
        let last = self.rows(size).last().map(|row| row.line.number);
        let hit = self.hits.iter().rev().find(|hit| last.is_none_or(|last| **hit <= last)).or(self.hits.back()).copied();
        if let Some(hit) = hit {
            self.go_to(hit, size);
        }
    }

    /// Goes to the next line found: an older one, or a newer one. Beyond the last it begins again at the other end.
    pub fn next_hit(&mut self, older: bool, size: Size) {
        let from = self.hit.unwrap_or(if older { u64::MAX } else { 0 });
        let next = if older {
            self.hits.iter().rev().find(|hit| **hit < from).or(self.hits.back())
        } else {
            self.hits.iter().find(|hit| **hit > from).or(self.hits.front())
        };
        if let Some(next) = next.copied() {
            self.go_to(next, size);
        }
    }

    /// The line that was gone to.
    pub fn is_hit(&self, line: &Line) -> bool {
        self.hit == Some(line.number)
    }

    fn go_to(&mut self, hit: u64, size: Size) {
        self.hit = Some(hit);
        let third = usize::from(size.height) / 3;
        let top = self.up(Top { line: hit, row: 0 }, third, size);
        self.place = Place::At(top.min(self.last_top(size)));
    }

    /// Columns before the text of a line.
    pub fn margin(&self, size: Size) -> usize {
        let labels = if self.labels && self.label_width > 0 { self.label_width + 3 } else { 0 };
        let times = if self.times && self.timed { TIME } else { 0 };
        let margin = labels + times;
        // On a narrow screen the text is worth more.
        if margin * 2 > usize::from(size.width) { 0 } else { margin }
    }

    /// The columns of labels.
    pub fn label_width(&self) -> usize {
        self.label_width
    }

    /// What is seen, from above.
    pub fn rows(&self, size: Size) -> Vec<Row<'_>> {
        let height = usize::from(size.height);
        let mut rows = Vec::with_capacity(height);
        if self.lines.is_empty() {
            return rows;
        }
        let top = self.top(size);
        for (nth, line) in self.lines.range(self.index(top.line)..).enumerate() {
            let skipped = if nth == 0 { top.row } else { 0 };
            let parts = self.parts(line, size);
            rows.extend(parts.into_iter().enumerate().skip(skipped).map(|(row, part)| Row { line, part, first: row == 0 }));
            if rows.len() >= height {
                rows.truncate(height);
                break;
            }
        }
        rows
    }

    fn index(&self, number: u64) -> usize {
        let first = self.lines.front().map_or(0, |line| line.number);
        usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX).min(self.lines.len().saturating_sub(1))
    }

    fn parts(&self, line: &Line, size: Size) -> Vec<Range<usize>> {
        let text = &line.painted.text;
        if !self.wrap {
            return std::iter::once(0..text.len()).collect();
        }
        broken(text, usize::from(size.width).saturating_sub(self.margin(size)).max(1))
    }

    fn height(&self, index: usize, size: Size) -> usize {
        self.lines.get(index).map_or(1, |line| self.parts(line, size).len())
    }

    fn top(&self, size: Size) -> Top {
        match self.place {
            Place::Live => self.last_top(size),
            Place::At(top) => {
                let index = self.index(top.line);
                let line = self.lines.get(index).map_or(0, |line| line.number);
                // After a change of width the line may have fewer rows.
                Top { line, row: if line == top.line { top.row.min(self.height(index, size) - 1) } else { 0 } }
            }
        }
    }

    /// The first row where the last one is seen at the bottom.
    fn last_top(&self, size: Size) -> Top {
        let Some(last) = self.lines.len().checked_sub(1) else { return Top { line: 0, row: 0 } };
        let bottom = Top { line: self.lines[last].number, row: self.height(last, size) - 1 };
        self.up(bottom, usize::from(size.height).saturating_sub(1), size)
    }

    fn up(&self, top: Top, rows: usize, size: Size) -> Top {
        let (mut index, mut row, mut left) = (self.index(top.line), top.row, rows);
        while left > row && index > 0 {
            left -= row + 1;
            index -= 1;
            row = self.height(index, size) - 1;
        }
        Top { line: self.lines.get(index).map_or(0, |line| line.number), row: row.saturating_sub(left) }
    }

    fn down(&self, top: Top, rows: usize, size: Size) -> Top {
        let (mut index, mut row) = (self.index(top.line), top.row + rows);
        while index + 1 < self.lines.len() && row >= self.height(index, size) {
            row -= self.height(index, size);
            index += 1;
        }
        Top { line: self.lines.get(index).map_or(0, |line| line.number), row: row.min(self.height(index, size) - 1) }
    }
}

/// The parts of a text that fit into so many columns each; at least one.
fn broken(text: &str, columns: usize) -> Vec<Range<usize>> {
    let (mut parts, mut begin, mut end, mut used) = (Vec::new(), 0, 0, 0);
    for grapheme in Span::raw(text).styled_graphemes(Style::new()) {
        let width = grapheme.symbol.width();
        if used + width > columns && end > begin {
            parts.push(begin..end);
            (begin, used) = (end, 0);
        }
        end += grapheme.symbol.len();
        used += width;
    }
    parts.push(begin..end);
    parts
}
