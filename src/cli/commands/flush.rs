//! The verbs for log files: `flush`, `reloadLogs`.

use clap::Args;

use super::act::target_word;
use crate::{
    cli::{print, reach::ReachArgs},
    control::{Reply, Request},
    model::Error,
};

/// Empty the log files of apps; those put away stay
#[derive(Debug, Args)]
pub struct Flush {
    /// Names, ids, namespaces, /regexes/ [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// How many files and bytes, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Open all log files anew, after another program has put them away
#[derive(Debug, Args)]
pub struct ReloadLogs {
    /// How many files, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
}

impl Flush {
    /// Returns when they are empty.
    pub fn run(self) -> Result<u8, Error> {
        let targets: Vec<String> = self.targets.iter().map(|word| target_word(word)).collect();
        let whose = if targets.is_empty() { "all apps".to_owned() } else { self.targets.join(", ") };
        let reply = self.reach.need()?.answer(Request::Flush { targets })?;
        told(&reply, self.json, "emptied", |files, bytes| match files {
            0 => format!("{whose}: there are no log files, and the last lines were forgotten"),
            1 => format!("{whose}: 1 log file was emptied ({})", size(bytes)),
            _ => format!("{whose}: {files} log files were emptied ({})", size(bytes)),
        })
    }
}

impl ReloadLogs {
    /// Returns when they are open.
    pub fn run(self) -> Result<u8, Error> {
        let reply = self.reach.need()?.answer(Request::ReopenLogs)?;
        told(&reply, self.json, "opened again", |files, _| match files {
            0 => "there are no log files".to_owned(),
            1 => "1 log file was opened again".to_owned(),
            _ => format!("{files} log files were opened again"),
        })
    }
}

/// Tells what has been done, and, in a sentence with the `participle`, what has not.
fn told(reply: &Reply, json: bool, participle: &str, sentence: impl Fn(usize, u64) -> String) -> Result<u8, Error> {
    let Reply::Files { files, bytes, failed, why } = reply else { return Ok(0) };
    if json {
        print(format!("{:#}\n", serde_json::json!({ "files": files, "bytes": bytes, "failed": failed, "why": why })).as_bytes());
        return Ok(u8::from(!failed.is_empty()));
    }
    if *files > 0 || failed.is_empty() {
        print((sentence(*files, *bytes) + "\n").as_bytes());
    }
    if failed.is_empty() {
        return Ok(0);
    }
    let whys: Vec<String> = failed.iter().zip(why).map(|(file, why)| format!("{file} ({why})")).collect();
    let hint = "see to it that the runner's user can write there, and that the disk has room, and try again; the apps run on meanwhile";
    Err(Error::failed(format!("{} could not be {participle}", whys.join(", "))).hint(hint))
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
