//! The harness: projects in temporary folders with a private home, the real `pmdev` on pipes or in a terminal, and a look at every
//! process a project has brought forth. It must not know what any test is about, and nothing in it sleeps or waits without a deadline.
//! Start reading with `project` (what a test works in) and `runner` (what it works on); `words` holds every text that is matched.

pub mod clock;
pub mod git;
pub mod init;
pub mod pane;
pub mod processes;
pub mod programs;
pub mod project;
pub mod runner;
pub mod timeline;
pub mod words;
pub mod writer;

pub use clock::PATIENCE;
pub use init::Init;
pub use pane::Pane;
pub use project::Project;
pub use runner::{Runner, verb};
pub use words::Saying;
pub use writer::Writer;
