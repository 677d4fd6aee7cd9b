//! `.npy` files.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use hal::ElementType;
use npyz::{DType, NpyHeader, Order};

use super::{Array, ArrayError};

/// Element type and the NumPy descriptor that stands for it. NumPy has no
/// bfloat16 and no 8-bit floats: arrays of them are saved as opaque bytes, and
/// who reads them must know.
const DESCRIPTORS: &[(ElementType, &str)] = &[
    (ElementType::BOOL_8, "|b1"),
    (ElementType::INT_8, "|i1"),
    (ElementType::INT_16, "<i2"),
    (ElementType::INT_32, "<i4"),
    (ElementType::INT_64, "<i8"),
    (ElementType::UINT_8, "|u1"),
    (ElementType::UINT_16, "<u2"),
    (ElementType::UINT_32, "<u4"),
    (ElementType::UINT_64, "<u8"),
    (ElementType::FLOAT_16, "<f2"),
    (ElementType::FLOAT_32, "<f4"),
    (ElementType::FLOAT_64, "<f8"),
    (ElementType::COMPLEX_FLOAT_64, "<c8"),
    (ElementType::COMPLEX_FLOAT_128, "<c16"),
    (ElementType::BFLOAT_16, "<V2"),
    (ElementType::OPAQUE_8, "|V1"),
];

/// Reads one array. Elements of opaque bytes are of type `element_type`, if
/// that has their size.
pub(super) fn read(
    mut reader: impl Read,
    path: &str,
    element_type: Option<ElementType>,
) -> Result<Array, ArrayError> {
    let error = |reason: String| ArrayError::File {
        path: path.to_owned(),
        reason,
    };
    let header =
        read_header(&mut reader).map_err(|io| error(format!("is not a .npy file: {io}")))?;
    let descriptor = match header.dtype() {
        DType::Plain(scalar) => scalar.to_string(),
        other => other.descr(),
    };
    let (stored_type, _) = DESCRIPTORS
        .iter()
        .find(|row| row.1.get(1..) == descriptor.get(1..) && !descriptor.starts_with('>'))
        .ok_or_else(|| {
            error(format!(
                "has elements of type {descriptor}, which is not supported"
            ))
        })?;
    if header.order() != Order::C && header.shape().len() > 1 {
        return Err(error(
            "is in Fortran order; save it with numpy.ascontiguousarray".to_owned(),
        ));
    }
    let wrong = |what: ArrayError| error(what.to_string());
    let shape = header.shape().to_vec();
    let length = super::byte_length(*stored_type, &shape).map_err(wrong)?;
    // Memory is taken as the contents come: the header may promise anything.
    let mut bytes = Vec::new();
    reader
        .take(length)
        .read_to_end(&mut bytes)
        .map_err(|io| error(io.to_string()))?;
    let array = Array::new(*stored_type, shape, bytes).map_err(wrong)?;
    let is_opaque = descriptor.contains('V');
    Ok(match element_type {
        Some(known) if is_opaque && known.bit_count() == stored_type.bit_count() => {
            array.reinterpreted(known)
        }
        _ => array,
    })
}

impl Array {
    /// Reads one array of a `.npy` file; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when it is not such a file, is cut short, is not
    /// row-major, or has elements of a type we do not know.
    pub fn read_npy(reader: impl Read, path: &str) -> Result<Self, ArrayError> {
        read(reader, path, None)
    }

    /// Writes the array as a `.npy` file of its own.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when the file cannot be written or NumPy has no
    /// such element type.
    pub fn save_npy(&self, path: &Path) -> Result<(), ArrayError> {
        let file = File::create(path).map_err(|io| ArrayError::File {
            path: path.display().to_string(),
            reason: io.to_string(),
        })?;
        self.write_npy(BufWriter::new(file), &path.display().to_string())
    }

    /// Writes the array in the form of a `.npy` file; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`Array::save_npy`].
    pub fn write_npy(&self, mut writer: impl Write, path: &str) -> Result<(), ArrayError> {
        let error = |reason: String| ArrayError::File {
            path: path.to_owned(),
            reason,
        };
        let descriptor = descriptor(self.element_type).ok_or_else(|| {
            error(format!(
                "NumPy has no element type {}; write a .bin file",
                super::text::element_text(self.element_type)
            ))
        })?;
        writer
            .write_all(header(descriptor, &self.shape).as_slice())
            .and_then(|()| writer.write_all(&self.bytes))
            .and_then(|()| writer.flush())
            .map_err(|io| error(io.to_string()))
    }
}

/// The descriptor that an element type is written with.
fn descriptor(element_type: ElementType) -> Option<&'static str> {
    if let Some(row) = DESCRIPTORS.iter().find(|row| row.0 == element_type) {
        return Some(row.1);
    }
    match (element_type.class(), element_type.bit_count()) {
        // Saying that a signless integer has a sign loses nothing.
        (class, 8) if class == ElementType::SINT_8.class() => Some("|i1"),
        (class, 16) if class == ElementType::SINT_8.class() => Some("<i2"),
        (class, 32) if class == ElementType::SINT_8.class() => Some("<i4"),
        (class, 64) if class == ElementType::SINT_8.class() => Some("<i8"),
        (_, 8) if element_type.is_float() => Some("|V1"),
        _ => None,
    }
}

