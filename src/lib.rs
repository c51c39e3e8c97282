//! pmdev runs the apps of a project, and has the new version running the moment a save settles.

pub mod cli;
pub mod config;
pub mod model;
pub mod process;
pub mod runtime;
pub mod supervisor;
pub mod ui;
pub mod watch;
