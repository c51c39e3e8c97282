//! What the watch engine tells, on its way to the supervisor and to people.

use super::runner::Runner;
use crate::{
    model::{HumanDuration, Level, Notice, NoticeKind},
    supervisor::Event,
    watch::Out,
};

impl Runner {
    /// Takes what the watch engine tells to whom it concerns.
    pub fn watched(&mut self, out: Out) {
        match out {
            // The files that say what shall run are watched in any case.
            Out::Ready { .. } if self.apps.watched().is_empty() => {}
            Out::Ready { dirs, files: _, took, polled } => {
                let polled = if polled == 0 { String::new() } else { format!(", {polled} of them polled") };
                let folders = if dirs == 1 { "folder" } else { "folders" };
                self.say(&Notice::new(
                    Level::Info,
                    NoticeKind::Watching,
                    format!("watching {dirs} {folders}{polled} (ready in {})", HumanDuration(took)),
                ));
            }
            Out::Early { app, path } => {
                self.handle(Event::FilesChanging { app, path });
                // While the old run ends and the save settles.
                if self.supervisor.heeds_files() {
                    self.processes.prepare();
                }
            }
            Out::Changed { app, changes } => self.changed(app, changes),
            Out::Skipped { app, paths, why } => {
                self.known.decisions.skipped(self.apps.name(app), self.supervisor.generation(app), &paths, &why);
                // They are asked for by whoever asks why.
                for why in why.into_iter().filter(|_| self.explain) {
                    self.say(&Notice::new(Level::Info, NoticeKind::Explain, why));
                }
            }
            Out::Probe { app, path } => self.handle(Event::Probe { app, path }),
            Out::ProbeOver { app } => self.handle(Event::ProbeOver { app }),
            Out::ProjectFile { paths } => self.edited(paths),
            Out::Notice(notice) => self.say(&notice),
        }
    }
}
