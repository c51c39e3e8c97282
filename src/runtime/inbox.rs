//! What comes to the loop by signals and from its own tasks, on its way to whom it concerns.

use super::{
    runner::{Inbox, Runner, now},
    signals::Meaning,
};
use crate::{
    log::file::Answer,
    supervisor::{Event, ShutdownCause},
};

impl Runner {
    pub(super) fn signal(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Child => self.collect(),
            Meaning::Stop(signal) => self.handle(Event::Shutdown(ShutdownCause::Signal(signal))),
            Meaning::Resized => self.screens.resized(),
            Meaning::Reopen => self.reopen_logs("SIGUSR2", |_| Answer::new(|_| ())),
            Meaning::PassOn(signal) => self.pass_on(signal),
            Meaning::Force => {
                self.forced = true;
                self.handle(Event::ForceShutdown { code: 130 });
            }
            Meaning::GuardDied => {
                self.forced = true;
                self.processes.kill_everything();
                self.handle(Event::ForceShutdown { code: 137 });
            }
            Meaning::Suspend => {
                self.hide_checklist();
                self.processes.freeze();
                let before = now();
                // The answer comes when somebody continues us.
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                let stopped_for = now().duration_since(before);
                self.processes.thaw();
                self.tools.shift(stopped_for);
                self.checklist.iter_mut().for_each(|list| list.shift(stopped_for));
                self.handle(Event::Continued { stopped_for });
            }
        }
    }

    pub(super) fn news(&mut self, news: Inbox) {
        match news {
            Inbox::Event(event) => self.handle(event),
            Inbox::Notice(notice) => self.say(&notice),
            Inbox::Sign(run, sign) => self.sign(run, sign),
            Inbox::Ask(question) => self.ask(*question),
            Inbox::ToolRead(run) => self.tool_read(run),
            Inbox::HookOver(over) => self.hook_over(over),
            Inbox::Loaded(loaded) => self.loaded(*loaded),
            Inbox::Worker(news) => self.worker(news),
            Inbox::Asked(incoming) => self.asked(incoming),
            Inbox::Completed(completed) => self.completed(*completed),
            Inbox::Versions(read) => self.versions_read(read),
            Inbox::LastWords(run) => {
                let ending = self.runs.get_mut(&run).map(|live| std::mem::take(&mut live.ending)).unwrap_or_default();
                for event in ending {
                    self.finished(run, event);
                }
            }
        }
    }
}
