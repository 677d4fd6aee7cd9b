//! `vm.buffer`: bytes in host memory.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::memory::{Account, Charge};
use crate::{Code, Error, Result};

/// Bytes in host memory: read-only data of a module, used in place, or memory
/// that programs write.
pub struct Buffer {
    length: usize,
    storage: Storage,
    /// What a program's own buffer takes from the memory of its context.
    _charge: Option<Charge>,
}

/// Bytes are moved between buffers in pieces of this size, so that only one buffer is locked at a time.
const PIECE_BYTES: usize = 4096;

enum Storage {
    ReadOnly(Bytes),
    Writable(Mutex<Vec<u8>>),
}

impl Buffer {
    /// A buffer over bytes that nobody writes. Nothing is copied.
    pub fn read_only(bytes: Bytes) -> Self {
        Self {
            length: bytes.len(),
            storage: Storage::ReadOnly(bytes),
            _charge: None,
        }
    }

    /// A writable buffer of `length` zeros; `RESOURCE_EXHAUSTED` if the host has not that much.
    pub fn zeroed(length: u64) -> Result<Self> {
        let exhausted = || {
            Error::new(
                Code::RESOURCE_EXHAUSTED,
                format!("a buffer of {length} bytes is more than the host has"),
            )
        };
        let bytes = usize::try_from(length).map_err(|_| exhausted())?;
        let mut contents = Vec::new();
        contents.try_reserve_exact(bytes).map_err(|_| exhausted())?;
        contents.resize(bytes, 0);
        Ok(Self::writable(contents))
    }

    /// A writable buffer with these contents.
    pub fn writable(contents: Vec<u8>) -> Self {
        Self {
            length: contents.len(),
            storage: Storage::Writable(Mutex::new(contents)),
            _charge: None,
        }
    }

    /// As [`Buffer::zeroed`], paid for by a context.
    pub(crate) fn charged(length: u64, account: &Arc<Account>) -> Result<Self> {
        let charge = Charge::new(account, length.saturating_add(size_of::<Self>() as u64))?;
        let mut buffer = Self::zeroed(length)?;
        buffer._charge = Some(charge);
        Ok(buffer)
    }

