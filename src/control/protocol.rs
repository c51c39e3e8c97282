//! What is said over the socket: one request, then replies until one of them is the last. Each is a JSON object on a line of its own.
//! docs/protocol.md describes it for programs in other languages, and a test holds the two together.

use serde::{Deserialize, Serialize};

use super::logs::{LogSource, LogsRequest};
use super::run::{Run, Saved, Update};
use super::terminal::{AttachRequest, Bytes};
use super::view::{AppWhy, DecisionView, Detail, Hello, PathWhy};
use crate::model::Stream;

/// The version of the protocol. A change that an older end would misread makes the next one; a new verb or field does not.
pub const VERSION: u32 = 1;

/// The first line of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The protocol's version.
    pub protocol: u32,
    /// The client's version of pmdev, for messages.
    pub pmdev: String,
    /// What is asked.
    pub request: Request,
}

/// What a client can ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Request {
    /// Who are you? The answer is `Hello`, the last one.
    Hello,
    /// The instances of the targets, all of them without any; with their environment where `env` is set, secrets in clear where `reveal` is.
    List {
        /// Whose; empty: all.
        #[serde(default)]
        targets: Vec<String>,
        /// Whether variables are told.
        #[serde(default)]
        env: bool,
        /// Whether secrets among them are.
        #[serde(default)]
        reveal: bool,
        /// Whether what is declared of their apps is told.
        #[serde(default)]
        detail: bool,
    },
    /// Do something to targets. `Progress` may come before the last answer.
    Act {
        /// What.
        action: Action,
        /// To whom.
        targets: Vec<String>,
        /// Whether the answer waits until it is true.
        wait: bool,
    },
    /// Another number of instances.
    Scale {
        /// The app, by name.
        app: String,
        /// `3`, `+1` or `-1`.
        count: String,
        /// Whether the answer waits until they are there.
        wait: bool,
    },
    /// Whether the files of targets are watched. It is told with the instances that the answer holds.
    Watch {
        /// Whose.
        targets: Vec<String>,
        /// `None`: those that are not, and no more those that are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// Whether what is watched restarts anything; changes made meanwhile count when it does again. It is one switch for all apps.
    Pause {
        /// Whether changes wait from now on.
        on: bool,
    },
    /// A signal to the main processes of targets.
    Signal {
        /// By name or number.
        signal: String,
        /// To whom.
        targets: Vec<String>,
    },
    /// A line for the standard input of targets.
    Send {
        /// Without its end.
        line: String,
        /// To whom.
        targets: Vec<String>,
    },
    /// The terminal of an instance. `Attached` comes, then what it shows; the client may go on to say `Said`.
    Attach(AttachRequest),
    /// Why apps are as they are, and what was decided lately; or which rules watch or ignore paths.
    Why {
        /// Whose; empty: all, or none where paths are asked about.
        targets: Vec<String>,
        /// Paths to ask about, absolute.
        #[serde(default)]
        paths: Vec<String>,
    },
    /// The last lines of targets, and those that they say from now on.
    Logs(LogsRequest),
    /// Empty the log files of targets; those put away stay.
    Flush {
        /// Whose; empty: all.
        #[serde(default)]
        targets: Vec<String>,
    },
    /// Open all log files anew, for programs that put them away themselves.
    ReopenLogs,
    /// Run apps as well: a background runner alone does. `Text` may come before the last answer.
    Run {
        /// What.
        run: Box<Run>,
        /// Whether the answer waits until they are online.
        wait: bool,
    },
    /// Restart or reload with another environment or other options: a background runner alone does.
    Update(Update),
    /// What a background runner would have to be asked for to have the apps it has. The answer is `Saved`.
    Save,
    /// End the runner and all its apps. The answer comes when they have ended, right before the runner does.
    Kill,
}

