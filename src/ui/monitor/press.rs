//! What keys do.

use std::time::Instant;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    rows::{Target, Watch},
    state::{Command, Mode, Question, State, Wish},
    view,
};
use crate::control::{Action, Request};

/// Every key and what it does, as the help shows it.
pub(super) const KEYS: [(&str, &str); 18] = [
    ("↑ ↓  k j", "select an app"),
    ("Enter", "show or hide the instances of an app"),
    ("r", "restart what is selected"),
    ("l", "reload it: one instance after the other"),
    ("s", "start it"),
    ("x", "stop it"),
    ("d", "delete it: stop, and forget"),
    ("+ -", "one instance more, one less"),
    ("p", "pause watching, or go on with it"),
    ("PgUp PgDn", "older, newer lines (K J: one by one)"),
    ("Home End", "the oldest lines, the newest (g G)"),
    ("/", "search the lines; Enter keeps, Esc ends it"),
    ("n N", "the next older, the next newer line found"),
    ("w", "wrap long lines, or not (← → moves them)"),
    ("t", "show or hide the times of lines"),
    ("Ctrl-L Ctrl-Z", "draw anew; back to the shell until fg"),
    ("?", "this help"),
    ("q  Ctrl-C", "leave; the apps run on"),
];

/// What can be done to apps.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Start,
    Stop,
    Restart,
    Reload,
    Delete,
}

