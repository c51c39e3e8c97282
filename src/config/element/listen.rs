//! Addresses: a port, `host:port`, or the path of a unix socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Value as Json, json};

use super::{Element, Reader, number};
use crate::config::node::{Node, Value};

/// What the runner binds, before paths are made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket, as written.
    Unix(String),
}

/// Several of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(pub Vec<Address>);

/// The addresses of a probe: both of this machine where no other is written, since a server at `localhost` may have either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near(pub Vec<SocketAddr>);

/// `3000`, `:3000`, `localhost:3000`, `127.0.0.1:3000`, `[::1]:3000`. Names other than localhost would need the network.
fn tcp(node: &Node, host: IpAddr) -> Option<SocketAddr> {
    if let Some(port) = number::whole(node) {
        return Some(SocketAddr::new(host, port.try_into().ok()?));
    }
    let Value::Text(text) = &node.value else { return None };
    let (name, port) = text.rsplit_once(':')?;
    match name {
        "" | "*" => Some(SocketAddr::new(host, port.parse().ok()?)),
        "localhost" => Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.parse().ok()?)),
        _ => text.parse().ok(),
    }
}

impl Element for Address {
    const WHAT: &'static str = "a port, an address like 127.0.0.1:3000, or the path of a unix socket";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        // Like the servers this stands in for, a bare port is one on all addresses.
        match (tcp(node, Ipv4Addr::UNSPECIFIED.into()), &node.value) {
            (Some(address), _) => Some(Self::Tcp(address)),
            (None, Value::Text(text)) if text.contains('/') || text.ends_with(".sock") => {
                Some(Self::Unix(text.strip_prefix("unix:").unwrap_or(text).to_owned()))
            }
            (None, _) => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 65535 }, { "type": "string" }] })
    }
}

impl Element for Addresses {
    const WHAT: &'static str = "a port, an address, the path of a unix socket, or a list of them";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::List(list) => reader.items(list).map(Self),
            Value::Bool(false) => Some(Self::default()),
            _ => Address::read(node, reader).map(|address| Self(vec![address])),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [Address::schema(), { "const": false }, { "type": "array", "items": Address::schema() }] })
    }
}

impl Element for Near {
    const WHAT: &'static str = "a port, or an address like 127.0.0.1:3000";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let [v4, v6] = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        // What is written out is meant as it stands.
        let alone = matches!(&node.value, Value::Text(text) if text.parse::<SocketAddr>().is_ok());
        match tcp(node, v4) {
            Some(address) if address.port() == 0 => reader.wrong(node),
            Some(address) if alone => Some(Self(vec![address])),
            Some(address) => Some(Self(vec![address, SocketAddr::new(v6, address.port())])),
            None => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        Address::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn ports_addresses_and_paths() {
        let tcp = |text: &str| Address::Tcp(text.parse().unwrap());
        for (json, shown) in [
            ("3000", "0.0.0.0:3000"),
            (r#""3000""#, "0.0.0.0:3000"),
            (r#"":3000""#, "0.0.0.0:3000"),
            (r#""localhost:80""#, "127.0.0.1:80"),
            (r#""[::1]:80""#, "[::1]:80"),
        ] {
            assert_eq!(read(json), Some(tcp(shown)), "{json}");
        }
        assert_eq!(read(r#"["tmp/app.sock", 80]"#), Some(Addresses(vec![Address::Unix("tmp/app.sock".into()), tcp("0.0.0.0:80")])));
        let near = |json: &str| read::<Near>(json).unwrap().0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(near("5432"), "127.0.0.1:5432 [::1]:5432");
        assert_eq!(near(r#""localhost:5432""#), "127.0.0.1:5432 [::1]:5432");
        assert_eq!(near(r#""127.0.0.1:5432""#), "127.0.0.1:5432");
        assert_eq!(near(r#""[::1]:5432""#), "[::1]:5432");
        insta::assert_snapshot!(refused::<Near>("0"), @"key is 0, but it takes a port, or an address like 127.0.0.1:3000");
        insta::assert_snapshot!(refused::<Near>(r#""db""#), @r#"key is "db", but it takes a port, or an address like 127.0.0.1:3000"#);
        insta::assert_snapshot!(refused::<Addresses>(r#"[70000]"#), @"key[0] is 70000, but it takes a port, an address like 127.0.0.1:3000, or the path of a unix socket");
    }
}
