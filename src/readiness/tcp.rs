//! A port that takes connections.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::TcpStream, time::timeout};

/// How long one connection may take: on this machine it takes no time, unless the queue of the listener is full.
const LIMIT: Duration = Duration::from_secs(2);

/// Connects to the first of these addresses that takes it. The error is a clause.
///
/// # Errors
/// Nothing listens, or nobody takes the connection.
pub async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut first = None;
    for address in addresses {
        let error = match timeout(LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) if !is_to_itself(&stream) => return Ok(stream),
            Ok(Ok(_)) => io::ErrorKind::ConnectionRefused.into(),
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        first.get_or_insert(error);
    }
    let shown = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    Err(match first {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => format!("nothing listens at {shown}"),
        Some(error) if error.kind() == io::ErrorKind::TimedOut => format!("{shown} does not take connections"),
        Some(error) => format!("there is no way to {shown} ({})", super::reason(&error)),
        None => "there is no address to ask".to_owned(),
    })
}

/// Where nobody listens at a port out of the range that outgoing connections use, one may get that very port and meet itself: TCP calls
/// it a simultaneous open (RFC 9293, 3.5). Tried often enough, that happens.
fn is_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn one_of_the_addresses_is_enough() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        connect(&[gone, there]).await.unwrap();
        assert_eq!(connect(&[gone]).await.unwrap_err(), format!("nothing listens at {gone}"));
        assert_eq!(connect(&[]).await.unwrap_err(), "there is no address to ask");
    }

    #[tokio::test]
    async fn a_connection_to_itself_is_none() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        assert!(is_to_itself(&socket.connect(own).await.unwrap()), "the kernel connects it");
    }
}