/// Something that can be done to apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Start what does not run.
    Start,
    /// Stop, and keep in the list.
    Stop,
    /// Stop, then start.
    Restart,
    /// Replace one instance after the other.
    Reload,
    /// Stop, and forget.
    Delete,
    /// Start the counters afresh.
    Reset,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Who answers.
    Hello(Hello),
    /// Instances.
    List {
        /// In the order of their ids.
        instances: Vec<InstanceView>,
    },
    /// What has been done to the targets, and how they are now.
    Done {
        /// The instances it was about.
        instances: Vec<InstanceView>,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// An instance whose lines come: at the beginning, and again when it is another one.
    Source(LogSource),
    /// Whole lines of an instance.
    Lines {
        /// Whose.
        id: usize,
        /// Of which of its streams.
        stream: Stream,
        /// When they came, in milliseconds since 1970.
        time: i64,
        /// Without their ends; what is no UTF-8 is replaced.
        lines: Vec<String>,
    },
    /// The lines that the runner holds were told; what follows is said after the request.
    Live,
    /// Where a log file was when all was written that had been said at the request.
    Position {
        /// Which.
        path: String,
        /// The stamp in the name of the newest of those put away before it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        put_away: Option<String>,
        /// Its inode; 0: there is none yet.
        inode: u64,
        /// How many of its bytes that is; `None`: it is not known, because the file is slow or fails.
        length: Option<u64>,
    },
    /// Lines were left out, because the client reads too slowly.
    LeftOut {
        /// How many.
        lines: u64,
    },
    /// A word of the runner itself.
    Notice {
        /// When, in milliseconds since 1970.
        time: i64,
        /// `info`, `warning` or `error`.
        level: String,
        /// About which app.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<String>,
        /// A whole sentence.
        text: String,
        /// What to do about it, or what else is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The runner has ended.
    Ended,
    /// Log files were emptied, or opened anew.
    Files {
        /// How many.
        files: usize,
        /// How many bytes they held.
        bytes: u64,
        /// Which could not be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<String>,
        /// Of each of those, why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        why: Vec<String>,
    },
    /// What to keep.
    Saved {
        /// The requests.
        runs: Vec<Saved>,
        /// What cannot be kept, and why, as sentences.
        left_out: Vec<String>,
    },
    /// Why things are as they are.
    Why {
        /// The apps that were asked about.
        apps: Vec<AppWhy>,
        /// An answer for each path and app that watches files.
        paths: Vec<PathWhy>,
        /// What was decided lately about those apps, the oldest first.
        decisions: Vec<DecisionView>,
    },
    /// The terminal is reached.
    Attached {
        /// Of this instance.
        name: String,
    },
    /// What the terminal shows.
    Bytes(Bytes),
    /// A sentence about the app, between what it shows.
    Note {
        /// The sentence.
        text: String,
    },
    /// Bytes were left out, because the client did not read in time.
    Missed {
        /// How many.
        bytes: u64,
    },
    /// The terminal shows nothing more; the last reply of an `attach`.
    Detached {
        /// Why: `it is stopped`.
        why: String,
    },
    /// Whole sentences.
    Text {
        /// One a line.
        lines: Vec<String>,
    },
    /// It cannot be done, or was not. Every version of the protocol has this reply, with these fields.
    Refused {
        /// The client's exit code.
        code: u8,
        /// A whole sentence.
        message: String,
        /// What to do about it, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

/// An instance, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceView {
    /// Its number among all of the runner's.
    pub pm_id: usize,
    /// The app's name.
    pub name: String,
    /// Its number among the app's.
    pub instance: u16,
    /// How many the app has.
    pub instances: u16,
    /// The app's group.
    pub namespace: String,
    /// Of the nearest package.json, Cargo.toml or pyproject.toml.
    pub version: Option<String>,
    /// `fork` or `cluster`.
    pub mode: String,
    /// The pid of its main process.
    pub pid: Option<i32>,
    /// Its state, in PM2's words and our own two.
    pub status: String,
    /// When its run began, in milliseconds since 1970.
    pub started_at: Option<i64>,
    /// When it was declared, likewise.
    pub created_at: i64,
    /// How often it was started again.
    pub restarts: u64,
    /// Ends in a row before `min_uptime`.
    pub unstable_restarts: u32,
    /// Why it is given up, what it waits for, or else why its latest run was started, as the end of a sentence that says `because`.
    #[serde(default)]
    pub why: Option<String>,
    /// The exit code of its last end by itself.
    pub exit_code: Option<i32>,
    /// Per cent of one processor, of its whole process set.
    pub cpu: f64,
    /// Bytes of its whole process set.
    pub memory: u64,
    /// Who it runs as.
    pub user: String,
    /// Whether its files are watched.
    pub watching: bool,
    /// Whether that is paused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The version of the app.
    #[serde(default)]
    pub generation: u64,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The folder it runs in.
    pub cwd: String,
    /// The interpreter, where there is one.
    pub interpreter: Option<String>,
    /// The script, absolute, where there is one; else the program as it was named.
    pub script: String,
    /// Where its standard output goes, where that is a file.
    pub out_file: Option<String>,
    /// Where its standard error goes, likewise.
    pub error_file: Option<String>,
    /// Where both go, likewise.
    pub log_file: Option<String>,
    /// Where its pid is written.
    pub pid_file: Option<String>,
    /// Whether it starts again by itself after an end.
    pub autorestart: bool,
    /// Its variables, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<(String, String)>,
    /// What is declared of its app, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<Detail>>,
}

impl Reply {
    /// A request that cannot be carried out: the client's exit code and a whole sentence.
    pub fn refused(code: u8, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into(), hint: None }
    }
}

/// Reads a client's first line.
///
/// # Errors
/// The reply that tells it what is wrong: another version of the protocol, or no request at all.
pub fn parse(line: &[u8]) -> Result<Request, Reply> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Head {
        protocol: u32,
        #[serde(default)]
        pmdev: String,
    }
    let ours = env!("CARGO_PKG_VERSION");
    let head: Head = serde_json::from_slice(line).map_err(|_| {
        Reply::refused(2, "This is the socket of a pmdev runner, and what came over it is no request; use pmdev's own verbs")
    })?;
    if head.protocol != VERSION {
        let theirs = if head.pmdev.is_empty() { "of an unknown version".to_owned() } else { head.pmdev };
        let message =
            format!("The runner is pmdev {ours} and speaks protocol {VERSION}; this pmdev is {theirs} and speaks {}", head.protocol);
        let hint = Some("restart the runner, or use the pmdev that started it".to_owned());
        return Err(Reply::Refused { code: 1, message, hint });
    }
    let envelope: Envelope = serde_json::from_slice(line)
        .map_err(|error| Reply::refused(2, format!("The runner (pmdev {ours}) does not know this request: {error}")))?;
    Ok(envelope.request)
}

#[cfg(test)]
mod tests;
