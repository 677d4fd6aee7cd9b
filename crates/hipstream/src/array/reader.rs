//! Inputs one after the other, with the file that was read last still open.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use hal::ElementType;

use super::text::{parse_type, parse_values, type_text};
use super::{Array, ArrayError, byte_length, element, element_count, npy, room};

/// Reads arrays in their text form. `@file` opens a file, `+file` goes on in
/// it where the last one stopped.
#[derive(Debug, Default)]
pub struct Reader {
    file: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    path: String,
    contents: BufReader<File>,
}

impl Reader {
    /// The array that `text` stands for. Files whose elements have a size but
    /// no type (NumPy knows no bfloat16) are read as `element_type`, if that has
    /// this size.
    ///
    /// # Errors
    ///
    /// [`ArrayError`] naming what is wrong with the text or the file.
    pub fn array(
        &mut self,
        text: &str,
        element_type: Option<ElementType>,
    ) -> Result<Array, ArrayError> {
        if let Some(path) = text.strip_prefix('@') {
            self.open(path)?;
            return self.npy(path, element_type);
        }
        if let Some(path) = text.strip_prefix('+') {
            self.go_on(path)?;
            return self.npy(path, element_type);
        }
        let (type_text, values) = match text.split_once('=') {
            Some((type_text, values)) => (type_text, Some(values)),
            None => (text, None),
        };
        let (element_type, shape) = parse_type(text, type_text)?;
        let Some(values) = values else {
            return Array::zeros(element_type, shape);
        };
        if let Some(path) = values.strip_prefix('@') {
            self.open(path)?;
            return self.raw(path, element_type, shape);
        }
        if let Some(path) = values.strip_prefix('+') {
            self.go_on(path)?;
            return self.raw(path, element_type, shape);
        }
        match values.strip_prefix("rand:") {
            Some(seed) => random(text, seed, element_type, shape),
            None => parse_values(text, values, element_type, shape),
        }
    }

    /// Whether the file `path` is open and has an array left: for `*file.npy`,
    /// which begins at the start unless the file is open already.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when it cannot be read.
    pub fn has_more(&mut self, path: &str) -> Result<bool, ArrayError> {
        self.go_on(path)?;
        Ok(self.left()? > 0)
    }

    /// Bytes of the file that was read last which nobody asked for.
    ///
    /// # Errors
    ///
    /// [`ArrayError::File`] when its length cannot be found out.
    pub fn left(&mut self) -> Result<u64, ArrayError> {
        let Some(OpenFile { path, contents }) = &mut self.file else {
            return Ok(0);
        };
        let error = |io: std::io::Error| file_error(path, io.to_string());
        let length = contents.get_ref().metadata().map_err(error)?;
        // Pipes have no length and cannot be gone back in.
        if !length.is_file() {
            return Ok(0);
        }
        let position = contents.stream_position().map_err(error)?;
        Ok(length.len().saturating_sub(position))
    }

    fn open(&mut self, path: &str) -> Result<(), ArrayError> {
        self.file = None;
        let file = File::open(path).map_err(|io| file_error(path, io.to_string()))?;
        self.file = Some(OpenFile {
            path: path.to_owned(),
            contents: BufReader::new(file),
        });
        Ok(())
    }

    fn go_on(&mut self, path: &str) -> Result<(), ArrayError> {
        match &self.file {
            Some(file) if file.path == path => Ok(()),
            _ => self.open(path),
        }
    }

    fn contents(&mut self) -> &mut BufReader<File> {
        let file = self.file.as_mut().expect("opened just before");
        &mut file.contents
    }

    fn npy(&mut self, path: &str, element_type: Option<ElementType>) -> Result<Array, ArrayError> {
        if !path.ends_with(".npy") {
            return Err(file_error(
                path,
                "is not a .npy file; of other files the contents must be said: SHAPExTYPE=@FILE"
                    .to_owned(),
            ));
        }
        npy::read(self.contents(), path, element_type)
    }

    fn raw(
        &mut self,
        path: &str,
        element_type: ElementType,
        shape: Vec<u64>,
    ) -> Result<Array, ArrayError> {
        let length = byte_length(element_type, &shape)?;
        // Memory is taken as the contents come: they may be fewer.
        let mut bytes = Vec::new();
        self.contents()
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(|io| file_error(path, io.to_string()))?;
        if (bytes.len() as u64) < length {
            let wanted = type_text(element_type, &shape);
            return Err(file_error(
                path,
                format!(
                    "ends too early: {wanted} has {length} bytes, {} were left",
                    bytes.len()
                ),
            ));
        }
        Array::new(element_type, shape, bytes)
    }
}

fn file_error(path: &str, reason: String) -> ArrayError {
    ArrayError::File {
        path: path.to_owned(),
        reason,
    }
}

