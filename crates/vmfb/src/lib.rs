//! Bytes of an IREE module or executable container, checked into plain structs.
//!
//! - [`module`]: a whole `.vmfb` module: functions, imports, exports, data.
//! - [`executable`]: what a device loads: the containers of both compiler generations, and bare code objects.
//! - [`archive`]: which executables a `.vmfb` module holds, found without running it.
//! - [`kernels`]: what a code object says about its kernels and their arguments.
//!
//! Nothing here trusts its input: a structure that lies about its size or its contents is an [`Error`] that says where.
#![forbid(unsafe_code)]

pub mod archive;
mod container;
mod error;
pub mod executable;
mod flatbuffer;
pub mod kernels;
pub mod module;
mod zip;

pub use error::{Error, ErrorKind, Result};
