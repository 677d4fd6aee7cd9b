//! Why a file is not a code object we can run.

/// Why a file is not a code object we can run. The text says what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeObjectError {
    /// The file does not begin like an ELF file.
    #[error(
        "not an ELF file: found {found}, expected an AMD code object beginning with 7f 45 4c 46"
    )]
    NotElf {
        /// What the first bytes look like.
        found: String,
    },
    /// A structure reaches past the end of the file.
    #[error("truncated: {what} needs bytes {start}..{end}, the file has {file_bytes}")]
    Truncated {
        /// The structure.
        what: &'static str,
        /// First byte it needs.
        start: u64,
        /// One past the last byte it needs.
        end: u64,
        /// Bytes of the file.
        file_bytes: u64,
    },
    /// A field of the ELF header is not what an AMD code object has.
    #[error("found {found}, expected {expected}")]
    WrongHeader {
        /// The value of the field, by name where known.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The machine number is not in our table.
    #[error(
        "found machine number {number:#04x} in the ELF flags, expected that of a chip such as 0x41 (gfx1100)"
    )]
    UnknownMachine {
        /// Low byte of `e_flags`.
        number: u8,
    },
    /// The code is for another chip.
    #[error("the code object is for {found}, the device is {expected}; compile for {expected}")]
    WrongChip {
        /// Chip of the file.
        found: String,
        /// Chip of the device.
        expected: String,
    },
    /// ELF flags and metadata name different chips.
    #[error("the ELF flags say {flags}, the metadata target says {target:?}")]
    TargetMismatch {
        /// Chip of the flags.
        flags: &'static str,
        /// The metadata target.
        target: String,
    },
    /// An ELF structure contradicts itself or another one.
    #[error("malformed ELF: {0}")]
    Malformed(String),
    /// The segments span more memory than we are willing to set aside.
    #[error("the image spans {bytes} bytes in memory, the limit is {limit}")]
    TooLarge {
        /// Bytes from the first segment to the end of the last.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// No note of owner AMDGPU and type 32.
    #[error("no AMDGPU metadata note; code objects of version 3 and later carry one")]
    NoMetadata,
    /// The note is not the MessagePack map it should be.
    #[error("malformed AMDGPU metadata: {0}")]
    Metadata(#[from] rmp_serde::decode::Error),
    /// The metadata has another version than 1.x.
    #[error("found metadata version {0}.{1}, expected 1.x")]
    MetadataVersion(u32, u32),
    /// Something about one kernel is wrong.
    #[error("kernel {name:?}: {problem}")]
    Kernel {
        /// The kernel.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A relocation we do not apply.
    #[error("relocation {index} at {address:#x}: {problem}")]
    Relocation {
        /// Its place in its section.
        index: usize,
        /// Where it applies, relative to the load base.
        address: u64,
        /// What is wrong.
        problem: String,
    },
}

impl From<object::read::Error> for CodeObjectError {
    fn from(error: object::read::Error) -> CodeObjectError {
        CodeObjectError::Malformed(error.to_string())
    }
}

/// Says what a file that is not ELF looks like.
pub(super) fn describe_magic(image: &[u8]) -> String {
    const KNOWN: &[(&[u8], &str)] = &[
        (
            b"PK\x03\x04",
            "a ZIP file (a .vmfb module? its executables are inside)",
        ),
        (
            b"HIP1",
            "an executable container (its code object is inside)",
        ),
        (
            b"__CLANG_OFFLOAD_BUNDLE__",
            "a clang offload bundle; extract the code object of one chip",
        ),
        (
            b"CCOB",
            "a compressed clang offload bundle; extract the code object of one chip",
        ),
        (b"BC\xc0\xde", "LLVM bitcode"),
        (b"\x03\x02\x23\x07", "SPIR-V"),
    ];
    if image.is_empty() {
        return "an empty file".to_owned();
    }
    if image.get(4..8) == Some(b"ROCM") {
        return "an executable container (its code object is inside)".to_owned();
    }
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| image.starts_with(magic)) {
        return (*name).to_owned();
    }
    let start: Vec<String> = image
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("bytes {}", start.join(" "))
}

/// The name of an ELF machine somebody might pass by mistake.
pub(super) fn machine_name(machine: u16) -> String {
    let name = match machine {
        3 => "EM_386",
        40 => "EM_ARM",
        62 => "EM_X86_64",
        183 => "EM_AARCH64",
        190 => "EM_CUDA",
        224 => "EM_AMDGPU",
        243 => "EM_RISCV",
        247 => "EM_BPF",
        _ => return format!("ELF machine {machine}"),
    };
    name.to_owned()
}
