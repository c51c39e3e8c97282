//! pmdev runs the apps of a project, and has the new version running the moment a save settles.

<<<<<<< HEAD
pub mod log;
=======
pub mod config;
>>>>>>> config
pub mod model;
pub mod process;
pub mod supervisor;
pub mod ui;
pub mod watch;
