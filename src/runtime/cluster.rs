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
        let failed = |text: String| Notice::new(Level::Error, NoticeKind::Output, text).about(name);
        if let Err(error) = self.try_join(run, instance, launch, prepared) {
            self.say(&failed(format!("{name} could not be given a channel for its ports ({error}), so its instances do not share them")));
        } else if let Err(error) = self.preload(launch) {
            let text = format!("{name} could not be given the module that tells when its last request is served ({error})");
            let hint = "its instances share their ports all the same, but a reload leaves each half a second for what it serves";
            self.say(&failed(text).hint(hint));
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
        Ok(())
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
            News::Full(run, own) => self.say_of_worker(RunId(run), |name| {
                let text = format!("{name} listens on {own} ports and sockets, and gets no more of them (it is told EMFILE)");
                let hint =
                    "an app may have 1024 of them, and all together a quarter of the files that the runner may have open (ulimit -Hn)";
                Notice::new(Level::Error, NoticeKind::Output, text).hint(hint)
            }),
            News::Deaf(run) => self.say_of_worker(RunId(run), |name| {
                let text = format!("{name} asks for ports without reading the answers, so its channel was closed");
                Notice::new(Level::Error, NoticeKind::Output, text)
                    .hint("it asks for thousands of them at once, or writes to NODE_CHANNEL_FD by itself")
            }),
        }
    }

    fn say_of_worker(&self, run: RunId, text: impl FnOnce(&str) -> Notice) {
        if let Some(live) = self.runs.get(&run) {
            let name = &live.spec.name;
            self.say(&text(name).about(name));
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
