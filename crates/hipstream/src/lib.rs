//! Run compiled GPU programs on an AMD GPU or on the built-in software AMD GPU.
#![deny(unsafe_code)]

pub mod array;
pub mod cli;
pub mod device;
mod error;
mod mapped;
pub mod modules;
pub mod parameters;

pub use error::{Error, Result};