    /// Length in bytes; it never changes.
    pub fn len(&self) -> u64 {
        self.length as u64
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether it can be written.
    pub fn is_writable(&self) -> bool {
        matches!(self.storage, Storage::Writable(_))
    }

    /// The bytes of a read-only buffer, to keep without a copy.
    pub fn shared(&self) -> Option<&Bytes> {
        match &self.storage {
            Storage::ReadOnly(bytes) => Some(bytes),
            Storage::Writable(_) => None,
        }
    }

    /// Lends the contents.
    pub fn read<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match &self.storage {
            Storage::ReadOnly(bytes) => f(bytes),
            // Whoever panicked left bytes, and any bytes are a valid buffer.
            Storage::Writable(bytes) => f(&bytes.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Lends the contents for writing; `PERMISSION_DENIED` if it is read-only.
    pub fn write<R>(&self, f: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        match &self.storage {
            Storage::ReadOnly(_) => Err(Error::new(
                Code::PERMISSION_DENIED,
                "the buffer is read-only data of a module",
            )),
            Storage::Writable(bytes) => {
                Ok(f(&mut bytes.lock().unwrap_or_else(PoisonError::into_inner)))
            }
        }
    }

    /// Copies `length` bytes to another buffer, or within this one, where the ranges may overlap. `OUT_OF_RANGE` if
    /// either has not got them, `PERMISSION_DENIED` if the target is read-only.
    pub fn copy_to(
        &self,
        offset: u64,
        target: &Self,
        target_offset: u64,
        length: u64,
    ) -> Result<()> {
        let from = self.range(offset, length)?;
        let to = target.range(target_offset, length)?;
        if std::ptr::eq(self, target) {
            return target.write(|bytes| bytes.copy_within(from, to.start));
        }
        // Both must be known to work before the first byte is written.
        target.write(|_| ())?;
        let mut piece = [0; PIECE_BYTES];
        for done in (0..from.len()).step_by(PIECE_BYTES) {
            let piece = &mut piece[..PIECE_BYTES.min(from.len() - done)];
            self.read(|bytes| piece.copy_from_slice(&bytes[from.start + done..][..piece.len()]));
            target.write(|bytes| {
                bytes[to.start + done..][..piece.len()].copy_from_slice(piece);
            })?;
        }
        Ok(())
    }

    /// Whether `length` bytes are the same as those of another buffer. `OUT_OF_RANGE` if either has not got them.
    pub fn equals(
        &self,
        offset: u64,
        other: &Self,
        other_offset: u64,
        length: u64,
    ) -> Result<bool> {
        let mine = self.range(offset, length)?;
        let theirs = other.range(other_offset, length)?;
        let mut piece = [0; PIECE_BYTES];
        for done in (0..mine.len()).step_by(PIECE_BYTES) {
            let piece = &mut piece[..PIECE_BYTES.min(mine.len() - done)];
            self.read(|bytes| piece.copy_from_slice(&bytes[mine.start + done..][..piece.len()]));
            if !other.read(|bytes| bytes[theirs.start + done..][..piece.len()] == *piece) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The bytes `offset..offset + length`; `OUT_OF_RANGE` if it has not got them.
    pub fn range(&self, offset: u64, length: u64) -> Result<Range<usize>> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length as u64 => Ok(offset as usize..end as usize),
            _ => Err(Error::new(
                Code::OUT_OF_RANGE,
                format!(
                    "{length} bytes at {offset} do not fit a buffer of {} bytes",
                    self.length
                ),
            )),
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.is_writable() {
            true => "writable",
            false => "read-only",
        };
        write!(f, "Buffer({} bytes, {access})", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_data_are_shared_and_cannot_be_written() {
        let bytes = Bytes::from_static(b"abc");
        let buffer = Buffer::read_only(bytes.clone());
        assert_eq!(buffer.shared().unwrap().as_ptr(), bytes.as_ptr());
        let error = buffer.write(|_| ()).unwrap_err();
        assert_eq!(error.code(), Code::PERMISSION_DENIED);
        assert_eq!(buffer.read(<[u8]>::to_vec), b"abc");
    }

    #[test]
    fn writable_buffers_begin_with_zeros() {
        let buffer = Buffer::zeroed(4).unwrap();
        buffer.write(|bytes| bytes[1] = 7).unwrap();
        assert_eq!(buffer.read(<[u8]>::to_vec), [0, 7, 0, 0]);
        assert!(buffer.shared().is_none());
        let error = Buffer::zeroed(u64::MAX).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
    }

    #[test]
    fn bytes_are_copied_and_compared_between_buffers_and_within_one() {
        let long: Vec<u8> = (0..10_000_u32).map(|i| (i * 7 % 251) as u8).collect();
        let source = Buffer::read_only(long.clone().into());
        let target = Buffer::zeroed(10_001).unwrap();
        source.copy_to(0, &target, 1, 10_000).unwrap();
        assert!(source.equals(0, &target, 1, 10_000).unwrap());
        assert!(!source.equals(0, &target, 0, 10_000).unwrap());
        target.copy_to(1, &target, 0, 10_000).unwrap();
        assert!(source.equals(0, &target, 0, 10_000).unwrap());
        target.write(|bytes| bytes[9_999] ^= 1).unwrap();
        assert!(!target.equals(0, &source, 0, 10_000).unwrap());
        let denied = target.copy_to(0, &source, 0, 1).unwrap_err();
        assert_eq!(denied.code(), Code::PERMISSION_DENIED);
        let outside = source.copy_to(1, &target, 0, 10_000).unwrap_err();
        assert_eq!(outside.code(), Code::OUT_OF_RANGE);
    }

    #[test]
    fn buffers_of_programs_are_paid_for() {
        let account = Account::new(1000);
        let buffer = Buffer::charged(500, &account).unwrap();
        assert!(account.used() >= 500);
        let error = Buffer::charged(500, &account).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
        drop(buffer);
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn ranges_must_fit() {
        let buffer = Buffer::zeroed(8).unwrap();
        assert_eq!(buffer.range(2, 6).unwrap(), 2..8);
        assert_eq!(buffer.range(8, 0).unwrap(), 8..8);
        for (offset, length) in [(2, 7), (9, 0), (u64::MAX, 1), (1, u64::MAX)] {
            let error = buffer.range(offset, length).unwrap_err();
            assert_eq!(error.code(), Code::OUT_OF_RANGE, "{offset} {length}");
        }
    }
}
