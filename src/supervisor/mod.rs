//! The decisions: it is told what happened and when, and answers with what to do.
//! Pure: no tokio, no clock, no I/O, no logging; it depends on `model` alone. The same events at the same times give the same effects.
//! Start reading with [`event`] and [`effect`], then `reconcile`.

pub mod effect;
pub mod event;

pub use effect::{Effect, Effects, Role, WatchNote};
pub use event::{Event, Request, ShutdownCause, Target};
