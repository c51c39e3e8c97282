//! The monitor without a terminal: what keys and news do, and what is to be seen.

mod keys;
mod lines;
mod picture;

use std::time::{Duration, Instant};

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::control::InstanceView;

/// The moment of every listing, in milliseconds since 1970.
const AT: i64 = 1_764_100_000_000;

/// A monitor under test: its own time, and what it asked for.
struct Bench {
    state: State,
    now: Instant,
    commands: Vec<Command>,
}

impl Bench {
    /// Without colour.
    fn new(columns: u16, lines: u16) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time has to count from some instant")]
        let now = Instant::now();
        let mut bench = Self { state: State::new((columns, lines), false, now), now, commands: Vec::new() };
        bench.tell(Message::Tick);
        bench
    }

    fn tell(&mut self, message: Message) -> &mut Self {
        self.commands.extend(self.state.update(message, self.now));
        self
    }

    /// Time passes, deadline by deadline.
    fn pass(&mut self, millis: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.state.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.tell(Message::Tick);
        }
        self.now = end;
        self
    }

    fn list(&mut self, instances: Vec<InstanceView>) -> &mut Self {
        let place = "in /home/ann/shop".to_owned();
        self.tell(Message::Listed(Listing { pid: 4711, place, at: AT, instances }));
        self.pass(200)
    }

    /// Keys by their characters, or `<Name>`.
    fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let (key, after) = match named {
                Some((name, after)) => (key(name), after),
                None => (KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE), &rest[first.len_utf8()..]),
            };
            self.tell(Message::Key(key));
            rest = after;
        }
        self
    }

    /// Lines of one app, for whatever is followed.
    fn print(&mut self, label: &str, lines: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let entry = |text: String| Entry::Line { label: label.to_owned(), time: "09:30:00.123".to_owned(), text };
        let entries = lines.into_iter().map(|text| entry(text.into())).collect();
        let number = self.followed().expect("something is followed").0;
        self.tell(Message::Lines { number, entries })
    }

    /// What was asked for last: the number and the target.
    fn followed(&self) -> Option<(u64, String)> {
        self.commands.iter().rev().find_map(|command| match command {
            Command::Follow { number, target } => Some((*number, target.clone())),
            _ => None,
        })
    }

    /// What was asked for since the last call.
    fn taken(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// The buffer, drawn.
    fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.state.size.width, self.state.size.height));
        draw(&self.state, &mut buffer);
        buffer
    }

    /// The screen as text, lines without the blanks at their ends.
    fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut lines = Vec::new();
        for y in 0..buffer.area.height {
            let (mut line, mut x) = (String::new(), 0);
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(symbol.width().max(1)).unwrap();
            }
            assert_eq!(line.width(), usize::from(buffer.area.width), "{line:?}");
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// The lines of the screen with this text.
    fn lines_with(&self, text: &str) -> Vec<String> {
        self.screen().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    #[track_caller]
    fn sees(&self, text: &str) {
        assert!(self.screen().contains(text), "no {text:?} on\n{}", self.screen());
    }

    #[track_caller]
    fn selects(&self, text: &str) {
        assert!(self.lines_with("▸").iter().any(|line| line.starts_with('▸') && line.contains(text)), "not {text:?} on\n{}", self.screen());
    }

    #[track_caller]
    fn misses(&self, text: &str) {
        assert!(!self.screen().contains(text), "{text:?} on\n{}", self.screen());
    }
}

fn key(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.split_once('-') {
        Some(("C", name)) => (name, KeyModifiers::CONTROL),
        Some(("S", name)) => (name, KeyModifiers::SHIFT),
        _ => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "BS" => KeyCode::Backspace,
        one => KeyCode::Char(one.chars().next().expect("a key has a name")),
    };
    KeyEvent::new(code, modifiers)
}

/// An instance of a single app that is online.
fn app(pm_id: usize, name: &str) -> InstanceView {
    InstanceView {
        pm_id,
        name: name.to_owned(),
        instance: 0,
        instances: 1,
        namespace: "default".to_owned(),
        version: None,
        mode: "fork".to_owned(),
        pid: Some(4712 + i32::try_from(pm_id).unwrap()),
        status: "online".to_owned(),
        started_at: Some(AT - 200_000),
        created_at: AT - 200_000,
        restarts: 0,
        unstable_restarts: 0,
        why: Some("the runner began".to_owned()),
        exit_code: None,
        cpu: 2.3,
        memory: 45 << 20,
        user: "ann".to_owned(),
        watching: true,
        paused: false,
        generation: 1,
        argv: Vec::new(),
        cwd: "/home/ann/shop".to_owned(),
        interpreter: None,
        script: String::new(),
        out_file: None,
        error_file: None,
        log_file: None,
        pid_file: None,
        autorestart: false,
        env: Vec::new(),
        detail: None,
    }
}

/// The instances of an app of several.
fn instances(pm_id: usize, name: &str, count: u16) -> Vec<InstanceView> {
    let one = |slot: u16| InstanceView { instance: slot, instances: count, ..app(pm_id + usize::from(slot), name) };
    (0..count).map(one).collect()
}

/// An app in another state.
fn down(pm_id: usize, name: &str, status: &str) -> InstanceView {
    InstanceView { status: status.to_owned(), pid: None, started_at: None, cpu: 0.0, memory: 0, ..app(pm_id, name) }
}

/// A shop with an api of two instances, a web front and a worker that has crashed.
fn shop() -> Vec<InstanceView> {
    let mut api = instances(0, "api", 2);
    (api[1].restarts, api[1].why) = (3, Some("of a change (src/api.js)".to_owned()));
    api[1].started_at = Some(AT - 12_000);
    let web = InstanceView { cpu: 112.0, memory: 1 << 31, ..app(2, "web") };
    let worker = InstanceView { restarts: 1, exit_code: Some(1), ..down(3, "worker", "crashed") };
    api.into_iter().chain([web, worker]).collect()
}
