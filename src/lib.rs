//! pmdev runs the apps of a project, and has the new version running the moment a save settles.
//!
//! A functional core in a thin shell; docs/architecture.md is the map. In one line each:
//!
//! - [`model`]: the nouns everyone shares.
//! - [`supervisor`]: the decisions, pure; what happened and when goes in, what to do comes out.
//! - [`config`]: what was typed, into fully resolved specs.
//! - [`watch`]: files into change sets, on a thread of its own.
//! - [`process`]: starting, signalling, killing and reaping process sets.
//! - [`readiness`]: signs of life: ports, URLs, lines, systemd's messages.
//! - [`socket`]: Node's channel, and the ports that workers share over it.
//! - [`control`]: the socket over which a runner is asked and told.
//! - [`log`]: the bytes of children, into whole lines on the screen.
//! - [`boot`]: what the init system is told, and its units.
//! - [`ui`]: what people look at.
//! - [`runtime`]: the loop, the only place where these meet.
//! - `cli`: arguments in, an exit code out.

pub mod boot;
pub mod cli;
pub mod config;
pub mod control;
pub mod log;
pub mod model;
pub mod process;
pub mod readiness;
pub mod runtime;
pub mod socket;
pub mod supervisor;
pub mod ui;
pub mod watch;
