//! Figures as text: loads, sizes, and how they went.

use std::collections::VecDeque;

/// As many looks as are kept: four minutes of them.
const MOST: usize = 240;

const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a figure was at the last looks, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series(VecDeque<f64>);

impl Series {
    /// One more look.
    pub fn push(&mut self, value: f64) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// The last looks as bars, one column each, the newest at the right. The scale begins at nothing and ends at the highest of
    /// them, or at `full` where they are all below.
    pub fn bars(&self, columns: usize, full: f64) -> String {
        let shown: Vec<f64> = self.0.iter().copied().skip(self.0.len().saturating_sub(columns)).collect();
        let top = shown.iter().copied().fold(full, f64::max).max(f64::MIN_POSITIVE);
        let bar = |value: &f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the top, so from 0 to 7")]
            let step = ((value / top).clamp(0.0, 1.0) * 7.0).round() as usize;
            STEPS[step]
        };
        let missing = std::iter::repeat_n(' ', columns - shown.len());
        missing.chain(shown.iter().map(bar)).collect()
    }
}

/// Per cent of one processor: `2.3%`, `120%`.
pub fn load(percent: f64) -> String {
    if percent < 99.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// Bytes: `512 KiB`, `45.2 MiB`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let of = |shift: u32| bytes as f64 / (1_u64 << shift) as f64;
    match bytes {
        0 => "-".to_owned(),
        1..0x10_0000 => format!("{:.0} KiB", of(10)),
        0x10_0000..0x640_0000 => format!("{:.1} MiB", of(20)),
        0x640_0000..0x4000_0000 => format!("{:.0} MiB", of(20)),
        0x4000_0000..0x19_0000_0000 => format!("{:.1} GiB", of(30)),
        _ => format!("{:.0} GiB", of(30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let mut series = Series::default();
        values.iter().for_each(|value| series.push(*value));
        series
    }

    #[test]
    fn bars_end_with_the_newest_and_are_as_wide_as_they_shall_be() {
        assert_eq!(series(&[0.0, 50.0, 100.0]).bars(5, 10.0), "  ▁▅█");
        assert_eq!(series(&[0.0, 50.0, 100.0]).bars(2, 10.0), "▅█");
        assert_eq!(series(&[1.0, 0.0, 0.5]).bars(3, 10.0), "▂▁▁", "an idle app does not look busy");
        assert_eq!(series(&[]).bars(3, 10.0), "   ");
        assert_eq!(series(&[0.0]).bars(1, 0.0), "▁");
        assert_eq!(series(&[1.0; 1000]).bars(1000, 1.0).trim_start().chars().count(), MOST);
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0.0, 2.34, 99.9, 99.96, 1234.5].map(load), ["0.0%", "2.3%", "99.9%", "100%", "1234%"]);
        let sizes = [0, 1 << 19, 45 << 20, 300 << 20, 3 << 29].map(size);
        assert_eq!(sizes, ["-", "512 KiB", "45.0 MiB", "300 MiB", "1.5 GiB"]);
        assert!((0..40).map(|shift| size(((1_u64 << shift) * 17 / 16).max(1))).all(|text| text.len() <= 8));
    }
}
