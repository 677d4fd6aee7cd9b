//! Files mapped into memory.
#![expect(unsafe_code, reason = "mapping a file is a promise about the file")]

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use memmap2::{Advice, Mmap};

/// The contents of a file, read as they are touched. Clones and slices share
/// one mapping, which goes with the last of them.
///
/// Whoever names the file promises that nobody writes to it or cuts it short
/// in the meantime: contents would change under readers, and reading what has
/// gone ends the process with a signal.
pub(crate) fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        // A folder, or a pipe that has no size to map.
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    // SAFETY: the file stays as it is while mapped, as the caller promises; the
    // mapping is private to us and read-only.
    let map = unsafe { Mmap::map(&file)? };
    // Weights are read front to back, once. Only a hint: without it nothing breaks.
    let _ = map.advise(Advice::Sequential);
    Ok(Bytes::from_owner(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shared_and_empty_ones_are_empty() {
        let folder = std::env::temp_dir();
        let path = folder.join(format!("hipstream-mapped-{}", std::process::id()));
        std::fs::write(&path, b"abc").expect("writable");
        let bytes = map(&path).expect("it is there");
        std::fs::write(&path, b"").expect("writable");
        // The old contents are not looked at any more: they were cut off.
        drop(bytes);
        assert!(map(&path).expect("it is there").is_empty());
        std::fs::remove_file(&path).expect("ours");
        assert_eq!(map(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(map(&folder).is_err());
    }
}
