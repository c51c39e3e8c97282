//! `pmdev list`.

use std::{
    env,
    io::{self, IsTerminal as _},
    time::Duration,
};

use clap::Args;
use tokio::time::sleep;

use super::act;
use crate::{
    cli::{
        borrowed::{Guard, OwnScreen},
        print,
        reach::ReachArgs,
        signals::{Sign, Signals},
    },
    control::{InstanceView, Shown},
    model::Error,
    process::terminal::{Stopped, stop},
    runtime::terminal,
    ui::{Style, list},
};

/// How often `--watch` looks again.
const EVERY: Duration = Duration::from_secs(1);

/// The screen that programs like `less` use, so that the shell's own is there again afterwards; and no cursor on it.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const ENTER_AGAIN: &str = "\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Show the apps of a runner
#[derive(Debug, Args)]
#[command(visible_aliases = ["ls", "ps", "status"], alias = "l")]
pub struct List {
    /// Names, ids, namespaces, /regexes/ [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// In another order than that of ids: id, name, namespace, version, mode, pid, uptime, restarts, status, cpu, memory, user or watching; `:desc` from high to low
    #[arg(long, value_name = "FIELD[:desc]", value_parser = order)]
    pub sort: Option<(String, bool)>,
    /// As JSON
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
    /// Show it anew every second, until Ctrl-C
    #[arg(short = 'w', long)]
    pub watch: bool,
    /// A paragraph for each app instead of a table
    #[arg(short = 'm', long)]
    pub mini_list: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    /// Says nothing, as PM2's flag of all verbs
    #[arg(short, long, hide = true, conflicts_with = "watch")]
    pub silent: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `memory:desc` as a field and whether it goes from high to low.
fn order(text: &str) -> Result<(String, bool), String> {
    let (field, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let field = match field.to_ascii_lowercase().as_str() {
        "mem" => "memory".to_owned(),
        // The names of columns, and PM2's of what is in them.
        "↺" | "restart" => "restarts".to_owned(),
        "watch" => "watching".to_owned(),
        field => field.to_owned(),
    };
    let descending = match direction {
        "asc" => false,
        "desc" => true,
        _ => return Err(format!("{direction:?} is no direction; there are asc and desc: --sort memory:desc")),
    };
    if list::FIELDS.contains(&field.as_str()) {
        Ok((field, descending))
    } else {
        Err(format!("{field:?} is nothing that a list is sorted by; there are {}: --sort memory:desc", list::FIELDS.join(", ")))
    }
}

impl List {
    /// Prints them; without a runner, nothing is listed and that is no failure.
    pub fn run(self) -> Result<u8, Error> {
        if self.watch {
            return self.follow();
        }
        let instances = self.instances()?;
        if self.silent {
            return Ok(0);
        }
        let text = if self.json { act::json(&instances) } else { self.shown(&instances) };
        print(text.as_bytes());
        Ok(0)
    }

    fn instances(&self) -> Result<Vec<InstanceView>, Error> {
        let Some(runner) = self.reach.find()? else { return Ok(Vec::new()) };
        let mut instances = runner.instances(&self.targets, Shown::default())?;
        if let Some((field, descending)) = &self.sort {
            list::sort(&mut instances, field, *descending);
        }
        Ok(instances)
    }

    /// Into a pipe everything is written, whatever its width.
    fn shown(&self, instances: &[InstanceView]) -> String {
        let is_terminal = io::stdout().is_terminal();
        let (style, width) = look(self.no_color, is_terminal);
        let now = jiff::Timestamp::now().as_millisecond();
        if self.mini_list { list::paragraphs(instances, now) } else { list::render(instances, style, width, now) }
    }

    /// Until a signal ends it. What was wrong once may be right a second later, so only the first look can fail.
    fn follow(&self) -> Result<u8, Error> {
        let first = self.instances()?;
        let no_loop = |cause: io::Error| Error::failed("The list cannot be shown again and again").because(cause);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_loop)?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(no_loop)?;
            let own = || OwnScreen { keys: None, enter: ENTER, again: ENTER_AGAIN, leave: LEAVE };
            let screen = io::stdout().is_terminal().then(|| Guard::idle(own()));
            if let Some(screen) = &screen {
                screen.restore_on_panic();
            }
            let mut text = self.shown(&first);
            let mut count = first.len();
            loop {
                match &screen {
                    None => print(text.as_bytes()),
                    // In the background the terminal is the shell's.
                    Some(screen) if screen.enter_if_ours() => {
                        let (above, each) = if self.mini_list { (0, list::PARAGRAPH) } else { (list::ABOVE, 1) };
                        print(&frame(&fitted(&text, terminal::size().1, count, above, each)));
                    }
                    Some(_) => {}
                }
                tokio::select! {
                    sign = signals.next() => match (sign, &screen) {
                        (Sign::Leave(_), _) => return Ok(0),
                        (Sign::Stop, Some(screen)) => screen.suspend(|| stop(Stopped::Ourselves)),
                        (Sign::Stop, None) => stop(Stopped::Ourselves),
                        (Sign::Continued, Some(screen)) => screen.enter_again(),
                        (Sign::Continued, None) | (Sign::Resized, _) => {}
                    },
                    () = sleep(EVERY) => {}
                }
                text = match self.instances() {
                    Ok(instances) => {
                        count = instances.len();
                        self.shown(&instances)
                    }
                    Err(error) => format!("{error}\n"),
                };
            }
        })
    }
}

