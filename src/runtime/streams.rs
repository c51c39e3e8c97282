//! The input and output of a new run, brought to where they belong.

use std::{io, os::fd::OwnedFd};

use super::runner::{Inbox, Runner};
use crate::{
    log::{self, Source, Stream},
    model::{InstanceId, Level, Notice, NoticeKind, RunId},
    process::Spawned,
    supervisor::Role,
};

impl Runner {
    /// Connects a new run: its output to its source and its input to those who type, or its terminal to all of them.
    pub fn connect(&mut self, run: RunId, instance: InstanceId, role: Role, name: &str, spawned: Spawned) {
        let source = self.apps.source(instance).cloned();
        if let Some(master) = spawned.terminal {
            if let Err(error) = self.connect_terminal(run, instance, name, master, source) {
                // Whoever is left with a hold of it keeps its writer from the hang-up that is told here.
                self.inputs.closed(run);
                self.screens.closed(run);
                self.say(&unread(name, &error));
            }
            return;
        }
        if let Some(source) = source {
            for (pipe, stream) in [(spawned.stdout, Stream::Out), (spawned.stderr, Stream::Err)] {
                self.pump(name, log::pump(pipe, stream, source.clone()));
            }
        }
        match role {
            Role::App => self.inputs.opened(instance.app, run, spawned.stdin),
            // A build has nobody to ask; its input is at an end.
            Role::Build | Role::Rule(_) => drop(spawned.stdin),
        }
    }

    fn connect_terminal(
        &mut self,
        run: RunId,
        instance: InstanceId,
        name: &str,
        master: OwnedFd,
        source: Option<Source>,
    ) -> io::Result<()> {
        let keys = self.inputs.opened_terminal(instance.app, run, master.try_clone()?)?;
        let screen = self.screens.begin(instance, run, &master, keys)?;
        if let Some(source) = source {
            self.pump(name, log::pump_terminal(master, screen, source));
        }
        Ok(())
    }

    fn pump(&self, name: &str, pumping: impl Future<Output = io::Result<()>> + 'static) {
        let (name, inbox) = (name.to_owned(), self.inbox.clone());
        tokio::task::spawn_local(async move {
            if let Err(error) = pumping.await {
                let _ = inbox.send(Inbox::Notice(unread(&name, &error)));
            }
        });
    }
}

/// An output that cannot be read: its writer gets SIGPIPE, or SIGHUP from its terminal.
fn unread(name: &str, error: &io::Error) -> Notice {
    let text = format!("{name} writes to nobody from here on, because its output cannot be read: {error}");
    Notice::new(Level::Error, NoticeKind::Output, text).about(name)
}
