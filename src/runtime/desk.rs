//! Who is waiting for what over the socket: the answer goes out once it is true, or cannot come true by itself.

use std::time::Instant;

use super::{
    follow::Follows,
    runner::{Inbox, Runner, now},
    views::Shown,
};
use crate::{
    control::{
        Folders, Reply, Responder,
        endpoint::{self, Bound, NotBound},
        server,
    },
    model::{Error, InstanceId, Level, Notice, NoticeKind},
    supervisor::{Goal, Progress},
};

/// The open socket, and who waits.
#[derive(Debug, Default)]
pub struct Desk {
    bound: Option<Bound>,
    waits: Vec<Wait>,
    /// Who looks at logs.
    pub follows: Follows,
    /// Who waits for the end of the runner, and since when.
    ends: Vec<(Responder, Instant)>,
}

/// Somebody who waits.
#[derive(Debug)]
struct Wait {
    /// What is still to come.
    open: Vec<(InstanceId, Goal)>,
    /// The instances the answer is about.
    about: Vec<InstanceId>,
    failed: Vec<String>,
    responder: Responder,
    began: Instant,
}

impl Runner {
    /// Makes the socket. A runner that cannot be reached runs its apps all the same.
    pub fn open_desk(&mut self, folders: Option<Folders>) {
        let Some(folders) = folders else { return };
        // Made on the way to a socket, the home is as private as what lies in it.
        if folders.foreground.starts_with(&folders.home)
            && !folders.home.exists()
            && let Err(error) = endpoint::private_folder(&folders.home)
        {
            return self.unreachable(&error);
        }
        let bound = endpoint::bind(&folders.foreground_socket(std::process::id()));
        let (listener, bound) = match bound {
            Ok(bound) => bound,
            Err(NotBound::Taken) => return self.unreachable(&Error::failed("Its socket is another runner's")),
            Err(NotBound::Failed(error)) => return self.unreachable(&error),
        };
        self.desk.bound = Some(bound);
        let inbox = self.inbox.clone();
        tokio::task::spawn_local(server::serve(listener, move |incoming| {
            let _ = inbox.send(Inbox::Asked(incoming));
        }));
    }

    fn unreachable(&mut self, error: &Error) {
        let text = "other terminals cannot reach this runner (list, restart and the other verbs do not work)";
        self.first_words.push(Notice::new(Level::Warning, NoticeKind::Config, text).hint(error.to_string()));
    }

    /// Answers once these instances are where they shall be.
    pub fn answer_when(&mut self, goals: Vec<(InstanceId, Goal)>, responder: Responder) {
        let about = goals.iter().map(|(id, _)| *id).collect();
        self.desk.waits.push(Wait { open: goals, about, failed: Vec::new(), responder, began: now() });
        self.look_at_desk();
    }

    /// Answers when the runner ends.
    pub fn answer_at_end(&mut self, responder: Responder) {
        self.desk.ends.push((responder, now()));
    }

    /// Whether anything that somebody waits for has come.
    pub fn look_at_desk(&mut self) {
        if self.desk.waits.is_empty() {
            return;
        }
        for mut wait in std::mem::take(&mut self.desk.waits) {
            let supervisor = &self.supervisor;
            let failed = &mut wait.failed;
            wait.open.retain(|(id, goal)| match supervisor.progress(*id, *goal) {
                Progress::Pending => true,
                Progress::Reached => false,
                Progress::Failed(why) => {
                    failed.push(why);
                    false
                }
            });
            if !wait.open.is_empty() {
                if !wait.responder.is_gone() {
                    self.desk.waits.push(wait);
                }
                continue;
            }
            let reply = if wait.failed.is_empty() {
                let took = now().duration_since(wait.began);
                Reply::Done {
                    instances: self.views(&wait.about, Shown::default()),
                    took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                }
            } else {
                Reply::refused(1, wait.failed.join("; "))
            };
            wait.responder.say(reply);
        }
    }

    /// The end of the runner is told to those who wait for it, and to those whose wish cannot come true any more.
    pub async fn close_desk(&mut self) {
        self.end_follows().await;
        for (responder, began) in std::mem::take(&mut self.desk.ends) {
            let took = now().duration_since(began);
            responder.say(Reply::Done { instances: Vec::new(), took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) });
        }
        for wait in std::mem::take(&mut self.desk.waits) {
            wait.responder.say(Reply::refused(1, "The runner has ended"));
        }
        self.desk.bound = None;
        // The tasks of the connections write what was just said.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}
