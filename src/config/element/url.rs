//! URLs that are asked without TLS: `http://localhost:3000/healthz`.

use std::net::Ipv6Addr;

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::{
    config::node::{Node, Value},
    model::HttpUrl,
};

impl Element for HttpUrl {
    const WHAT: &'static str = "a URL that begins with http://";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Value::Text(text) = &node.value else { return reader.wrong(node) };
        let Some(rest) = text.strip_prefix("http://").filter(|rest| !rest.is_empty()) else { return reader.wrong(node) };
        match parse(rest) {
            Ok(url) => Some(url),
            Err(why) => {
                let message = format!("{} is {text:?}, but {why}", reader.path());
                reader.refuse(node, message)
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^http://." })
    }
}

/// What follows `http://`; the error is a clause.
fn parse(rest: &str) -> Result<HttpUrl, &'static str> {
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("a name and a password are not sent; ask for something that needs none, or use a command");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (address, port) = inner.split_once(']').ok_or("its bracket is not closed")?;
            address.parse::<Ipv6Addr>().map_err(|_| "what is in brackets is no IPv6 address")?;
            (address, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(named) {
        return Err("it names no host that could be asked");
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or("its port is no number from 1 to 65535")?,
        None if port.is_empty() => 80,
        None => return Err("it has something between host and path that is no port"),
    };
    let slash = if target.starts_with('/') { "" } else { "/" };
    let encode = |byte: u8| if (b'!'..=b'~').contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    Ok(HttpUrl { host: host.to_owned(), port, target: slash.to_owned() + &target.bytes().map(encode).collect::<String>() })
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn host_port_and_path() {
        for (text, host, port, target) in [
            ("http://localhost:3000/healthz", "localhost", 3000, "/healthz"),
            ("http://[::1]:80/a?b#c", "::1", 80, "/a?b"),
            ("http://127.0.0.1?x", "127.0.0.1", 80, "/?x"),
            ("http://h/a b\\u00e4", "h", 80, "/a%20b%C3%A4"),
        ] {
            let url = HttpUrl { host: host.into(), port, target: target.into() };
            assert_eq!(read(&format!("\"{text}\"")), Some(url), "{text}");
        }
        let shown = |text: &str| read::<HttpUrl>(text).unwrap().to_string();
        assert_eq!(shown(r#""http://[::1]:3000""#), "http://[::1]:3000/");
        assert_eq!(shown(r#""http://localhost:80/x""#), "http://localhost/x");
    }

    #[test]
    fn what_cannot_be_asked() {
        insta::assert_snapshot!(refused::<HttpUrl>(r#""http://a:b@h/""#), @r#"key is "http://a:b@h/", but a name and a password are not sent; ask for something that needs none, or use a command"#);
        insta::assert_snapshot!(refused::<HttpUrl>(r#""http://:80/""#), @r#"key is "http://:80/", but it names no host that could be asked"#);
        insta::assert_snapshot!(refused::<HttpUrl>(r#""http://h:0/""#), @r#"key is "http://h:0/", but its port is no number from 1 to 65535"#);
        insta::assert_snapshot!(refused::<HttpUrl>(r#""http://[::1/""#), @r#"key is "http://[::1/", but its bracket is not closed"#);
        insta::assert_snapshot!(refused::<HttpUrl>(r#""http://h x/""#), @r#"key is "http://h x/", but it names no host that could be asked"#);
    }
}
