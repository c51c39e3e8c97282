//! A terminal: one pane of a tmux server of the test's own.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    PATIENCE, Project, Saying,
    clock::{comes_true, until},
    processes, programs,
};

/// Prints everything on the screen and above it, wrapped lines joined.
const CAPTURE: [&str; 5] = ["capture-pane", "-p", "-J", "-S", "-"];

/// A terminal with one program in it. Dropping it closes the terminal.
pub struct Pane<'a> {
    project: &'a Project,
    socket: PathBuf,
}

/// Runs its arguments as a shell runs a job, and notes the exit code where the first says. tmux itself forgets one now and then.
const NOTE_THE_CODE: &str = "trap : INT QUIT; code=$1; shift; \"$@\"; echo $? > \"$code\"";

impl<'a> Pane<'a> {
    /// Opens a terminal in which nothing but this runs; `None`, and a printed skip, where there is no tmux.
    pub fn open(project: &'a Project, argv: &[&str]) -> Option<Self> {
        let code = project.outside("code");
        let shell = ["sh", "-c", NOTE_THE_CODE, "sh", &code.to_string_lossy()].map(String::from);
        Self::new(project, shell.into_iter().chain(argv.iter().map(ToString::to_string)))
    }

    /// Opens a terminal with an interactive shell, which has job control.
    pub fn shell(project: &'a Project) -> Option<Self> {
        let pane = Self::new(project, ["PS1=ready$ ", "bash", "--norc", "--noprofile", "-i"].map(String::from).into_iter())?;
        pane.wait_for(&super::words::says("ready$"));
        Some(pane)
    }

    fn new(project: &'a Project, argv: impl Iterator<Item = String>) -> Option<Self> {
        if !programs::have(&["tmux"]) {
            return None;
        }
        let configuration = project.outside("tmux.conf");
        fs::write(
            &configuration,
            "set -g remain-on-exit on\nset -g history-limit 50000\nset -g default-shell /bin/sh\nset -s escape-time 0\n",
        )
        .expect("the folder is ours");
        let variables = project.environment().into_iter().map(|(name, value)| format!("{}={}", name.display(), value.display()));
        let command: Vec<String> = ["env", "-i"].map(String::from).into_iter().chain(variables).chain(argv).collect();
        let command = format!("exec {}", shell_words::join(command));
        // A server that was just told to end still holds its socket for a moment.
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let socket = project.outside(format!("tmux{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let pane = Self { project, socket };
        let folder = project.root.to_string_lossy();
        pane.tmux(&["-f", &configuration.to_string_lossy(), "new-session", "-d", "-x", "180", "-y", "50", "-c", &folder, &command]);
        let pids = pane.tmux(&["list-panes", "-F", "#{pid} #{pane_pid}"]);
        let pids = pids.trim().split_once(' ').and_then(|(server, inside)| Some((server.parse().ok()?, inside.parse().ok()?)));
        project.terminal.set(Some(pids.expect("tmux answers with two pids")));
        Some(pane)
    }

    #[track_caller]
    fn tmux(&self, arguments: &[&str]) -> String {
        self.try_tmux(arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_tmux(&self, arguments: &[&str]) -> Result<String, String> {
        let socket = self.socket.to_string_lossy();
        self.project.try_run("tmux", &[&["-u", "-S", &socket], arguments].concat())
    }

    /// Presses keys, by tmux's names: `C-c`, `Enter`.
    pub fn press(&self, keys: &[&str]) {
        self.project.timeline.note(format!("presses {}", keys.join(" ")));
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a line.
    pub fn type_line(&self, line: &str) {
        self.project.timeline.note(format!("types {line}"));
        self.tmux(&["send-keys", "-l", line]);
        self.press(&["Enter"]);
    }

    /// Everything on the screen and above it.
    pub fn text(&self) -> String {
        self.tmux(&CAPTURE)
    }

    /// How many such lines are to be seen.
    pub fn count(&self, saying: &Saying) -> usize {
        self.text().lines().filter(|line| saying.is(line)).count()
    }

    /// Waits for a line.
    #[track_caller]
    pub fn wait_for(&self, saying: &Saying) {
        self.wait_for_times(saying, 1);
    }

    /// Waits until there are this many such lines.
    #[track_caller]
    pub fn wait_for_times(&self, saying: &Saying, times: usize) {
        let seen = comes_true(PATIENCE, || self.count(saying) >= times);
        assert!(seen, "waited {PATIENCE:?} for {} ({times} times) on this screen:\n{}", saying.name, self.text());
    }

    /// Waits until there is no such line.
    #[track_caller]
    pub fn wait_for_none(&self, saying: &Saying) {
        let gone = comes_true(PATIENCE, || self.count(saying) == 0);
        assert!(gone, "waited {PATIENCE:?} for {} to go from this screen:\n{}", saying.name, self.text());
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, lines: u16) {
        self.project.timeline.note(format!("resizes to {columns}×{lines}"));
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &lines.to_string()]);
    }

    /// Whether a program has a screen of its own (`1`), and whether the cursor is seen.
    pub fn flags(&self) -> String {
        self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]).trim().to_owned()
    }

    /// The first and the last line that scroll, and whether what is typed is inserted (`1`).
    pub fn region(&self) -> String {
        self.tmux(&["display-message", "-p", "#{scroll_region_upper}-#{scroll_region_lower} #{insert_flag}"]).trim().to_owned()
    }

    /// The title that programs have given the terminal.
    pub fn title(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_title}"]).trim().to_owned()
    }

    /// Waits for the end of the program the terminal was opened with: its exit code as a shell sees it.
    #[track_caller]
    pub fn finish_within(&self, patience: Duration) -> i32 {
        let code = until(patience, || fs::read_to_string(self.project.outside("code")).ok().filter(|code| code.ends_with('\n')));
        let code = code.unwrap_or_else(|| {
            let alive = processes::list(&self.project.alive());
            panic!("the terminal's program has not ended after {patience:?}:\n{}\nalive:\n{alive}", self.text().trim_end())
        });
        code.trim().parse().expect("a shell writes a number")
    }

    /// Closes the terminal as a window is closed.
    pub fn close(&self) {
        self.project.timeline.note("closes the terminal");
        self.tmux(&["kill-session"]);
    }
}

impl Drop for Pane<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- screen\n{}", self.try_tmux(&CAPTURE).unwrap_or_else(|error| error));
        }
        // The server is gone already where the terminal was closed.
        let _ = self.try_tmux(&["kill-server"]);
    }
}
