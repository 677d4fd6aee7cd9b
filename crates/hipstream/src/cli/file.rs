//! Files that commands read.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use vm::BytecodeModule;

use super::report::{BAD_FILE, Failure, INCOMPATIBLE, OUT_OF_MEMORY};
use crate::mapped;

/// The contents of a file, mapped; of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Bytes, Failure> {
    let wrong = |io: std::io::Error| Failure::new(BAD_FILE, format!("{}: {io}", path.display()));
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(wrong)?;
        return Ok(bytes.into());
    }
    mapped::map(path).map_err(wrong)
}

/// A module, verified.
pub(super) fn module(path: &Path, file: Bytes) -> Result<BytecodeModule, Failure> {
    BytecodeModule::load(file).map_err(|error| {
        let exit = match error.code() {
            vm::Code::INCOMPATIBLE => INCOMPATIBLE,
            vm::Code::RESOURCE_EXHAUSTED => OUT_OF_MEMORY,
            _ => BAD_FILE,
        };
        Failure::new(exit, format!("{}: {error}", path.display()))
    })
}

/// A file whose contents are not what they should be.
pub(super) fn unreadable(path: &Path, error: &vmfb::Error) -> Failure {
    let exit = match error.kind() {
        vmfb::ErrorKind::Incompatible => INCOMPATIBLE,
        _ => BAD_FILE,
    };
    Failure::new(exit, format!("{}: {error}", path.display()))
}
