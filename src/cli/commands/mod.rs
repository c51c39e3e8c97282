//! The commands, one file each. A command parses, asks the rooms below, and returns an exit code.
//! None of them prints a failure: that is done in one place, above. Start reading with [`start`].

pub mod act;
pub mod ask;
pub mod attach;
pub mod background;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod flush;
pub mod init;
pub mod jlist;
pub mod list;
pub mod logs;
pub mod monit;
pub mod save;
pub mod schema;
pub mod second;
pub mod show;
pub mod start;
pub mod startup;
pub mod talk;
pub mod unstartup;
pub mod why;

use clap::{Arg, Subcommand};

use crate::{
    cli::change::ChangeArgs,
    control::{Action, How},
    model::Error,
};

/// What to do; each variant's help is that of its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Start(Box<start::Start>),
    #[command(alias = "ecosystem")]
    Init(init::Init),
    Check(Box<check::Check>),
    Schema(schema::Schema),
    Why(Box<why::Why>),
    Doctor(Box<doctor::Doctor>),
    List(list::List),
    Jlist(jlist::Jlist),
    /// Print the same as jlist, indented
    #[command(hide = true)]
    Prettylist(jlist::Jlist),
    Show(show::Show),
    Env(ask::Env),
    Pid(ask::Pid),
    Id(ask::Id),
    /// Stop apps, and keep them in the list
    #[command(after_help = act::STOP, mut_arg("watch", no_more), mut_arg("update_env", hidden), mut_arg("env", hidden), mut_args(unchanging))]
    Stop(act::Act),
    /// Stop apps, and start them again
    #[command(after_help = act::RESTART)]
    Restart(act::Act),
    /// Replace the instances of apps one after the other
    #[command(after_help = act::RELOAD)]
    Reload(act::Act),
    /// Stop apps, and forget them
    #[command(visible_alias = "del", after_help = act::DELETE, mut_arg("watch", hidden), mut_arg("update_env", hidden), mut_arg("env", hidden), mut_args(unchanging))]
    Delete(act::Act),
    /// Start the counters of apps afresh
    #[command(after_help = act::RESET, mut_arg("watch", hidden), mut_arg("update_env", hidden), mut_arg("env", hidden), mut_arg("no_wait", hidden), mut_args(unchanging))]
    Reset(act::Act),
    Logs(Box<logs::Logs>),
    Flush(flush::Flush),
    #[command(name = "reloadLogs", visible_alias = "reload-logs")]
    ReloadLogs(flush::ReloadLogs),
    /// Restart the apps of a project file in the background, and start those that are missing
    #[command(name = "startOrRestart", visible_alias = "start-or-restart", override_usage = "pmdev startOrRestart TARGET... [OPTIONS] [-- ARGS]", after_help = start::OR_RESTART, mut_args(for_background))]
    StartOrRestart(Box<start::Start>),
    /// Reload the apps of a project file in the background, and start those that are missing
    #[command(name = "startOrReload", visible_alias = "start-or-reload", alias = "startOrGracefulReload", override_usage = "pmdev startOrReload TARGET... [OPTIONS] [-- ARGS]", after_help = start::OR_RELOAD, mut_args(for_background))]
    StartOrReload(Box<start::Start>),
    #[command(visible_alias = "dump")]
    Save(save::Save),
    Resurrect(save::Resurrect),
    Cleardump(save::Cleardump),
    #[command(name = background::VERB, hide = true)]
    Background(background::Background),
    Scale(talk::Scale),
    Signal(talk::Signal),
    Send(talk::Send),
    Attach(attach::Attach),
    Ping(talk::Ping),
    Kill(talk::Kill),
    Completions(completions::Completions),
    Man(completions::Man),
    Monit(monit::Monit),
    Startup(Box<startup::Startup>),
    Unstartup(Box<unstartup::Unstartup>),
}

/// An option that a verb takes and has no use for.
fn hidden(option: Arg) -> Arg {
    option.hide(true)
}

/// Without what restarts alone change.
fn unchanging(option: Arg) -> Arg {
    if ChangeArgs::IDS.contains(&option.get_id().as_str()) { option.hide(true) } else { option }
}

/// `stop --watch`.
fn no_more(option: Arg) -> Arg {
    option.help("And watch their files no more, until a project file that says so is started or restarted")
}

/// Without what is for a terminal, or said by the verb itself.
fn for_background(option: Arg) -> Arg {
    let hidden = ["detach", "force", "stdin", "raw", "explain", "no_color"].contains(&option.get_id().as_str());
    if hidden { option.hide(true) } else { option }
}

impl Verb {
    /// Does it; the exit code comes back.
    pub(crate) fn run(self) -> Result<u8, Error> {
        match self {
            Self::Start(start) => start.run(),
            Self::Init(init) => init.run(),
            Self::Check(check) => check.run(),
            Self::Schema(schema) => Ok(schema.run()),
            Self::Why(why) => why.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::List(list) => list.run(),
            Self::Jlist(list) => list.run(false),
            Self::Prettylist(list) => list.run(true),
            Self::Show(show) => show.run(),
            Self::Env(ask) => ask.run(),
            Self::Pid(ask) => ask.run(),
            Self::Id(ask) => ask.run(),
            Self::Stop(act) => act.run(Action::Stop),
            Self::Restart(act) => act.run(Action::Restart),
            Self::Reload(act) => act.run(Action::Reload),
            Self::Delete(act) => act.run(Action::Delete),
            Self::Reset(act) => act.run(Action::Reset),
            Self::Logs(logs) => logs.run(),
            Self::Flush(flush) => flush.run(),
            Self::ReloadLogs(reload) => reload.run(),
            Self::StartOrRestart(start) => start.hand_over(How::Restart),
            Self::StartOrReload(start) => start.hand_over(How::Reload),
            Self::Save(save) => save.run(),
            Self::Resurrect(resurrect) => resurrect.run(),
            Self::Cleardump(clear) => clear.run(),
            Self::Background(background) => background.run(),
            Self::Scale(scale) => scale.run(),
            Self::Signal(signal) => signal.run(),
            Self::Send(send) => send.run(),
            Self::Attach(attach) => attach.run(),
            Self::Ping(ping) => ping.run(),
            Self::Kill(kill) => kill.run(),
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
            Self::Monit(monit) => monit.run(),
            Self::Startup(startup) => startup.run(),
            Self::Unstartup(unstartup) => unstartup.run(),
        }
    }
}
