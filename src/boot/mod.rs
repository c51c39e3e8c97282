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
//! | `tools` | where the programs lie by which the apps run |
//! | `systemd`, `sandbox`, `openrc`, `launchd` | the texts |
//! | `unit` | where a unit lies; writing it and taking it away |

pub mod account;
pub mod launchd;
pub mod needs;
pub mod notify;
pub mod openrc;
pub mod platform;
pub mod service;
pub mod systemd;
pub mod tools;
pub mod unit;

mod sandbox;
mod status;

#[cfg(test)]
mod tests;

pub use notify::Manager;
pub use platform::Platform;
pub use service::Service;
pub use status::sentence;
pub use unit::Unit;
