//! Who is waiting for what over the socket: the answer goes out once it is true, or cannot come true by itself.

use std::{
    os::unix::net::UnixListener,
    time::{Duration, Instant},
};

use super::{
    follow::Follows,
    runner::{Inbox, Runner, now},
};
use crate::{
    control::{
        Folders, Reply, Responder, Shown,
        endpoint::{self, Bound, NotBound, Turn},
        server,
    },
    log::Stream,
    model::{Error, InstanceId, Level, Notice, NoticeKind, RunId, Status},
    supervisor::{Goal, Progress},
    ui,
};

/// The open socket, and who waits.
#[derive(Debug, Default)]
pub struct Desk {
    bound: Option<Bound>,
    /// What keeps others from becoming the runner of the same apps, until this one answers.
    turn: Option<Turn>,
    waits: Vec<Wait>,
    /// Who looks at logs.
    pub follows: Follows,
    /// Who waits for the end of the runner, and since when.
    ends: Vec<(Responder, Instant)>,
}

impl Desk {
    /// One that is not open yet.
    pub fn new(turn: Option<Turn>) -> Self {
        Self { turn, ..Self::default() }
    }

    /// From here on the runner answers.
    pub fn answers(&mut self) {
        self.turn = None;
    }
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
    steady: Steady,
}

/// Whether an app that has come online must stay so for a moment: most that cannot run say so at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steady {
    /// It need not.
    No,
    /// It must, once all are there.
    Wanted,
    /// All are there, and it is to be looked at again then.
    Until(Instant),
}

/// How long an app that was started in the background must stay online before that is told.
const STEADY: Duration = Duration::from_millis(300);

/// How many of the last lines of an app tell why it did not start.
const LAST_LINES: usize = 15;

impl Runner {
    /// Makes the socket. A runner of a folder that cannot be reached runs its apps all the same.
    ///
    /// # Errors
    /// A background runner cannot be reached, or there is one already.
    pub fn open_desk(&mut self, folders: Option<Folders>) -> Result<(), Error> {
        let Some(folders) = folders else { return Ok(()) };
        self.end_leftovers(&folders);
        if self.background.is_some() {
            return match endpoint::bind(&folders.background_socket()) {
                Ok((listener, bound)) => {
                    self.serve(listener, bound);
                    Ok(())
                }
                Err(NotBound::Taken) => Err(endpoint::taken(&folders.home)),
                Err(NotBound::Failed(error)) => Err(error),
            };
        }
        self.open_own_desk(&folders);
        Ok(())
    }

    fn open_own_desk(&mut self, folders: &Folders) {
        if let Err(error) = folders.make_foreground() {
            return self.unreachable(&error);
        }
        let bound = endpoint::bind(&folders.foreground_socket(std::process::id()));
        let (listener, bound) = match bound {
            Ok(bound) => bound,
            Err(NotBound::Taken) => return self.unreachable(&Error::failed("Its socket is another runner's")),
            Err(NotBound::Failed(error)) => return self.unreachable(&error),
        };
        self.serve(listener, bound);
    }

    fn serve(&mut self, listener: UnixListener, bound: Bound) {
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
        self.wait(goals, responder, Steady::No);
    }

    /// Answers once these instances are online and have stayed so for a moment; a failure is told with their last lines.
    pub fn answer_when_steady(&mut self, goals: Vec<(InstanceId, Goal)>, responder: Responder) {
        self.wait(goals, responder, Steady::Wanted);
    }

    fn wait(&mut self, goals: Vec<(InstanceId, Goal)>, responder: Responder, steady: Steady) {
        let about = goals.iter().map(|(id, _)| *id).collect();
        self.desk.waits.push(Wait { open: goals, about, failed: Vec::new(), responder, began: now(), steady });
        self.look_at_desk();
    }

