//! Writers of small archives, and folders for them.

use std::path::{Path, PathBuf};

use super::Pattern;

/// A folder that goes with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty folder; `name` tells those of one process apart.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hipstream-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, contents).expect("writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes `.irpa` files of one header.
#[derive(Default)]
pub(crate) struct IrpaWriter {
    entries: Vec<u8>,
    count: u64,
    metadata: Vec<u8>,
    storage: Vec<u8>,
}

impl IrpaWriter {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn splat(mut self, name: &str, length: u64, pattern: Pattern) -> Self {
        let mut body = length.to_le_bytes().to_vec();
        body.extend(pattern.bytes());
        body.resize(8 + 16, 0);
        body.push(pattern.bytes().len() as u8);
        self.entry(name, 1, &body);
        self
    }

    pub(crate) fn data(mut self, name: &str, contents: &[u8]) -> Self {
        self.storage
            .resize(self.storage.len().next_multiple_of(64), 0);
        let mut body = (self.storage.len() as u64).to_le_bytes().to_vec();
        body.extend((contents.len() as u64).to_le_bytes());
        self.storage.extend(contents);
        self.entry(name, 2, &body);
        self
    }

    pub(crate) fn external(mut self, name: &str, file: &str, offset: u64, length: u64) -> Self {
        let path = self.text(file);
        let mut body = Vec::new();
        for number in [path.0, path.1, offset, length] {
            body.extend(number.to_le_bytes());
        }
        self.entry(name, 3, &body);
        self
    }

    pub(crate) fn skipped(mut self, name: &str) -> Self {
        self.entry(name, 0, &[]);
        self
    }

    /// The whole file; segments follow one another, storage at 64.
    pub(crate) fn finish(&self) -> Vec<u8> {
        self.link(0)
    }

    /// As `finish`, saying that another header follows after this many bytes.
    pub(crate) fn link(&self, next: u64) -> Vec<u8> {
        let entries = 96;
        let metadata = entries + self.entries.len() as u64;
        let storage = (metadata + self.metadata.len() as u64).next_multiple_of(64);
        let mut file = b"IRPA\0\0\0\0".to_vec();
        for number in [
            88,
            next,
            0,
            self.count,
            entries,
            self.entries.len() as u64,
            metadata,
            self.metadata.len() as u64,
            storage,
            self.storage.len() as u64,
        ] {
            file.extend(number.to_le_bytes());
        }
        for (at, bytes) in [
            (entries, &self.entries),
            (metadata, &self.metadata),
            (storage, &self.storage),
        ] {
            file.resize(at as usize, 0);
            file.extend(bytes);
        }
        file
    }

    fn entry(&mut self, name: &str, kind: u32, body: &[u8]) {
        self.entries
            .resize(self.entries.len().next_multiple_of(16), 0);
        let name = self.text(name);
        let size = 60 + body.len() as u64;
        self.entries.extend(size.to_le_bytes());
        self.entries.extend(kind.to_le_bytes());
        for number in [0, name.0, name.1, 0, 0, 64] {
            self.entries.extend(number.to_le_bytes());
        }
        self.entries.extend(body);
        self.count += 1;
    }

    fn text(&mut self, text: &str) -> (u64, u64) {
        let at = self.metadata.len() as u64;
        self.metadata.extend(text.as_bytes());
        (at, text.len() as u64)
    }
}

/// A tensor for [`safetensors`]: name, type, shape, contents.
pub(crate) type SafeTensor<'a> = (&'a str, &'a str, &'a [u64], &'a [u8]);

pub(crate) fn safetensors(tensors: &[SafeTensor<'_>]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut contents: Vec<u8> = Vec::new();
    for (name, element_type, shape, bytes) in tensors {
        let start = contents.len();
        contents.extend(*bytes);
        let info = serde_json::json!({
            "dtype": element_type, "shape": shape, "data_offsets": [start, contents.len()],
        });
        header.insert((*name).to_owned(), info);
    }
    let header = serde_json::to_vec(&header).expect("plain data");
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(contents);
    file
}

/// A tensor for [`gguf`]: name, row-major shape, type, contents.
pub(crate) type GgufTensor<'a> = (&'a str, &'a [u64], u32, &'a [u8]);

/// A `.gguf` file with key-values of every type, the alignment among them.
pub(crate) fn gguf(version: u32, alignment: u32, tensors: &[GgufTensor<'_>]) -> Vec<u8> {
    let count = |file: &mut Vec<u8>, n: u64| match version {
        1 => file.extend((n as u32).to_le_bytes()),
        _ => file.extend(n.to_le_bytes()),
    };
    let string = |file: &mut Vec<u8>, text: &str| {
        count(file, text.len() as u64);
        file.extend(text.as_bytes());
    };
    let mut file = b"GGUF".to_vec();
    file.extend(version.to_le_bytes());
    count(&mut file, tensors.len() as u64);
    count(&mut file, 15);
    for (kind, bytes) in [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 4),
        (5, 4),
        (6, 4),
        (7, 1),
        (10, 8),
        (11, 8),
        (12, 8),
    ] {
        string(&mut file, &format!("key.{kind}"));
        file.extend(u32::to_le_bytes(kind));
        file.extend(vec![1; bytes]);
    }
    string(&mut file, "general.name");
    file.extend(8_u32.to_le_bytes());
    string(&mut file, "a model");
    string(&mut file, "tokens");
    file.extend(9_u32.to_le_bytes());
    file.extend(8_u32.to_le_bytes());
    count(&mut file, 2);
    string(&mut file, "a");
    string(&mut file, "bc");
    string(&mut file, "nested");
    file.extend(9_u32.to_le_bytes());
    file.extend(9_u32.to_le_bytes());
    count(&mut file, 1);
    file.extend(4_u32.to_le_bytes());
    count(&mut file, 3);
    file.extend([0; 12]);
    string(&mut file, "general.alignment");
    file.extend(4_u32.to_le_bytes());
    file.extend(alignment.to_le_bytes());
    let mut contents: Vec<u8> = Vec::new();
    for (name, shape, kind, bytes) in tensors {
        contents.resize(contents.len().next_multiple_of(alignment as usize), 0);
        string(&mut file, name);
        file.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|&dim| count(&mut file, dim));
        file.extend(kind.to_le_bytes());
        file.extend((contents.len() as u64).to_le_bytes());
        contents.extend(*bytes);
    }
    file.resize(file.len().next_multiple_of(alignment as usize), 0);
    file.extend(contents);
    file
}
