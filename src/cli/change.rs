//! Options of `start` that `restart` and `reload` take as well, as PM2 has it: apps in the background have them from then on.

use clap::Args;

use crate::config;

/// The parser of an option that is this key; it keeps the words.
macro_rules! key {
    ($name:literal, $key:literal) => {
        |text: &str| config::flag($name, $key, text).map(|_| text.to_owned())
    };
}

/// What apps in the background are to have from now on.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "In the background, from now on")]
pub struct ChangeArgs {
    /// When apps are restarted by the clock, as a cron pattern; 0 ends it
    #[arg(short = 'c', long = "cron-restart", visible_alias = "cron", value_name = "PATTERN", value_parser = key!("--cron-restart", "cron_restart"))]
    pub cron_restart: Option<String>,
    /// Memory at which an app is reloaded, such as 512M
    #[arg(long, value_name = "SIZE", value_parser = key!("--max-memory-restart", "max_memory_restart"))]
    pub max_memory_restart: Option<String>,
    /// Unstable runs in a row before an app is given up, or `unlimited`
    #[arg(long, value_name = "COUNT", value_parser = key!("--max-restarts", "max_restarts"))]
    pub max_restarts: Option<String>,
    /// How long to wait before each restart
    #[arg(long, value_name = "TIME", value_parser = key!("--restart-delay", "restart_delay"))]
    pub restart_delay: Option<String>,
    /// The first of delays that grow with each restart
    #[arg(long, value_name = "TIME", value_parser = key!("--exp-backoff-restart-delay", "exp_backoff_restart_delay"))]
    pub exp_backoff_restart_delay: Option<String>,
    /// How long a stop may take before SIGKILL, in milliseconds or with a unit
    #[arg(short = 'k', long, value_name = "TIME", value_parser = |text: &str| config::milliseconds(text).map(|_| text.to_owned()))]
    pub kill_timeout: Option<String>,
    /// Do not start apps again when they end by themselves
    #[arg(long)]
    pub no_autorestart: bool,
}

impl ChangeArgs {
    /// The ids of these options.
    pub const IDS: [&str; 7] = [
        "cron_restart",
        "max_memory_restart",
        "max_restarts",
        "restart_delay",
        "exp_backoff_restart_delay",
        "kill_timeout",
        "no_autorestart",
    ];

    /// Whether a word is one of these options.
    pub fn takes(word: &str) -> bool {
        let word = word.split('=').next().unwrap_or(word);
        let long = |name: &str| Self::IDS.contains(&name.replace('-', "_").as_str()) || name == "cron";
        word.strip_prefix("--").is_some_and(long) || ["-c", "-k"].contains(&word)
    }

    /// What was given, as words after `start`, one for each option.
    pub fn words(&self) -> Vec<String> {
        let values = [
            ("cron-restart", &self.cron_restart),
            ("max-memory-restart", &self.max_memory_restart),
            ("max-restarts", &self.max_restarts),
            ("restart-delay", &self.restart_delay),
            ("exp-backoff-restart-delay", &self.exp_backoff_restart_delay),
            ("kill-timeout", &self.kill_timeout),
        ];
        let given = values.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?)));
        given.chain(self.no_autorestart.then(|| "--no-autorestart".to_owned())).collect()
    }
}
