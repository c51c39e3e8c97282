//! What a group tells people.

use std::{path::Path, time::Duration};

use super::Group;
use crate::{
    model::{Level, Notice, NoticeKind},
    watch::guard::{Absorbed, Keys, When},
};

impl Group {
    /// A batch does not settle.
    pub(super) fn still_changing(&self, files: usize, latest: &Path, git: bool) -> Notice {
        let what = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let git = if git { "; git holds .git/index.lock" } else { "" };
        Notice::new(Level::Info, NoticeKind::Watch, format!("watch: still changing: {what}, last {}{git}", self.shown(latest)))
    }

    /// An app restarts itself.
    pub(super) fn restart_loop(&self, name: &str, absorbed: &Absorbed) -> Notice {
        let (does, paths) = match &absorbed.keys {
            Keys::Files(files) => ("rewrites", files),
            Keys::Folders(folders) => ("makes new files in", folders),
        };
        let what = paths.iter().map(|path| self.shown(path)).collect::<Vec<_>>().join(", ");
        let text = match absorbed.when {
            When::AfterStart { about, within } => format!(
                "restart loop: {name} {does} {what} about {} after every start; ignoring that for {} after a start",
                length(about),
                length(within)
            ),
            When::WhileStopping => format!("restart loop: {name} {does} {what} whenever it stops; ignoring that while it stops"),
            When::Always => format!("restart loop: {name} {does} {what} again and again; ignoring that until pmdev ends"),
        };
        let lines: Vec<String> = paths.iter().map(|path| self.ignore_line(path, &absorbed.keys)).collect();
        let hint = format!("to make this permanent:  {}", lines.join("; "));
        Notice::new(Level::Warning, NoticeKind::Watch, text).about(name).hint(hint)
    }

    /// What to do so that a path is ignored from now on.
    fn ignore_line(&self, path: &Path, keys: &Keys) -> String {
        match (path.strip_prefix(&self.base), keys) {
            (Ok(below), _) if below.as_os_str().is_empty() => {
                "let the app write them to a folder of their own, and name that in .pmdevignore".to_owned()
            }
            (Ok(below), Keys::Files(_)) => format!("echo {} >> .pmdevignore", shell_words::quote(&below.display().to_string())),
            (Ok(below), Keys::Folders(_)) => format!("echo {} >> .pmdevignore", shell_words::quote(&format!("{}/", below.display()))),
            (Err(_), _) => format!("pmdev start --ignore-watch {}", shell_words::quote(&path.display().to_string())),
        }
    }
}

/// An app is restarted so often that something must be wrong.
pub fn runaway(name: &str) -> Notice {
    let text = format!("{name} was restarted by files more than 10 times in 10 s; waiting longer for files to settle until that ends");
    Notice::new(Level::Warning, NoticeKind::Watch, text).about(name).hint("pmdev start --explain tells which files they are")
}

/// A span as people read it: `0.7 s`, `90 ms`.
fn length(span: Duration) -> String {
    if span < Duration::from_millis(500) {
        format!("{} ms", span.as_millis().div_ceil(10) * 10)
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}
