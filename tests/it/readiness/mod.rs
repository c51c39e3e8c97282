//! Signs of life of real apps: every kind of sign given, missing and false; what follows from health; the order of apps.

mod checklist;
mod health;
mod node;
mod notify;
mod order;
mod probes;

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use crate::support::{Project, Saying, words};

/// A project with this file.
fn project(file: &str) -> Project {
    let project = Project::empty();
    project.save("pmdev.yaml", file);
    project
}

/// A port nobody listens at, out of those that no outgoing connection is given by itself.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + u16::try_from(std::process::id() % 10_000).expect("it is small");
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
}

/// An app is ready for the first time.
fn ready(app: &str) -> Saying {
    let begin = format!("[pmdev] {app} is ready after ");
    words::says(begin)
}

/// It was not ready in time.
fn not_ready(app: &str) -> Saying {
    words::says(format!("[pmdev] {app} was not ready within "))
}

/// It runs again after this.
fn again(app: &str, after: &str) -> Saying {
    words::says(format!("[pmdev] {app} restarted ")).and(words::says(after))
}

/// The index of the first such line in what was said.
#[track_caller]
fn index(said: &str, part: &str) -> usize {
    said.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("nobody said {part:?} in:\n{said}"))
}
