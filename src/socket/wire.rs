//! What Node's primary and its workers say to each other: objects whose `cmd` is `NODE_CLUSTER`, each with the sender's own `seq`; `ack` answers
//! one of the other side's. Unchanged from Node 18 to 26 (`lib/internal/cluster`).

use serde_json::{Value, json};

/// Our own commands, which Node shows to our preload alone.
const OWN: &str = "NODE_PMDEV";
const CLUSTER: &str = "NODE_CLUSTER";

/// How much of a line is kept: more than any of Node's own messages has.
pub const KEPT: usize = 8 << 10;

/// Errors of the system, negative, as workers are told them: it is not allowed.
pub const EACCES: i32 = -13;
/// No descriptors are left.
pub const EMFILE: i32 = -24;
/// Somebody has it.
pub const EADDRINUSE: i32 = -98;

/// The answer to a descriptor that we did not take.
pub const NACK: &str = "{\"cmd\":\"NODE_HANDLE_NACK\"}";

/// What a worker wants to listen on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A TCP address; none: every one, of both families.
    Tcp(Option<String>),
    /// IPv6 alone, as Node's `ipv6Only`.
    Tcp6Only(String),
    /// A unix socket.
    Unix(String),
    /// A UDP address. `reuse`: others may be bound to it as well.
    Udp {
        /// Whether it is of IPv6.
        six: bool,
        /// The address; empty: every one.
        address: String,
        /// Whether it may be shared with others.
        reuse: bool,
    },
    /// A descriptor, by its number: none is given away.
    Descriptor(i64),
}

/// A question for a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where.
    pub place: Place,
    /// The port; 0: any.
    pub port: u16,
    /// Which of the worker's sockets of any port it is.
    pub index: u64,
    /// How many connections may wait.
    pub backlog: i32,
    /// Whether everybody may read and write a unix socket.
    pub open: (bool, bool),
    /// The keys of TLS sessions, to be shared by all workers.
    pub data: Value,
}

impl Query {
    /// Whether not every user may have it: a low port, or the path of a unix socket.
    pub fn is_guarded(&self) -> bool {
        const UNPRIVILEGED: u16 = 1024;
        match self.place {
            Place::Unix(_) | Place::Descriptor(_) => true,
            Place::Tcp(_) | Place::Tcp6Only(_) | Place::Udp { .. } => (1..UNPRIVILEGED).contains(&self.port),
        }
    }
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The app's own message `ready`.
    Ready,
    /// Another message of the app.
    Other,
    /// Something that Node keeps to itself and that means nothing to us.
    Nothing,
    /// A descriptor came along, and was dropped.
    Lost,
    /// Our descriptor has come.
    Ack,
    /// It has not.
    Nack,
    /// The preload is there.
    Drains,
    /// Nothing is served any more.
    Drained,
    /// A Node program begins.
    Online,
    /// It wants a socket.
    Query(u64, Box<Query>),
    /// A server is up.
    Listening,
    /// It closed the server of this key.
    Close(String),
    /// It has taken a connection, or not.
    Taken(u64, bool),
    /// It leaves by itself, and waits for the answer.
    Quits(u64),
}

/// Reads a line; one that was cut is read as far as it goes.
pub fn read(line: &[u8]) -> Said {
    const HANDLE: &[u8] = b"{\"cmd\":\"NODE_HANDLE\"";
    let line = line.trim_ascii();
    if line == b"\"ready\"" {
        return Said::Ready;
    }
    if line.starts_with(HANDLE) {
        return Said::Lost;
    }
    if !line.starts_with(b"{") || memchr::memmem::find(line, b"NODE_").is_none() {
        return Said::Other;
    }
    let Ok(value) = serde_json::from_slice::<Value>(line) else { return Said::Other };
    match value["cmd"].as_str() {
        Some("NODE_HANDLE") => Said::Lost,
        Some("NODE_HANDLE_ACK") => Said::Ack,
        Some("NODE_HANDLE_NACK") => Said::Nack,
        Some(CLUSTER) => cluster(&value),
        Some(OWN) => match value["act"].as_str() {
            Some("drains") => Said::Drains,
            Some("drained") => Said::Drained,
            _ => Said::Nothing,
        },
        Some(cmd) if cmd.starts_with("NODE_") => Said::Nothing,
        _ => Said::Other,
    }
}

