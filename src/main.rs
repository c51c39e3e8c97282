//! An exit code.
fn main() {}
