//! The `hipstream` command line.
#![deny(unsafe_code)]
fn main() {}