    /// When somebody is to be answered although nothing has happened.
    pub fn desk_deadline(&self) -> Option<Instant> {
        let until = |wait: &Wait| match wait.steady {
            Steady::Until(until) => Some(until),
            Steady::No | Steady::Wanted => None,
        };
        self.desk.waits.iter().filter_map(until).min()
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
            self.look_at(&mut wait);
            if !wait.open.is_empty() || self.is_unsteady(&mut wait) {
                if !wait.responder.is_gone() {
                    self.desk.waits.push(wait);
                }
                continue;
            }
            let reply = match (wait.failed.is_empty(), wait.steady) {
                (true, _) => Reply::Done { instances: self.views(&wait.about, Shown::default()), took_ms: milliseconds_since(wait.began) },
                (false, Steady::No) => Reply::refused(1, wait.failed.join("; ")),
                (false, Steady::Wanted | Steady::Until(_)) => {
                    Reply::Refused { code: 1, message: wait.failed.join("; "), hint: self.last_lines(&wait.about) }
                }
            };
            wait.responder.say(reply);
        }
    }

    /// What has come of it since.
    fn look_at(&self, wait: &mut Wait) {
        let failed = &mut wait.failed;
        wait.open.retain(|(id, goal)| match self.supervisor.progress(*id, *goal) {
            Progress::Pending => true,
            Progress::Reached => false,
            Progress::Failed(why) => {
                failed.push(why);
                false
            }
        });
    }

    /// Whether all are online, but not yet for long enough. One that has failed meanwhile is noted.
    fn is_unsteady(&self, wait: &mut Wait) -> bool {
        match wait.steady {
            Steady::No => false,
            _ if !wait.failed.is_empty() => false,
            Steady::Wanted => {
                wait.steady = Steady::Until(now() + STEADY);
                true
            }
            // What a run that ended at once has said is complete by then, and often the next one has said it as well.
            Steady::Until(until) if now() < until => true,
            Steady::Until(_) => {
                let snapshot = self.supervisor.snapshot(now());
                let instances = || snapshot.apps.iter().flat_map(|app| &app.instances);
                for id in &wait.about {
                    let Some(instance) = instances().find(|instance| instance.id == *id) else { continue };
                    let name = || self.apps.name(id.app).unwrap_or_default();
                    match (instance.status, self.supervisor.progress(*id, Goal::Online { after: RunId(0) })) {
                        // One that ended as it should is no failure.
                        (Status::Stopped, _) => {}
                        (Status::WaitingRestart, Progress::Failed(_)) | (_, Progress::Reached | Progress::Pending)
                            if instance.unstable_restarts > 0 =>
                        {
                            wait.failed.push(format!("{} ended right after its start, and was started again", name()));
                        }
                        (_, Progress::Failed(why)) => wait.failed.push(why),
                        (_, Progress::Reached | Progress::Pending) => {}
                    }
                }
                false
            }
        }
    }

    /// The last lines of the instances that do not run, as a hint.
    fn last_lines(&mut self, about: &[InstanceId]) -> Option<String> {
        let mut shown = Vec::new();
        let views = self.views(about, Shown::default());
        for view in views.iter().zip(about).filter(|(view, _)| view.status != "online" || view.unstable_restarts > 0) {
            let (view, id) = view;
            let Some(source) = self.apps.source(*id) else { continue };
            let before = |stream| source.kept(stream, LAST_LINES).into_iter().map(|kept| kept.line).collect();
            // The newest run may have said nothing yet.
            let found = [source.ring_of(Stream::Err, LAST_LINES), source.ring(LAST_LINES), before(Stream::Err), before(Stream::Out)];
            let lines = found.into_iter().find(|lines| !lines.is_empty()).unwrap_or_default();
            if !lines.is_empty() {
                let text: Vec<_> = lines.iter().map(|line| format!("  {}", ui::plain(&String::from_utf8_lossy(line)))).collect();
                shown.push(format!("the last lines of {}:\n{}", view.name, text.join("\n")));
            }
        }
        (!shown.is_empty()).then(|| shown.join("\n"))
    }

    /// The end of the runner is told to those who wait for it, and to those whose wish cannot come true any more.
    pub async fn close_desk(&mut self) {
        self.end_follows().await;
        for (responder, began) in std::mem::take(&mut self.desk.ends) {
            responder.say(Reply::Done { instances: Vec::new(), took_ms: milliseconds_since(began) });
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

fn milliseconds_since(began: Instant) -> u64 {
    u64::try_from(now().duration_since(began).as_millis()).unwrap_or(u64::MAX)
}
