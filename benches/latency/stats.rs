//! Medians, and tables in Markdown.

use std::time::Duration;

/// Measured values, in any order.
#[derive(Debug, Clone, Default)]
pub struct Values(Vec<f64>);

impl Values {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// In milliseconds.
    pub fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e3);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn median(&self) -> f64 {
        self.share(50)
    }

    /// The value that this many percent do not exceed; NaN of nothing.
    pub fn share(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// Prints a table; the first row is its head.
pub fn table(rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<_> = row.iter().enumerate().map(|(column, cell)| format!("{cell:width$}", width = width(column))).collect();
        println!("| {} |", cells.join(" | "));
        if index == 0 {
            println!("|{}", "---|".repeat(row.len()));
        }
    }
    println!();
}
