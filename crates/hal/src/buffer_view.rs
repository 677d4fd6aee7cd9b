//! Buffer views: buffers with a shape and an element type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Buffer, Result, Status};

/// A buffer read as a dense array. Cheap to clone.
#[derive(Clone)]
pub struct BufferView(Arc<Inner>);

struct Inner {
    buffer: Buffer,
    shape: Vec<u64>,
    element_type: ElementType,
    encoding: Encoding,
}

impl BufferView {
    /// A view of `buffer` with these dimensions, outermost first; none is a scalar.
    ///
    /// `OUT_OF_RANGE` if a dense row-major array of this shape does not fit
    /// the buffer. Opaque encodings and opaque element types fit anything.
    pub fn new(
        buffer: Buffer,
        shape: &[u64],
        element_type: ElementType,
        encoding: Encoding,
    ) -> Result<Self> {
        if encoding == Encoding::DENSE_ROW_MAJOR {
            let bytes = element_type.dense_byte_length(shape)?;
            if bytes > buffer.byte_length() {
                return Err(Status::out_of_range(format!(
                    "{}{element_type} needs {bytes} bytes, the buffer has {}",
                    DisplayShape(shape),
                    buffer.byte_length()
                )));
            }
        }
        Ok(Self(Arc::new(Inner {
            buffer,
            shape: shape.to_vec(),
            element_type,
            encoding,
        })))
    }

    /// The bytes.
    pub fn buffer(&self) -> &Buffer {
        &self.0.buffer
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.0.shape
    }

    /// How many elements: the product of the dimensions, 1 for a scalar.
    pub fn element_count(&self) -> u64 {
        // Dense views were checked when they were made; others may be anything.
        self.0.shape.iter().fold(1, |a, &b| a.saturating_mul(b))
    }

    /// What an element is.
    pub fn element_type(&self) -> ElementType {
        self.0.element_type
    }

    /// How the elements lie in the buffer.
    pub fn encoding(&self) -> Encoding {
        self.0.encoding
    }

    /// Whether both are the same view object.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for BufferView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BufferView({}{}, {:?})",
            DisplayShape(self.shape()),
            self.element_type(),
            self.buffer()
        )
    }
}

/// How elements lie in a buffer, by the number that programs carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoding(pub u32);

impl Encoding {
    /// Known to the program only.
    pub const OPAQUE: Self = Self(0);
    /// Without gaps, the last dimension varying fastest.
    pub const DENSE_ROW_MAJOR: Self = Self(1);
}

/// What an element is: numerical class in the upper 8 bits, size in bits in
/// the lower ones. Programs carry it as this number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ElementType(pub u32);

const CLASS_OPAQUE: u32 = 0x00;
const CLASS_INTEGER: u32 = 0x10;
const CLASS_SIGNED: u32 = 0x11;
const CLASS_UNSIGNED: u32 = 0x12;
const CLASS_BOOLEAN: u32 = 0x13;
const CLASS_FLOAT: u32 = 0x21;
const CLASS_BFLOAT: u32 = 0x22;
const CLASS_COMPLEX: u32 = 0x23;

/// Classes with one type each: 8-bit floats, by their spelling.
const FLOAT8: &[(u32, &str)] = &[
    (0x24, "f8E5M2"),
    (0x25, "f8E4M3FN"),
    (0x26, "f8E5M2FNUZ"),
    (0x27, "f8E4M3FNUZ"),
    (0x28, "f8E8M0FNU"),
];

/// Classes that are spelled as a prefix and a number of bits. A longer prefix
/// stands before the one it begins with.
const PREFIXES: &[(u32, &str)] = &[
    (CLASS_SIGNED, "si"),
    (CLASS_UNSIGNED, "ui"),
    (CLASS_INTEGER, "i"),
    (CLASS_BFLOAT, "bf"),
    (CLASS_COMPLEX, "cf"),
    (CLASS_FLOAT, "f"),
    (CLASS_OPAQUE, "x"),
];

macro_rules! element_types {
    ($($name:ident = $class:ident $bits:literal $text:literal,)*) => {
        impl ElementType {
            $(
                #[doc = concat!("`", $text, "`")]
                pub const $name: Self = Self::new($class, $bits);
            )*
        }
    };
}

