//! Signs of life of runs: what is asked, what is listened for, and what it means to the supervisor.

mod ask;
mod prepare;

pub use prepare::{Prepared, set};

use tokio::{sync::OwnedSemaphorePermit, task::JoinSet};

use super::runner::{Inbox, Runner};
use crate::{
    model::{AppSpec, InstanceId, Level, Notice, NoticeKind, Probe, RunId, Signal, Status},
    process,
    readiness::notify::{Sender, Word},
    socket::channel::{Mouth, Said},
    supervisor::Event,
};

/// What a run has shown of itself.
pub enum Sign {
    /// What makes it ready.
    Ready,
    /// It was asked and is not ready yet; a clause.
    NotYet(String),
    /// Words over systemd's protocol. Only so many wait to be looked at.
    Notified(Sender, Vec<Word>, OwnedSemaphorePermit),
    /// A message over Node's channel.
    Said(Said),
    /// It has left the channel without taking what it was told over it.
    Unheard,
}

/// What is known of the signs of a run. Dropping it ends every question and closes what it could speak over.
#[derive(Default)]
pub struct Signs {
    /// The pid of its main process.
    pid: i32,
    /// The supervisor waits for the sign that it is ready.
    awaited: bool,
    /// That sign came, maybe before it was waited for.
    given: bool,
    /// Why it is not ready yet, when it was last asked.
    not_yet: Option<String>,
    /// What it last said of itself.
    status: Option<String>,
    /// The process that was found to belong to it.
    trusted: Option<i32>,
    /// A stranger has spoken in its name, and people were told.
    warned: bool,
    /// The way to say something over Node's channel.
    mouth: Option<Mouth>,
    /// It is told things through the cluster.
    worker: bool,
    /// Something at the other end of it speaks.
    speaks: bool,
    /// It was told to shut down, in the place of this signal.
    told: Option<Signal>,
    waiting: JoinSet<()>,
    checking: JoinSet<()>,
    listening: JoinSet<()>,
}

impl Signs {
    /// They are those of this main process.
    pub fn of(&mut self, pid: i32) {
        self.pid = pid;
    }

    /// They come through the cluster, and Node is there to hear.
    pub fn is_worker(&mut self) {
        (self.worker, self.speaks) = (true, true);
    }
}

impl Runner {
    /// Waits for the sign that makes a run ready.
    pub fn await_ready(&mut self, run: RunId, instance: InstanceId, spec: &AppSpec) {
        let asked = match &spec.ready.by {
            Probe::Tcp(_) | Probe::Http(_) | Probe::Command(_) => {
                Some(self.question(run, instance, &spec.ready.by, spec, spec.ready.timeout))
            }
            Probe::Started | Probe::Listening | Probe::Log(_) | Probe::Notify | Probe::Message => None,
        };
        let Some(live) = self.runs.get_mut(&run) else { return };
        let signs = &mut live.signs;
        signs.awaited = true;
        signs.given |= spec.ready.by == Probe::Started;
        match asked {
            Some(question) => drop(signs.waiting.spawn_local(question.until_ready())),
            None if signs.given => drop(self.inbox.send(Inbox::Event(Event::Ready { run }))),
            None => {}
        }
    }

    /// Asks a run whether it is well. A question that is still open is dropped: its answer would come too late.
    pub fn check_health(&mut self, run: RunId, instance: InstanceId, check: u32, spec: &AppSpec) {
        let Some(health) = &spec.health else { return };
        self.end_tools_of(run);
        let question = self.question(run, instance, &health.probe, spec, health.timeout);
        let Some(live) = self.runs.get_mut(&run) else { return };
        live.signs.checking = JoinSet::new();
        live.signs.checking.spawn_local(question.once(check));
    }

    /// Tells a Node app to shut down; where nobody would hear it, the main process gets the signal.
    pub fn shut_down(&mut self, run: RunId, signal: Signal) {
        self.is_asked_to_stop(run);
        self.retire(run);
        let signs = self.runs.get_mut(&run).map(|live| &mut live.signs);
        if let (Some(signs), Some(cluster)) = (signs, &self.cluster)
            && signs.worker
        {
            signs.told = Some(signal);
            cluster.shut_down(run.0);
            return;
        }
        let signs = self.runs.get_mut(&run).map(|live| &mut live.signs);
        match signs.filter(|signs| signs.speaks && signs.mouth.as_ref().is_some_and(Mouth::shut_down)) {
            Some(signs) => signs.told = Some(signal),
            None => self.processes.signal_main(run, signal),
        }
    }

    /// A signal was sent to a run. If it was that of a stop, nobody waits for the run to become ready any more.
    pub fn was_signalled(&mut self, run: RunId) {
        let Some(live) = self.runs.get(&run).filter(|live| !live.signs.waiting.is_empty()) else { return };
        let instance = live.instance;
        let snapshot = self.supervisor.snapshot(super::runner::now());
        let mut instances = snapshot.apps.iter().flat_map(|app| &app.instances);
        if !instances.any(|known| known.id == instance && known.status == Status::Launching) {
            self.is_asked_to_stop(run);
        }
    }

