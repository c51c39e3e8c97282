//! Node workers that share their ports: what a script sees, who answers, and what clients notice of reloads, crashes and scaling.

mod beside;
mod habits;
mod hostile;
mod limits;
mod load;
mod ports;
mod reloads;

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use crate::support::{Project, programs, verb, words};

/// A server that answers with its pid, and says when it is up.
const SERVER: &str = "const http = require('http');\n\
    const server = http.createServer((request, response) => response.end(String(process.pid)));\n\
    server.on('error', error => { console.log('failed', error.code, error.syscall); process.exit(1); });\n\
    server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up', process.pid));\n";

/// A project of this app, where there is node.
fn node(keys: &str, port: u16, script: &str) -> Option<Project> {
    programs::have(&["node"]).then(|| {
        let project = Project::empty();
        project.save("pmdev.yaml", format!("apps:\n- {{ name: api, script: api.js, env: {{ PORT: '{port}' }}, watch: false, {keys} }}\n"));
        project.save("api.js", script);
        project
    })
}

/// A port nobody listens at, out of those that no outgoing connection is given by itself.
fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 10_500 + u16::try_from(std::process::id() % 9_000).expect("it is small");
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
}

fn ready(app: &str) -> words::Saying {
    words::says(format!("[pmdev] {app} is ready after "))
}
