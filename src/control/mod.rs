//! The runner's socket: what is said over it, where it lies, and both of its ends.
//! It decides nothing about apps and formats nothing for people; whoever looks at a runner, from a terminal or a page, looks through here.
//! Start reading with [`protocol`] (also written down in docs/protocol.md), then [`endpoint`] (paths, permissions), [`server`] and [`client`].

pub mod client;
mod codec;
pub mod conversation;
pub mod endpoint;
pub mod feed;
mod latin;
pub mod logs;
pub mod protocol;
mod run;
pub mod server;
pub mod terminal;
pub mod view;

pub use client::Connection;
pub use endpoint::Folders;
pub use feed::{Feed, Feeds};
pub use logs::{History, LogFile, LogSource, LogsRequest};
pub use protocol::{Action, InstanceView, Reply, Request};
pub use run::{How, Run, Saved, Update};
pub use server::{Incoming, Responder};
pub use terminal::{AttachRequest, Bytes, Said};
pub use view::{ActionView, AppWhy, DecisionView, Detail, Hello, PathWhy, Shown};
