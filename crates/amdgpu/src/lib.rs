//! A software AMD GPU that executes real gfx machine code in the process.

pub mod code_object;
pub mod isa;
