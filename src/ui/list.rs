//! Instances as people see them in a list: PM2's columns, and its list of paragraphs.

use std::{cmp::Ordering, time::Duration};

use owo_colors::Style as Paint;

use super::{
    Style,
    table::{self, Cell, Column},
};
use crate::{control::InstanceView, model};

/// The columns, and which of them go first where a terminal is too narrow for all.
const COLUMNS: [Column; 13] = [
    Column { head: "id", rank: Some(11) },
    Column { head: "name", rank: None },
    Column { head: "namespace", rank: Some(1) },
    Column { head: "version", rank: Some(2) },
    Column { head: "mode", rank: Some(4) },
    Column { head: "pid", rank: Some(6) },
    Column { head: "uptime", rank: Some(7) },
    Column { head: "↺", rank: Some(8) },
    Column { head: "status", rank: None },
    Column { head: "cpu", rank: Some(9) },
    Column { head: "mem", rank: Some(10) },
    Column { head: "user", rank: Some(0) },
    Column { head: "watching", rank: Some(3) },
];

const NAME: usize = 1;

/// What a list can be sorted by.
pub const FIELDS: [&str; 13] =
    ["id", "name", "namespace", "version", "mode", "pid", "uptime", "restarts", "status", "cpu", "memory", "user", "watching"];

/// The lines of a list before the first instance.
pub const ABOVE: usize = 3;

/// The lines of each paragraph, the empty one below included.
pub const PARAGRAPH: usize = 14;

/// An instance as people call it: `api`, or `api:2` where there are several.
pub fn called(view: &InstanceView) -> String {
    model::called(&view.name, view.instances, view.instance)
}

/// A line for each instance, in at most `width` columns where that can be done at all. `now`: milliseconds since 1970.
pub fn render(views: &[InstanceView], style: Style, width: usize, now: i64) -> String {
    let dimmed = Paint::new().dimmed();
    let row = |view: &InstanceView| {
        let (watching, paint) = match (view.watching, view.paused) {
            (false, _) => ("disabled", dimmed),
            (true, true) => ("paused", Paint::new().yellow()),
            (true, false) => ("enabled", Paint::new().green()),
        };
        vec![
            Cell::painted(&view.pm_id.to_string(), Paint::new().bold().cyan()),
            Cell::plain(&called(view)),
            Cell::plain(&view.namespace),
            Cell::plain(view.version.as_deref().unwrap_or("N/A")),
            Cell::painted(&view.mode, Paint::new().blue()),
            Cell::plain(&view.pid.unwrap_or(0).to_string()),
            Cell::plain(&uptime(view, now).map_or_else(|| "0".to_owned(), short)),
            Cell::plain(&view.restarts.to_string()),
            Cell::painted(&view.status, colour(&view.status)),
            Cell::plain(&format!("{}%", view.cpu)),
            Cell::plain(&size(view.memory)),
            Cell::painted(&view.user, Paint::new().bold()),
            Cell::painted(watching, paint),
        ]
    };
    let rows: Vec<_> = views.iter().map(row).collect();
    table::rows(&COLUMNS, &rows, NAME, style, width)
}

