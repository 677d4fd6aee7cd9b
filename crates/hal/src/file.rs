//! Files: bytes in host memory or on a disk that queues read and write.

use std::fmt;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::flags::MemoryAccess;
use crate::{Result, Status};

/// Told how many bytes have been read, a piece at a time, on whatever thread reads.
pub type ReadObserver = Arc<dyn Fn(u64) + Send + Sync>;

/// Bytes that a queue reads into buffers, or writes buffers to. Cheap to clone.
#[derive(Clone)]
pub struct File(Arc<Inner>);

struct Inner {
    storage: Storage,
    length: u64,
    access: MemoryAccess,
    observer: Option<ReadObserver>,
}

enum Storage {
    Memory(Bytes),
    // One seek and transfer at a time: the position is the file's own.
    Disk(Mutex<std::fs::File>),
}

impl File {
    /// A file over bytes that nobody writes, a mapped file for instance.
    /// Nothing is copied.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self::of_bytes(bytes, None)
    }

    /// As [`File::from_bytes`], and tells `observer` how reading gets on.
    pub fn observed(bytes: Bytes, observer: ReadObserver) -> Self {
        Self::of_bytes(bytes, Some(observer))
    }

    fn of_bytes(bytes: Bytes, observer: Option<ReadObserver>) -> Self {
        Self(Arc::new(Inner {
            length: bytes.len() as u64,
            storage: Storage::Memory(bytes),
            access: MemoryAccess::READ,
            observer,
        }))
    }

    /// A file of the operating system, as long as it is now, for what `access`
    /// says: `READ`, `WRITE` or both. It must have been opened for that.
    pub fn from_disk(file: std::fs::File, access: MemoryAccess) -> Result<Self> {
        let length = file
            .metadata()
            .map_err(|error| failed("asking for the length of a file", error))?
            .len();
        Ok(Self(Arc::new(Inner {
            storage: Storage::Disk(Mutex::new(file)),
            length,
            access,
            observer: None,
        })))
    }

    /// Length in bytes; it never changes.
    pub fn len(&self) -> u64 {
        self.0.length
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What may be done to it.
    pub fn allowed_access(&self) -> MemoryAccess {
        self.0.access
    }

    /// The bytes, if they are in memory.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match &self.0.storage {
            Storage::Memory(bytes) => Some(bytes),
            Storage::Disk(_) => None,
        }
    }

    /// `PERMISSION_DENIED` without `access`, `OUT_OF_RANGE` for bytes it has not got.
    pub(crate) fn check(&self, access: MemoryAccess, offset: u64, length: u64) -> Result<()> {
        if !self.0.access.contains(access) {
            return Err(Status::permission_denied(format!(
                "the file allows {:?}, this needs {access:?}",
                self.0.access
            )));
        }
        match offset.checked_add(length) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(Status::out_of_range(format!(
                "{length} bytes at {offset} do not fit a file of {} bytes",
                self.len()
            ))),
        }
    }

    /// Says that a queue has taken bytes.
    pub(crate) fn tell(&self, length: u64) {
        if let Some(observer) = &self.0.observer {
            observer(length);
        }
    }

    /// Reads `into.len()` bytes at `offset`, a range that was checked.
    pub(crate) fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        match &self.0.storage {
            Storage::Memory(bytes) => {
                let start = offset as usize;
                into.copy_from_slice(&bytes[start..start + into.len()]);
                Ok(())
            }
            Storage::Disk(file) => {
                let mut file = lock(file);
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.read_exact(into))
                    .map_err(|error| failed("reading a file", error))
            }
        }
    }

    /// Writes `from` at `offset`, a range that was checked.
    pub(crate) fn write_at(&self, offset: u64, from: &[u8]) -> Result<()> {
        match &self.0.storage {
            Storage::Memory(_) => Err(Status::permission_denied("the file is only read")),
            Storage::Disk(file) => {
                let mut file = lock(file);
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.write_all(from))
                    .map_err(|error| failed("writing a file", error))
            }
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({} bytes, {:?})", self.len(), self.0.access)
    }
}

fn lock(file: &Mutex<std::fs::File>) -> MutexGuard<'_, std::fs::File> {
    // Every use seeks first, so it does not matter where another one stopped.
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: &str, error: std::io::Error) -> Status {
    let code = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => crate::StatusCode::OutOfRange,
        std::io::ErrorKind::PermissionDenied => crate::StatusCode::PermissionDenied,
        std::io::ErrorKind::StorageFull => crate::StatusCode::ResourceExhausted,
        _ => crate::StatusCode::Unavailable,
    };
    Status::with_cause(code, format!("{what}: {error}"), error)
}
