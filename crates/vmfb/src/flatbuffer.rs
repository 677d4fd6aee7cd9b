//! A reader of FlatBuffers that checks every step it takes.
//!
//! The format: a table begins with the distance back to its vtable; the vtable holds its own size, the size of the
//! table, and for each field the place in the table, or 0 when it is absent. Strings, vectors and tables are reached
//! by unsigned distances forward, so following them always ends. All integers are little-endian.
//!
//! There is no separate verification pass: reading a field checks that field. What is never read cannot hurt.

use std::ops::Range;

use crate::{Error, Result};

/// The longest name of a kernel or a source file.
const MAX_NAME_BYTES: usize = 4096;

/// A field of a table: its number in the schema and its name for messages.
#[derive(Clone, Copy)]
pub(crate) struct Field(pub(crate) u16, pub(crate) &'static str);

/// A table. Its extent and that of its vtable are checked.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    data: &'a [u8],
    name: &'static str,
    at: usize,
    bytes: usize,
    vtable: &'a [u8],
}

/// A vector. Its extent is checked; the default is empty.
#[derive(Clone, Copy, Default)]
pub(crate) struct Vector<'a> {
    data: &'a [u8],
    at: usize,
    element_bytes: usize,
    len: usize,
}

impl<'a> Table<'a> {
    /// The root table of a buffer with this file identifier.
    pub(crate) fn root(
        data: &'a [u8],
        identifier: &[u8; 4],
        name: &'static str,
    ) -> Result<Table<'a>> {
        let Some(found) = data.get(4..8) else {
            return Err(Error::truncated(
                name,
                format!(
                    "a flatbuffer needs at least 8 bytes, there are {}",
                    data.len()
                ),
            ));
        };
        if found != identifier {
            return Err(Error::malformed(
                name,
                format!(
                    "found the flatbuffer identifier \"{}\", expected \"{}\"",
                    found.escape_ascii(),
                    identifier.escape_ascii()
                ),
            ));
        }
        let at = follow(data, 0, name)?;
        Table::at(data, at, name)
    }

    fn at(data: &'a [u8], at: usize, name: &'static str) -> Result<Table<'a>> {
        let back = i32::from_le_bytes(chunk(data, at, name)?);
        let start = i64::try_from(at)
            .ok()
            .and_then(|at| at.checked_sub(i64::from(back)))
            .and_then(|start| usize::try_from(start).ok());
        let vtable = start.and_then(|start| data.get(start..)).ok_or_else(|| {
            Error::malformed(
                name,
                format!("the table at byte {at} has its vtable outside of the buffer"),
            )
        })?;
        let vtable_bytes = usize::from(u16::from_le_bytes(chunk(vtable, 0, name)?));
        let bytes = usize::from(u16::from_le_bytes(chunk(vtable, 2, name)?));
        if vtable_bytes < 4 || !vtable_bytes.is_multiple_of(2) {
            return Err(Error::malformed(
                name,
                format!("a vtable of {vtable_bytes} bytes"),
            ));
        }
        let Some(vtable) = vtable.get(..vtable_bytes) else {
            return Err(Error::truncated(
                name,
                format!("its vtable of {vtable_bytes} bytes reaches past the end"),
            ));
        };
        if bytes < 4 || data.len() - at < bytes {
            return Err(Error::truncated(
                name,
                format!("a table of {bytes} bytes at byte {at} of {}", data.len()),
            ));
        }
        Ok(Table {
            data,
            name,
            at,
            bytes,
            vtable,
        })
    }

    /// The name of the table, and of a field of it, for messages.
    pub(crate) fn place(&self, field: Field) -> String {
        format!("{}.{}", self.name, field.1)
    }

    /// `Malformed` error about a field.
    pub(crate) fn malformed(&self, field: Field, problem: impl Into<String>) -> Error {
        Error::malformed(self.place(field), problem)
    }

    fn position(&self, field: Field, bytes: usize) -> Result<Option<usize>> {
        let slot = 4 + 2 * usize::from(field.0);
        let Some(slot) = self.vtable.get(slot..slot + 2) else {
            return Ok(None);
        };
        let offset = usize::from(u16::from_le_bytes([slot[0], slot[1]]));
        if offset == 0 {
            return Ok(None);
        }
        if offset < 4 || offset + bytes > self.bytes {
            return Err(self.malformed(
                field,
                format!(
                    "bytes {offset}..{} of a table of {} bytes",
                    offset + bytes,
                    self.bytes
                ),
            ));
        }
        Ok(Some(self.at + offset))
    }

    fn bytes<const N: usize>(&self, field: Field) -> Result<Option<[u8; N]>> {
        match self.position(field, N)? {
            Some(at) => chunk(self.data, at, self.name).map(Some),
            None => Ok(None),
        }
    }

    /// A `uint8`; 0 when absent.
    pub(crate) fn u8(&self, field: Field) -> Result<u8> {
        Ok(self.bytes(field)?.map_or(0, u8::from_le_bytes))
    }

    /// A `uint32`; 0 when absent.
    pub(crate) fn u32(&self, field: Field) -> Result<u32> {
        Ok(self.bytes(field)?.map_or(0, u32::from_le_bytes))
    }

    /// An `int32`; 0 when absent.
    pub(crate) fn i32(&self, field: Field) -> Result<i32> {
        Ok(self.bytes(field)?.map_or(0, i32::from_le_bytes))
    }

    /// A `uint64`; 0 when absent.
    pub(crate) fn u64(&self, field: Field) -> Result<u64> {
        Ok(self.bytes(field)?.map_or(0, u64::from_le_bytes))
    }

    /// A struct of three `uint32`.
    pub(crate) fn dims(&self, field: Field) -> Result<Option<[u32; 3]>> {
        Ok(self.bytes(field)?.map(dims_from_bytes))
    }

    fn target(&self, field: Field) -> Result<Option<usize>> {
        match self.position(field, 4)? {
            Some(at) => follow(self.data, at, self.name).map(Some),
            None => Ok(None),
        }
    }

    /// A table.
    pub(crate) fn table(&self, field: Field, name: &'static str) -> Result<Option<Table<'a>>> {
        match self.target(field)? {
            Some(at) => Table::at(self.data, at, name).map(Some),
            None => Ok(None),
        }
    }

    /// A vector of elements of this size.
    pub(crate) fn vector(&self, field: Field, element_bytes: usize) -> Result<Option<Vector<'a>>> {
        match self.target(field)? {
            Some(at) => Vector::at(self.data, at, element_bytes, &self.place(field)).map(Some),
            None => Ok(None),
        }
    }

    /// A vector of tables, strings or other things that are reached by an offset; empty when absent.
    pub(crate) fn offsets(&self, field: Field) -> Result<Vector<'a>> {
        Ok(self.vector(field, 4)?.unwrap_or_default())
    }

    /// The contents of a vector of bytes.
    pub(crate) fn byte_vector(&self, field: Field) -> Result<Option<&'a [u8]>> {
        Ok(self.vector(field, 1)?.map(|vector| vector.contents()))
    }

    /// Where in the buffer the contents of a vector of bytes are.
    pub(crate) fn byte_range(&self, field: Field) -> Result<Option<Range<usize>>> {
        Ok(self
            .vector(field, 1)?
            .map(|vector| vector.at..vector.at + vector.len))
    }

    /// The contents of a string that need not be text.
    pub(crate) fn raw_string(&self, field: Field) -> Result<Option<&'a [u8]>> {
        match self.target(field)? {
            Some(at) => raw_string(self.data, at, &self.place(field)).map(Some),
            None => Ok(None),
        }
    }

    /// A string.
    pub(crate) fn string(&self, field: Field) -> Result<Option<&'a str>> {
        match self.raw_string(field)? {
            Some(raw) => text(raw, &self.place(field)).map(Some),
            None => Ok(None),
        }
    }

    /// The string that names something; it may be absent or empty.
    pub(crate) fn name(&self, field: Field) -> Result<Option<&'a str>> {
        match self.raw_string(field)? {
            Some(raw) => name(raw, &self.place(field)).map(Some),
            None => Ok(None),
        }
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required_string(&self, field: Field) -> Result<&'a str> {
        match self.string(field)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.malformed(field, "it is missing or empty")),
        }
    }
}