/// Whether there are colours, and how wide the output may be.
pub fn look(no_color: bool, is_terminal: bool) -> (Style, usize) {
    let style = Style::decide(no_color, |name| env::var_os(name), is_terminal);
    (style, if is_terminal { terminal::width() } else { usize::MAX })
}

/// Lines in the place of those that stood there, without a flicker.
fn frame(lines: &[String]) -> Vec<u8> {
    format!("\x1b[H{}\x1b[K\r\n\x1b[J", lines.join("\x1b[K\r\n")).into_bytes()
}

/// As many of these lines as a terminal of `height` lines has room for above its last one; what is left out is told in the last of them.
/// `above` lines stand before the first of `count` instances, and each has `each` of them.
fn fitted(text: &str, height: usize, count: usize, above: usize, each: usize) -> Vec<String> {
    let room = height.saturating_sub(1).max(1);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() > room {
        lines.truncate(room - 1);
        let more = count.saturating_sub(lines.len().saturating_sub(above) / each);
        let and = if lines.len() > above { "and " } else { "" };
        let noun = if height == 1 { "line" } else { "lines" };
        lines.push(format!("{and}{more} more (the terminal has {height} {noun})"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{fitted, order};

    #[test]
    fn what_a_terminal_has_no_room_for_is_counted() {
        let table: String = ["┌", "│ head", "├", "│ 0", "│ 1", "│ 2", "│ 3", "└"].map(|line| format!("{line}\n")).concat();
        assert_eq!(fitted(&table, 9, 4, 3, 1).len(), 8, "all of it");
        let short = fitted(&table, 8, 4, 3, 1);
        assert_eq!((short.len(), short[5].as_str(), short[6].as_str()), (7, "│ 2", "and 1 more (the terminal has 8 lines)"));
        assert_eq!(fitted(&table, 6, 4, 3, 1)[3..], ["│ 0".to_owned(), "and 3 more (the terminal has 6 lines)".to_owned()]);
        assert_eq!(fitted(&table, 3, 4, 3, 1)[1], "4 more (the terminal has 3 lines)");
        assert_eq!(fitted(&table, 1, 4, 3, 1), ["4 more (the terminal has 1 line)"]);
    }

    #[test]
    fn orders_are_fields_with_a_direction() {
        assert_eq!(order("memory:desc"), Ok(("memory".to_owned(), true)));
        assert_eq!(order("MEM"), Ok(("memory".to_owned(), false)));
        assert!(order("size").unwrap_err().contains("there are id, name, "));
        assert!(order("cpu:down").unwrap_err().contains("there are asc and desc"));
    }
}
