//! Workers that share their ports: what they are started with, and what they say, on its way to the supervisor.

use std::io;

use super::{
    runner::{Inbox, Runner},
    signs::{Prepared, Sign, set},
};
use crate::{
    model::{InstanceId, Launch, Level, Notice, NoticeKind, Probe, RunId},
    process::descriptors,
    socket::{Cluster, News, channel},
    supervisor::Event,
};

/// The variable whose presence makes a program a worker: a number that no other has or had.
const UNIQUE_ID: &str = "NODE_UNIQUE_ID";

/// Options of every Node program below.
const OPTIONS: &str = "NODE_OPTIONS";

/// What lets a worker finish what it serves.
const PRELOAD: &str = include_str!("../../assets/drain.cjs");

impl Runner {
    /// Gives a run that is about to begin its channel, and what makes it a worker.
    pub fn join_cluster(&mut self, run: RunId, instance: InstanceId, name: &str, launch: &mut Launch, prepared: &mut Prepared) {
        if let Err(error) = self.try_join(run, instance, launch, prepared) {
            let text = format!("{name} could not be given a channel for its ports ({error}), so its instances do not share them");
            self.say(&Notice::new(Level::Error, NoticeKind::Output, text).about(name));
        }
    }

    fn try_join(&mut self, run: RunId, instance: InstanceId, launch: &mut Launch, prepared: &mut Prepared) -> io::Result<()> {
        let cluster = match &mut self.cluster {
            Some(cluster) => cluster,
            none @ None => {
                let inbox = self.inbox.clone();
                none.insert(Cluster::start(move |news| drop(inbox.send(Inbox::Worker(news))))?)
            }
        };
        let (ours, theirs) = channel::pair()?;
        cluster.attach(run.0, instance.app.0, instance.slot, ours, launch.hardening.identity.clone());
        self.sharing.insert(instance.app);
        let number = usize::try_from(descriptors::FIRST).expect("it is small") + prepared.fds.len();
        set(&mut launch.env, channel::VARIABLE, number.to_string().into());
        set(&mut launch.env, channel::FORM.0, channel::FORM.1.into());
        set(&mut launch.env, UNIQUE_ID, run.0.to_string().into());
        prepared.fds.push(theirs);
        prepared.signs.is_worker();
        self.preload(launch)
    }

    /// Node loads our part before the app. Without it workers go on as they do under Node's own primary.
    fn preload(&mut self, launch: &mut Launch) -> io::Result<()> {
        let path = self.own_folder()?.file("drain.cjs", PRELOAD)?;
        let Some(path) = path.to_str().filter(|path| !path.contains(['"', '\\'])) else { return Ok(()) };
        let mut options = launch.variable(OPTIONS).unwrap_or_default().to_owned();
        if !options.is_empty() {
            options.push(" ");
        }
        options.push(format!("--require \"{path}\""));
        set(&mut launch.env, OPTIONS, options);
        Ok(())
    }

    /// News of a worker.
    pub fn worker(&mut self, news: News) {
        match news {
            News::Listening(run) => {
                let run = RunId(run);
                if self.runs.get(&run).is_some_and(|live| live.spec.ready.by == Probe::Listening) {
                    self.sign(run, Sign::Ready);
                }
            }
            News::Said(run, said) => self.sign(RunId(run), Sign::Said(said)),
            News::Unheard(run) => self.sign(RunId(run), Sign::Unheard),
            News::Drained(run) => self.handle(Event::Drained { run: RunId(run) }),
        }
    }

    /// A run is being stopped: if it is a worker, it gets no new connections.
    pub fn retire(&self, run: RunId) {
        let worker = self.runs.get(&run).is_some_and(|live| live.spec.shares_ports());
        if let (true, Some(cluster)) = (worker, &self.cluster) {
            cluster.retire(run.0);
        }
    }

    /// Closes what is bound for apps that are to have no run any more.
    pub fn release_sockets(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let supervisor = &self.supervisor;
        self.sharing.retain(|app| {
            let over = supervisor.needs_no_socket(*app);
            if over {
                cluster.release(app.0);
            }
            !over
        });
    }
}
