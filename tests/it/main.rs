//! The end-to-end tests: real processes, real files, a private home each, deadlines instead of sleeps.
#![expect(clippy::print_stderr, reason = "figures and skips are printed, and timelines of failed tests")]

mod apply;
mod build_gate;
mod capsules;
mod cli;
mod container;
mod crash_loop;
mod cron;
mod ending;
mod happenings;
mod hardening;
mod hooks;
mod input;
mod interpreters;
mod layers;
mod lifetime;
mod limits;
mod logs;
mod loops;
mod memory;
mod no_restart;
mod pid_files;
mod process;
mod project_file;
mod project_verbs;
mod restarts;
mod rules;
mod saves;
mod service;
mod sources;
mod startup;
mod support;
mod systemd;
mod terminal;
mod verbs;
mod witness;
