//! The runner's socket: what is said over it, where it lies, and both of its ends.
//! It decides nothing about apps and formats nothing for people; whoever looks at a runner, from a terminal or a page, looks through here.
//! Start reading with [`protocol`] (also written down in docs/protocol.md), then [`endpoint`] (paths, permissions), [`server`] and [`client`].

pub mod client;
mod codec;
pub mod conversation;
pub mod endpoint;
mod latin;
pub mod protocol;
pub mod server;
pub mod view;

pub use client::Connection;
pub use endpoint::Folders;
pub use protocol::{Action, Hello, InstanceView, Reply, Request, Said};
pub use server::{Incoming, Responder};
pub use view::{ActionView, AppWhy, DecisionView, Detail, PathWhy};
