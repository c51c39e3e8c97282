//! The standard input of runs: a pipe that stays open for the life of the run, and, for one app, the lines typed at the runner.

use std::{collections::HashMap, os::fd::OwnedFd};

use tokio::{
    io::AsyncWriteExt,
    net::unix::pipe,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task,
};

use crate::model::{AppId, RunId};

/// The input pipes of all runs.
#[derive(Default)]
pub struct Inputs {
    open: HashMap<RunId, Input>,
    target: Option<AppId>,
}

enum Input {
    /// Kept open, never written.
    Idle(#[expect(dead_code, reason = "it is held to keep the pipe open")] OwnedFd),
    /// A task writes what is sent here, so that an app that does not read holds up nobody.
    Fed(UnboundedSender<Vec<u8>>),
}

impl Inputs {
    /// Typed lines go to this app.
    pub fn feed(&mut self, app: AppId) {
        self.target = Some(app);
    }

    /// Keeps the pipe of a new run.
    pub fn opened(&mut self, app: AppId, run: RunId, pipe: OwnedFd) {
        let input = if self.target == Some(app) { feed(pipe) } else { Some(Input::Idle(pipe)) };
        self.open.extend(input.map(|input| (run, input)));
    }

    /// Closes the pipe of a run that is over.
    pub fn closed(&mut self, run: RunId) {
        self.open.remove(&run);
    }

    /// Sends a typed line to the app's runs. False: lines are not for an app.
    pub fn line(&self, mut line: Vec<u8>) -> bool {
        line.push(b'\n');
        for input in self.open.values() {
            match input {
                Input::Fed(lines) => drop(lines.send(line.clone())),
                Input::Idle(_) => {}
            }
        }
        self.target.is_some()
    }

    /// The end of typed input: the app's own input ends too.
    pub fn end(&mut self) {
        if self.target.is_some() {
            self.open.retain(|_, input| match input {
                Input::Fed(_) => false,
                Input::Idle(_) => true,
            });
        }
    }
}

fn feed(pipe: OwnedFd) -> Option<Input> {
    let pipe = pipe::Sender::from_owned_fd(pipe).ok()?;
    let (lines, queue) = mpsc::unbounded_channel();
    task::spawn_local(write_all(pipe, queue));
    Some(Input::Fed(lines))
}

async fn write_all(mut pipe: pipe::Sender, mut lines: UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if pipe.write_all(&line).await.is_err() {
            return;
        }
    }
}
