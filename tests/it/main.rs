//! The end-to-end tests: real processes, real files, a private home each, deadlines instead of sleeps.
#![expect(clippy::print_stderr, reason = "figures and skips are printed, and timelines of failed tests")]

mod apply;
mod build_gate;
mod cli;
mod container;
mod ending;
mod hardening;
mod hooks;
mod input;
mod interpreters;
mod layers;
mod lifetime;
mod limits;
mod loops;
mod no_restart;
mod pid_files;
mod process;
mod project_file;
mod project_verbs;
mod readiness;
mod restarts;
mod saves;
mod service;
mod startup;
mod support;
mod systemd;
mod terminal;
mod verbs;
mod witness;
