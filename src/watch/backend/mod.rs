//! What watches folders: the kernel through notify, a scan where the kernel cannot, and the set that several groups share.
//! Nothing here decides which folders are watched or what an event means.
//! Start reading with [`shared`].

mod inotify;
mod poll;
pub mod shared;

pub use inotify::native;
pub use poll::{Pace, polling};
pub use shared::{Group, Shared};
