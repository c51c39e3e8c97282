//! The keys, over everything else.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::Looks;
use crate::ui::monitor::press::KEYS;

/// Draws a box in the middle with every key. The smallest screen has room for it.
pub fn draw(area: Rect, looks: Looks, buffer: &mut Buffer) {
    let widest =
        |part: fn(&(&'static str, &'static str)) -> &'static str| KEYS.iter().map(|key| part(key).width()).max().unwrap_or_default();
    let (keys, words) = (widest(|key| key.0), widest(|key| key.1));
    let inner = keys + 2 + words;
    let [width, height] = [inner + 4, KEYS.len() + 2].map(|count| u16::try_from(count).unwrap_or(u16::MAX));
    let frame =
        Rect { x: area.width.saturating_sub(width) / 2, y: area.height.saturating_sub(height) / 2, width, height }.intersection(area);
    let line = |left: &str, right: &str| format!("{left}{}{right}", "─".repeat(usize::from(frame.width).saturating_sub(2)));
    for y in frame.top()..frame.bottom() {
        let border = match y {
            y if y == frame.top() => line("┌", "┐"),
            y if y + 1 == frame.bottom() => line("└", "┘"),
            _ => format!("│{}│", " ".repeat(usize::from(frame.width).saturating_sub(2))),
        };
        // What is below is covered, its looks included.
        for x in frame.left()..frame.right() {
            buffer[(x, y)].reset();
        }
        buffer.set_stringn(frame.x, y, border, usize::from(frame.width), Looks::DIM);
    }
    buffer.set_stringn(frame.x + 2, frame.y, " keys ", 6, Looks::BOLD);
    for ((key, words), y) in KEYS.iter().zip(frame.top() + 1..frame.bottom().saturating_sub(1)) {
        let room = usize::from(frame.width).saturating_sub(4);
        let (x, _) = buffer.set_stringn(frame.x + 2, y, format!("{key:keys$}"), room, looks.colour(ratatui::style::Color::Cyan));
        buffer.set_stringn(x + 2, y, words, room.saturating_sub(keys + 2), Looks::PLAIN);
    }
}