impl State {
    pub(super) fn key(&mut self, key: KeyEvent, now: Instant, commands: &mut Vec<Command>) {
        if key.modifiers.contains(KeyModifiers::ALT) {
            return;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return commands.push(Command::Quit),
                KeyCode::Char('z') => return commands.push(Command::Suspend),
                KeyCode::Char('l') => return commands.push(Command::Redraw),
                _ => {}
            }
        }
        if !view::fits(self.size) {
            // What is not seen is not acted on.
            if key.code == KeyCode::Char('q') {
                commands.push(Command::Quit);
            }
            return;
        }
        match &self.mode {
            Mode::Browse => self.browse(key, now, commands),
            Mode::Help => self.mode = Mode::Browse,
            Mode::Search(word) => {
                let word = word.clone();
                self.type_word(word, key);
            }
            Mode::Confirm(question) => {
                let wish = question.wish.clone();
                self.mode = Mode::Browse;
                if matches!(key.code, KeyCode::Char('y' | 'Y')) {
                    self.wish(wish, now, commands);
                }
            }
        }
    }

    /// What is pasted is a word to look for, or nothing: a text in the clipboard must not stop an app.
    pub(super) fn pasted(&mut self, text: &str) {
        if let Mode::Search(word) = &self.mode {
            let line = text.lines().next().unwrap_or_default();
            let word = format!("{word}{line}");
            self.look_for(word);
        }
    }

    fn browse(&mut self, key: KeyEvent, now: Instant, commands: &mut Vec<Command>) {
        let size = view::pane_size(self.size, self.rows.shown().len());
        let page = usize::from(size.height).saturating_sub(1).max(1);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let shift = key.modifiers.contains(KeyModifiers::SHIFT);
        let mut again = false;
        match key.code {
            KeyCode::Char('u') if control => self.pane.scroll_up(page.div_ceil(2), size),
            KeyCode::Char('d') if control => again = self.pane.scroll_down(page.div_ceil(2), size),
            KeyCode::Char('b') if control => self.pane.scroll_up(page, size),
            KeyCode::Char('f') if control => again = self.pane.scroll_down(page, size),
            _ if control => {}
            KeyCode::Up if shift => self.pane.scroll_up(1, size),
            KeyCode::Down if shift => again = self.pane.scroll_down(1, size),
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::Char('K') => self.pane.scroll_up(1, size),
            KeyCode::Char('J') => again = self.pane.scroll_down(1, size),
            KeyCode::PageUp => self.pane.scroll_up(page, size),
            KeyCode::PageDown => again = self.pane.scroll_down(page, size),
            KeyCode::Home | KeyCode::Char('g') => self.pane.go_oldest(size),
            KeyCode::End | KeyCode::Char('G') => again = self.pane.go_live(),
            KeyCode::Left => self.pane.shift(false),
            KeyCode::Right => self.pane.shift(true),
            KeyCode::Char('w') => self.pane.wrap = !self.pane.wrap,
            KeyCode::Char('t') => self.pane.times = !self.pane.times,
            KeyCode::Char('/') => self.mode = Mode::Search(String::new()),
            KeyCode::Char('n') => self.pane.next_hit(true, size),
            KeyCode::Char('N') => self.pane.next_hit(false, size),
            KeyCode::Esc => {
                self.pane.search("", size);
                again = self.pane.go_live();
            }
            KeyCode::Enter | KeyCode::Char(' ') => self.fold(),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.mode = Mode::Help,
            KeyCode::Char('q') => commands.push(Command::Quit),
            KeyCode::Char('r') => self.deed(Deed::Restart, now, commands),
            KeyCode::Char('l') => self.deed(Deed::Reload, now, commands),
            KeyCode::Char('s') => self.deed(Deed::Start, now, commands),
            KeyCode::Char('x') => self.deed(Deed::Stop, now, commands),
            KeyCode::Char('d') => self.deed(Deed::Delete, now, commands),
            KeyCode::Char('+' | '=') => self.scale("+1", now, commands),
            KeyCode::Char('-') => self.scale("-1", now, commands),
            KeyCode::Char('p') => self.pause(now, commands),
            _ => {}
        }
        if again {
            self.follow_again();
        }
    }

    fn type_word(&mut self, mut word: String, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => {
                self.look_for(String::new());
                self.mode = Mode::Browse;
                if self.pane.go_live() {
                    self.follow_again();
                }
            }
            KeyCode::Enter => self.mode = Mode::Browse,
            KeyCode::Backspace if word.is_empty() => self.mode = Mode::Browse,
            KeyCode::Backspace => {
                word.pop();
                self.look_for(word);
            }
            KeyCode::Char('u') if control => self.look_for(String::new()),
            KeyCode::Char('w') if control => {
                let kept = word.trim_end().rfind(' ').map_or(0, |space| space + 1);
                self.look_for(word[..kept].to_owned());
            }
            KeyCode::Char(char) if !control => {
                word.push(char);
                self.look_for(word);
            }
            _ => {}
        }
    }

    fn look_for(&mut self, word: String) {
        let size = view::pane_size(self.size, self.rows.shown().len());
        self.pane.search(&word, size);
        self.mode = Mode::Search(word);
    }

    fn fold(&mut self) {
        if let Some(name) = self.selected.as_ref().and_then(Target::app) {
            self.rows.fold(name);
        }
    }

    fn deed(&mut self, deed: Deed, now: Instant, commands: &mut Vec<Command>) {
        let Some(row) = self.row() else { return };
        let target = row.target.clone();
        let name = target.called();
        let is = if target == Target::All { "are" } else { "is" };
        let (action, doing, done, ask) = match deed {
            Deed::Start => (Action::Start, "started", "online", None),
            Deed::Stop => (Action::Stop, "stopped", "stopped", Some("Stop")),
            Deed::Restart => (Action::Restart, "restarted", "online again", Some("Restart")),
            Deed::Reload => (Action::Reload, "reloaded", "reloaded", Some("Reload")),
            Deed::Delete => (Action::Delete, "deleted", "deleted", Some("Delete")),
        };
        let wish = Wish {
            request: Request::Act { action, targets: vec![target.word()], wait: true },
            doing: format!("{name} {is} being {doing}"),
            done: format!("{name} {is} {done}"),
        };
        match ask {
            Some(verb) if target == Target::All || matches!(deed, Deed::Delete) => {
                let count = self.rows.apps().count();
                let what = if target == Target::All { format!("all {count} apps") } else { name };
                self.mode = Mode::Confirm(Box::new(Question { text: format!("{verb} {what}?"), wish }));
            }
            Some(_) | None => self.wish(wish, now, commands),
        }
    }

    fn scale(&mut self, count: &str, now: Instant, commands: &mut Vec<Command>) {
        let Some(selected) = &self.selected else { return };
        let Some(app) = selected.app().map(str::to_owned) else {
            return self.say("one app at a time is scaled: select it first", true, now);
        };
        let (name, more) = (Target::App(app.clone()).called(), if count == "+1" { "more" } else { "less" });
        let wish = Wish {
            request: Request::Scale { app, count: count.to_owned(), wait: false },
            doing: format!("{name} is being scaled"),
            done: format!("{name} gets one instance {more}"),
        };
        self.wish(wish, now, commands);
    }

    fn pause(&mut self, now: Instant, commands: &mut Vec<Command>) {
        let on = self.rows.apps().all(|row| row.watch != Watch::Paused);
        let done = if on { "watching is paused: changes wait until it goes on" } else { "watching goes on" };
        let wish = Wish { request: Request::Pause { on }, doing: "watching is being switched".to_owned(), done: done.to_owned() };
        self.wish(wish, now, commands);
    }
}
