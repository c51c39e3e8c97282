//! Why an app failed last, by its newest crash capsule.

use std::{fmt::Write as _, path::Path, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    config::{self, Host, Request},
    model::HumanDuration,
    runtime::capsule::{self, Capsule},
    ui::clean::without_escapes,
};

/// How many of its last lines and of the changed files are shown.
const SHOWN: usize = 5;

/// What the newest capsule of an app says; `None`: it has left none.
pub fn kept(name: &str, host: &Host, now: Timestamp, json: bool) -> Option<String> {
    let folder = config::home(host).map(|home| capsule::folder(&home))?;
    let (path, capsule) = capsule::newest(&folder, name)?;
    Some(if json { object(&path, &capsule) } else { text(&path, &capsule, now, &TimeZone::system()) })
}

/// The same for an app that does not run; `None`: there is no such app here, and none has left a capsule.
pub fn answer(name: &str, request: &Request, host: &Host, json: bool, now: Timestamp) -> Option<String> {
    if let Some(kept) = kept(name, host, now, json) {
        return Some(kept);
    }
    // What is wrong with the project is told where it is asked about.
    let known = config::resolve(request, host).is_ok_and(|resolved| resolved.apps.iter().any(|app| app.name == name));
    known.then(|| if json { serde_json::json!({ "app": name, "file": null }).to_string() + "\n" } else { none(name, host) })
}

/// What is said of an app that has left no capsule.
pub fn none(name: &str, host: &Host) -> String {
    let place = config::home(host).map_or_else(
        || "anywhere, because neither HOME nor PMDEV_HOME is set".to_owned(),
        |home| format!("in {}", capsule::folder(&home).display()),
    );
    format!("{name} has left no crash capsule {place}; they are kept in production, and where crash_capsules says so\n")
}

fn object(path: &Path, capsule: &Capsule) -> String {
    let mut object = serde_json::to_value(capsule).expect("texts and numbers always serialize");
    object["file"] = path.to_string_lossy().into();
    format!("{object}\n")
}

fn text(path: &Path, capsule: &Capsule, now: Timestamp, zone: &TimeZone) -> String {
    let Capsule { instance, time, reason, follows, uptime_ms, peak_memory, changed, cwd, lines, .. } = capsule;
    let ago = HumanDuration(Duration::try_from(now.duration_since(*time)).unwrap_or_default());
    let when = time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let uptime = HumanDuration(Duration::from_millis(*uptime_ms));
    let follows = if follows.is_empty() { String::new() } else { format!(", {follows}") };
    let mut shown = format!("{instance} failed {ago} ago, at {when}: {reason}, {uptime} after its start{follows}\n");
    let mut line = |title: &str, what: &str| {
        let _ = writeln!(shown, "  {title:<8} {what}");
    };
    line("in", cwd);
    if let Some(peak) = peak_memory {
        line("memory", &format!("{} MiB at the most", peak >> 20));
    }
    for (at, file) in changed.iter().rev().take(SHOWN).enumerate() {
        line(if at == 0 { "changed" } else { "" }, file);
    }
    for (at, last) in lines[lines.len().saturating_sub(SHOWN)..].iter().enumerate() {
        line(if at == 0 { "said" } else { "" }, &without_escapes(last));
    }
    line("more in", &path.display().to_string());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_is_a_paragraph() {
        let capsule: Capsule = serde_json::from_str(
            r#"{ "app": "api", "instance": "api:1", "time": "2026-03-04T12:00:04Z", "reason": "it crashed (SIGSEGV)", "follows": "starting again in 100 ms",
                "exit_code": null, "signal": "SIGSEGV", "core_dumped": false, "pid": 7, "run": 4, "generation": 2, "uptime_ms": 1500, "restarts": 3,
                "peak_memory": 314572800, "changed": ["/p/a.js"], "cwd": "/p", "pmdev": "0.1.0",
                "lines": ["1", "2", "3", "4", "5", "\u001b[31m6\u001b[0m"] }"#,
        )
        .unwrap();
        let path = Path::new("/h/.pmdev/crashes/api-20260304T120004000-4.json");
        let now = "2026-03-04T15:05:04Z".parse().unwrap();
        insta::assert_snapshot!(text(path, &capsule, now, &TimeZone::UTC), @r"
        api:1 failed 3 h 5 m ago, at 2026-03-04 12:00:04: it crashed (SIGSEGV), 1.5 s after its start, starting again in 100 ms
          in       /p
          memory   300 MiB at the most
          changed  /p/a.js
          said     2
                   3
                   4
                   5
                   6
          more in  /h/.pmdev/crashes/api-20260304T120004000-4.json
        ");
        let last = Capsule { follows: String::new(), ..capsule.clone() };
        assert!(text(path, &last, now, &TimeZone::UTC).contains("(SIGSEGV), 1.5 s after its start\n"));
        assert!(object(path, &capsule).contains(r#""file":"/h/.pmdev/crashes/api-20260304T120004000-4.json""#));
    }
}
