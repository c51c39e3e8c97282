//! Starts programs, knows every process that descends from them, signals and kills whole sets, and tells when one has ended.
//! It decides nothing about apps: no restarts, no timeouts, no messages; and it runs on the main thread alone, because the parent-death
//! signal of a child follows the *thread* that started it. Start reading with [`processes`], then [`shim`] (what happens between our fork and
//! the program), [`tree`] and [`claim`] (which process belongs to whom), [`sweep`] (killing) and [`guard`] (what outlives us).
//!
//! | file | what it holds |
//! | --- | --- |
//! | `plan` | what the shim is told, and how it is passed |
//! | `run` | how far a run has come |
//! | `spawn` | the pipes and the start of the shim |
//! | `shim`, `rights`, `execute` | the stages, those of users and limits among them, and becoming the program |
//! | `reaper` | the only place that waits for children |
//! | `tree` | `/proc`: children, sessions, start times, commands |
//! | `glance` | the same at less cost, for what is asked often |
//! | `claim` | whose an orphan is |
//! | `descriptors` | what a program has besides its three pipes |
//! | `files` | how many files we and the programs may have open |
//! | `pty` | terminals for runs that want one |
//! | `sender` | who a process is that has sent something |
//! | `sweep` | signals to sets, and killing what forks meanwhile |
//! | `usage` | memory and processor time of sets |
//! | `oom` | whether the kernel killed for want of memory |
//! | `guard` | the process above the runner |
//! | `leftovers` | what is left where both were killed |
//! | `alarm` | waiting for a time of the wall clock |
//! | `ports` | who listens on a port |
//! | `terminal` | our place on the terminal; signals of it that must not stop us, and Ctrl-Z |
#![expect(
    unsafe_code,
    reason = "waitid, fork, posix_spawn, sigwaitinfo and execve have no safe wrapper that fits; each call says why it is sound"
)]

mod alarm;
mod claim;
pub mod descriptors;
mod execute;
mod files;
mod glance;
pub mod guard;
mod leftovers;
mod oom;
mod plan;
pub mod ports;
mod processes;
pub mod pty;
mod reaper;
mod rights;
mod run;
pub mod sender;
pub mod shim;
mod spawn;
mod sweep;
pub mod terminal;
mod tree;
mod usage;

pub use alarm::{Alarm, Clocks};
pub use leftovers::{Leftovers, kill as kill_leftovers};
pub use oom::memory_limit;
pub use processes::{Member, ProcessEvent, Processes};
pub use spawn::Spawned;
pub use sweep::kill;
pub use tree::{is_stopped, signals as signal_mask};
pub use usage::{Usage, peak, ticks_per_second};
