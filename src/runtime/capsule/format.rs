//! What a capsule holds: one JSON object, the same for every version that can read it.

use std::path::Path;

use jiff::{Timestamp, Unit};

use crate::model::{Crash, Exit, Happening, RunId};

/// A failure of an app.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Capsule {
    /// The app's name.
    pub app: String,
    /// The instance as people call it.
    pub instance: String,
    /// When it failed.
    pub time: Timestamp,
    /// What happened, as a clause: `it crashed (exit code 1)`.
    pub reason: String,
    /// What followed, as a clause: `starting again in 100 ms`.
    pub follows: String,
    /// The code it ended with, if it did.
    pub exit_code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<String>,
    /// Whether that left a core dump.
    pub core_dumped: bool,
    /// The pid of its main process.
    pub pid: Option<i32>,
    /// The number of the run in its runner.
    pub run: u64,
    /// Which version of the app it was.
    pub generation: u64,
    /// How long it was up.
    pub uptime_ms: u64,
    /// How often it had been started again before.
    pub restarts: u64,
    /// The most memory it is known to have had, in bytes.
    pub peak_memory: Option<u64>,
    /// The files that changed since a run was last good.
    pub changed: Vec<String>,
    /// The folder it ran in.
    pub cwd: String,
    /// The version of pmdev.
    pub pmdev: String,
    /// Its last lines, both streams as they came.
    pub lines: Vec<String>,
}

impl Capsule {
    /// Of a failure, with what the supervisor does not know of it.
    pub fn new(crash: &Crash, run: RunId, cwd: &Path, lines: &[Vec<u8>], peak: Option<u64>, time: Timestamp) -> Self {
        let Crash { happening, generation, changed, follows } = crash;
        let Happening { kind: _, app, instance, pid, exit, reason, restarts, uptime } = happening;
        let (exit_code, signal, core_dumped) = match exit {
            Some(Exit::Code(code)) => (Some(*code), None, false),
            Some(Exit::Signal { signal, core }) => (None, Some(signal.to_string()), *core),
            None => (None, None, false),
        };
        Self {
            app: app.clone(),
            instance: instance.clone(),
            // Nobody asks for less than a millisecond.
            time: time.round(Unit::Millisecond).unwrap_or(time),
            reason: reason.clone(),
            follows: follows.clone(),
            exit_code,
            signal,
            core_dumped,
            pid: *pid,
            run: run.0,
            generation: *generation,
            uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
            restarts: *restarts,
            peak_memory: peak,
            changed: changed.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            cwd: cwd.to_string_lossy().into_owned(),
            pmdev: env!("CARGO_PKG_VERSION").to_owned(),
            lines: lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect(),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{HookKind, Signal};

    /// One of run number `run`, so many seconds after noon.
    pub fn capsule(app: &str, run: u64) -> Capsule {
        let exit = Some(Exit::Signal { signal: Signal(11), core: true });
        let (instance, reason, uptime) = (format!("{app}:1"), "it crashed (SIGSEGV, core dumped)".to_owned(), Duration::from_millis(1500));
        let happening = Happening { kind: HookKind::Crash, app: app.into(), instance, pid: Some(7), exit, reason, restarts: 3, uptime };
        let crash = Crash { happening, generation: 2, changed: vec!["/p/a.js".into()], follows: "starting again in 100 ms".into() };
        let noon: Timestamp = "2026-03-04T12:00:00Z".parse().unwrap();
        let time = noon + Duration::from_secs(run);
        Capsule::new(&crash, RunId(run), Path::new("/p"), &[b"one".to_vec(), b"tw\xff".to_vec()], Some(5 << 20), time)
    }

    #[test]
    fn it_is_an_object_of_these_keys() {
        let capsule = capsule("api", 4);
        let text = serde_json::to_string_pretty(&capsule).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {
          "app": "api",
          "instance": "api:1",
          "time": "2026-03-04T12:00:04Z",
          "reason": "it crashed (SIGSEGV, core dumped)",
          "follows": "starting again in 100 ms",
          "exit_code": null,
          "signal": "SIGSEGV",
          "core_dumped": true,
          "pid": 7,
          "run": 4,
          "generation": 2,
          "uptime_ms": 1500,
          "restarts": 3,
          "peak_memory": 5242880,
          "changed": [
            "/p/a.js"
          ],
          "cwd": "/p",
          "pmdev": "VERSION",
          "lines": [
            "one",
            "tw�"
          ]
        }
        "#);
        assert_eq!(serde_json::from_str::<Capsule>(&text).unwrap(), capsule);
    }
}
