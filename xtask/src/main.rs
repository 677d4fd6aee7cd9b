//! Developer commands: run `cargo xtask help`.
#![forbid(unsafe_code)]
fn main() {}
