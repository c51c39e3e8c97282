//! The table of apps that the key `l` shows.

use owo_colors::Style as Paint;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Style, clean::clean};
use crate::model::{HumanDuration, Snapshot, Status};

/// Columns a name is not cut below.
const SHORTEST_NAME: usize = 8;

const GAP: &str = "  ";

const HEADS: [&str; 7] = ["id", "name", "status", "pid", "uptime", "restarts", "watching"];
const NAME: usize = 1;
const STATUS: usize = 2;

/// The columns left out, first to last, where a terminal is too narrow for all.
const DISPENSABLE: [usize; 4] = [6, 5, 3, 4];

/// A line for each instance, in at most `width` columns where that can be done at all.
pub fn render(snapshot: &Snapshot, style: Style, width: usize) -> Vec<u8> {
    let rows = rows(snapshot);
    let mut widths = HEADS.map(str::width);
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    let mut kept: Vec<usize> = (0..HEADS.len()).collect();
    let others = |kept: &[usize], widths: &[usize; 7]| -> usize {
        kept.iter().filter(|&&column| column != NAME).map(|&column| widths[column] + GAP.len()).sum()
    };
    let shortest = SHORTEST_NAME.min(widths[NAME]);
    for column in DISPENSABLE {
        if others(&kept, &widths) + shortest <= width {
            break;
        }
        kept.retain(|&other| other != column);
    }
    widths[NAME] = widths[NAME].min(width.saturating_sub(others(&kept, &widths)).max(shortest));

    let mut shown = line(&HEADS.map(String::from), &kept, &widths, |_, cell| style.paint(&cell, Paint::new().bold()));
    for (cells, status) in &rows {
        let paint = |column, cell: String| if column == STATUS { style.paint(&cell, colour(*status)) } else { cell };
        shown.push_str(&line(cells, &kept, &widths, paint));
    }
    shown.into_bytes()
}

fn rows(snapshot: &Snapshot) -> Vec<([String; 7], Status)> {
    let instances = snapshot.apps.iter().flat_map(|app| app.instances.iter().map(move |instance| (app, instance)));
    let row = |(id, (app, instance)): (usize, (&crate::model::AppSnapshot, &crate::model::InstanceSnapshot))| {
        let name = clean(&app.name);
        let name = if app.instances.len() > 1 { format!("{name}:{}", instance.id.slot) } else { name.into_owned() };
        let watching = match (app.watched, snapshot.paused) {
            (false, _) => "no",
            (true, true) => "paused",
            (true, false) => "yes",
        };
        let pid = instance.pid.map_or_else(|| "-".into(), |pid| pid.to_string());
        let uptime = instance.uptime.map_or_else(|| "-".into(), |uptime| HumanDuration(uptime).to_string());
        let cells = [id.to_string(), name, instance.status.to_string(), pid, uptime, instance.restarts.to_string(), watching.into()];
        (cells, instance.status)
    };
    instances.enumerate().map(row).collect()
}

fn line(cells: &[String; 7], kept: &[usize], widths: &[usize; 7], paint: impl Fn(usize, String) -> String) -> String {
    let padded = kept.iter().map(|&column| {
        let cell = cut(&cells[column], widths[column]);
        let padding = " ".repeat(widths[column].saturating_sub(cell.width()));
        paint(column, cell) + &padding
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned() + "\n"
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

fn colour(status: Status) -> Paint {
    match status {
        Status::Online => Paint::new().green(),
        Status::Launching | Status::Stopping | Status::WaitingRestart | Status::Building => Paint::new().yellow(),
        Status::Errored | Status::Crashed => Paint::new().red(),
        Status::Stopped => Paint::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{AppId, AppSnapshot, Generation, InstanceId, InstanceSnapshot};

    fn app(number: u32, name: &str, statuses: &[Status]) -> AppSnapshot {
        let instance = |(slot, status): (usize, &Status)| InstanceSnapshot {
            unstable_restarts: 0,
            exit: None,
            why: None,
            id: InstanceId { app: AppId(number), slot: u16::try_from(slot).unwrap() },
            status: *status,
            pid: (*status == Status::Online).then_some(4711),
            uptime: (*status == Status::Online).then_some(Duration::from_secs(200)),
            restarts: 3,
        };
        let instances = statuses.iter().enumerate().map(instance).collect();
        AppSnapshot { id: AppId(number), name: name.into(), generation: Generation(1), watched: number == 0, instances }
    }

    fn snapshot() -> Snapshot {
        let apps = vec![app(0, "api", &[Status::Online, Status::WaitingRestart]), app(1, "a-worker-with-a-long-name", &[Status::Crashed])];
        Snapshot { apps, paused: false }
    }

    fn text(snapshot: &Snapshot, style: Style, width: usize) -> String {
        String::from_utf8(render(snapshot, style, width)).unwrap()
    }

    #[test]
    fn a_line_for_each_instance() {
        assert_eq!(
            text(&snapshot(), Style::PLAIN, 200),
            "\
id  name                       status           pid   uptime    restarts  watching
0   api:0                      online           4711  3 m 20 s  3         yes
1   api:1                      waiting restart  -     -         3         yes
2   a-worker-with-a-long-name  crashed          -     -         3         no
"
        );
        assert!(text(&Snapshot { paused: true, ..snapshot() }, Style::PLAIN, 200).contains("3         paused\n"));
    }

    #[test]
    fn it_fits_every_width_that_holds_name_and_status() {
        for width in 29..120 {
            let shown = text(&snapshot(), Style::PLAIN, width);
            assert!(shown.lines().all(|line| line.width() <= width), "{width}:\n{shown}");
            assert!(shown.contains("waiting restart"), "{width}:\n{shown}");
        }
        assert!(text(&snapshot(), Style::PLAIN, 70).contains("a-worker-w"));
        assert!(!text(&snapshot(), Style::PLAIN, 0).is_empty());
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let coloured = text(&snapshot(), Style { colour: true }, 80);
        assert!(coloured.contains("\x1b[32monline\x1b["), "{coloured:?}");
        let escapes = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
        assert_eq!(escapes.replace_all(&coloured, ""), text(&snapshot(), Style::PLAIN, 80));
    }
}
