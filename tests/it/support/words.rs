//! Every text of the runner that a test matches: a change of wording costs an edit here and nowhere else.

/// A named question about a line; the name is what a failure says.
pub struct Saying {
    /// What is waited for, in words.
    pub name: String,
    test: Box<dyn Fn(&str) -> bool>,
}

impl Saying {
    /// A question of one's own.
    pub fn new(name: impl Into<String>, test: impl Fn(&str) -> bool + 'static) -> Self {
        Self { name: name.into(), test: Box::new(test) }
    }

    /// Whether the line is it.
    pub fn is(&self, line: &str) -> bool {
        (self.test)(line)
    }

    /// Both at once.
    pub fn and(self, other: Self) -> Self {
        Self::new(format!("{} and {}", self.name, other.name), move |line| self.is(line) && other.is(line))
    }

    /// A line of the runner with all these parts.
    fn runner(name: impl Into<String>, parts: &[&str]) -> Self {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        Self::new(name, move |line| line.contains(PREFIX) && parts.iter().all(|part| line.contains(part.as_str())))
    }
}

/// What every line of the runner begins with.
const PREFIX: &str = "[pmdev] ";

/// A line with this text, whoever says it.
pub fn says(text: impl Into<String>) -> Saying {
    let text = text.into();
    Saying::new(format!("{text:?}"), move |line| line.contains(&text))
}

/// A line of an app with this text.
pub fn app_says(text: impl Into<String>) -> Saying {
    let text = text.into();
    Saying::new(format!("an app's {text:?}"), move |line| !line.contains(PREFIX) && line.contains(&text))
}

/// A line of one app among several: its name stands before it.
pub fn prefixed(name: &str, text: &str) -> Saying {
    let (name, text) = (name.to_owned(), text.to_owned());
    Saying::new(format!("{name} | {text}"), move |line| {
        line.split_once('|').is_some_and(|(before, after)| before.trim() == name && after.contains(&text))
    })
}

/// Any line of the runner itself.
pub fn any() -> Saying {
    Saying::runner("a line of the runner", &[])
}

/// Everything is watched.
pub fn watching() -> Saying {
    Saying::runner("that files are watched", &["watching "])
}

/// An app runs again.
pub fn restarted() -> Saying {
    Saying::runner("that an app restarted", &[" restarted in "])
}

/// An app runs again because of exactly this, as shown: `src/a.txt`, `src/a.txt and 3 more`.
pub fn restarted_by(what: &str) -> Saying {
    Saying::runner(format!("a restart by {what} alone"), &[" restarted in ", &format!("({what})")])
}

/// A line that is exactly this.
pub fn alone(text: impl Into<String>) -> Saying {
    let text = text.into();
    Saying::new(format!("{text:?} alone"), move |line| line == text)
}

/// A line of the plan of an edited project file: exactly this.
pub fn plan(line: &str) -> Saying {
    let line = format!("{PREFIX}{line}");
    Saying::new(format!("the plan {line:?}"), move |said| said == line)
}

/// An edit of the project file was refused.
pub fn refused(file: &str) -> Saying {
    Saying::runner(format!("that {file} cannot be applied"), &[file, " cannot be applied, everything runs on as it was"])
}

/// A build has begun.
pub fn building(app: &str) -> Saying {
    Saying::runner(format!("a build of {app}"), &[&format!("{PREFIX}{app} is being built")])
}

/// A build failed, and this follows.
pub fn build_failed(app: &str, then: &str) -> Saying {
    Saying::runner(format!("a failed build of {app}"), &[&format!("{PREFIX}{app} build failed"), then])
}

/// A named app runs again.
pub fn app_restarted(app: &str) -> Saying {
    Saying::runner(format!("that {app} restarted"), &[&format!("{PREFIX}{app} restarted in ")])
}

/// An app died and waits for a save.
pub fn crashed(how: &str) -> Saying {
    Saying::runner(format!("a crash ({how}) that waits for a change"), &[&format!(" crashed ({how})"), "waiting for a change"])
}

/// An app ended with code 0 and waits for a save.
pub fn ended() -> Saying {
    Saying::runner("that an app ended and waits for a change", &[" ended (exit code 0)", "waiting for a change"])
}

/// A batch of events was no change (`--explain`): a sentence that begins so.
pub fn skipped(why: &str) -> Saying {
    Saying::runner(format!("{why:?}"), &[&format!("{PREFIX}{why}")])
}

/// The kernel lost events, and what followed.
pub fn queue_full() -> Saying {
    Saying::runner("that events were dropped", &["the kernel dropped file events (queue full); looked again at ", " and restarted once"])
}

/// An app writes this file at every start.
pub fn restart_loop(path: &str) -> Saying {
    Saying::runner(format!("a restart loop by {path}"), &["restart loop", path])
}

/// Some folders are polled because the kernel's limit of watches is reached.
pub fn watch_limit() -> Saying {
    Saying::runner("that the limit of watches is reached", &["polled", "limit"])
}

/// The key that restarts everything.
pub const RESTART_KEY: &str = "rs";