fn cluster(value: &Value) -> Said {
    let seq = value["seq"].as_u64();
    if let Some(ack) = value["ack"].as_u64() {
        return value["accepted"].as_bool().map_or(Said::Nothing, |accepted| Said::Taken(ack, accepted));
    }
    match (value["act"].as_str(), seq) {
        (Some("online"), _) => Said::Online,
        (Some("listening"), _) => Said::Listening,
        (Some("close"), _) => value["key"].as_str().map_or(Said::Nothing, |key| Said::Close(key.to_owned())),
        (Some("exitedAfterDisconnect"), Some(seq)) => Said::Quits(seq),
        (Some("queryServer"), Some(seq)) => query(value).map_or(Said::Nothing, |query| Said::Query(seq, Box::new(query))),
        _ => Said::Nothing,
    }
}

fn query(value: &Value) -> Option<Query> {
    let address = value["address"].as_str().map(str::to_owned);
    let flags = value["flags"].as_u64().unwrap_or(0);
    let descriptor = value["fd"].as_i64().filter(|fd| *fd >= 0);
    let udp = |six| Place::Udp { six, address: address.clone().unwrap_or_default(), reuse: flags & 4 != 0 };
    let place = match (&value["addressType"], descriptor) {
        (_, Some(fd)) => Place::Descriptor(fd),
        (Value::String(kind), None) if kind == "udp4" => udp(false),
        (Value::String(kind), None) if kind == "udp6" => udp(true),
        (kind, None) if kind.as_i64() == Some(-1) => Place::Unix(address?),
        (kind, None) if matches!(kind.as_i64(), Some(4 | 6)) || kind.is_null() => match address {
            Some(address) if flags & 1 != 0 => Place::Tcp6Only(address),
            address => Place::Tcp(address),
        },
        _ => return None,
    };
    let open = |name: &str| value[name].as_bool().unwrap_or(false);
    let port = value["port"].as_i64().filter(|port| *port > 0).map_or(Ok(0), u16::try_from).ok()?;
    let backlog = value["backlog"].as_i64().and_then(|many| i32::try_from(many).ok()).filter(|many| *many > 0).unwrap_or(511);
    let index = value["index"].as_u64().unwrap_or(0);
    Some(Query { place, port, index, backlog, open: (open("readableAll"), open("writableAll")), data: value["data"].clone() })
}

/// What a worker listens on, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SockName {
    /// The address.
    pub address: String,
    /// Whether it is one of IPv6.
    pub six: bool,
    /// The port.
    pub port: u16,
}

/// The answer to a query: connections are handed over one by one.
pub fn granted(seq: u64, ack: u64, key: &str, name: Option<&SockName>, data: &Value) -> String {
    let mut reply = json!({ "cmd": CLUSTER, "seq": seq, "ack": ack, "errno": null, "key": key, "data": data });
    if let Some(SockName { address, six, port }) = name {
        let family = if *six { "IPv6" } else { "IPv4" };
        reply["sockname"] = json!({ "address": address, "family": family, "port": port });
    }
    reply.to_string()
}

/// The answer to a query, with the socket itself.
pub fn shared(seq: u64, ack: u64, key: &str, data: &Value) -> String {
    let message = json!({ "cmd": CLUSTER, "seq": seq, "ack": ack, "errno": 0, "key": key, "data": data });
    json!({ "cmd": "NODE_HANDLE", "type": "dgram.Native", "msg": message }).to_string()
}

/// The answer to a query that came to nothing, with a negative errno.
pub fn refused(seq: u64, ack: u64, key: &str, errno: i32, data: &Value) -> String {
    json!({ "cmd": CLUSTER, "seq": seq, "ack": ack, "errno": errno, "key": key, "data": data }).to_string()
}

/// A connection for a worker.
pub fn connection(seq: u64, key: &str) -> String {
    let message = json!({ "cmd": CLUSTER, "seq": seq, "act": "newconn", "key": key });
    json!({ "cmd": "NODE_HANDLE", "type": "net.Native", "msg": message }).to_string()
}

/// What becomes of a descriptor that a worker cannot take.
#[derive(Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// A connection of this number: it may have another one.
    Connection(u64),
    /// The socket of this key, and what the worker is told in its place.
    Socket(String, String),
}

/// What a line handed over that [`connection`] or [`shared`] made.
pub fn given_up(line: &[u8]) -> Option<GivenUp> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let message = line.get("msg")?;
    let seq = message.get("seq")?.as_u64()?;
    if message.get("act").is_some_and(|act| act == "newconn") {
        return Some(GivenUp::Connection(seq));
    }
    let (ack, key) = (message.get("ack")?.as_u64()?, message.get("key")?.as_str()?);
    Some(GivenUp::Socket(key.to_owned(), refused(seq, ack, key, EMFILE, message.get("data").unwrap_or(&Value::Null))))
}

