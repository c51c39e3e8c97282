//! Options that are keys of a project file as well: they mean the same, for every app, and win over the file.

use clap::Args;

use crate::config::{self, Flag, Request};

/// The parser of an option that is this key.
macro_rules! key {
    ($name:literal, $key:literal) => {
        |text: &str| config::flag($name, $key, text)
    };
}

/// How often, and how, apps are started again and stopped.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Restarts and stops")]
pub struct RestartArgs {
    /// Do not start apps again when they end by themselves
    #[arg(long)]
    pub no_autorestart: bool,
    /// How long to wait before each restart
    #[arg(long, value_name = "TIME", value_parser = key!("--restart-delay", "restart_delay"))]
    pub restart_delay: Option<Flag>,
    /// The first of delays that grow with each restart
    #[arg(long, value_name = "TIME", value_parser = key!("--exp-backoff-restart-delay", "exp_backoff_restart_delay"))]
    pub exp_backoff_restart_delay: Option<Flag>,
    /// Unstable runs in a row before an app is given up, or `unlimited` [default: 16]
    #[arg(long, value_name = "COUNT", value_parser = key!("--max-restarts", "max_restarts"))]
    pub max_restarts: Option<Flag>,
    /// Memory at which an app is reloaded, such as 512M
    #[arg(long, value_name = "SIZE", value_parser = key!("--max-memory-restart", "max_memory_restart"))]
    pub max_memory_restart: Option<Flag>,
    /// Exit codes after which an app is not started again, with commas between
    #[arg(long, value_name = "CODES", value_parser = |text: &str| config::list_flag("--stop-exit-codes", "stop_exit_codes", text))]
    pub stop_exit_codes: Vec<Flag>,
    /// When apps are restarted by the clock, as a cron pattern; 0 ends it
    #[arg(short = 'c', long = "cron-restart", visible_alias = "cron", value_name = "PATTERN", value_parser = key!("--cron-restart", "cron_restart"))]
    pub cron_restart: Option<Flag>,
    /// Send the first signal of a stop to the first process of an app alone
    #[arg(long)]
    pub no_treekill: bool,
    /// Tell Node apps to stop by the message `shutdown`
    #[arg(long)]
    pub shutdown_with_message: bool,
}

/// What is rarely said on a command line.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rarely used")]
pub struct RareArgs {
    /// Group that commands can name instead of its apps
    #[arg(long, value_name = "NAME", value_parser = key!("--namespace", "namespace"))]
    pub namespace: Option<Flag>,
    /// Do not pass on variables whose names contain one of these, with commas between; repeatable
    #[arg(long, value_name = "PARTS", value_parser = |text: &str| config::list_flag("--filter-env", "filter_env", text))]
    pub filter_env: Vec<Flag>,
    /// Only register apps: somebody else starts them
    #[arg(long)]
    pub no_autostart: bool,
    /// Count Node apps as ready when they say process.send('ready')
    #[arg(long)]
    pub wait_ready: bool,
    /// Give each app a terminal of its own, which `pmdev attach` leads to
    #[arg(long)]
    pub tty: bool,
    /// How long an app has to be ready
    #[arg(long, value_name = "TIME", value_parser = key!("--listen-timeout", "listen_timeout"))]
    pub listen_timeout: Option<Flag>,
    /// User that apps run as
    #[arg(short = 'u', long, visible_alias = "user", value_name = "USER", value_parser = key!("--uid", "uid"))]
    pub uid: Option<Flag>,
    /// Group that apps run as
    #[arg(long, value_name = "GROUP", value_parser = key!("--gid", "gid"))]
    pub gid: Option<Flag>,
    /// File for the process id
    #[arg(short = 'p', long = "pid", value_name = "FILE", value_parser = key!("--pid", "pid_file"))]
    pub pid_file: Option<Flag>,
    /// Fork mode, also for several instances of a Node app
    #[arg(short = 'x', long)]
    pub execute_command: bool,
    /// Map stack traces of Node to the sources [default: where a .map file lies beside the script]
    #[arg(long, conflicts_with = "disable_source_map_support")]
    pub source_map_support: bool,
    /// Do not map them
    #[arg(long)]
    pub disable_source_map_support: bool,
    /// In the background: start what runs already once more, under another name
    #[arg(short = 'f', long)]
    pub force: bool,
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Flags of PM2 for its paid service, its daemon and its look at git: scripts say them, and nothing follows from them here.
#[derive(Debug, Default, Args)]
pub struct ServiceArgs {
    #[arg(long, hide = true)]
    no_pmx: bool,
    #[arg(long, hide = true)]
    no_automation: bool,
    #[arg(long, hide = true)]
    no_vizion: bool,
    #[arg(long, hide = true)]
    trace: bool,
    #[arg(long, hide = true)]
    disable_trace: bool,
    #[arg(long, hide = true)]
    v8: bool,
    #[arg(long, hide = true)]
    event_loop_inspector: bool,
    #[arg(long, hide = true)]
    deep_monitoring: bool,
    #[arg(long, hide = true)]
    no_daemon: bool,
}

impl RestartArgs {
    /// Writes these options into a request.
    pub fn apply(self, request: &mut Request) {
        let flags = &mut request.flags;
        // It is meant, also where the file has growing delays.
        let fixed = self.restart_delay.is_some() && self.exp_backoff_restart_delay.is_none();
        flags.extend(fixed.then(|| config::flag("", "exp_backoff_restart_delay", "0").expect("0 is a duration")));
        let values = [self.restart_delay, self.exp_backoff_restart_delay, self.max_restarts, self.max_memory_restart, self.cron_restart];
        flags.extend(values.into_iter().flatten());
        flags.extend(Flag::joined(self.stop_exit_codes));
        flags.extend(self.no_autorestart.then(|| Flag::switch("--no-autorestart", "autorestart", false)));
        flags.extend(self.no_treekill.then(|| Flag::switch("--no-treekill", "treekill", false)));
        flags.extend(self.shutdown_with_message.then(|| Flag::switch("--shutdown-with-message", "shutdown_with_message", true)));
    }
}

impl RareArgs {
    /// Writes these options into a request.
    pub fn apply(self, request: &mut Request) {
        request.force = self.force;
        let flags = &mut request.flags;
        let values = [self.namespace, self.listen_timeout, self.uid, self.gid, self.pid_file];
        flags.extend(values.into_iter().flatten());
        flags.extend(Flag::joined(self.filter_env));
        flags.extend(self.no_autostart.then(|| Flag::switch("--no-autostart", "autostart", false)));
        flags.extend(self.wait_ready.then(|| Flag::switch("--wait-ready", "wait_ready", true)));
        flags.extend(self.tty.then(|| Flag::switch("--tty", "tty", true)));
        flags.extend(self.execute_command.then(|| Flag::switch("--execute-command", "execute_command", true)));
        for (given, on) in [(self.source_map_support, true), (self.disable_source_map_support, false)] {
            if given {
                let name = if on { "--source-map-support" } else { "--disable-source-map-support" };
                flags.push(Flag::switch(name, "source_map_support", on));
                flags.push(Flag::switch("", "disable_source_map_support", !on));
            }
        }
    }
}
