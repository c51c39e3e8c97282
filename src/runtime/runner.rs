//! The loop: the next event, the supervisor's answer, its performance.

use std::{
    collections::{HashMap, HashSet},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use tokio::{
    io::unix::AsyncFd,
    sync::mpsc::{self, Receiver, UnboundedReceiver, UnboundedSender},
};

use super::{
    Options, Output,
    apps::Apps,
    background::{Background, Completed},
    capsule::Capsules,
    checklist::Checklist,
    cron::Cron,
    deaths::{LAST_WORDS, Live},
    desk::Desk,
    effects,
    hooks::{Hooks, Over},
    journal::Journal,
    logs::LogFiles,
    lookups::Lookups,
    memory::Sampler,
    pid_file::PidFile,
    project::Projects,
    reload::Loaded,
    screens::Screens,
    service::Service,
    signals::Signals,
    signs::Sign,
    sources::Sources,
    stdin::Inputs,
    terminal::{self, Typed},
    tool::{Question, Tools},
    version::Read,
    views::Known,
};
use crate::{
    control::Incoming,
    log::Console,
    model::{AppId, Error, Notice, RunId},
    process::{self, Processes},
    readiness::notify::Folder,
    socket::{Cluster, News},
    supervisor::{Event, ShutdownCause, Supervisor},
    ui::{Style, notice},
    watch::{Out, Wanted, Watcher},
};

/// Typed lines that may wait for us.
const TYPED: usize = 16;

/// How long hooks have once the apps are gone.
const LAST_HOOKS: Duration = Duration::from_secs(2);

/// How long the console has at the end to take what is left.
const CONSOLE_AT_EXIT: Duration = Duration::from_secs(2);

/// How long the end waits for the holders of ports.
const LAST_LOOKS: Duration = Duration::from_millis(500);

/// How long what is left at the very end has to die.
const LAST_KILLS: Duration = Duration::from_secs(2);

/// The clock of the shell; the rooms beside it are told the time.
#[expect(clippy::disallowed_methods, reason = "the runtime is where time enters")]
pub fn now() -> Instant {
    Instant::now()
}

/// News for the loop from its own tasks.
pub enum Inbox {
    /// For the supervisor.
    Event(Event),
    /// For people.
    Notice(Notice),
    /// The last words of a run are read, so its end can be told.
    LastWords(RunId),
    /// A run has shown something of itself.
    Sign(RunId, Sign),
    /// A question needs a child.
    Ask(Box<Question>),
    /// What that child printed is read.
    ToolRead(RunId),
    /// A hook is over.
    HookOver(Over),
    /// The files that say what shall run were read again.
    Loaded(Box<Loaded>),
    /// News of a worker of a cluster.
    Worker(News),
    /// Somebody asks over the socket.
    Asked(Incoming),
    /// What somebody asked to be run is completed.
    Completed(Box<Completed>),
    /// Versions of apps were read.
    Versions(Vec<Read>),
}

/// Everything that lives as long as the runner.
pub struct Runner {
    pub supervisor: Supervisor,
    pub processes: Processes,
    pub console: Console,
    pub runs: HashMap<RunId, Live>,
    pub inputs: Inputs,
    /// The terminals of apps.
    pub screens: Screens,
    pub watcher: Option<Watcher>,
    pub apps: Apps,
    pub logs: LogFiles,
    pub projects: Projects,
    /// What is still to come, where that is shown.
    pub checklist: Option<Checklist>,
    pub tools: Tools,
    pub hooks: Hooks,
    pub capsules: Capsules,
    pub cron: Cron,
    pub memory: Sampler,
    /// Where the sockets of systemd's protocol are, once an app needs one.
    pub sockets: Option<Folder>,
    /// The ports that workers share, once there are workers.
    pub cluster: Option<Cluster>,
    /// The apps for which sockets may be bound.
    pub sharing: HashSet<AppId>,
    /// Who waits for something over the socket.
    pub desk: Desk,
    /// The folder the runner was started in.
    pub folder: String,
    /// What is kept for those who ask.
    pub known: Known,
    pub inbox: UnboundedSender<Inbox>,
    pub exit: Option<u8>,
    /// Nothing is waited for any more.
    pub forced: bool,
    /// Who holds the ports of apps that failed.
    pub lookups: Lookups,
    /// What was named as having outlived SIGKILL.
    pub stuck: Vec<i32>,
    news: UnboundedReceiver<Inbox>,
    outs: UnboundedReceiver<Out>,
    typed: Receiver<Typed>,
    stage: AsyncFd<OwnedFd>,
    pub signals: Signals,
    pub style: Style,
    /// Nobody reads our output any more.
    unheard: bool,
    /// What was said before anything ran; shown first.
    pub first_words: Vec<Notice>,
    pub output: Output,
    /// The app, by name, that gets the lines typed at the runner.
    pub stdin: Option<String>,
    /// Whether the list says why each app is as it is.
    pub explain: bool,
    /// The service manager that started us.
    pub service: Service,
    /// What makes it the background runner, where it is that.
    pub background: Option<Background>,
    /// Where its own words go then.
    pub journal: Option<Journal>,
    /// Where its pid stands then.
    pub own_pid: Option<PidFile>,
}

impl Runner {
    /// Prepares everything and starts nothing but the threads that look at files, the terminal and the screen.
    pub fn start(options: Options) -> Result<Self, Error> {
        let Options { resolved, read_at, request, host, output, stdin, explain, folders, turn, guard_death, manager, background } = options;
        let signals = Signals::listen(guard_death)?;
        let (inbox, news) = mpsc::unbounded_channel();
        let (out, outs) = mpsc::unbounded_channel();
        let (typing, typed) = mpsc::channel(TYPED);
        let no_system = |cause| Error::failed("the runner could not be set up").because(cause);
        let style = Style { colour: output.colour };
        let console = Console::start(super::console_config(&output)?).map_err(no_system)?;
        let processes = Processes::new().map_err(no_system)?;
        let stage = processes.stage_fd().try_clone_to_owned().map_err(no_system)?;
        #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
        let stage = AsyncFd::new(stage).map_err(no_system)?;
        let logs = LogFiles::new(&host);
        let memory = Sampler::new(&host)?;
        let capsules = Capsules::new(&host);
        let known = Known::new(&host);
        let folder = host.cwd.to_string_lossy().into_owned();
        let mut projects = Projects::default();
        let first = projects.add(request, host, Sources::new(resolved.files, resolved.modules), &resolved.notices).id;
        let apps = Apps::new(first, resolved.apps, resolved.env);
        // The background runner has none of its own.
        projects.retain(|_| background.is_none());
        let wanted = projects.wanted(apps.watched(), read_at);
        let watcher = if wanted.apps.is_empty() && wanted.files.is_empty() { None } else { Some(Watcher::start(wanted, explain, out)?) };
        let supervisor = Supervisor::new(super::chance::seed());
        let journal = background.as_ref().map(|background| Journal::open(&background.home)).transpose()?;
        process::terminal::ignore_background_stops();
        terminal::listen(typing).map_err(no_system)?;
        let mut runner = Self {
            supervisor: if background.is_some() { supervisor.staying() } else { supervisor },
            processes,
            console,
            runs: HashMap::new(),
            inputs: Inputs::default(),
            screens: Screens::default(),
            watcher,
            apps,
            logs,
            projects,
            folder,
            checklist: None,
            tools: Tools::default(),
            hooks: Hooks::default(),
            capsules,
            cron: Cron::default(),
            memory,
            sockets: None,
            cluster: None,
            sharing: HashSet::new(),
            desk: Desk::new(turn),
            known,
            inbox,
            exit: None,
            forced: false,
            lookups: Lookups::default(),
            stuck: Vec::new(),
            news,
            outs,
            typed,
            stage,
            signals,
            style,
            unheard: false,
            first_words: resolved.notices,
            output,
            stdin,
            explain,
            service: Service::new(manager, now()),
            background,
            journal,
            own_pid: None,
        };
        runner.label();
        runner.feed_input();
        runner.open_desk(folders)?;
        runner.write_own_pid();
        Ok(runner)
    }

    /// Starts the watcher of a runner that had nothing to watch so far.
    pub fn start_watcher(&mut self, wanted: Wanted) -> Result<(), Error> {
        let (out, outs) = mpsc::unbounded_channel();
        self.watcher = Some(Watcher::start(wanted, self.explain, out)?);
        self.outs = outs;
        Ok(())
    }

    /// Runs until the supervisor says that everything is over; gives the exit code.
    pub async fn run(mut self) -> Result<u8, Error> {
        for notice in std::mem::take(&mut self.first_words) {
            self.say(&notice);
        }
        if self.console.has_footer() && !self.output.quiet {
            self.checklist = Checklist::new(self.apps.specs().map(AsRef::as_ref), now());
        }
        self.schedule();
        self.handle(Event::Begin { apps: self.apps.specs().cloned().collect() });
        self.desk.answers();
        let code = loop {
            self.report();
            if let Some(code) = self.exit {
                break code;
            }
            self.show_checklist();
            self.next().await;
        };
        self.hooks.end_by(now() + LAST_HOOKS);
        while !self.hooks.are_over(now()) && !self.forced {
            self.next().await;
        }
        self.abandon_hooks();
        self.end().await;
        Ok(code)
    }

    /// Nothing of the apps is to be alive before the console gets its time, and what they said last is to be shown.
    async fn end(mut self) {
        self.console.set_footer(&[]);
        let mut left = self.processes.finish(now() + LAST_KILLS);
        left.retain(|member| !self.stuck.contains(&member.pid));
        if !left.is_empty() {
            self.say(&effects::stuck("what is left of the apps", &left));
        }
        let drained = now() + LAST_WORDS;
        for source in self.apps.sources() {
            source.drained(drained.saturating_duration_since(now())).await;
        }
        self.finish_logs().await;
        let lookups = async {
            while let Some(found) = self.lookups.next().await {
                self.looked_up(found);
            }
        };
        // Whoever is slower than this is not worth the wait.
        let _ = tokio::time::timeout(LAST_LOOKS, lookups).await;
        self.finish_capsules().await;
        self.screens.end("the runner has ended");
        self.close_desk().await;
        self.console.finish(CONSOLE_AT_EXIT).await;
    }

    /// What was still said when the loop had ended.
    pub fn last_notice(&mut self) -> Option<Notice> {
        while let Ok(news) = self.news.try_recv() {
            if let Inbox::Notice(notice) = news {
                return Some(notice);
            }
        }
        None
    }

    /// Waits for one thing to happen and sees it through.
    async fn next(&mut self) {
        let own =
            [self.tools.deadline(), self.hooks.deadline(), self.memory.deadline(), self.service.deadline(now()), self.checklist_due()];
        let others = [self.supervisor.next_deadline(), self.processes.next_look(), self.desk_deadline()];
        let deadline = own.into_iter().chain(others).flatten().min();
        tokio::select! {
            biased;
            meaning = self.signals.next() => self.signal(meaning),
            Some(news) = self.news.recv() => self.news(news),
            ready = self.stage.readable() => {
                if let Ok(mut ready) = ready {
                    ready.clear_ready();
                }
                self.collect();
            }
            () = self.cron.rings() => self.cron_rings(),
            Some(out) = self.outs.recv() => self.watched(out),
            news = self.logs.next() => self.log_news(news),
            Some(found) = self.lookups.next() => self.looked_up(found),
            Some(typed) = super::keys::next(&mut self.typed, &self.inputs, &self.console) => self.typed(typed),
            () = self.console.gone(), if !self.unheard => {
                self.unheard = true;
                // A terminal that went away counts as a hang-up.
                if !(self.console.is_terminal() && self.signals.ignore_hang_up()) {
                    self.handle(Event::Shutdown(ShutdownCause::Terminal));
                }
            }
            () = sleep_until(deadline) => {
                self.collect();
                self.end_tools();
                self.look_at_memory();
                self.look_at_desk();
                if self.supervisor.next_deadline().is_some_and(|due| due <= now()) {
                    self.handle(Event::Deadline);
                }
            }
        }
    }

    /// Hands an event to the supervisor and performs its answer.
    pub fn handle(&mut self, event: Event) {
        for effect in self.supervisor.handle(now(), event) {
            self.perform(effect);
        }
        self.release_sockets();
        self.look_at_desk();
        self.look_at_screens();
        self.refresh_follows();
        self.forget_apps();
    }

    /// Tells people.
    pub fn say(&self, notice: &Notice) {
        self.tell_attached(notice);
        self.tell_followers(notice);
        let output = &self.output;
        if notice::is_shown(notice, output.quiet) {
            self.console.say(notice::render(notice, self.style, output.json, jiff::Timestamp::now()));
            if let Some(journal) = &self.journal {
                journal.write(&notice::render(notice, Style { colour: false }, false, jiff::Timestamp::now()));
            }
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
