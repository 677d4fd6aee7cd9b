//! `.npy` files.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use hal::ElementType;
use npyz::{DType, NpyHeader, Order, WriteOptions, WriterBuilder};

use super::{Array, ArrayError};

/// Element type and the NumPy descriptor that stands for it. NumPy has no
/// bfloat16: arrays of it are saved as two opaque bytes.
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
    (ElementType::BFLOAT_16, "<V2"),
];

/// Reads a whole file.
pub(super) fn read(path: &str) -> Result<Array, ArrayError> {
    let file = File::open(path).map_err(|io| ArrayError::File {
        path: path.to_owned(),
        reason: io.to_string(),
    })?;
    Array::read_npy(BufReader::new(file), path)
}

impl Array {
    /// Reads a `.npy` file to its end; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when it is not such a file, is cut short or too
    /// long, is not row-major, or has elements of a type we do not know.
    pub fn read_npy(mut reader: impl Read, path: &str) -> Result<Self, ArrayError> {
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
        let element_type = DESCRIPTORS
            .iter()
            .find(|row| row.1.get(1..) == descriptor.get(1..) && !descriptor.starts_with('>'))
            .map(|row| row.0)
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
        let mut bytes = Vec::new();
        reader
            .read_to_end(&mut bytes)
            .map_err(|io| error(io.to_string()))?;
        Self::new(element_type, header.shape().to_vec(), bytes)
            .map_err(|wrong| error(wrong.to_string()))
    }

    /// Writes the array as a `.npy` file.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when the file cannot be written or NumPy has no
    /// such element type.
    pub fn write_npy(&self, path: &Path) -> Result<(), ArrayError> {
        let error = |reason: String| ArrayError::File {
            path: path.display().to_string(),
            reason,
        };
        let descriptor = DESCRIPTORS
            .iter()
            .find(|row| row.0 == self.element_type)
            .map(|row| row.1)
            .ok_or_else(|| error(format!("NumPy has no element type {}", self.element_type)))?;
        let scalar = descriptor
            .parse()
            .expect("the descriptors of the table are well formed");
        let file = File::create(path).map_err(|io| error(io.to_string()))?;
        WriteOptions::new_header_only()
            .dtype(DType::new_scalar(scalar))
            .shape(&self.shape)
            .writer(BufWriter::new(file))
            .write_header_only()
            .and_then(|mut writer| {
                writer.write_all(&self.bytes)?;
                writer.flush()
            })
            .map_err(|io| error(io.to_string()))
    }
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
            array.write_npy(&path).expect("writable");
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
}
