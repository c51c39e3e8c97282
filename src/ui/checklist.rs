//! What is still to come while apps start: a line an app, below everything else.

use std::time::Duration;

use owo_colors::Style as Paint;

use super::{Style, clean::clean, table::cut};
use crate::model::HumanDuration;

/// Lines that are left to what scrolls above.
const LEFT: usize = 4;

/// How far an app is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It gave its sign of being ready after this time.
    Ready(Duration),
    /// Its program runs, and that is all that is asked of it.
    Started,
    /// It ended as it should.
    Done,
    /// It has begun to start this long ago.
    Starting(Duration),
    /// It is being built, for this long.
    Building(Duration),
    /// It has not begun; what that waits for, as a clause: `waits until db is ready`.
    Waiting(String),
    /// It is down after a failure.
    Failed,
}

impl Progress {
    /// Whether nothing more comes of it by itself.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Ready(_) | Self::Started | Self::Done | Self::Failed => true,
            Self::Starting(_) | Self::Building(_) | Self::Waiting(_) => false,
        }
    }
}

/// The lines, as many and as wide as a terminal of this size has room for. What is still to come stands last, and is left out last.
pub fn render(apps: &[(String, Progress)], style: Style, (width, height): (usize, usize)) -> Vec<String> {
    let room = height.saturating_sub(LEFT).max(1);
    let (over, coming): (Vec<_>, Vec<_>) = apps.iter().partition(|(_, progress)| progress.is_over());
    let mut lines: Vec<String> = over.iter().chain(&coming).map(|(name, progress)| line(name, progress, style, width)).collect();
    if lines.len() > room {
        let skipped = lines.len() - room + 1;
        lines.drain(..skipped);
        lines.insert(0, style.paint(&cut(&format!("  and {skipped} more"), width), Paint::new().dimmed()));
    }
    lines
}

fn line(name: &str, progress: &Progress, style: Style, width: usize) -> String {
    let (mark, paint, what) = match progress {
        Progress::Ready(time) => ('✓', Paint::new().green(), format!("ready in {}", HumanDuration(*time))),
        Progress::Started => ('✓', Paint::new().green(), "started".to_owned()),
        Progress::Done => ('✓', Paint::new().green(), "done".to_owned()),
        Progress::Starting(time) => ('…', Paint::new().yellow(), format!("starting{}", since(*time))),
        Progress::Building(time) => ('…', Paint::new().yellow(), format!("building{}", since(*time))),
        Progress::Waiting(what) => ('…', Paint::new().dimmed(), what.clone()),
        Progress::Failed => ('✗', Paint::new().red(), "failed".to_owned()),
    };
    // In whole seconds, so that a line does not change all the time.
    style.paint(&cut(&format!("{mark} {} {}", clean(name), clean(&what)), width), paint)
}

fn since(time: Duration) -> String {
    match time.as_secs() {
        0 => String::new(),
        seconds => format!(" for {}", HumanDuration(Duration::from_secs(seconds))),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    fn apps() -> Vec<(String, Progress)> {
        let progress = [
            ("api", Progress::Waiting("waits until db is ready".into())),
            ("db", Progress::Ready(Duration::from_millis(1234))),
            ("web", Progress::Starting(Duration::from_millis(3900))),
            ("gen", Progress::Building(Duration::from_millis(900))),
            ("cache", Progress::Started),
            ("migrate", Progress::Done),
            ("mail", Progress::Failed),
        ];
        progress.map(|(name, progress)| (name.to_owned(), progress)).into()
    }

    #[test]
    fn what_is_over_stands_first() {
        let lines = render(&apps(), Style::PLAIN, (80, 24));
        insta::assert_snapshot!(lines.join("\n"), @r"
        ✓ db ready in 1.2 s
        ✓ cache started
        ✓ migrate done
        ✗ mail failed
        … api waits until db is ready
        … web starting for 3 s
        … gen building
        ");
    }

    #[test]
    fn it_fits_every_terminal() {
        for width in 1..40 {
            for height in 0..12 {
                let lines = render(&apps(), Style::PLAIN, (width, height));
                assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:?}");
                assert!(lines.len() <= height.saturating_sub(LEFT).max(1), "{height}: {lines:?}");
            }
        }
        insta::assert_snapshot!(render(&apps(), Style::PLAIN, (20, 8)).join("\n"), @r"
          and 4 more
        … api waits until d…
        … web starting for …
        … gen building
        ");
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let lines = render(&[("a\x1b[2J\n".into(), Progress::Done)], Style { colour: true }, (80, 24));
        assert!(lines[0].starts_with("\x1b[32m✓ a\\u{1b}[2J\\n done"), "{lines:?}");
    }
}
