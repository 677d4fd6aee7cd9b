//! What a program asks for: tables of spans and keys, and what they name.

use bytes::Bytes;
use vm::{Call, Charge, Code, Error, Result};

use crate::parameters::{Archive, LookupError, Origin, Set};

/// A row of the table of spans: three u64, offset in the parameter, offset in
/// the buffer, length.
const SPAN_BYTES: usize = 24;

/// A row of the table of keys: two u32, offset in the keys and length.
const KEY_BYTES: usize = 8;

/// The tables, as a call gives them.
pub(super) struct Requests {
    key_table: Bytes,
    keys: Bytes,
    spans: Bytes,
    /// What was copied counts against the program.
    _charges: Vec<Charge>,
}

/// A span of a parameter that there is, checked against its length.
pub(super) struct Request<'a> {
    pub(super) key: &'a str,
    pub(super) archive: &'a Archive,
    pub(super) origin: Origin,
    /// Where in the parameter, in bytes.
    pub(super) offset: u64,
    /// Where in the buffer, in bytes; not checked.
    pub(super) buffer_offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

impl Requests {
    /// Reads the last three arguments: table of keys, keys, table of spans.
    pub(super) fn read(call: &mut Call<'_>) -> Result<Self> {
        let mut charges = Vec::new();
        let requests = Self {
            key_table: contents(call, &mut charges)?,
            keys: contents(call, &mut charges)?,
            spans: contents(call, &mut charges)?,
            _charges: charges,
        };
        if !requests.spans.len().is_multiple_of(SPAN_BYTES) {
            return Err(invalid(format!(
                "a table of spans has {} bytes, which are not whole rows of {SPAN_BYTES}",
                requests.spans.len()
            )));
        }
        let count = requests.spans.len() / SPAN_BYTES;
        if requests.key_table.len() / KEY_BYTES < count {
            return Err(invalid(format!(
                "{count} spans have a table of {} bytes for keys, which is too short",
                requests.key_table.len()
            )));
        }
        Ok(requests)
    }

    /// What the rows name, one after the other.
    pub(super) fn resolve<'a>(
        &'a self,
        parameters: &'a Set,
        scope: &'a str,
    ) -> impl Iterator<Item = Result<Request<'a>>> {
        let spans = self.spans.chunks_exact(SPAN_BYTES);
        let keys = self.key_table.chunks_exact(KEY_BYTES);
        spans
            .zip(keys)
            .map(move |(span, key)| self.row(parameters, scope, span, key))
    }

    fn row<'a>(
        &'a self,
        parameters: &'a Set,
        scope: &str,
        span: &[u8],
        key: &[u8],
    ) -> Result<Request<'a>> {
        let key = self.key(key)?;
        let [offset, buffer_offset, length] = [0, 8, 16].map(|at| u64_at(span, at));
        let (archive, origin) = parameters
            .lookup(scope, key)
            .map_err(|error| not_found(&error))?;
        let available = origin.length();
        if offset.checked_add(length).is_none_or(|end| end > available) {
            return Err(Error::new(
                Code::OUT_OF_RANGE,
                format!(
                    "the program wants {length} bytes at {offset} of parameter `{key}`, which has {available} in {}",
                    archive.path().display()
                ),
            ));
        }
        Ok(Request {
            key,
            archive,
            origin,
            offset,
            buffer_offset,
            length,
        })
    }

    fn key(&self, row: &[u8]) -> Result<&str> {
        let [offset, length] = [0, 4].map(|at| u32_at(row, at) as usize);
        let bytes = offset
            .checked_add(length)
            .and_then(|end| self.keys.get(offset..end))
            .ok_or_else(|| {
                Error::new(
                    Code::OUT_OF_RANGE,
                    format!(
                        "a key of {length} bytes at {offset} is not inside the {} bytes of keys",
                        self.keys.len()
                    ),
                )
            })?;
        std::str::from_utf8(bytes).map_err(|_| invalid("a key is not UTF-8"))
    }
}

/// The contents of the next argument, a buffer: shared if nobody writes it.
fn contents(call: &mut Call<'_>, charges: &mut Vec<Charge>) -> Result<Bytes> {
    let buffer = call.object(&vm::types::BUFFER)?;
    if let Some(bytes) = buffer.shared() {
        return Ok(bytes.clone());
    }
    charges.push(call.charge(buffer.len())?);
    Ok(buffer.read(Bytes::copy_from_slice))
}

fn u64_at(row: &[u8], at: usize) -> u64 {
    let bytes = row[at..].first_chunk();
    u64::from_le_bytes(*bytes.expect("rows are cut to their length"))
}

fn u32_at(row: &[u8], at: usize) -> u32 {
    let bytes = row[at..].first_chunk();
    u32::from_le_bytes(*bytes.expect("rows are cut to their length"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::INVALID_ARGUMENT, message)
}

fn not_found(error: &LookupError) -> Error {
    Error::new(Code::NOT_FOUND, error.to_string())
}