/// Uniform values that depend on nothing but the seed and the place.
fn random(
    text: &str,
    seed: &str,
    element_type: ElementType,
    shape: Vec<u64>,
) -> Result<Array, ArrayError> {
    let error = |reason: String| ArrayError::Syntax {
        text: text.to_owned(),
        reason,
    };
    let seed: u64 = seed
        .parse()
        .map_err(|_| error(format!("`{seed}` is not a seed; write rand:1")))?;
    let mut bytes = room(element_type, &shape)?;
    for index in 0..element_count(&shape) {
        let bits = mix(seed, index);
        let value = match element::kind(element_type) {
            element::Kind::Signed => f64::from((bits >> 56) as u8 as i8),
            element::Kind::Unsigned => f64::from((bits >> 56) as u8),
            element::Kind::Boolean => f64::from((bits >> 63) as u8),
            // 24 bits are exact in an f32; larger types need no more.
            _ => (bits >> 40) as f64 / f64::from(1 << 23) - 1.0,
        };
        element::from_f64(element_type, value, &mut bytes)
            .ok_or_else(|| error(format!("there are no random {element_type}")))?;
    }
    if element::per_byte(element_type) > 1 {
        bytes = element::pack(element_type, &bytes);
    }
    Array::new(element_type, shape, bytes)
}

/// SplitMix64's output function over a counter.
fn mix(seed: u64, index: u64) -> u64 {
    let step = 0x9E37_79B9_7F4A_7C15_u64;
    let mut z = seed
        .wrapping_mul(0xD129_0D36_3D9A_3D45)
        .wrapping_add(index.wrapping_add(1).wrapping_mul(step));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, contents: &[u8]) -> Self {
            let path =
                std::env::temp_dir().join(format!("hipstream-{}-{name}", std::process::id()));
            std::fs::write(&path, contents).expect("writable");
            Self(path)
        }

        fn path(&self) -> std::path::Display<'_> {
            self.0.display()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // Left behind, it would do no harm.
            drop(std::fs::remove_file(&self.0));
        }
    }

    #[test]
    fn raw_files_are_read_from_the_start_or_on() {
        let file = Scratch::new("raw.bin", &[1, 2, 3, 4, 5, 6, 7]);
        let mut reader = Reader::default();
        let mut text = |text: String| {
            reader
                .array(&text, None)
                .map(|array| array.to_string())
                .map_err(|error| error.to_string())
        };
        let path = file.path();
        let alone = format!("2xi8=@{path}").parse::<Array>();
        let message = alone.expect_err("not the whole file").to_string();
        assert!(message.contains("5 bytes more than 2xi8"), "{message}");
        assert_eq!(text(format!("2xi8=@{path}")), Ok("2xi8=1 2".to_owned()));
        assert_eq!(text(format!("2xi8=+{path}")), Ok("2xi8=3 4".to_owned()));
        assert_eq!(text(format!("2xi8=@{path}")), Ok("2xi8=1 2".to_owned()));
        let message = text(format!("6xi8=+{path}")).expect_err("too few");
        assert!(
            message.contains("6xi8 has 6 bytes, 5 were left"),
            "{message}"
        );
        let other = Scratch::new("other.bin", &[9]);
        let path = other.path();
        assert_eq!(text(format!("1xi8=+{path}")), Ok("1xi8=9".to_owned()));
    }

    #[test]
    fn arrays_of_one_file_follow_each_other() {
        let path = Scratch::new("many.npy", &[]);
        let mut contents = Vec::new();
        for text in ["2xi8=1 2", "f32=3", "2xbf16=1 2"] {
            let array: Array = text.parse().expect("well formed");
            array
                .write_npy(&mut contents, "many.npy")
                .expect("in memory");
        }
        contents.push(0);
        std::fs::write(&path.0, contents).expect("writable");
        let path = path.path().to_string();
        let mut reader = Reader::default();
        let mut text = |text: String, element_type| {
            reader
                .array(&text, element_type)
                .map(|array| array.to_string())
        };
        assert_eq!(text(format!("@{path}"), None).expect("first"), "2xi8=1 2");
        assert_eq!(text(format!("+{path}"), None).expect("second"), "f32=3");
        let words = text(format!("+{path}"), Some(ElementType::UINT_16)).expect("third");
        assert_eq!(words, "2xui16=16256 16384");
        assert!(reader.has_more(&path).expect("readable"));
        assert_eq!(reader.left().expect("a file"), 1);
    }

    #[test]
    fn files_without_a_header_need_a_type() {
        let file = Scratch::new("x.txt", b"1 2");
        let message = Reader::default()
            .array(&format!("@{}", file.path()), None)
            .expect_err("no type");
        assert!(
            message.to_string().contains("SHAPExTYPE=@FILE"),
            "{message}"
        );
    }
}