impl<'a> Vector<'a> {
    fn at(data: &'a [u8], at: usize, element_bytes: usize, place: &str) -> Result<Vector<'a>> {
        let len = u32::from_le_bytes(chunk(data, at, place)?) as usize;
        let at = at + 4;
        let fits = len
            .checked_mul(element_bytes)
            .is_some_and(|bytes| bytes <= data.len() - at);
        if !fits {
            return Err(Error::truncated(
                place,
                format!(
                    "{len} elements of {element_bytes} bytes at byte {at} of {}",
                    data.len()
                ),
            ));
        }
        Ok(Vector {
            data,
            at,
            element_bytes,
            len,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn contents(&self) -> &'a [u8] {
        &self.data[self.at..self.at + self.len * self.element_bytes]
    }

    /// The elements of a vector whose elements have this size.
    pub(crate) fn elements<const N: usize>(&self) -> impl Iterator<Item = [u8; N]> + use<'a, N> {
        debug_assert!(self.is_empty() || N == self.element_bytes);
        self.contents().chunks_exact(N).map(|element| {
            let mut bytes = [0; N];
            bytes.copy_from_slice(element);
            bytes
        })
    }

    /// An element of a vector whose elements have this size.
    pub(crate) fn element<const N: usize>(&self, index: usize) -> Option<[u8; N]> {
        self.contents()
            .get(index.checked_mul(N)?..)?
            .first_chunk()
            .copied()
    }

    /// A table of a vector of tables; none behind its end.
    pub(crate) fn table(&self, index: usize, name: &'static str) -> Option<Result<Table<'a>>> {
        (index < self.len).then(|| {
            let at = follow(self.data, self.at + 4 * index, name)?;
            Table::at(self.data, at, name)
        })
    }

    /// The tables of a vector of tables.
    pub(crate) fn tables(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = Result<Table<'a>>> + use<'a> {
        let vector = *self;
        (0..vector.len).map_while(move |index| vector.table(index, name))
    }

    /// The names in a vector of strings.
    pub(crate) fn names(
        &self,
        place: &'static str,
    ) -> impl Iterator<Item = Result<&'a str>> + use<'a> {
        let vector = *self;
        (0..vector.len).map(move |index| {
            let at = follow(vector.data, vector.at + 4 * index, place)?;
            name(raw_string(vector.data, at, place)?, place)
        })
    }
}

/// Three `uint32` in a row.
pub(crate) fn dims_from_bytes(bytes: [u8; 12]) -> [u32; 3] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_le_bytes)
}

/// Where the unsigned distance at `at` leads.
fn follow(data: &[u8], at: usize, place: &str) -> Result<usize> {
    let distance = u32::from_le_bytes(chunk(data, at, place)?) as usize;
    match at.checked_add(distance) {
        Some(target) if distance >= 4 && target < data.len() => Ok(target),
        _ => Err(Error::malformed(
            place,
            format!(
                "the offset {distance} at byte {at} leads outside of the buffer of {} bytes",
                data.len()
            ),
        )),
    }
}

fn raw_string<'a>(data: &'a [u8], at: usize, place: &str) -> Result<&'a [u8]> {
    let vector = Vector::at(data, at, 1, place)?;
    if data.get(vector.at + vector.len) != Some(&0) {
        return Err(Error::malformed(place, "the string has no terminator"));
    }
    Ok(vector.contents())
}

/// Names are looked at again and again, and many tables may share one, so their length has a limit.
fn name<'a>(raw: &'a [u8], place: &str) -> Result<&'a str> {
    if raw.len() > MAX_NAME_BYTES {
        return Err(Error::limit(
            place,
            format!(
                "a name of {} bytes, the limit is {MAX_NAME_BYTES}",
                raw.len()
            ),
        ));
    }
    text(raw, place)
}

fn text<'a>(raw: &'a [u8], place: &str) -> Result<&'a str> {
    std::str::from_utf8(raw).map_err(|_| Error::malformed(place, "the string is not UTF-8"))
}

fn chunk<const N: usize>(data: &[u8], at: usize, place: &str) -> Result<[u8; N]> {
    data.get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or_else(|| Error::truncated(place, format!("{N} bytes at byte {at} of {}", data.len())))
}
