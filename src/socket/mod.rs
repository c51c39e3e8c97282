//! Sockets that outlive runs: Node's channel to the process that started it, and, over it, the ports that workers share.
//! A [`Cluster`] is what Node's own primary would be, for unmodified apps; it starts nobody, signals nobody, and decides nothing about runs.
//! Read [`channel`] first, then [`wire`] (what is said) and `state` (who gets which connection), which are pure; `actor` is the thread that does it.

mod actor;
mod bind;
pub mod channel;
mod link;
mod state;
mod user;
pub mod wire;

pub use actor::{Cluster, News};
