//! Clients that never pause, and what they noticed.

use std::{
    collections::HashSet,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What clients noticed.
#[derive(Debug, Default)]
pub struct Noticed {
    pub served: usize,
    /// Connections that were not taken.
    pub refused: Vec<String>,
    /// Requests that were not answered.
    pub cut: Vec<String>,
    /// Who answered.
    pub pids: HashSet<i32>,
}

/// Clients at work.
pub struct Load {
    noticed: Arc<Mutex<Noticed>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many clients with a new connection for each request, and so many that keep theirs as long as the server does.
    pub fn start(port: u16, fresh: usize, keep: usize) -> Self {
        let (noticed, over) = (Arc::<Mutex<Noticed>>::default(), Arc::<AtomicBool>::default());
        let client = |keeps: bool| {
            let (noticed, over) = (Arc::clone(&noticed), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    session(port, keeps, &noticed, &over);
                }
            })
        };
        let threads = (0..fresh + keep).map(|number| client(number >= fresh)).collect();
        Self { noticed, over, threads }
    }

    pub fn served(&self) -> usize {
        self.noticed.lock().expect("nobody dies with it").served
    }

    /// Who has answered so far; from now on it is counted afresh.
    pub fn take_pids(&self) -> HashSet<i32> {
        std::mem::take(&mut self.noticed.lock().expect("nobody dies with it").pids)
    }

    pub fn finish(self) -> Noticed {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("clients do not panic");
        }
        std::mem::take(&mut self.noticed.lock().expect("nobody dies with it"))
    }
}

/// One connection, from its beginning to its end.
fn session(port: u16, keeps: bool, noticed: &Mutex<Noticed>, over: &AtomicBool) {
    let note = |act: &dyn Fn(&mut Noticed)| act(&mut noticed.lock().expect("nobody dies with it"));
    let stream = match TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE) {
        Ok(stream) => stream,
        Err(error) => return note(&|noticed| noticed.refused.push(error.to_string())),
    };
    let mut requests = 0;
    let mut stream = BufReader::new(stream);
    loop {
        match ask(&mut stream, keeps) {
            Ok((pid, goes_on)) => {
                requests += 1;
                note(&|noticed| {
                    noticed.served += 1;
                    noticed.pids.insert(pid);
                });
                if !goes_on || over.load(Ordering::Relaxed) {
                    return;
                }
            }
            Err(error) => return note(&|noticed| noticed.cut.push(format!("request {requests}: {error}"))),
        }
    }
}

/// The pid of who answers one request.
pub fn answer(port: u16) -> io::Result<i32> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE)?;
    Ok(ask(&mut BufReader::new(stream), false)?.0)
}

/// Asks, and tells who answered and whether the connection goes on.
fn ask(stream: &mut BufReader<TcpStream>, keeps: bool) -> io::Result<(i32, bool)> {
    stream.get_ref().set_read_timeout(Some(PATIENCE))?;
    let how = if keeps { "keep-alive" } else { "close" };
    stream.get_mut().write_all(format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: {how}\r\n\r\n").as_bytes())?;
    let (mut length, mut goes_on) = (0, keeps);
    let broken = || io::Error::from(ErrorKind::UnexpectedEof);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().map_err(|_| broken())?;
        }
        goes_on &= line != "connection: close";
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let pid = String::from_utf8_lossy(&body).parse().map_err(|_| broken())?;
    Ok((pid, goes_on))
}