/// A paragraph for each instance, as `pm2 list --mini-list` prints it.
pub fn paragraphs(views: &[InstanceView], now: i64) -> String {
    let mut text = String::new();
    for view in views {
        let none = "N/A".to_owned();
        let lines = [
            format!("+--- {}", called(view)),
            format!("namespace : {}", view.namespace),
            format!("version : {}", view.version.as_ref().unwrap_or(&none)),
            format!("pid : {}", view.pid.unwrap_or(0)),
            format!("pm2 id : {}", view.pm_id),
            format!("status : {}", view.status),
            format!("mode : {}", view.mode),
            format!("restarted : {}", view.restarts),
            format!("uptime : {}", uptime(view, now).map_or_else(|| "0".to_owned(), short)),
            format!("memory usage : {}", size(view.memory)),
            format!("error log : {}", view.error_file.as_ref().unwrap_or(&none)),
            format!("watching : {}", if view.watching { "yes" } else { "no" }),
            format!("PID file : {}", view.pid_file.as_ref().unwrap_or(&none)),
        ];
        for line in lines {
            text.push_str(&super::clean::clean(&line));
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// Sorts by one of [`FIELDS`], from low to high; instances that are alike stay in the order of their ids.
pub fn sort(views: &mut [InstanceView], field: &str, descending: bool) {
    let by = |one: &InstanceView, other: &InstanceView| match field {
        "name" => called(one).cmp(&called(other)),
        "namespace" => one.namespace.cmp(&other.namespace),
        "version" => one.version.cmp(&other.version),
        "mode" => one.mode.cmp(&other.mode),
        "pid" => one.pid.cmp(&other.pid),
        "restarts" => one.restarts.cmp(&other.restarts),
        "user" => one.user.cmp(&other.user),
        // Paused lies between.
        "watching" => (one.watching, !one.paused).cmp(&(other.watching, !other.paused)),
        // Who began later has been up for less.
        "uptime" => other.started_at.unwrap_or(i64::MAX).cmp(&one.started_at.unwrap_or(i64::MAX)),
        "status" => one.status.cmp(&other.status),
        "cpu" => one.cpu.total_cmp(&other.cpu),
        "memory" => one.memory.cmp(&other.memory),
        _ => Ordering::Equal,
    };
    views.sort_by(|one, other| {
        let order = by(one, other);
        let order = if field == "id" { one.pm_id.cmp(&other.pm_id) } else { order };
        (if descending { order.reverse() } else { order }).then(one.pm_id.cmp(&other.pm_id))
    });
}

/// The colour of a state.
pub fn colour(status: &str) -> Paint {
    match status {
        "online" => Paint::new().green().bold(),
        "errored" | "crashed" => Paint::new().red().bold(),
        "stopped" => Paint::new().red(),
        _ => Paint::new().yellow().bold(),
    }
}

/// How long an instance has been up; `None`: it is not.
pub fn uptime(view: &InstanceView, now: i64) -> Option<Duration> {
    let millis = now.saturating_sub(view.started_at?);
    Some(Duration::from_millis(millis.try_into().unwrap_or(0)))
}

/// In its largest unit, as PM2 has it: `42s`, `3m`, `5h`, `2D`.
fn short(uptime: Duration) -> String {
    match uptime.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}D", seconds / 86_400),
    }
}

/// As PM2 has it: `0b`, `784.0kb`, `51.3mb`, `1.2gb`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(bytes: u64) -> String {
    [(30, "gb"), (20, "mb"), (10, "kb")]
        .into_iter()
        .find(|(shift, _)| bytes >= 1 << shift)
        .map_or_else(|| format!("{bytes}b"), |(shift, unit)| format!("{:.1}{unit}", bytes as f64 / f64::from(1 << shift)))
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    const NOW: i64 = 1_764_100_200_000;

    fn view(pm_id: usize, name: &str, instances: u16, status: &str) -> InstanceView {
        let online = status == "online";
        let text = serde_json::json!({
            "pm_id": pm_id, "name": name, "instance": pm_id % 2, "instances": instances, "namespace": "default", "version": "1.2.3",
            "mode": "fork", "pid": online.then_some(4711 + pm_id), "status": status, "started_at": online.then_some(NOW - 200_000 - i64::try_from(pm_id).unwrap()),
            "created_at": 0, "restarts": 3, "unstable_restarts": 0, "exit_code": null, "cpu": 1.5, "memory": pm_id << 20, "user": "ann",
            "watching": true, "generation": 1, "argv": [], "cwd": "/", "interpreter": null, "script": "/x.js", "out_file": null,
            "error_file": null, "log_file": null, "pid_file": null, "autorestart": false
        });
        serde_json::from_value(text).unwrap()
    }

    fn views() -> Vec<InstanceView> {
        let paused = InstanceView { paused: true, version: None, ..view(2, "a-worker-with-a-long-name", 1, "crashed") };
        vec![view(0, "api", 2, "online"), view(1, "api", 2, "waiting restart"), paused]
    }

    #[test]
    fn a_line_for_each_instance() {
        insta::assert_snapshot!(render(&views(), Style::PLAIN, usize::MAX, NOW), @r"
        ┌────┬───────────────────────────┬───────────┬─────────┬──────┬──────┬────────┬───┬─────────────────┬──────┬───────┬──────┬──────────┐
        │ id │ name                      │ namespace │ version │ mode │ pid  │ uptime │ ↺ │ status          │ cpu  │ mem   │ user │ watching │
        ├────┼───────────────────────────┼───────────┼─────────┼──────┼──────┼────────┼───┼─────────────────┼──────┼───────┼──────┼──────────┤
        │ 0  │ api:0                     │ default   │ 1.2.3   │ fork │ 4711 │ 3m     │ 3 │ online          │ 1.5% │ 0b    │ ann  │ enabled  │
        │ 1  │ api:1                     │ default   │ 1.2.3   │ fork │ 0    │ 0      │ 3 │ waiting restart │ 1.5% │ 1.0mb │ ann  │ enabled  │
        │ 2  │ a-worker-with-a-long-name │ default   │ N/A     │ fork │ 0    │ 0      │ 3 │ crashed         │ 1.5% │ 2.0mb │ ann  │ paused   │
        └────┴───────────────────────────┴───────────┴─────────┴──────┴──────┴────────┴───┴─────────────────┴──────┴───────┴──────┴──────────┘
        ");
        insta::assert_snapshot!(render(&[], Style::PLAIN, 40, NOW), @r"
        ┌────┬──────┬───┬────────┬─────┬─────┐
        │ id │ name │ ↺ │ status │ cpu │ mem │
        └────┴──────┴───┴────────┴─────┴─────┘
        ");
    }

    #[test]
    fn it_fits_every_width_that_holds_name_and_status() {
        for width in 34..160 {
            let shown = render(&views(), Style::PLAIN, width, NOW);
            assert!(shown.lines().all(|line| line.width() <= width), "{width}:\n{shown}");
            assert!(shown.contains("waiting restart"), "{width}:\n{shown}");
        }
        insta::assert_snapshot!(render(&views(), Style::PLAIN, 80, NOW), @r"
        ┌────┬────────────────────┬──────┬────────┬───┬─────────────────┬──────┬───────┐
        │ id │ name               │ pid  │ uptime │ ↺ │ status          │ cpu  │ mem   │
        ├────┼────────────────────┼──────┼────────┼───┼─────────────────┼──────┼───────┤
        │ 0  │ api:0              │ 4711 │ 3m     │ 3 │ online          │ 1.5% │ 0b    │
        │ 1  │ api:1              │ 0    │ 0      │ 3 │ waiting restart │ 1.5% │ 1.0mb │
        │ 2  │ a-worker-with-a-l… │ 0    │ 0      │ 3 │ crashed         │ 1.5% │ 2.0mb │
        └────┴────────────────────┴──────┴────────┴───┴─────────────────┴──────┴───────┘
        ");
        assert!(!render(&views(), Style::PLAIN, 0, NOW).is_empty());
    }

    #[test]
    fn sorted_by_what_was_asked_for_and_else_by_id() {
        let order = |field: &str, descending| {
            let mut views = views();
            sort(&mut views, field, descending);
            views.iter().map(|view| view.pm_id).collect::<Vec<_>>()
        };
        assert_eq!(order("id", true), [2, 1, 0]);
        assert_eq!(order("name", false), [2, 0, 1]);
        assert_eq!(order("memory", true), [2, 1, 0]);
        assert_eq!(order("namespace", true), [0, 1, 2]);
        assert_eq!(order("uptime", true), [0, 1, 2], "the longest first");
        assert_eq!(order("status", false), [2, 0, 1]);
        for field in FIELDS {
            assert_eq!(order(field, false).len(), 3);
        }
    }

    #[test]
    fn sizes_and_times_are_as_pm2_has_them() {
        assert_eq!([0, 1023, 802_816, 54_022_144, 3 << 29].map(size), ["0b", "1023b", "784.0kb", "51.5mb", "1.5gb"]);
        assert_eq!([0, 59, 60, 7300, 200_000].map(|seconds| short(Duration::from_secs(seconds))), ["0s", "59s", "1m", "2h", "2D"]);
    }
}
