//! An exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    pmdev::cli::main()
}
