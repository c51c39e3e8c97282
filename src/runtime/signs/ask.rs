//! Questions to a run that are asked until the answer is good, or once.

use std::time::Duration;

use tokio::{
    sync::{mpsc::UnboundedSender, oneshot},
    time::{sleep, timeout},
};

use super::Sign;
use crate::{
    config::{self, request::End},
    model::{AppSpec, HumanDuration, InstanceId, Launch, Probe, RunId},
    readiness::{Pace, http, tcp},
    runtime::{
        runner::{Inbox, Runner},
        tool::{self, Answer},
    },
    supervisor::Event,
};

/// How long a server may keep one question waiting before it is asked again: it may have lost it while it was starting.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a command line is shown.
const SHOWN: usize = 60;

/// How much of what a command said last is shown.
const LAST_WORDS: usize = 160;

/// A question.
pub struct Question {
    run: RunId,
    probe: Probe,
    /// What runs the command, where it is one.
    command: Option<Launch>,
    /// How long the command has.
    limit: Duration,
    inbox: UnboundedSender<Inbox>,
}

impl Runner {
    /// A question to a run. `limit`: how long a command has that is asked.
    pub(super) fn question(&mut self, run: RunId, instance: InstanceId, probe: &Probe, spec: &AppSpec, limit: Duration) -> Question {
        let command = match probe {
            // With the variables of the instance: its port may be one of them.
            Probe::Command(line) => Some(config::command_line(line, &self.apps.launch(instance, spec))),
            Probe::Started | Probe::Listening | Probe::Tcp(_) | Probe::Http(_) | Probe::Log(_) | Probe::Notify | Probe::Message => None,
        };
        Question { run, probe: probe.clone(), command, limit, inbox: self.inbox.clone() }
    }
}

impl Question {
    /// Asks again and again until the answer is good.
    pub async fn until_ready(self) {
        let mut pace = Pace::default();
        loop {
            let sign = match self.ask_within(PATIENCE).await {
                Ok(()) => Sign::Ready,
                Err(why) => Sign::NotYet(why),
            };
            let over = matches!(sign, Sign::Ready);
            let _ = self.inbox.send(Inbox::Sign(self.run, sign));
            if over {
                return;
            }
            sleep(pace.pause()).await;
        }
    }

    /// Asks once, and gives the answer under this number. How long it may take the supervisor knows.
    pub async fn once(self, check: u32) {
        let answer = self.ask().await;
        let _ = self.inbox.send(Inbox::Event(Event::Health { run: self.run, check: Some(check), answer }));
    }

    async fn ask_within(&self, patience: Duration) -> Result<(), String> {
        match &self.command {
            Some(_) => self.ask().await,
            None => {
                let late = |_| Err(format!("there was no answer within {}", HumanDuration(patience)));
                timeout(patience, self.ask()).await.unwrap_or_else(late)
            }
        }
    }

    async fn ask(&self) -> Result<(), String> {
        match (&self.probe, &self.command) {
            (Probe::Tcp(addresses), _) => tcp::connect(addresses).await.map(drop),
            (Probe::Http(url), _) => http::ask(url).await,
            (Probe::Command(line), Some(launch)) => self.run(line, launch).await,
            // These come by themselves, and nobody asks for them.
            (Probe::Started | Probe::Listening | Probe::Command(_) | Probe::Log(_) | Probe::Notify | Probe::Message, _) => Ok(()),
        }
    }

    async fn run(&self, line: &str, launch: &Launch) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let reply = Box::new(|answer| drop(reply.send(answer)));
        let question =
            tool::Question { launch: launch.clone(), limit: self.limit, input: Vec::new(), of: Some(self.run), shown: None, reply };
        let _ = self.inbox.send(Inbox::Ask(Box::new(question)));
        let line = shown(line, SHOWN);
        let Answer { end, out: _, said } = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Err(format!("`{line}` could not be started ({failure})")),
            Err(_) => return Err(format!("`{line}` was not run, because the runner ends")),
        };
        match end {
            End::Exited(exit) if exit.success() => Ok(()),
            End::Exited(exit) => {
                let said = String::from_utf8_lossy(&said);
                let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
                let last = last.map(|last| format!(": {}", shown(last, LAST_WORDS))).unwrap_or_default();
                Err(format!("`{line}` failed ({exit}){last}"))
            }
            End::Limit => Err(format!("`{line}` did not end within {}", HumanDuration(self.limit))),
        }
    }
}

fn shown(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
