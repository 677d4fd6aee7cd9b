//! Run compiled GPU programs on an AMD GPU or on the built-in software AMD GPU.
//!
//! A [`Session`] is a device with the modules loaded on it: `.vmfb` files as
//! the stock `iree-compile` makes them, of release 3.13 and of early 2024.
//!
//! | what | where |
//! |---|---|
//! | load modules and call their functions | [`Session`] |
//! | choose a device | [`device`] |
//! | arguments and results | [`Argument`], [`Output`], [`Tensor`] |
//! | weights in files | [`parameters`] |
//! | arrays in text and in `.npy` files | [`mod@array`] |
//! | what was done when, as a file | [`timeline`] |
//! | the modules that programs import | [`modules`] |
//! | the command line | [`cli`] |
#![deny(unsafe_code)]

pub mod array;
pub mod cli;
pub mod device;
mod error;
mod mapped;
pub mod modules;
pub mod parameters;
mod session;
pub mod timeline;

pub use error::{Error, Result};
pub use session::{
    Argument, Element, FunctionInfo, Output, Progress, Session, SessionBuilder, Task, Tensor,
};
