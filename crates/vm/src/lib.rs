//! The virtual machine that compiled modules run on.
//!
//! A module's bytecode orchestrates: it checks arguments, computes shapes,
//! and calls functions of other modules (the `hal` module above all) that do
//! the work. The VM knows values, references to objects of any kind, modules
//! and how they are linked; it names no device.
//!
//! | what | where |
//! |---|---|
//! | [`Value`], [`Ref`] | what registers and lists hold |
//! | [`Signature`] | calling conventions, as text such as `0rI_r` |
//! | [`NativeModule`] | functions written in Rust that bytecode may call |
//! | [`Buffer`], [`List`] | the VM's own object types |
#![forbid(unsafe_code)]

mod buffer;
mod error;
mod list;
mod native;
mod object;
mod signature;
pub mod types;
mod value;

pub use buffer::Buffer;
pub use error::{Code, Error, Result};
pub use list::List;
pub use native::{Call, Flow, NativeExport, NativeModule};
pub use object::{Ref, RefType, Type};
pub use signature::{Item, Signature};
pub use value::{Kind, Value};