/// It may go.
pub fn dismissed(seq: u64, ack: u64) -> String {
    json!({ "cmd": CLUSTER, "seq": seq, "ack": ack }).to_string()
}

/// It is to close its servers and then the channel.
pub fn disconnect(seq: u64) -> String {
    json!({ "cmd": CLUSTER, "seq": seq, "act": "disconnect" }).to_string()
}

/// The preload is to finish what is served.
pub fn drain() -> String {
    json!({ "cmd": OWN, "act": "drain" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_say() {
        let of = |text: &str| read(text.as_bytes());
        assert_eq!(of("\"ready\""), Said::Ready);
        assert_eq!(of("{\"type\":\"NODE_x\"}"), Said::Other);
        assert_eq!(of("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":1}"), Said::Lost);
        assert_eq!(of("{\"cmd\":\"NODE_HANDLE_ACK\"}"), Said::Ack);
        assert_eq!(of("{\"cmd\":\"NODE_ELSE\"}"), Said::Nothing);
        assert_eq!(of("{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":0}"), Said::Online);
        assert_eq!(of("{\"cmd\":\"NODE_CLUSTER\",\"ack\":4,\"accepted\":false,\"seq\":9}"), Said::Taken(4, false));
        assert_eq!(of("{\"cmd\":\"NODE_CLUSTER\",\"act\":\"exitedAfterDisconnect\",\"seq\":3}"), Said::Quits(3));
        assert_eq!(of("{\"cmd\":\"NODE_PMDEV\",\"act\":\"drained\"}"), Said::Drained);
        for broken in ["{\"cmd\":\"NODE_CLUSTER\"", "{\"cmd\":\"NODE_", "\u{fffd}{", ""] {
            assert_eq!(of(broken), Said::Other, "{broken}");
        }
        for incomplete in ["{\"cmd\":\"NODE_CLUSTER\"}", "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"seq\":1,\"addressType\":9}"] {
            assert_eq!(of(incomplete), Said::Nothing, "{incomplete}");
        }
    }

    #[test]
    fn what_is_given_up_goes_to_another_or_is_answered() {
        assert_eq!(given_up(connection(7, "3").as_bytes()), Some(GivenUp::Connection(7)));
        let answer = refused(8, 5, "4", EMFILE, &Value::Null);
        assert_eq!(given_up(shared(8, 5, "4", &Value::Null).as_bytes()), Some(GivenUp::Socket("4".to_owned(), answer)));
        assert_eq!(given_up(drain().as_bytes()), None);
    }

    #[test]
    fn what_they_want_to_listen_on() {
        let of = |fields: &str| match read(format!("{{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"seq\":7,{fields}}}").as_bytes()) {
            Said::Query(7, query) => Some((query.place, query.port, query.backlog)),
            _ => None,
        };
        assert_eq!(of("\"address\":null,\"port\":3000,\"addressType\":4,\"fd\":-1"), Some((Place::Tcp(None), 3000, 511)));
        assert_eq!(
            of("\"address\":\"::1\",\"port\":1,\"addressType\":6,\"flags\":1,\"backlog\":5"),
            Some((Place::Tcp6Only("::1".into()), 1, 5))
        );
        assert_eq!(of("\"address\":\"/a/b\",\"port\":-1,\"addressType\":-1"), Some((Place::Unix("/a/b".into()), 0, 511)));
        let udp = Place::Udp { six: true, address: "::".into(), reuse: true };
        assert_eq!(of("\"address\":\"::\",\"port\":null,\"addressType\":\"udp6\",\"flags\":4"), Some((udp, 0, 511)));
        assert_eq!(of("\"fd\":3,\"addressType\":4"), Some((Place::Descriptor(3), 0, 511)));
        assert_eq!(of("\"port\":70000,\"addressType\":4"), None);
    }

    #[test]
    fn whatever_comes_is_read() {
        let mut rng = fastrand::Rng::with_seed(7);
        let line = b"{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"seq\":1,\"address\":\"::\",\"port\":80,\"addressType\":6}";
        for _ in 0..20_000 {
            let mut line = line.to_vec();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(0..line.len());
                line[at] = rng.u8(..);
            }
            line.truncate(rng.usize(0..=line.len()));
            let _ = read(&line);
        }
    }
}
