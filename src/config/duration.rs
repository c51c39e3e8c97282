//! Durations as people type them.

use std::time::Duration;

/// Reads a duration whose bare number counts seconds: `2`, `250ms`, `2s`, `1.5m`, `1h`. The error is a clause with valid examples.
pub fn seconds(text: &str) -> Result<Duration, String> {
    read(text, 1.0, "2s")
}

/// Reads a duration whose bare number counts milliseconds, as in PM2: `1600`, `5s`. The error is a clause with valid examples.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    read(text, 0.001, "5000")
}

fn read(text: &str, bare: f64, example: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start() {
        "" => Some(bare),
        "ms" => Some(0.001),
        "s" => Some(1.0),
        "m" | "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    number
        .parse::<f64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| Duration::try_from_secs_f64(number * factor).ok())
        .ok_or_else(|| format!("{text:?} is not a duration; examples: 250ms, {example}, 1.5m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_and_bare_numbers() {
        let cases = [("250ms", 250), ("2s", 2_000), ("2", 2_000), ("0.5", 500), ("1.5m", 90_000), (" 1 h ", 3_600_000), ("0", 0)];
        for (text, ms) in cases {
            assert_eq!(seconds(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(milliseconds("1600"), Ok(Duration::from_millis(1600)));
        assert_eq!(milliseconds("5s"), Ok(Duration::from_secs(5)));
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "s", "-1", "2 days", "1e3", "..", "99999999999999999999999999h"] {
            assert!(seconds(text).unwrap_err().contains("250ms"), "{text}");
        }
    }
}
