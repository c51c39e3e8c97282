//! `pmdev logs`: what apps said and say. What the runner holds and what follows comes over its socket; what is only in files is read here,
//! up to where the runner says that they were at that very moment, so that no line is missing or shown twice.
//! Start reading with [`Logs::run`], then `past` (files, times, order), `live` (what comes over the socket) and `view` (how lines look).

mod live;
mod offline;
mod past;
mod pen;
mod view;

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use clap::Args;
use jiff::{Timestamp, Zoned, civil::DateTime, tz::TimeZone};
use regex::Regex;

use super::act::target_word;
use crate::{
    cli::reach::ReachArgs,
    config,
    control::{History, LogsRequest},
    log::{ConsoleConfig, Format, Stream},
    model::{Error, TimestampFormat, timestamp},
    ui::Style,
};
use view::View;

/// Show what apps said, and what they say
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, alias = "log")]
pub struct Logs {
    /// Names, ids, `name:instance`, namespaces, /regexes/ [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// How many of the last lines of each stream of each instance, or of those that share a log file [default: 15; with --since or --grep: all]
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
    /// Go on with what is said from now on, which is the default
    #[arg(short = 'f', long, conflicts_with = "nostream")]
    pub follow: bool,
    /// Show what was said, and end
    #[arg(long, visible_alias = "no-follow")]
    pub nostream: bool,
    /// Standard error alone
    #[arg(long, conflicts_with = "out")]
    pub err: bool,
    /// Standard output alone
    #[arg(long)]
    pub out: bool,
    /// Lines as they are, without names
    #[arg(long)]
    pub raw: bool,
    /// One JSON object a line, with PM2's keys: message, timestamp, type, process_id, app_name
    #[arg(long, conflicts_with_all = ["raw", "format", "highlight"])]
    pub json: bool,
    /// As PM2 does: timestamp=… app=… id=… type=… message=…
    #[arg(long, conflicts_with = "raw")]
    pub format: bool,
    /// The time of each line, in day.js tokens
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, default_missing_value = timestamp::DEFAULT)]
    pub timestamp: Option<String>,
    /// Mark a word
    #[arg(long, value_name = "WORD")]
    pub highlight: Option<String>,
    /// What was said in this time: 30s, 10m, 2h, 1d, or since a time: 2026-11-25T08:00
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Lines that match this regex alone
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// The runner's own words as well
    #[arg(long)]
    pub events: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

const EXAMPLES: &str = "\
Examples:
  pmdev logs                     the last lines of all apps, and what they say from now on
  pmdev logs api --err -n 100    the last 100 lines of standard error of one app
  pmdev logs --nostream --since 10m --grep timeout
  pmdev logs api --json --nostream | jq .message";

/// Which lines are wanted.
#[derive(Debug)]
pub struct Query {
    /// The last of each stream of each instance, or of those that share a file; `None`: all.
    pub lines: Option<usize>,
    /// Those said after it, in milliseconds since 1970.
    pub since: Option<i64>,
    /// One stream alone.
    pub stream: Option<Stream>,
    /// Those that match.
    pub grep: Option<Regex>,
}

impl Query {
    /// Whether a line is wanted for what it says.
    pub fn wants(&self, line: &[u8]) -> bool {
        self.grep.as_ref().is_none_or(|grep| grep.is_match(&String::from_utf8_lossy(line)))
    }
}

impl Logs {
    /// Shows them until somebody has seen enough.
    pub fn run(mut self) -> Result<u8, Error> {
        self.give_back_target();
        let query = self.query()?;
        let view = self.view()?;
        let follow = !self.nostream;
        let Some(runner) = self.reach.find()? else {
            return offline::show_all(&self.targets, &query, view, follow);
        };
        let request = LogsRequest {
            targets: self.targets.iter().map(|word| target_word(word)).collect(),
            lines: query.lines.unwrap_or(usize::MAX),
            history: if self.lines == Some(0) { History::None } else { History::Missing },
            stream: query.stream,
            follow,
            notices: self.events,
        };
        live::show_all(runner, request, query, view)
    }

    /// `--timestamp api`: what is no format is a target.
    fn give_back_target(&mut self) {
        let is_format = |word: &str| ["YY", "DD", "HH", "hh:", "mm:", "ss"].iter().any(|token| word.contains(token));
        if let Some(word) = self.timestamp.take_if(|word| !is_format(word)) {
            self.targets.insert(0, word);
            self.timestamp = Some(timestamp::DEFAULT.to_owned());
        }
    }

    fn query(&self) -> Result<Query, Error> {
        let since = self.since.as_deref().map(|text| since(text, &Zoned::now())).transpose()?;
        let grep = self.grep.as_deref().map(|text| Regex::new(text).map_err(|error| wrong_regex(text, &error))).transpose()?;
        let stream = if self.err { Some(Stream::Err) } else { self.out.then_some(Stream::Out) };
        let default = if since.is_some() || grep.is_some() { None } else { Some(15) };
        Ok(Query { lines: self.lines.or(default), since, stream, grep })
    }

    fn view(&self) -> Result<View, Error> {
        let style = Style::decide(self.no_color, |name| std::env::var_os(name), io::stdout().is_terminal());
        let format = if self.json { Format::Json } else { Format::Text };
        let timestamp = self.timestamp.as_deref().map(str::parse::<TimestampFormat>).transpose();
        let timestamp = timestamp.map_err(|why| Error::usage(format!("--timestamp: {why}")))?;
        let style = Style { colour: style.colour && !self.json };
        let console = ConsoleConfig { format, timestamp, raw: self.raw };
        Ok(View::new(console, style, self.format, self.highlight.clone()))
    }
}

fn wrong_regex(text: &str, error: &regex::Error) -> Error {
    Error::usage(format!("--grep {text} is not a regex")).because(error)
}

/// `10m` ago, or a time.
fn since(text: &str, now: &Zoned) -> Result<i64, Error> {
    let ago = match text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        Some(days) => Ok(Duration::from_secs(u64::from(days) * 86_400)),
        None => config::seconds(text),
    };
    if let Ok(ago) = ago {
        return Ok(now.timestamp().as_millisecond().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)));
    }
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(local);
    time.map(Timestamp::as_millisecond)
        .ok_or_else(|| Error::usage(format!("--since {text} is no time")).hint("for example 30s, 10m, 2h, 1d, or 2026-11-25T08:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_and_times() {
        let now = "2026-03-04T18:00:00Z".parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC);
        let ago = |text: &str| since(text, &now).map(|time| now.timestamp().as_millisecond() - time);
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("5", 5), ("2026-03-04T17:59:00Z", 60)] {
            assert_eq!(ago(text).unwrap(), seconds * 1000, "{text}");
        }
        assert!(ago("2026-03-04T10:00").is_ok() && ago("2026-03-04").is_ok());
        for text in ["", "soon", "10 parsecs", "-1d"] {
            assert_eq!(ago(text).unwrap_err().exit_code(), 2, "{text}");
        }
    }
}
