//! An exit code.

use std::process::ExitCode;

use pmdev::process::shim;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.first() {
        Some(first) if first == shim::COMMAND => match shim::main(&args[1..]) {
            Ok(code) => code,
            Err(_) => ExitCode::from(2),
        },
        Some(_) | None => ExitCode::SUCCESS,
    }
}