    /// Nobody waits any more for a run to become ready.
    pub fn is_asked_to_stop(&mut self, run: RunId) {
        if let Some(live) = self.runs.get_mut(&run) {
            live.signs.awaited = false;
            live.signs.waiting = JoinSet::new();
        }
        self.end_tools_of(run);
    }

    /// The main process of a run is gone, and with it all signs of life.
    pub fn end_signs(&mut self, run: RunId) {
        if let Some(live) = self.runs.get_mut(&run) {
            live.signs = Signs::default();
        }
        self.end_tools_of(run);
    }

    /// A run has shown something of itself.
    pub fn sign(&mut self, run: RunId, sign: Sign) {
        match sign {
            Sign::Ready => self.is_ready(run),
            Sign::NotYet(why) => {
                if let Some(live) = self.runs.get_mut(&run) {
                    live.signs.not_yet = Some(why);
                }
            }
            Sign::Said(said) => {
                let Some(live) = self.runs.get_mut(&run) else { return };
                live.signs.speaks = true;
                if said == Said::Ready && self.ready_by(run, &Probe::Message) {
                    self.is_ready(run);
                }
            }
            Sign::Unheard => {
                let told = self.runs.get_mut(&run).and_then(|live| live.signs.told.take());
                told.into_iter().for_each(|signal| self.processes.signal_main(run, signal));
            }
            Sign::Notified(sender, words, permit) => {
                if self.trusts(run, sender) {
                    words.into_iter().for_each(|word| self.word(run, word));
                }
                drop(permit);
            }
        }
    }

    fn word(&mut self, run: RunId, word: Word) {
        match word {
            Word::Ready if self.ready_by(run, &Probe::Notify) => self.is_ready(run),
            Word::Ready => {}
            Word::Alive => self.handle(Event::Health { run, check: None, answer: Ok(()) }),
            Word::Unwell => self.handle(Event::Health { run, check: None, answer: Err("it says so itself".to_owned()) }),
            Word::Status(text) => {
                if let Some(live) = self.runs.get_mut(&run) {
                    live.signs.status = Some(text).filter(|text| !text.trim().is_empty());
                }
            }
        }
    }

    fn ready_by(&self, run: RunId, probe: &Probe) -> bool {
        self.runs.get(&run).is_some_and(|live| live.spec.ready.by == *probe)
    }

    fn is_ready(&mut self, run: RunId) {
        let Some(live) = self.runs.get_mut(&run) else { return };
        live.signs.given = true;
        if live.signs.awaited {
            self.handle(Event::Ready { run });
        }
    }

    /// Whether a process speaks for a run. One that has already ended, as `systemd-notify` does at once, is taken for what it says if its
    /// user could be the run's.
    fn trusts(&mut self, run: RunId, sender: Sender) -> bool {
        let Some(live) = self.runs.get(&run) else { return false };
        let pid = live.signs.pid;
        if sender.pid == pid || live.signs.trusted == Some(sender.pid) {
            return true;
        }
        let own = rustix::process::getuid().as_raw();
        let member = self.processes.members(run).iter().any(|member| member.pid == sender.pid);
        let gone = !process::sender::is_alive(sender.pid);
        let trusted = member || gone && (sender.user == own || process::sender::user(pid) == Some(sender.user));
        let Some(live) = self.runs.get_mut(&run) else { return false };
        if member {
            live.signs.trusted = Some(sender.pid);
        }
        if !trusted && !std::mem::replace(&mut live.signs.warned, true) {
            let name = &live.spec.name;
            let text = format!("{name} was notified of by process {}, which is none of its own and is not heard", sender.pid);
            let notice = Notice::new(Level::Warning, NoticeKind::Output, text).about(name);
            self.say(&notice);
        }
        trusted
    }

    /// Adds to the news that a run was not ready what is known of the reason, and how to give it more time.
    pub fn with_reason(&self, run: RunId, notice: Notice) -> Notice {
        let Some(live) = self.runs.get(&run) else { return notice };
        let why = match &live.spec.ready.by {
            Probe::Started => return notice,
            Probe::Listening => "it never listened".to_owned(),
            Probe::Tcp(_) | Probe::Http(_) | Probe::Command(_) => match &live.signs.not_yet {
                Some(why) => format!("the last try: {why}"),
                None => "it was never asked to the end".to_owned(),
            },
            Probe::Log(regex) => format!("no line of its output matched {regex:?}"),
            Probe::Notify => match &live.signs.status {
                Some(status) => format!("READY=1 never came over NOTIFY_SOCKET; its last status was {status:?}"),
                None => "READY=1 never came over NOTIFY_SOCKET".to_owned(),
            },
            Probe::Message => "process.send('ready') never came".to_owned(),
        };
        notice.hint(format!("{why}; to give it longer: `timeout` in `ready`, or `listen_timeout`"))
    }
}
