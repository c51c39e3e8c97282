//! A time read back from the text before a line of a log file.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

use super::{MONTHS, Part, TimestampFormat, WEEKDAYS};

/// What was read so far.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    millisecond: i64,
    /// Whether hours are counted to twelve, and of which half they are.
    half: Option<bool>,
    offset: Option<i64>,
    whole: Option<Timestamp>,
}

impl TimestampFormat {
    /// The time with which a text begins, local where it has no offset, and what follows it. `None`: it begins with none, or the format has
    /// no date.
    pub fn read<'a>(&self, text: &'a str) -> Option<(Timestamp, &'a str)> {
        let mut parts = Parts::default();
        let mut rest = text;
        for part in &self.parts {
            rest = match part {
                Part::Literal(literal) => rest.strip_prefix(literal.as_str())?,
                Part::Token(name, _) => parts.take(name, rest)?,
            };
        }
        Some((parts.time()?, rest))
    }
}

impl Parts {
    /// Takes a token; what follows it.
    fn take<'a>(&mut self, token: &str, text: &'a str) -> Option<&'a str> {
        let (value, rest) = match token {
            "MMMM" | "MMM" => {
                let (index, rest) = word(&MONTHS, text, token == "MMM")?;
                (index + 1, rest)
            }
            "dddd" | "ddd" => return word(&WEEKDAYS, text, token == "ddd").map(|(_, rest)| rest),
            "dd" => return text.get(2..),
            "A" | "a" => {
                self.half = Some(text.get(..2)?.eq_ignore_ascii_case("pm"));
                return text.get(2..);
            }
            "Z" | "ZZ" => {
                let (offset, rest) = offset(text)?;
                self.offset = Some(offset);
                return Some(rest);
            }
            "YYYY" => number(text, 4, 4)?,
            "SSS" => number(text, 3, 3)?,
            "x" | "X" => number(text, 1, 15)?,
            "YY" | "MM" | "DD" | "HH" | "hh" | "mm" | "ss" => number(text, 2, 2)?,
            _ => number(text, 1, 2)?,
        };
        match token {
            "YYYY" => self.year = Some(value),
            "YY" => self.year = Some(2000 + value),
            "MMMM" | "MMM" | "MM" | "M" => self.month = Some(value),
            "DD" | "D" => self.day = Some(value),
            "HH" | "H" | "hh" | "h" => self.hour = value,
            "mm" | "m" => self.minute = value,
            "ss" | "s" => self.second = value,
            "SSS" => self.millisecond = value,
            "X" => self.whole = Timestamp::from_second(value).ok(),
            "x" => self.whole = Timestamp::from_millisecond(value).ok(),
            // The day of the week says nothing that the date does not.
            _ => {}
        }
        Some(rest)
    }

    fn time(self) -> Option<Timestamp> {
        if self.whole.is_some() {
            return self.whole;
        }
        let small = |value: i64| i8::try_from(value).ok();
        let hour = match self.half {
            None => self.hour,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let date = Date::new(i16::try_from(self.year?).ok()?, small(self.month?)?, small(self.day?)?).ok()?;
        let nanoseconds = i32::try_from(self.millisecond * 1_000_000).ok()?;
        let time = Time::new(small(hour)?, small(self.minute)?, small(self.second)?, nanoseconds).ok()?;
        let zone = match self.offset {
            None => TimeZone::system(),
            Some(minutes) => Offset::from_seconds(i32::try_from(minutes * 60).ok()?).ok()?.to_time_zone(),
        };
        date.to_datetime(time).to_zoned(zone).ok().map(|zoned| zoned.timestamp())
    }
}

/// A number of so many digits, and what follows it.
fn number(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// One of these names, or its first three letters; which, and what follows it.
fn word<'a>(names: &[&str], text: &'a str, short: bool) -> Option<(i64, &'a str)> {
    let found = names.iter().enumerate().find_map(|(index, name)| {
        let name = if short { &name[..3] } else { name };
        Some((index, text.strip_prefix(name)?))
    });
    found.and_then(|(index, rest)| Some((i64::try_from(index).ok()?, rest)))
}

/// `+05:30` or `+0530` in minutes, and what follows it.
fn offset(text: &str) -> Option<(i64, &str)> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, rest) = number(&text[1..], 2, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2, 2)?;
    Some((sign * (hours * 60 + minutes), rest))
}

#[cfg(test)]
mod tests {
    use jiff::tz;

    use super::*;

    #[test]
    fn what_was_shown_is_read_back_to_its_own_precision() {
        let zone = tz::offset(5).saturating_add(jiff::SignedDuration::from_mins(30)).to_time_zone();
        let time = jiff::civil::date(2026, 3, 5).at(0, 7, 9, 42_000_000).to_zoned(zone).unwrap();
        for (format, exact) in [
            ("YYYY-MM-DDTHH:mm:ss.SSSZ", "2026-03-04T18:37:09.042Z"),
            ("YY/M/D h:m:s a ZZ", "2026-03-04T18:37:09Z"),
            ("ddd MMM DD YYYY hh:mm:ss A Z", "2026-03-04T18:37:09Z"),
            ("dddd, D MMMM YYYY [at] HH.mm Z", "2026-03-04T18:37:00Z"),
            ("x", "2026-03-04T18:37:09.042Z"),
            ("X", "2026-03-04T18:37:09Z"),
            ("YYYY-MM-DD Z", "2026-03-04T18:30:00Z"),
        ] {
            let format: TimestampFormat = format.parse().unwrap();
            let text = format!("{}: said", format.shown(&time));
            let (read, rest) = format.read(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.to_string().as_str(), rest), (exact, ": said"), "{text}");
        }
    }

    #[test]
    fn other_texts_have_no_time() {
        let format: TimestampFormat = "YYYY-MM-DD HH:mm:ss".parse().unwrap();
        for text in ["", "said", "2026-13-05 00:07:09", "2026-03-05 00:0", "2026-03-05T00:07:09", "é026-03-05 00:07:09"] {
            assert_eq!(format.read(text), None, "{text}");
        }
        assert!("HH:mm".parse::<TimestampFormat>().unwrap().read("10:20").is_none(), "no date");
        let local = TimestampFormat::default();
        let now = jiff::Zoned::now();
        let text = local.shown(&now);
        assert_eq!(local.read(&text).map(|(time, _)| time.as_millisecond()), Some(now.timestamp().as_millisecond()));
    }
}
