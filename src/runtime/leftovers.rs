//! What an earlier runner has left that was killed with its guard: it holds ports, so it goes before anything starts.

use std::path::Path;

use super::{effects, runner::Runner};
use crate::{
    control::{Folders, endpoint},
    model::{Level, Notice, NoticeKind},
    process,
};

impl Runner {
    /// Ends what runners of this kind have left whose sockets nobody is behind, and takes the sockets away.
    pub fn end_leftovers(&mut self, folders: &Folders) {
        // The background runner's socket is taken over when ours is made.
        let background = self.background.is_some();
        let own = |socket: &Path| (socket == folders.background_socket()) == background;
        let pid = |socket: &Path| if background { written(&folders.home.join("pmdev.pid")) } else { Folders::foreground_pid(socket) };
        let stale = folders.sockets().into_iter().filter(|socket| own(socket) && endpoint::is_stale(socket));
        let dead: Vec<_> = stale.filter_map(|socket| Some((pid(&socket)?, socket))).collect();
        if dead.is_empty() {
            return;
        }
        let pids: Vec<i32> = dead.iter().map(|(pid, _)| *pid).collect();
        let left = process::kill_leftovers(&pids);
        if let Some(names) = effects::named(&left.killed, effects::SHOWN) {
            let text = format!("killed what a runner had left that was killed itself: {names}");
            self.first_words.push(Notice::new(Level::Warning, NoticeKind::Killed, text));
        }
        if !left.stuck.is_empty() {
            self.first_words.push(effects::stuck("what a runner had left that was killed itself", &left.stuck));
        } else if !background {
            // One that cannot be removed is looked behind once more by the next.
            let over = dead.iter().filter(|(pid, _)| !left.spared.contains(pid));
            over.for_each(|(_, socket)| drop(endpoint::remove_stale(socket)));
        }
    }
}

/// The pid in a pid file.
fn written(file: &Path) -> Option<i32> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}
