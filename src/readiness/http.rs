//! A URL that answers with a status below 400.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{reason, tcp};
use crate::model::HttpUrl;

/// How much may stand before the status that counts: interim answers with their headers.
const LONGEST_HEAD: usize = 64 << 10;

/// How much of an answer, and how long, is read for no other reason than that a server should not see its answer refused.
const REST: (usize, Duration) = (1 << 20, Duration::from_secs(1));

/// Asks once. The error is a clause.
///
/// # Errors
/// Nothing listens there, no HTTP comes back, or a status of 400 or above.
pub async fn ask(url: &HttpUrl) -> Result<(), String> {
    let mut stream = tcp::connect(&addresses(url).await?).await?;
    let broken = |error: &std::io::Error| format!("{url} broke off ({})", reason(error));
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: pmdev/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.target,
        url.authority(),
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    let mut head = Vec::new();
    let status = loop {
        match status(&head) {
            Head::Status(status) => break status,
            Head::NoHttp => return Err(format!("{url} answers with something that is not HTTP")),
            Head::Unfinished if head.len() > LONGEST_HEAD => return Err(format!("{url} answers with no status")),
            Head::Unfinished => {}
        }
        match stream.read_buf(&mut head).await {
            Ok(0) => return Err(format!("{url} hung up without an answer")),
            Ok(_) => {}
            Err(error) => return Err(broken(&error)),
        }
    };
    tokio::task::spawn_local(read_rest(stream));
    if status < 400 { Ok(()) } else { Err(format!("{url} answers with status {status}")) }
}

async fn addresses(url: &HttpUrl) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = url.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, url.port)]);
    }
    // Whatever /etc/hosts says: a server at `localhost` may have either.
    if url.host == "localhost" {
        return Ok([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].map(|host| SocketAddr::new(host, url.port)).into());
    }
    match lookup_host((url.host.as_str(), url.port)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(format!("{} is not known ({})", url.host, reason(&error))),
    }
}

/// What the beginning of an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    Unfinished,
    NoHttp,
    Status(u16),
}

/// The first status that is not interim, 1xx (RFC 9110, 15.2), though no interim one was asked for.
fn status(mut head: &[u8]) -> Head {
    const VERSION: &[u8] = b"HTTP/";
    loop {
        if head.len() < VERSION.len() && VERSION.starts_with(head) {
            return Head::Unfinished;
        }
        if !head.starts_with(VERSION) {
            return Head::NoHttp;
        }
        let Some(end) = memchr::memchr(b'\n', head) else { return Head::Unfinished };
        let word = head[..end].split(|byte| *byte == b' ').nth(1).map(<[u8]>::trim_ascii).and_then(|word| std::str::from_utf8(word).ok());
        let Some(status) = word.filter(|word| word.len() == 3).and_then(|word| word.parse().ok()) else { return Head::NoHttp };
        match status {
            // It ends the HTTP of this connection.
            101 | 200.. => return Head::Status(status),
            100.. => {
                let Some(blank) = memchr::memmem::find(head, b"\r\n\r\n") else { return Head::Unfinished };
                head = &head[blank + 4..];
            }
            _ => return Head::NoHttp,
        }
    }
}

async fn read_rest(mut stream: TcpStream) {
    let (size, time) = REST;
    let rest = async {
        let mut chunk = [0; 4096];
        let mut left = size;
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            left = left.saturating_sub(count);
            if left == 0 {
                break;
            }
        }
    };
    // Who sends for ever is left.
    let _ = timeout(time, rest).await;
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, task::LocalSet};

    use super::*;

    #[test]
    fn the_status_is_found_at_every_split() {
        let answer = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let line = memchr::memmem::find(answer, b"204").unwrap() + "204 No Content\r\n".len();
        for length in 0..=answer.len() {
            let expected = if length < line { Head::Unfinished } else { Head::Status(204) };
            assert_eq!(status(&answer[..length]), expected, "{length}");
        }
        for (text, expected) in [
            ("HTTP/1.0 500\r\n", Head::Status(500)),
            ("HTTP/1.1 101 Switching\r\n", Head::Status(101)),
            ("SSH-2.0-x\r\n", Head::NoHttp),
            ("HTTP/1.1 ok\r\n", Head::NoHttp),
            ("HTTP/1.1 20000\r\n", Head::NoHttp),
            ("HTTP/1.1 020 x\r\n", Head::NoHttp),
            ("", Head::Unfinished),
            ("HTT", Head::Unfinished),
            ("\r\n", Head::NoHttp),
        ] {
            assert_eq!(status(text.as_bytes()), expected, "{text:?}");
        }
    }

    /// Asks a server that answers with these bytes, and gives what it was asked.
    async fn asked(answer: &'static [u8]) -> (Result<(), String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = HttpUrl { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port(), target: "/healthz?x".into() };
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            stream.write_all(answer).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let (result, request) = LocalSet::new().run_until(async { tokio::join!(ask(&url), server) }).await;
        (result.map_err(|why| why.replace(&url.authority(), "HOST")), request)
    }

    #[tokio::test]
    async fn below_400_is_well() {
        let (result, request) = asked(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n").await;
        assert_eq!(result, Ok(()));
        assert!(request.starts_with("GET /healthz?x HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
        for (answer, why) in [
            (&b"HTTP/1.1 503 Starting\r\n\r\n"[..], "http://HOST/healthz?x answers with status 503"),
            (b"220 smtp\r\n", "http://HOST/healthz?x answers with something that is not HTTP"),
            (b"", "http://HOST/healthz?x hung up without an answer"),
        ] {
            assert_eq!(asked(answer).await.0.unwrap_err(), why);
        }
    }

    #[tokio::test]
    async fn names_are_looked_up() {
        let url = |host: &str| HttpUrl { host: host.into(), port: 80, target: "/".into() };
        assert_eq!(addresses(&url("localhost")).await.unwrap(), ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]);
        assert_eq!(addresses(&url("::1")).await.unwrap(), ["[::1]:80".parse().unwrap()]);
        assert!(addresses(&url("no-such-name.invalid")).await.unwrap_err().starts_with("no-such-name.invalid is not known ("));
    }
}
