//! The object types that every program knows.

use crate::{Buffer, List, Type};

/// Bytes in host memory.
pub static BUFFER: Type<Buffer> = Type::new("vm.buffer");

/// A growable list of values.
pub static LIST: Type<List> = Type::new("vm.list");
