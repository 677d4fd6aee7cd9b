//! Little-endian fields, read one after the other.

use super::error::Malformed;

/// A place in a file. Whatever the file says, reading stays inside of it.
pub(super) struct Cursor<'a> {
    file: &'a [u8],
    at: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a [u8], at: u64) -> Self {
        Self { file, at }
    }

    /// Where the next field begins, in bytes from the beginning of the file.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(length);
        let range = usize::try_from(self.at)
            .ok()
            .zip(end.and_then(|end| usize::try_from(end).ok()));
        let bytes = range.and_then(|(start, end)| self.file.get(start..end));
        match (bytes, end) {
            (Some(bytes), Some(end)) => {
                self.at = end;
                Ok(bytes)
            }
            _ => Err(Malformed::new(format!(
                "{length} bytes at {} are beyond its end at {}",
                self.at,
                self.file.len()
            ))),
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N as u64)?;
        Ok(bytes.try_into().expect("as many as were taken"))
    }
}
