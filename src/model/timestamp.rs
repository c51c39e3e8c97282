//! The time before a line, in the tokens of day.js (<https://day.js.org/docs/en/display/format>), which PM2's `log_date_format` uses.

use std::{fmt::Write as _, str::FromStr};

use jiff::Zoned;

/// The format of `--timestamp` without a value.
pub const DEFAULT: &str = "YYYY-MM-DDTHH:mm:ss.SSS";

/// That of log files where nobody names one: PM2's.
pub const OF_LOG_FILES: &str = "YYYY-MM-DDTHH:mm:ss";

/// Tokens, longer ones before those they begin with.
const TOKENS: &[(&str, Token)] = &[
    ("YYYY", |t, out| write!(out, "{:04}", t.year())),
    ("YY", |t, out| write!(out, "{:02}", t.year().rem_euclid(100))),
    ("MMMM", |t, out| out.write_str(MONTHS[usize::from(t.month().unsigned_abs()) - 1])),
    ("MMM", |t, out| out.write_str(&MONTHS[usize::from(t.month().unsigned_abs()) - 1][..3])),
    ("MM", |t, out| write!(out, "{:02}", t.month())),
    ("M", |t, out| write!(out, "{}", t.month())),
    ("DD", |t, out| write!(out, "{:02}", t.day())),
    ("D", |t, out| write!(out, "{}", t.day())),
    ("dddd", |t, out| out.write_str(weekday(t))),
    ("ddd", |t, out| out.write_str(&weekday(t)[..3])),
    ("dd", |t, out| out.write_str(&weekday(t)[..2])),
    ("d", |t, out| write!(out, "{}", t.weekday().to_sunday_zero_offset())),
    ("HH", |t, out| write!(out, "{:02}", t.hour())),
    ("H", |t, out| write!(out, "{}", t.hour())),
    ("hh", |t, out| write!(out, "{:02}", twelve(t))),
    ("h", |t, out| write!(out, "{}", twelve(t))),
    ("mm", |t, out| write!(out, "{:02}", t.minute())),
    ("m", |t, out| write!(out, "{}", t.minute())),
    ("ss", |t, out| write!(out, "{:02}", t.second())),
    ("s", |t, out| write!(out, "{}", t.second())),
    ("SSS", |t, out| write!(out, "{:03}", t.millisecond())),
    ("ZZ", |t, out| offset(t, "", out)),
    ("Z", |t, out| offset(t, ":", out)),
    ("A", |t, out| out.write_str(if t.hour() < 12 { "AM" } else { "PM" })),
    ("a", |t, out| out.write_str(if t.hour() < 12 { "am" } else { "pm" })),
    ("X", |t, out| write!(out, "{}", t.timestamp().as_second())),
    ("x", |t, out| write!(out, "{}", t.timestamp().as_millisecond())),
];

mod read;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

type Token = fn(&Zoned, &mut String) -> std::fmt::Result;

/// A format of local time; what is no token stands for itself, as does anything in `[brackets]`.
#[derive(Debug, Clone)]
pub struct TimestampFormat {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Token(&'static str, Token),
    Literal(String),
}

impl TimestampFormat {
    /// The format as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// This time in this format.
    pub fn shown(&self, time: &Zoned) -> String {
        let mut out = String::with_capacity(32);
        for part in &self.parts {
            match part {
                Part::Token(_, token) => token(time, &mut out).expect("writing to a String cannot fail"),
                Part::Literal(text) => out.push_str(text),
            }
        }
        out
    }
}

impl PartialEq for TimestampFormat {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TimestampFormat {}

impl Default for TimestampFormat {
    fn default() -> Self {
        DEFAULT.parse().expect("the default format is valid")
    }
}

impl FromStr for TimestampFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("{text:?} is no time format: {what}; for example {DEFAULT:?}"));
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (part, after) = if let Some(inside) = rest.strip_prefix('[') {
                let Some((literal, after)) = inside.split_once(']') else { return wrong("a [ has no ]") };
                (Part::Literal(literal.into()), after)
            } else if let Some((name, token)) = TOKENS.iter().find(|(name, _)| rest.starts_with(name)) {
                (Part::Token(name, *token), &rest[name.len()..])
            } else {
                let (literal, after) = rest.split_at(first.len_utf8());
                (Part::Literal(literal.into()), after)
            };
            if first == '%' && after.starts_with(|next: char| next.is_ascii_alphabetic()) {
                return wrong("it has the tokens of strftime, not YYYY MM DD HH mm ss SSS");
            }
            if first.is_control() {
                return wrong("it has a control character");
            }
            parts.push(part);
            rest = after;
        }
        if !parts.iter().any(|part| matches!(part, Part::Token(..))) {
            return wrong("it has none of the tokens YYYY MM DD HH mm ss SSS");
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

fn weekday(time: &Zoned) -> &'static str {
    WEEKDAYS[usize::from(time.weekday().to_sunday_zero_offset().unsigned_abs())]
}

fn twelve(time: &Zoned) -> i8 {
    (time.hour() + 11) % 12 + 1
}

fn offset(time: &Zoned, between: &str, out: &mut String) -> std::fmt::Result {
    let minutes = time.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    write!(out, "{sign}{:02}{between}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use jiff::{
        civil::{DateTime, date},
        tz,
    };

    use super::*;

    fn shown(format: &str, at: DateTime) -> String {
        let time = at.to_zoned(tz::offset(5).saturating_add(jiff::SignedDuration::from_mins(30)).to_time_zone()).unwrap();
        format.parse::<TimestampFormat>().unwrap().shown(&time)
    }

    #[test]
    fn every_token_as_day_js_has_it() {
        let at = date(2026, 3, 5).at(0, 7, 9, 42_000_000);
        for (format, expected) in [
            (DEFAULT, "2026-03-05T00:07:09.042"),
            ("YYYY-MM-DD HH:mm Z", "2026-03-05 00:07 +05:30"),
            ("ZZ", "+0530"),
            ("D/M/YY", "5/3/26"),
            ("dddd ddd dd d, MMMM MMM", "Thursday Thu Th 4, March Mar"),
            ("hh:mm A", "12:07 AM"),
            ("h:m:s a", "12:7:9 am"),
            ("[at] H [hours]", "at 0 hours"),
            ("x X", "1772649429042 1772649429"),
            ("HH:mm:ss UTC", "00:07:09 UTC"),
            ("YYYY年", "2026年"),
        ] {
            assert_eq!(shown(format, at), expected, "{format}");
        }
        assert_eq!(shown("h A", at.with().hour(12).build().unwrap()), "12 PM");
        assert_eq!(shown("hh a", at.with().hour(23).build().unwrap()), "11 pm");
    }

    #[test]
    fn a_wrong_format_is_answered_with_a_right_one() {
        for (format, part) in
            [("", "none of the tokens"), ("%H:%M", "strftime"), ("[oops HH", "no ]"), ("::", "none of"), ("HH\n", "control")]
        {
            let error = format.parse::<TimestampFormat>().unwrap_err();
            assert!(error.contains(part) && error.contains(DEFAULT), "{format}: {error}");
        }
        assert!(!TimestampFormat::default().shown(&Zoned::now()).is_empty());
    }
}