/// The header of version 1.0, padded with spaces as NumPy pads it.
fn header(descriptor: &str, shape: &[u64]) -> Vec<u8> {
    let mut sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    if let [only] = shape {
        sizes = format!("{only},");
    } else {
        sizes.truncate(sizes.trim_end_matches(", ").len());
    }
    let text = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let magic = b"\x93NUMPY\x01\x00";
    let unpadded = magic.len() + 2 + text.len() + 1;
    let padding = unpadded.next_multiple_of(128) - unpadded;
    // A header with all the dimensions an array may have fits 16 bits.
    let length = (text.len() + padding + 1) as u16;
    let mut header = magic.to_vec();
    header.extend(length.to_le_bytes());
    header.extend(text.bytes());
    header.extend(std::iter::repeat_n(b' ', padding));
    header.push(b'\n');
    header
}

/// Reads the header. What could not be one of ours is refused before it is
/// parsed: the time that takes doubles with every bracket nested in another.
fn read_header(reader: &mut impl Read) -> io::Result<NpyHeader> {
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
    let mut bytes = vec![0; 10];
    reader.read_exact(&mut bytes)?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(invalid("it does not begin like one"));
    }
    let mut length = u64::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        let mut upper = [0; 2];
        reader.read_exact(&mut upper)?;
        bytes.extend_from_slice(&upper);
        length |= u64::from(u16::from_le_bytes(upper)) << 16;
    }
    let start = bytes.len();
    reader.by_ref().take(length).read_to_end(&mut bytes)?;
    let text = &bytes[start..];
    let brackets = text.iter().filter(|byte| b"([{".contains(byte)).count();
    // A dictionary with one tuple in it.
    if brackets > 2 {
        return Err(invalid("its header has more than a type and a shape"));
    }
    NpyHeader::from_reader(bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_was() {
        let folder = std::env::temp_dir().join(format!("hipstream-npy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        for (element_type, _) in DESCRIPTORS {
            let zeros = Array::zeros(*element_type, vec![2, 3]).expect("small");
            let bytes = (0..zeros.bytes.len()).map(|index| index as u8).collect();
            let array = zeros.with_bytes(bytes).expect("same length");
            let path = folder.join(format!("{element_type}.npy"));
            array.save_npy(&path).expect("writable");
            let text = format!("@{}", path.display());
            assert_eq!(text.parse::<Array>().expect("just written"), array);
        }
        std::fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn nested_headers_are_refused_at_once() {
        let header = format!(
            "{{'descr': '<f4', 'fortran_order': False, 'shape': (1,), {}",
            "[".repeat(64)
        );
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        let message = Array::read_npy(file.as_slice(), "nested.npy")
            .expect_err("no such header")
            .to_string();
        assert!(
            message.contains("more than a type and a shape"),
            "{message}"
        );
    }

    #[test]
    fn files_that_are_not_npy_are_named() {
        let path = std::env::temp_dir().join(format!("hipstream-bad-{}.npy", std::process::id()));
        std::fs::write(&path, b"\x93NUMPY\x01\x00").expect("writable");
        let text = format!("@{}", path.display());
        let message = text.parse::<Array>().expect_err("truncated").to_string();
        std::fs::remove_file(&path).expect("ours");
        assert!(message.contains("is not a .npy file"), "{message}");
    }

    #[test]
    fn headers_are_those_of_numpy() {
        for (text, dictionary) in [
            (
                "2x3xf32",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
            ),
            (
                "4xi1",
                "{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }",
            ),
            (
                "si16",
                "{'descr': '<i2', 'fortran_order': False, 'shape': (), }",
            ),
        ] {
            let array: Array = text.parse().expect("zeros");
            let mut file = Vec::new();
            array.write_npy(&mut file, text).expect("in memory");
            assert_eq!(file.len(), 128 + array.bytes.len());
            let header = &file[10..128];
            assert!(header.starts_with(dictionary.as_bytes()), "{text}");
            assert!(header.ends_with(b" \n"), "{text}");
        }
    }

    #[test]
    fn opaque_elements_take_the_type_that_is_known() {
        let array: Array = "3xf8E4M3FN=1 2 3".parse().expect("well formed");
        let mut file = Vec::new();
        array.write_npy(&mut file, "f8").expect("in memory");
        let known = Some(ElementType::FLOAT_32);
        let bytes = read(file.as_slice(), "f8", known).expect("just written");
        assert_eq!(bytes.to_string(), "3x*8=38 40 44");
        let back = read(file.as_slice(), "f8", Some(array.element_type)).expect("just written");
        assert_eq!(back, array);
    }
}
