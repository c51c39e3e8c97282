//! A stand-in for the room of processes.

/// The guard.
pub mod guard {
    /// Puts a guard above this process.
    pub fn enter() -> std::io::Result<()> {
        Ok(())
    }
}

/// The shim.
pub mod shim {
    /// The first argument that makes our binary the shim.
    pub const COMMAND: &str = "__exec";

    /// Becomes the program, or reports why not.
    pub fn main(_args: &[impl AsRef<std::ffi::OsStr>]) -> Result<std::process::ExitCode, String> {
        Err("pmdev __exec is called by pmdev itself".to_owned())
    }
}
