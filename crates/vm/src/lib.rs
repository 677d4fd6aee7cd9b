//! The virtual machine that compiled modules run on.
//!
//! A module's bytecode orchestrates: it checks arguments, computes shapes,
//! and calls functions of other modules (the `hal` module above all) that do
//! the work. The VM knows values, references to objects of any kind, modules
//! and how they are linked; it names no device.
//!
//! | what | where |
//! |---|---|
//! | [`BytecodeModule`] | a file, read and verified: the only way to functions that run |
//! | [`Context`] | modules linked with each other, and their state |
//! | [`Invocation`] | a call under way: polled, never blocking |
//! | [`disasm`] | modules as text |
//! | [`Value`], [`Ref`] | what registers and lists hold |
//! | [`Signature`] | calling conventions, as text such as `0rI_r` |
//! | [`NativeModule`] | functions written in Rust that bytecode may call |
//! | [`Buffer`], [`List`] | the VM's own object types |
#![forbid(unsafe_code)]

mod buffer;
mod context;
mod decode;
pub mod disasm;
mod error;
mod interp;
mod invocation;
mod list;
mod memory;
mod module;
mod native;
mod object;
pub mod op;
mod program;
mod signature;
pub mod types;
mod value;
mod verify;

pub use buffer::Buffer;
pub use context::{Context, Function, Limits, ModuleId, TraceHook};
pub use error::{Code, Error, Result};
pub use invocation::{Invocation, Poll, Trap, TrapFrame};
pub use list::{Element, List};
pub use memory::Charge;
pub use module::BytecodeModule;
pub use native::{Call, Flow, NativeExport, NativeModule};
pub use object::{Ref, RefType, Type};
pub use signature::{Item, Signature};
pub use value::{Kind, Value};
