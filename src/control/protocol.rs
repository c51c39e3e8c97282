//! What is said over the socket: one request, then replies until one of them is the last. Each is a JSON object on a line of its own.
//! docs/protocol.md describes it for programs in other languages, and a test holds the two together.

use serde::{Deserialize, Serialize};

use super::view::{AppWhy, DecisionView, Detail, PathWhy};

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
    Attach {
        /// Whose: it has to mean one instance.
        target: String,
        /// How many characters of a line the client's terminal shows.
        columns: u16,
        /// How many lines.
        lines: u16,
    },
    /// Why apps are as they are, and what was decided lately; or which rules watch or ignore paths.
    Why {
        /// Whose; empty: all, or none where paths are asked about.
        targets: Vec<String>,
        /// Paths to ask about, absolute.
        #[serde(default)]
        paths: Vec<String>,
    },
    /// End the runner and all its apps. The answer comes when they have ended, right before the runner does.
    Kill,
}

/// What the client of an `attach` says after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Said {
    /// What was typed.
    Keys {
        /// As the terminal gives it.
        #[serde(with = "super::latin")]
        bytes: Vec<u8>,
    },
    /// Its terminal has another size.
    Size {
        /// Characters of a line.
        columns: u16,
        /// Lines.
        lines: u16,
    },
}

impl Request {
    /// Whether the client may go on to speak.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Attach { .. })
    }
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
    Bytes {
        /// As the app wrote it.
        #[serde(with = "super::latin")]
        bytes: Vec<u8>,
    },
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

/// A runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its version of pmdev.
    pub pmdev: String,
    /// The version of the protocol it speaks.
    pub protocol: u32,
    /// Its pid.
    pub pid: i32,
    /// The folder it was started in.
    pub cwd: String,
    /// The project files it runs, absolute.
    pub files: Vec<String>,
    /// The names of its apps.
    pub apps: Vec<String>,
    /// Whether it is the background runner of its home.
    pub background: bool,
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
mod tests {
    use serde_json::Value;

    use super::*;

    const DOC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md"));

    /// What is written down is what is said: every line is read, and said again with the same fields.
    #[test]
    fn the_written_protocol_is_the_spoken_one() {
        let lines: Vec<&str> = DOC.lines().filter(|line| line.starts_with('{')).collect();
        let (said, lines): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.starts_with("{\"say\""));
        let (asked, answered): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.contains("\"request\""));
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        for line in &asked {
            let request = parse(line.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal:?}: {line}"));
            let again = Envelope { protocol: VERSION, pmdev: "0.1.0".to_owned(), request };
            assert_eq!(serde_json::to_value(again).unwrap(), value(line));
        }
        for line in &answered {
            let reply: Reply = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(serde_json::to_value(reply).unwrap(), value(line));
        }
        for line in &said {
            let word: Said = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(serde_json::to_value(word).unwrap(), value(line));
        }
        assert!(["keys", "size"].iter().all(|say| said.concat().contains(&format!("\"say\":\"{say}\""))));
        let all = asked.concat() + &answered.concat();
        for word in
            ["hello", "list", "act", "scale", "watch", "signal", "send", "attach", "why", "kill"].map(|verb| format!("\"verb\":\"{verb}\""))
        {
            assert!(all.contains(&word), "{word} is not written down");
        }
        for word in ["hello", "list", "done", "text", "attached", "bytes", "note", "missed", "detached", "why", "refused"]
            .map(|reply| format!("\"reply\":\"{reply}\""))
        {
            assert!(all.contains(&word), "{word} is not written down");
        }
        for word in ["start", "stop", "restart", "reload", "delete", "reset"].map(|action| format!("\"action\":\"{action}\"")) {
            assert!(all.contains(&word), "{word} is not written down");
        }
    }

    #[test]
    fn another_version_gets_a_sentence_and_what_is_no_request_as_well() {
        let refused = |line: &str| match parse(line.as_bytes()) {
            Err(Reply::Refused { code, message, hint }) => format!("{code} {message} / {}", hint.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let newer = refused(r#"{"protocol":9,"pmdev":"7.0.0","request":{"verb":"dance"}}"#);
        assert!(
            newer.starts_with("1 The runner is pmdev ") && newer.contains("speaks protocol 1; this pmdev is 7.0.0 and speaks 9 / restart"),
            "{newer}"
        );
        assert!(refused("GET / HTTP/1.1").starts_with("2 This is the socket of a pmdev runner"));
        assert!(refused(r#"{"protocol":1,"request":{"verb":"dance"}}"#).contains("does not know this request"));
        assert!(refused("").starts_with("2 "));
    }
}