element_types! {
    OPAQUE_8 = CLASS_OPAQUE 8 "x8",
    OPAQUE_16 = CLASS_OPAQUE 16 "x16",
    OPAQUE_32 = CLASS_OPAQUE 32 "x32",
    OPAQUE_64 = CLASS_OPAQUE 64 "x64",
    BOOL_8 = CLASS_BOOLEAN 8 "i1",
    INT_4 = CLASS_INTEGER 4 "i4",
    INT_8 = CLASS_INTEGER 8 "i8",
    INT_16 = CLASS_INTEGER 16 "i16",
    INT_32 = CLASS_INTEGER 32 "i32",
    INT_64 = CLASS_INTEGER 64 "i64",
    SINT_8 = CLASS_SIGNED 8 "si8",
    SINT_16 = CLASS_SIGNED 16 "si16",
    SINT_32 = CLASS_SIGNED 32 "si32",
    SINT_64 = CLASS_SIGNED 64 "si64",
    UINT_8 = CLASS_UNSIGNED 8 "ui8",
    UINT_16 = CLASS_UNSIGNED 16 "ui16",
    UINT_32 = CLASS_UNSIGNED 32 "ui32",
    UINT_64 = CLASS_UNSIGNED 64 "ui64",
    FLOAT_16 = CLASS_FLOAT 16 "f16",
    FLOAT_32 = CLASS_FLOAT 32 "f32",
    FLOAT_64 = CLASS_FLOAT 64 "f64",
    BFLOAT_16 = CLASS_BFLOAT 16 "bf16",
    COMPLEX_FLOAT_64 = CLASS_COMPLEX 64 "cf64",
    COMPLEX_FLOAT_128 = CLASS_COMPLEX 128 "cf128",
}

impl ElementType {
    const fn new(class: u32, bits: u32) -> Self {
        Self(class << 24 | bits)
    }

    /// Numerical class, the upper 8 bits.
    pub const fn class(self) -> u32 {
        self.0 >> 24
    }

    /// Size of one element in bits, as it lies in memory: a boolean has 8.
    pub const fn bit_count(self) -> u32 {
        self.0 & 0xFF_FFFF
    }

    /// Whether it is an integer of any signedness, or a boolean.
    pub const fn is_integer(self) -> bool {
        self.class() >> 4 == 1
    }

    /// Whether it is a floating point number.
    pub const fn is_float(self) -> bool {
        self.class() >> 4 == 2 && self.class() != CLASS_COMPLEX
    }

    /// Whether data of type `actual` may stand where this type is expected:
    /// opaque data may stand for anything, integers for integers of the same size.
    pub fn accepts(self, actual: Self) -> bool {
        self == actual
            || actual.class() == CLASS_OPAQUE
            || (self.is_integer() && actual.is_integer() && self.bit_count() == actual.bit_count())
    }

    /// Bytes that a dense array of this shape takes, rounded up to whole
    /// bytes. `OUT_OF_RANGE` if that is more than 64 bits can say.
    pub fn dense_byte_length(self, shape: &[u64]) -> Result<u64> {
        // An empty dimension makes the array empty, however large the others.
        if shape.contains(&0) {
            return Ok(0);
        }
        let bits = shape
            .iter()
            .try_fold(u128::from(self.bit_count()), |bits, &dim| {
                bits.checked_mul(u128::from(dim))
            });
        bits.and_then(|bits| u64::try_from(bits.div_ceil(8)).ok())
            .ok_or_else(|| {
                Status::out_of_range(format!(
                    "{}{self} has more bytes than can be counted",
                    DisplayShape(shape)
                ))
            })
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::BOOL_8 {
            return f.write_str("i1");
        }
        let class = self.class();
        if let Some((_, text)) = FLOAT8.iter().find(|row| row.0 == class)
            && self.bit_count() == 8
        {
            return f.write_str(text);
        }
        match PREFIXES.iter().find(|row| row.0 == class) {
            Some((_, prefix)) => write!(f, "{prefix}{}", self.bit_count()),
            None => write!(f, "<element type {:08x}>", self.0),
        }
    }
}

impl fmt::Debug for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ElementType {
    type Err = Status;

    /// Reads what is printed: `f32`, `i8`, `ui16`, `bf16`, `i1`, `x64`; an
    /// opaque type may be written `*64` too.
    fn from_str(text: &str) -> Result<Self> {
        if text == "i1" {
            return Ok(Self::BOOL_8);
        }
        if let Some((class, _)) = FLOAT8.iter().find(|row| row.1 == text) {
            return Ok(Self::new(*class, 8));
        }
        PREFIXES
            .iter()
            .find_map(|(class, prefix)| Some((*class, text.strip_prefix(prefix)?)))
            .or_else(|| Some((CLASS_OPAQUE, text.strip_prefix('*')?)))
            .and_then(|(class, digits)| {
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                let bits: u32 = digits.parse().ok().filter(|_| is_number)?;
                let is_possible = match class {
                    CLASS_FLOAT => matches!(bits, 16 | 32 | 64),
                    CLASS_BFLOAT => bits == 16,
                    CLASS_COMPLEX => matches!(bits, 64 | 128),
                    CLASS_OPAQUE => (1..=0xFF_FFFF).contains(&bits),
                    _ => (1..=64).contains(&bits),
                };
                is_possible.then_some(Self::new(class, bits))
            })
            .ok_or_else(|| Status::invalid_argument(format!("`{text}` is no element type")))
    }
}

struct DisplayShape<'a>(&'a [u64]);

