//! The place pmdev runs in: what it tells the init system that started it, and the units by which init systems start it.
//! It starts nothing, decides nothing about apps and prints nothing; units are texts made of what a project file was completed to.
//! Start reading with [`notify`] (systemd is told), then [`service`] (what a unit is made of) and [`systemd`], [`openrc`], [`launchd`] (the units).
//!
//! | file | what it holds |
//! | --- | --- |
//! | `notify` | the protocol of sd_notify(3), watchdog included |
//! | `status` | one sentence about all apps |
//! | `platform` | the init systems: their names, and which one is here |
//! | `account` | whose service it is |
//! | `service` | what every unit is made of |
//! | `needs` | what the apps ask of it: times, folders, rights |
//! | `systemd`, `sandbox`, `openrc`, `launchd` | the texts |
//! | `unit` | where a unit lies; writing it and taking it away |

//X pub mod account;
//X pub mod launchd;
//X pub mod needs;
pub mod notify;
//X pub mod openrc;
//X pub mod platform;
//X pub mod service;
//X pub mod systemd;
//X pub mod unit;

//X mod sandbox;
mod status;

//X #[cfg(test)]
//X mod tests;

pub use notify::Manager;
//X pub use platform::Platform;
//X pub use service::Service;
pub use status::sentence;
//X pub use unit::Unit;
