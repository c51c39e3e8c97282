//! `pmdev show`.

use std::io::{self, IsTerminal as _};

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};

use super::{act, jlist, list::look};
use crate::{
    cli::{print, reach::ReachArgs},
    control::{InstanceView, Shown},
    model::{Error, HumanDuration},
    ui::{
        list,
        table::{self, Cell},
    },
};

/// Show all that is known of apps
#[derive(Debug, Args)]
#[command(visible_aliases = ["describe", "info"], alias = "desc")]
pub struct Show {
    /// Names, ids, `name:instance`, namespaces, scripts, /regexes/, or all
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Secrets among arguments in clear
    #[arg(long)]
    pub reveal: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

impl Show {
    /// Prints a table for each instance.
    pub fn run(self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let instances = runner.instances(&self.targets, Shown { env: false, reveal: self.reveal, detail: true })?;
        if self.json {
            print(act::json(&instances).as_bytes());
            return Ok(0);
        }
        let (style, width) = look(self.no_color, io::stdout().is_terminal());
        let now = Timestamp::now();
        let tables = instances.iter().map(|view| {
            let title = format!("{}, id {}", list::called(view), view.pm_id);
            let mut text = format!("{}\n{}", crate::ui::clean::clean(&title), table::pairs(&rows(view, now), style, width));
            let why = view.detail.iter().flat_map(|detail| &detail.why);
            why.for_each(|sentence| text.push_str(&table::lines(sentence, width)));
            text
        });
        print(tables.collect::<Vec<_>>().join("\n").as_bytes());
        Ok(0)
    }
}

/// PM2's rows under PM2's titles, then what is resolved of the app beside them.
fn rows(view: &InstanceView, now: Timestamp) -> Vec<(&str, Cell)> {
    let or_none = |text: Option<&str>| Cell::plain(text.filter(|text| !text.is_empty()).unwrap_or("N/A"));
    let time = |millis: i64| {
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let uptime = list::uptime(view, now.as_millisecond()).map_or_else(|| "0".to_owned(), |uptime| HumanDuration(uptime).to_string());
    let (interpreter_args, args) = jlist::arguments(view);
    // Nobody is to type a mask, so it needs no quotes.
    let joined = |words: &[String]| shell_words::join(words).replace("'********'", "********");
    let (interpreter_args, args) = (joined(interpreter_args), joined(args));
    let mut rows = vec![
        ("status", Cell::painted(&view.status, list::colour(&view.status))),
        ("name", Cell::plain(&view.name)),
        ("namespace", Cell::plain(&view.namespace)),
        ("version", or_none(view.version.as_deref())),
        ("restarts", Cell::plain(&view.restarts.to_string())),
        ("uptime", Cell::plain(&uptime)),
        ("pid", Cell::plain(&view.pid.unwrap_or(0).to_string())),
        ("cpu", Cell::plain(&format!("{}%", view.cpu))),
        ("memory", Cell::plain(&list::size(view.memory))),
        ("script path", Cell::plain(&view.script)),
        ("script args", or_none(Some(&args))),
        ("error log path", or_none(view.error_file.as_deref())),
        ("out log path", or_none(view.out_file.as_deref())),
        ("pid path", or_none(view.pid_file.as_deref())),
        ("interpreter", or_none(view.interpreter.as_deref())),
        ("interpreter args", or_none(Some(&interpreter_args))),
        ("script id", Cell::plain(&view.pm_id.to_string())),
        ("exec cwd", Cell::plain(&view.cwd)),
        ("exec mode", Cell::plain(&format!("{}_mode", view.mode))),
        ("user", Cell::plain(&view.user)),
        ("watch & reload", Cell::plain(if view.watching { "✔" } else { "✘" })),
        ("unstable restarts", Cell::plain(&view.unstable_restarts.to_string())),
        ("created at", Cell::plain(&time(view.created_at))),
        ("generation", Cell::plain(&view.generation.to_string())),
    ];
    if let Some(file) = &view.log_file {
        rows.insert(11, ("entire log path", Cell::plain(file)));
    }
    if let Some(code) = view.exit_code {
        rows.push(("last exit code", Cell::plain(&code.to_string())));
    }
    // What these say is in the rows above.
    let said = ["runs", "in"];
    let lines = view.detail.iter().flat_map(|detail| &detail.lines).filter(|(title, _)| !said.contains(&title.as_str()));
    rows.extend(lines.map(|(title, what)| (if title == "restarts" { "starts again" } else { title }, Cell::plain(what))));
    rows
}
