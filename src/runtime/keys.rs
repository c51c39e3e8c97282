//! What is typed at the runner: lines for an app, and keys.

use tokio::sync::mpsc::Receiver;

use super::{
    runner::{Runner, now},
    stdin::{Fate, Inputs},
    terminal::{self, Typed},
};
use crate::{
    control::Shown,
    log::Console,
    model::{Level, Notice, NoticeKind},
    supervisor::{Event, Request, ShutdownCause, Target},
    ui::{
        Style,
        keys::{self, Key},
        list,
    },
};

/// What is typed next, once there is room for what comes of it: the app's input, or our answers.
pub async fn next(typed: &mut Receiver<Typed>, inputs: &Inputs, console: &Console) -> Option<Typed> {
    inputs.room().await;
    console.room().await;
    typed.recv().await
}

impl Runner {
    /// Takes what was typed to whom it concerns.
    pub fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Gone if self.signals.ignore_hang_up() => self.inputs.over(),
            Typed::Gone => self.handle(Event::Shutdown(ShutdownCause::Terminal)),
            Typed::End => self.inputs.end(),
            Typed::Over => self.inputs.over(),
            Typed::Line(line) => {
                let key = Key::parse(&String::from_utf8_lossy(&line));
                // With --stdin every line but `rs` is the app's.
                let fate = if key == Key::RestartAll { Fate::Ours } else { self.inputs.line(line) };
                match (fate, &self.stdin) {
                    (Fate::Lost { first: true }, Some(app)) => {
                        let text = format!("{app} takes no lines now: it does not run, or its input is at its end");
                        self.say(&Notice::new(Level::Warning, NoticeKind::Answer, text).about(app));
                    }
                    (Fate::Sent | Fate::Lost { .. }, _) => {}
                    (Fate::Ours, _) => self.key(key),
                }
            }
        }
    }

    fn key(&mut self, key: Key) {
        match key {
            Key::RestartAll => self.handle(Event::Request(Request::Restart(Target::All))),
            Key::Restart(name) => self.handle(Event::Request(Request::Restart(Target::Name(name)))),
            Key::Pause => self.handle(Event::Request(Request::TogglePause)),
            Key::Quit => self.handle(Event::Shutdown(ShutdownCause::Key)),
            Key::List => {
                let all = self.all_instances();
                let (views, at) = (self.views(&all, Shown::default()), jiff::Timestamp::now().as_millisecond());
                if self.output.json {
                    list::render(&views, Style::PLAIN, usize::MAX, at).lines().for_each(|line| self.answer(line));
                } else {
                    self.console.say(list::render(&views, self.style, terminal::width(), at).into_bytes());
                }
                if self.explain {
                    let explained = self.supervisor.explain(&Target::All, now());
                    let sentences = explained.apps.iter().flat_map(|app| app.states.iter().chain(&app.starts).chain(&app.waits));
                    sentences.for_each(|sentence| self.answer(sentence));
                }
            }
            Key::Clear => self.console.clear(),
            Key::Help => keys::HELP.lines().for_each(|line| self.answer(line)),
            Key::Unknown(answer) => self.answer(&answer),
            Key::Blank => {}
        }
    }

    fn answer(&self, line: &str) {
        self.say(&Notice::new(Level::Info, NoticeKind::Answer, line));
    }
}
