//! Tables in boxes, as wide as what is in them and no wider than the terminal.

use owo_colors::Style as Paint;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Style, clean::clean};

/// Columns that the elastic column is not cut below.
const SHORTEST: usize = 12;

/// Columns that a value beside its title has at least, however narrow the terminal is.
const NARROWEST: usize = 16;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub head: &'static str,
    /// Where a terminal is too narrow for all, columns are left out from low to high; `None`: this one stays.
    pub rank: Option<u8>,
}

/// What stands in a row.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A text as it is; nothing in it can steer the terminal.
    pub fn plain(text: &str) -> Self {
        Self::painted(text, Paint::new())
    }

    /// The same in a style.
    pub fn painted(text: &str, paint: Paint) -> Self {
        Self { text: clean(text).into_owned(), paint }
    }
}

/// Rows below the heads of their columns, in at most `width` columns of the terminal where that can be done at all. `elastic`: the column that
/// is cut before others are left out.
pub fn rows(columns: &[Column], rows: &[Vec<Cell>], elastic: usize, style: Style, width: usize) -> String {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.head.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.text.width().max(*width);
        }
    }
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let others = |kept: &[usize], widths: &[usize]| -> usize {
        kept.iter().filter(|&&column| column != elastic).map(|&column| widths[column] + 3).sum::<usize>() + 4
    };
    let shortest = SHORTEST.min(widths[elastic]);
    let mut leaving: Vec<usize> = kept.iter().copied().filter(|&column| columns[column].rank.is_some()).collect();
    leaving.sort_by_key(|&column| columns[column].rank);
    for column in leaving {
        if others(&kept, &widths).saturating_add(shortest) <= width {
            break;
        }
        kept.retain(|&other| other != column);
    }
    widths[elastic] = widths[elastic].min(width.saturating_sub(others(&kept, &widths)).max(shortest));
    let shown: Vec<usize> = kept.iter().map(|&column| widths[column]).collect();
    let heads: Vec<Cell> = kept.iter().map(|&column| Cell::painted(columns[column].head, Paint::new().bold().cyan())).collect();
    let mut text = border(&shown, ["┌", "┬", "┐"]);
    text.push_str(&line(heads.iter(), &shown, style));
    if !rows.is_empty() {
        text.push_str(&border(&shown, ["├", "┼", "┤"]));
    }
    for row in rows {
        text.push_str(&line(kept.iter().map(|&column| &row[column]), &shown, style));
    }
    text + &border(&shown, ["└", "┴", "┘"])
}

/// Titles and what they say, in at most `width` columns: what is longer goes on below, so that nothing is lost.
pub fn pairs(pairs: &[(&str, Cell)], style: Style, width: usize) -> String {
    let title = pairs.iter().map(|(title, _)| title.width()).max().unwrap_or_default();
    let longest = pairs.iter().map(|(_, cell)| cell.text.width()).max().unwrap_or_default();
    let widths = [title, longest.min(width.saturating_sub(title + 7).max(NARROWEST))];
    let mut text = border(&widths, ["┌", "┬", "┐"]);
    for (title, cell) in pairs {
        for (at, piece) in pieces(&cell.text, widths[1]).into_iter().enumerate() {
            let title = Cell::painted(if at == 0 { title } else { "" }, Paint::new().bold().cyan());
            text.push_str(&line([&title, &Cell { text: piece, paint: cell.paint }].into_iter(), &widths, style));
        }
    }
    text + &border(&widths, ["└", "┴", "┘"])
}

/// A text in lines of at most `width` columns, each with its end.
pub fn lines(text: &str, width: usize) -> String {
    pieces(&clean(text), width.max(NARROWEST)).into_iter().map(|piece| piece.trim_end().to_owned() + "\n").collect()
}

fn border(widths: &[usize], [left, between, right]: [&str; 3]) -> String {
    let bars: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
    format!("{left}{}{right}\n", bars.join(between))
}

fn line<'a>(cells: impl Iterator<Item = &'a Cell>, widths: &[usize], style: Style) -> String {
    let padded = cells.zip(widths).map(|(cell, &width)| {
        let text = cut(&cell.text, width);
        let padding = " ".repeat(width.saturating_sub(text.width()));
        format!(" {}{padding} ", style.paint(&text, cell.paint))
    });
    format!("│{}│\n", padded.collect::<Vec<_>>().join("│"))
}

/// The text in pieces of at most so many columns, at blanks where there are any; at least one.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let wide = word.trim_end().width();
        if used > 0 && used + wide > width {
            pieces.push(String::new());
            used = 0;
        }
        for char in word.chars() {
            let wide = char.width().unwrap_or_default();
            // A blank at the end of a piece is not seen.
            if used + wide > width && char != ' ' {
                pieces.push(String::new());
                used = 0;
            }
            if used + wide <= width {
                used += wide;
                pieces.last_mut().into_iter().for_each(|piece| piece.push(char));
            }
        }
    }
    pieces
}

/// The text in so many columns, with `…` where something is left out.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |char: &char| {
        used += char.width().unwrap_or_default();
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_a_pair_goes_on_below() {
        let long = [("script path", Cell::plain("/a/very/long/path/to/a/script.js")), ("x", Cell::plain("名\x1b[2J"))];
        insta::assert_snapshot!(pairs(&long, Style::PLAIN, usize::MAX), @r"
        ┌─────────────┬──────────────────────────────────┐
        │ script path │ /a/very/long/path/to/a/script.js │
        │ x           │ 名\u{1b}[2J                      │
        └─────────────┴──────────────────────────────────┘
        ");
        insta::assert_snapshot!(pairs(&long, Style::PLAIN, 40), @r"
        ┌─────────────┬────────────────────────┐
        │ script path │ /a/very/long/path/to/a │
        │             │ /script.js             │
        │ x           │ 名\u{1b}[2J            │
        └─────────────┴────────────────────────┘
        ");
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        let words = [("starts again", Cell::plain("at once, given up after 16 runs in /a/very/long/path/to/a/folder, or so"))];
        insta::assert_snapshot!(pairs(&words, Style::PLAIN, 40), @r"
        ┌──────────────┬───────────────────────┐
        │ starts again │ at once, given up     │
        │              │ after 16 runs in      │
        │              │ /a/very/long/path/to/ │
        │              │ a/folder, or so       │
        └──────────────┴───────────────────────┘
        ");
        assert_eq!(pieces("名名 名", 4), ["名名", "名"]);
        assert_eq!(pieces("", 4), [""]);
        assert_eq!(pieces("ab  cd   ", 4), ["ab  ", "cd  "]);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let columns = [Column { head: "a", rank: None }, Column { head: "b", rank: Some(1) }];
        let cells = vec![vec![Cell::painted("one", Paint::new().green()), Cell::plain("two")]];
        let shown = |colour| rows(&columns, &cells, 0, Style { colour }, 80);
        let escapes = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
        assert!(shown(true).contains("\x1b[32mone\x1b["), "{:?}", shown(true));
        assert_eq!(escapes.replace_all(&shown(true), ""), shown(false));
    }
}