impl fmt::Display for DisplayShape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|dim| write!(f, "{dim}x"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;

    #[test]
    fn numbers_are_the_contracts() {
        for (text, number) in [
            ("f32", 0x2100_0020),
            ("f16", 0x2100_0010),
            ("bf16", 0x2200_0010),
            ("f64", 0x2100_0040),
            ("i8", 0x1000_0008),
            ("i32", 0x1000_0020),
            ("i64", 0x1000_0040),
            ("i1", 0x1300_0008),
            ("si16", 0x1100_0010),
            ("ui8", 0x1200_0008),
            ("i4", 0x1000_0004),
            ("cf64", 0x2300_0040),
            ("x32", 0x0000_0020),
            ("f8E5M2", 0x2400_0008),
            ("f8E4M3FN", 0x2500_0008),
            ("f8E5M2FNUZ", 0x2600_0008),
            ("f8E4M3FNUZ", 0x2700_0008),
            ("f8E8M0FNU", 0x2800_0008),
        ] {
            let parsed: ElementType = text.parse().unwrap();
            assert_eq!(parsed.0, number, "{text}");
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(
            "*16".parse::<ElementType>().unwrap(),
            ElementType::OPAQUE_16
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "f",
            "f33",
            "q8",
            "i",
            "i0",
            "i65",
            "f-32",
            "i+8",
            "f8",
            "bf32",
            "cf32",
            "f32x",
            " f32",
            "x0",
            "x99999999",
            "*",
            "f8E4M3",
        ] {
            let error = text.parse::<ElementType>().unwrap_err();
            assert_eq!(error.code(), StatusCode::InvalidArgument, "{text}");
        }
    }

    #[test]
    fn integers_of_a_size_accept_each_other() {
        let accepts = |expected: &str, actual: &str| {
            let parse = |text: &str| text.parse::<ElementType>().unwrap();
            parse(expected).accepts(parse(actual))
        };
        assert!(accepts("i1", "i8"));
        assert!(accepts("si32", "ui32"));
        assert!(accepts("f32", "x32"));
        assert!(!accepts("i32", "i64"));
        assert!(!accepts("f32", "i32"));
        assert!(!accepts("f16", "bf16"));
        assert!(!accepts("x32", "f32"));
    }

    #[test]
    fn dense_lengths_round_up_and_do_not_overflow() {
        let length = |ty: ElementType, shape: &[u64]| ty.dense_byte_length(shape);
        assert_eq!(length(ElementType::FLOAT_32, &[2, 3]).unwrap(), 24);
        assert_eq!(length(ElementType::FLOAT_32, &[]).unwrap(), 4);
        assert_eq!(length(ElementType::INT_4, &[3]).unwrap(), 2);
        assert_eq!(length(ElementType::FLOAT_64, &[u64::MAX, 0]).unwrap(), 0);
        assert_eq!(length(ElementType::INT_8, &[u64::MAX]).unwrap(), u64::MAX);
        for shape in [&[u64::MAX][..], &[1 << 32, 1 << 32], &[u64::MAX; 8]] {
            let error = length(ElementType::FLOAT_32, shape).unwrap_err();
            assert_eq!(error.code(), StatusCode::OutOfRange);
        }
    }

    fn buffer(bytes: u64) -> Buffer {
        let params = crate::BufferParams::device_local();
        let device = crate::testing::null_device();
        device.allocator().allocate(&params, bytes).unwrap()
    }

    #[test]
    fn a_view_must_fit_its_buffer() {
        let view = |shape: &[u64], element_type, encoding| {
            BufferView::new(buffer(24), shape, element_type, encoding)
        };
        let dense = Encoding::DENSE_ROW_MAJOR;
        let whole = view(&[2, 3], ElementType::FLOAT_32, dense).unwrap();
        assert_eq!((whole.shape(), whole.element_count()), (&[2, 3][..], 6));
        assert_eq!(whole.element_type(), ElementType::FLOAT_32);
        assert_eq!(whole.encoding(), dense);
        assert_eq!(whole.buffer().byte_length(), 24);
        assert!(whole.ptr_eq(&whole.clone()));
        // Padding is the buffer's own business.
        view(&[5], ElementType::FLOAT_32, dense).unwrap();
        view(&[], ElementType::FLOAT_64, dense).unwrap();
        view(&[0, 1 << 40], ElementType::FLOAT_64, dense).unwrap();
        for (shape, element_type) in [
            (&[7][..], ElementType::FLOAT_32),
            (&[2, 4], ElementType::FLOAT_32),
            (&[49], ElementType::INT_4),
            (&[u64::MAX, u64::MAX], ElementType::INT_8),
        ] {
            let status = view(shape, element_type, dense).unwrap_err();
            assert_eq!(status.code(), StatusCode::OutOfRange, "{shape:?}");
        }
        // What an opaque encoding needs only the program knows.
        view(&[1000], ElementType::FLOAT_32, Encoding::OPAQUE).unwrap();
    }

    #[test]
    fn a_view_of_a_subspan_fits_the_subspan() {
        let part = buffer(64).subspan(32, 16).unwrap();
        let dense = Encoding::DENSE_ROW_MAJOR;
        BufferView::new(part.clone(), &[4], ElementType::INT_32, dense).unwrap();
        let status = BufferView::new(part, &[5], ElementType::INT_32, dense).unwrap_err();
        assert_eq!(status.code(), StatusCode::OutOfRange);
        assert!(
            status.message().contains("5xi32 needs 20 bytes"),
            "{status}"
        );
    }
}
