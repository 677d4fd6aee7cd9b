//! Code objects: the ELF files that hold AMD machine code, checked into plain structs.
//!
//! [`CodeObject::parse`] reads bytes and runs nothing. All addresses it gives are relative to the load base, so that
//! the image can be placed anywhere. It never panics and never allocates more than a small multiple of the file.

mod descriptor;
mod error;
mod machine;
mod metadata;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use object::LittleEndian;
use object::elf;
use object::read::elf::{
    FileHeader, ProgramHeader, Rela, SectionHeader, SectionTable, Sym, SymbolTable,
};

pub use descriptor::{
    ComputeResource1, ComputeResource2, ComputeResource3, DenormMode, KERNEL_DESCRIPTOR_BYTES,
    KernargPreload, KernelDescriptor, KernelProperties, RoundMode,
};
pub use error::CodeObjectError;
pub use machine::{Feature, Machine};
pub use metadata::{Access, AddressSpace, KernelArg, KernelKind, KernelMetadata, ValueKind};

/// The most memory an image may span once loaded: 1 GiB.
pub const MAX_IMAGE_BYTES: u64 = 1 << 30;

/// Linkers write three or four; every address is looked up in them.
const MAX_SEGMENTS: usize = 64;

/// Mangled C++ names grow to kilobytes. The limit keeps overlapping names from costing the square of the file.
const MAX_NAME_BYTES: usize = 64 << 10;

/// An AMD code object: what to place in memory, and the kernels and variables that are then there.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeObject {
    machine: Machine,
    target: Option<String>,
    version: u32,
    segments: Vec<Segment>,
    relocations: Vec<Relocation>,
    kernels: Vec<KernelCode>,
    globals: Vec<Global>,
}

/// A part of the file that is placed in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it goes.
    pub address: u64,
    /// Bytes in memory; those that the file does not give are zero.
    pub bytes: u64,
    /// The bytes of the file.
    pub file: Range<usize>,
    /// Waves may write here.
    pub writable: bool,
    /// Waves may execute here.
    pub executable: bool,
}

/// Eight bytes of the image that hold an address and depend on where the image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocation {
    /// Where the eight bytes are.
    pub address: u64,
    /// The address they hold, both relative to the load base.
    pub target: u64,
    /// How the file expressed it.
    pub kind: RelocationKind,
}

/// Kinds of relocations that occur in linked code objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelocationKind {
    /// `R_AMDGPU_ABS64`: the address of a symbol, plus a constant.
    Abs64,
    /// `R_AMDGPU_RELATIVE64`: the load base, plus a constant.
    Relative64,
}

/// A kernel: its descriptor, its code and what the compiler says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelCode {
    /// Name to look it up by.
    pub name: String,
    /// Where its descriptor is.
    pub descriptor_address: u64,
    /// Its descriptor.
    pub descriptor: KernelDescriptor,
    /// Where its code begins and ends. Functions it calls may lie elsewhere.
    pub code: Range<u64>,
    /// What the compiler says about it.
    pub metadata: KernelMetadata,
}

/// A device variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// Name to look it up by.
    pub name: String,
    /// Where it is.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
}

impl CodeObject {
    /// Reads and checks a linked code object of version 4 to 6.
    ///
    /// # Errors
    /// When the file is not such a code object, is cut short, or contradicts itself.
    pub fn parse(image: &[u8]) -> Result<CodeObject, CodeObjectError> {
        let header = parse_header(image)?;
        let machine = Machine::from_flags(header.e_flags(LittleEndian).0)
            .map_err(|number| CodeObjectError::UnknownMachine { number })?;
        let headers = header.program_headers(LittleEndian, image)?;
        let segments = parse_segments(headers, image)?;
        let metadata = find_metadata(headers, image)?;
        check_target(machine, metadata.target.as_deref())?;

        let sections = header.sections(LittleEndian, image)?;
        let symbols = Symbols::read(&sections, image)?;
        let layout = Layout {
            image,
            segments: &segments,
        };
        let relocations = parse_relocations(&sections, &symbols, layout)?;
        let kernels = parse_kernels(machine, metadata.kernels, &symbols, layout)?;
        let globals = parse_globals(&symbols, layout)?;
        Ok(CodeObject {
            machine,
            target: metadata.target,
            version: u32::from(header.e_ident.abi_version) + 2,
            segments,
            relocations,
            kernels,
            globals,
        })
    }

    /// The chip it was compiled for.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// The `amdhsa.target` text, as the compiler wrote it.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Code object version: 4, 5 or 6.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The parts to place in memory, by rising address, not overlapping.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The addresses to fill in once the load base is known.
    pub fn relocations(&self) -> &[Relocation] {
        &self.relocations
    }

    /// The kernels, in the order of the metadata.
    pub fn kernels(&self) -> &[KernelCode] {
        &self.kernels
    }

    /// The kernel of that name.
    pub fn kernel(&self, name: &str) -> Option<&KernelCode> {
        self.kernels.iter().find(|kernel| kernel.name == name)
    }

    /// The device variables.
    pub fn globals(&self) -> &[Global] {
        &self.globals
    }

    /// The device variable of that name.
    pub fn global(&self, name: &str) -> Option<&Global> {
        self.globals.iter().find(|global| global.name == name)
    }

    /// Bytes from the load base to the end of the last segment, at most [`MAX_IMAGE_BYTES`].
    pub fn image_bytes(&self) -> u64 {
        self.segments
            .last()
            .map_or(0, |last| last.address + last.bytes)
    }

    /// Succeeds if the code is for this chip, such as `gfx1100`.
    ///
    /// # Errors
    /// [`CodeObjectError::WrongChip`] names both chips.
    pub fn expect_chip(&self, chip: &str) -> Result<(), CodeObjectError> {
        if self.machine.name() == chip {
            return Ok(());
        }
        Err(CodeObjectError::WrongChip {
            found: self.machine.to_string(),
            expected: chip.to_owned(),
        })
    }

    /// Writes the image into `memory` as it must look when `memory` is at the device address `base`: segments in
    /// place, the rest zero, relocations applied. `file` is what was parsed.
    ///
    /// # Errors
    /// When `file` is shorter than what was parsed, or `memory` is shorter than [`CodeObject::image_bytes`].
    pub fn place(&self, file: &[u8], base: u64, memory: &mut [u8]) -> Result<(), CodeObjectError> {
        let available = memory.len() as u64;
        let span = self.image_bytes();
        let memory = memory.get_mut(..span as usize).ok_or(truncated(
            "the memory for the image",
            0,
            span,
            available,
        ))?;
        memory.fill(0);
        for segment in &self.segments {
            let bytes = file.get(segment.file.clone()).ok_or(truncated(
                "a segment",
                segment.file.start as u64,
                segment.file.end as u64,
                file.len() as u64,
            ))?;
            memory[segment.address as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        for relocation in &self.relocations {
            let value = base.wrapping_add(relocation.target);
            memory[relocation.address as usize..][..8].copy_from_slice(&value.to_le_bytes());
        }
        Ok(())
    }
}

impl KernelCode {
    /// Bytes of kernel arguments to set aside for a launch.
    pub fn kernarg_bytes(&self) -> u32 {
        self.descriptor
            .kernarg_bytes
            .max(self.metadata.kernarg_bytes)
    }
}

fn truncated(what: &'static str, start: u64, end: u64, file_bytes: u64) -> CodeObjectError {
    CodeObjectError::Truncated {
        what,
        start,
        end,
        file_bytes,
    }
}

/// Checks the identity fields one by one, so that the error can name the first that is wrong.
fn parse_header(image: &[u8]) -> Result<&elf::FileHeader64<LittleEndian>, CodeObjectError> {
    let size = size_of::<elf::FileHeader64<LittleEndian>>() as u64;
    if !image.starts_with(&elf::ELFMAG) {
        return Err(CodeObjectError::NotElf {
            found: error::describe_magic(image),
        });
    }
    let wrong = |found: String, expected| Err(CodeObjectError::WrongHeader { found, expected });
    let ident = |at: usize| image.get(at).copied().unwrap_or(0);
    match (ident(4), ident(5)) {
        _ if (image.len() as u64) < size => {
            return Err(truncated("the ELF header", 0, size, image.len() as u64));
        }
        (2, 1) => {}
        (1, _) => return wrong("a 32-bit ELF file".into(), "a 64-bit one"),
        (2, 2) => return wrong("a big-endian ELF file".into(), "a little-endian one"),
        (class, data) => {
            return wrong(
                format!("ELF class {class}, data encoding {data}"),
                "class 2 (64-bit), encoding 1 (little-endian)",
            );
        }
    }
    let header = elf::FileHeader64::<LittleEndian>::parse(image)?;
    let machine = header.e_machine(LittleEndian);
    if machine != elf::EM_AMDGPU {
        return wrong(error::machine_name(machine.0), "EM_AMDGPU (224)");
    }
    if ident(7) != 64 {
        return wrong(format!("ELF OS ABI {}", ident(7)), "64 (AMDGPU HSA)");
    }
    match ident(8) {
        2..=4 => {}
        old @ 0..=1 => {
            return wrong(
                format!("code object version {}", old + 2),
                "version 4, 5 or 6",
            );
        }
        unknown => {
            return wrong(
                format!("ELF ABI version {unknown}"),
                "2, 3 or 4 (code object version 4, 5 or 6)",
            );
        }
    }
    match header.e_type(LittleEndian).0 {
        3 => Ok(header),
        1 => wrong(
            "a relocatable object file".into(),
            "a linked code object (ET_DYN)",
        ),
        other => wrong(
            format!("ELF type {other}"),
            "3 (ET_DYN, a linked code object)",
        ),
    }
}

fn parse_segments(
    headers: &[elf::ProgramHeader64<LittleEndian>],
    image: &[u8],
) -> Result<Vec<Segment>, CodeObjectError> {
    let mut segments: Vec<Segment> = Vec::new();
    for header in headers
        .iter()
        .filter(|header| header.p_type(LittleEndian) == elf::PT_LOAD)
    {
        let address = header.p_vaddr(LittleEndian);
        let bytes = header.p_memsz(LittleEndian);
        let (start, file_bytes) = header.file_range(LittleEndian);
        let end = start.saturating_add(file_bytes);
        if end > image.len() as u64 {
            return Err(truncated("a segment", start, end, image.len() as u64));
        }
        if file_bytes > bytes {
            return Err(CodeObjectError::Malformed(format!(
                "the segment at {address:#x} has {file_bytes} bytes in the file and {bytes} in memory"
            )));
        }
        let span = address.saturating_add(bytes);
        if span > MAX_IMAGE_BYTES {
            return Err(CodeObjectError::TooLarge {
                bytes: span,
                limit: MAX_IMAGE_BYTES,
            });
        }
        let flags = header.p_flags(LittleEndian).0;
        segments.push(Segment {
            address,
            bytes,
            file: start as usize..end as usize,
            writable: flags & 2 != 0,
            executable: flags & 1 != 0,
        });
    }
    if segments.is_empty() {
        return Err(CodeObjectError::Malformed("no loadable segment".into()));
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(CodeObjectError::Malformed(format!(
            "{} loadable segments, the limit is {MAX_SEGMENTS}",
            segments.len()
        )));
    }
    segments.sort_by_key(|segment| segment.address);
    for pair in segments.windows(2) {
        if pair[0].address + pair[0].bytes > pair[1].address {
            return Err(CodeObjectError::Malformed(format!(
                "the segments at {:#x} and {:#x} overlap",
                pair[0].address, pair[1].address
            )));
        }
    }
    Ok(segments)
}

fn find_metadata(
    headers: &[elf::ProgramHeader64<LittleEndian>],
    image: &[u8],
) -> Result<metadata::Metadata, CodeObjectError> {
    const OWNER: &[u8] = b"AMDGPU";
    const NT_AMDGPU_METADATA: u32 = 32;
    for header in headers {
        let Some(mut notes) = header.notes(LittleEndian, image)? else {
            continue;
        };
        while let Some(note) = notes.next()? {
            if note.name() == OWNER && note.n_type(LittleEndian).0 == NT_AMDGPU_METADATA {
                let metadata = metadata::Metadata::parse(note.desc())?;
                let (major, minor) = metadata.version;
                if major != 1 {
                    return Err(CodeObjectError::MetadataVersion(major, minor));
                }
                return Ok(metadata);
            }
        }
    }
    Err(CodeObjectError::NoMetadata)
}

fn check_target(machine: Machine, target: Option<&str>) -> Result<(), CodeObjectError> {
    match target {
        Some(target) if machine::chip_of_target(target) != Some(machine.name()) => {
            Err(CodeObjectError::TargetMismatch {
                flags: machine.name(),
                target: target.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The dynamic symbols, or the full table of a file without them.
struct Symbols<'data> {
    table: SymbolTable<'data, elf::FileHeader64<LittleEndian>>,
    by_name: HashMap<&'data str, Symbol>,
}

#[derive(Clone, Copy)]
struct Symbol {
    address: u64,
    bytes: u64,
    kind: elf::SymbolType,
}

impl<'data> Symbols<'data> {
    fn read(
        sections: &SectionTable<'data, elf::FileHeader64<LittleEndian>>,
        image: &'data [u8],
    ) -> Result<Symbols<'data>, CodeObjectError> {
        let mut table = sections.symbols(LittleEndian, image, elf::SHT_DYNSYM)?;
        if table.is_empty() {
            table = sections.symbols(LittleEndian, image, elf::SHT_SYMTAB)?;
        }
        let mut by_name = HashMap::new();
        for symbol in table.iter() {
            if symbol.is_undefined(LittleEndian) || symbol.is_local() {
                continue;
            }
            let name = symbol.name(LittleEndian, table.strings())?;
            if name.len() > MAX_NAME_BYTES {
                return Err(CodeObjectError::Malformed(format!(
                    "a symbol name of {} bytes, the limit is {MAX_NAME_BYTES}",
                    name.len()
                )));
            }
            let name = std::str::from_utf8(name)
                .map_err(|_| CodeObjectError::Malformed("a symbol name is not UTF-8".into()))?;
            let found = Symbol {
                address: symbol.st_value(LittleEndian),
                bytes: symbol.st_size(LittleEndian),
                kind: symbol.st_type(),
            };
            if by_name.insert(name, found).is_some() {
                return Err(CodeObjectError::Malformed(format!(
                    "the symbol {name:?} is defined twice"
                )));
            }
        }
        Ok(Symbols { table, by_name })
    }

    fn get(&self, name: &str) -> Option<Symbol> {
        self.by_name.get(name).copied()
    }
}

/// The file and where its parts go.
#[derive(Clone, Copy)]
struct Layout<'a> {
    image: &'a [u8],
    segments: &'a [Segment],
}

impl<'a> Layout<'a> {
    /// The segment that holds all these bytes of memory.
    fn segment(&self, address: u64, bytes: u64) -> Option<&'a Segment> {
        let end = address.checked_add(bytes)?;
        self.segments
            .iter()
            .find(|segment| segment.address <= address && end <= segment.address + segment.bytes)
    }

    /// The bytes of the file that are placed at an address.
    fn bytes<const N: usize>(&self, address: u64) -> Option<&'a [u8; N]> {
        let segment = self.segment(address, N as u64)?;
        let start = (address - segment.address) as usize;
        self.image[segment.file.clone()].get(start..)?.first_chunk()
    }
}

fn parse_relocations(
    sections: &SectionTable<'_, elf::FileHeader64<LittleEndian>>,
    symbols: &Symbols<'_>,
    layout: Layout<'_>,
) -> Result<Vec<Relocation>, CodeObjectError> {
    let mut relocations = Vec::new();
    for section in sections.iter() {
        let loaded = section.sh_flags(LittleEndian).0 & elf::SHF_ALLOC.0 != 0;
        if !loaded {
            continue;
        }
        if section.sh_type(LittleEndian) == elf::SHT_REL {
            return Err(CodeObjectError::Malformed(
                "relocations without addends".into(),
            ));
        }
        let Some((entries, _)) = section.rela(LittleEndian, layout.image)? else {
            continue;
        };
        for (index, entry) in entries.iter().enumerate() {
            let address = entry.r_offset(LittleEndian);
            let kind = entry.r_type(LittleEndian, false).0;
            let problem = |problem: String| CodeObjectError::Relocation {
                index,
                address,
                problem,
            };
            let addend = entry.r_addend(LittleEndian);
            let (kind, target) = match kind {
                R_AMDGPU_NONE => continue,
                R_AMDGPU_RELATIVE64 => (RelocationKind::Relative64, addend.cast_unsigned()),
                R_AMDGPU_ABS64 => {
                    let value = symbol_address(symbols, entry.r_sym(LittleEndian, false))
                        .map_err(problem)?;
                    (RelocationKind::Abs64, value.wrapping_add_signed(addend))
                }
                other => {
                    return Err(problem(format!(
                        "found {}, expected R_AMDGPU_RELATIVE64 or R_AMDGPU_ABS64",
                        relocation_name(other)
                    )));
                }
            };
            if layout.segment(address, 8).is_none() {
                return Err(problem("the place is outside of every segment".into()));
            }
            if target > MAX_IMAGE_BYTES {
                return Err(problem(format!(
                    "the target {target:#x} is outside of the image"
                )));
            }
            relocations.push(Relocation {
                address,
                target,
                kind,
            });
        }
    }
    Ok(relocations)
}

fn symbol_address(symbols: &Symbols<'_>, index: u32) -> Result<u64, String> {
    let symbol = symbols
        .table
        .symbol(object::SymbolIndex(index as usize))
        .map_err(|_| format!("there is no symbol {index}"))?;
    if symbol.is_undefined(LittleEndian) {
        let name = symbol
            .name(LittleEndian, symbols.table.strings())
            .unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        let hint = match name.get(..7) {
            Some("__ocml_" | "__ockl_") => ": the compiler did not link the device libraries",
            _ => "",
        };
        return Err(format!(
            "the symbol {name:?} is not defined in this file{hint}"
        ));
    }
    if symbol.is_absolute(LittleEndian) {
        return Err(format!("symbol {index} is absolute"));
    }
    Ok(symbol.st_value(LittleEndian))
}

const R_AMDGPU_NONE: u32 = 0;
const R_AMDGPU_ABS64: u32 = 3;
const R_AMDGPU_RELATIVE64: u32 = 13;

fn relocation_name(kind: u32) -> String {
    const NAMES: &[&str] = &[
        "NONE",
        "ABS32_LO",
        "ABS32_HI",
        "ABS64",
        "REL32",
        "REL64",
        "ABS32",
        "GOTPCREL",
        "GOTPCREL32_LO",
        "GOTPCREL32_HI",
        "REL32_LO",
        "REL32_HI",
        "12",
        "RELATIVE64",
        "REL16",
    ];
    match NAMES.get(kind as usize) {
        Some(name) => format!("R_AMDGPU_{name}"),
        None => format!("relocation type {kind}"),
    }
}

fn parse_kernels(
    machine: Machine,
    metadata: Vec<KernelMetadata>,
    symbols: &Symbols<'_>,
    layout: Layout<'_>,
) -> Result<Vec<KernelCode>, CodeObjectError> {
    let mut names = HashSet::new();
    let mut kernels = Vec::with_capacity(metadata.len());
    for metadata in metadata {
        let name = metadata.name.clone();
        if !names.insert(name.clone()) {
            return Err(CodeObjectError::Kernel {
                name,
                problem: "it is described twice".into(),
            });
        }
        let kernel = parse_kernel(machine, metadata, symbols, layout)
            .map_err(|problem| CodeObjectError::Kernel { name, problem })?;
        kernels.push(kernel);
    }
    Ok(kernels)
}

fn parse_kernel(
    machine: Machine,
    metadata: KernelMetadata,
    symbols: &Symbols<'_>,
    layout: Layout<'_>,
) -> Result<KernelCode, String> {
    metadata.check()?;
    let Some(symbol) = symbols.get(&metadata.symbol) else {
        return Err(format!(
            "its descriptor {:?} is not among the symbols",
            metadata.symbol
        ));
    };
    let descriptor_address = symbol.address;
    let descriptor = layout
        .bytes(descriptor_address)
        .map(KernelDescriptor::from_bytes)
        .ok_or_else(|| {
            format!("its descriptor at {descriptor_address:#x} is outside of every segment")
        })?;
    check_agreement(machine, &descriptor, &metadata)?;

    let entry = descriptor_address.wrapping_add_signed(descriptor.entry_offset);
    if !entry.is_multiple_of(256) {
        return Err(format!(
            "its entry point {entry:#x} is not aligned to 256 bytes"
        ));
    }
    let segment = layout
        .segment(entry, 4)
        .filter(|segment| segment.executable)
        .ok_or_else(|| {
            format!("its entry point {entry:#x} is outside of every executable segment")
        })?;
    let segment_end = segment.address + (segment.file.end - segment.file.start) as u64;
    let function = metadata
        .symbol
        .strip_suffix(".kd")
        .and_then(|function| symbols.get(function));
    let end = match function {
        Some(function) if function.address == entry && function.bytes != 0 => {
            entry.saturating_add(function.bytes)
        }
        _ => segment_end,
    };
    if end > segment_end || end < entry + 4 {
        return Err(format!(
            "its code {entry:#x}..{end:#x} is outside of the executable segment, which ends at {segment_end:#x}"
        ));
    }
    Ok(KernelCode {
        name: metadata.name.clone(),
        descriptor_address,
        descriptor,
        code: entry..end,
        metadata,
    })
}

/// The hardware follows the descriptor, the launch follows the metadata: they must say the same.
fn check_agreement(
    machine: Machine,
    descriptor: &KernelDescriptor,
    metadata: &KernelMetadata,
) -> Result<(), String> {
    let has_wave32 = machine.generation() >= 10;
    let wave_size = if has_wave32 && descriptor.properties.wave32() {
        32
    } else {
        64
    };
    let kernarg_bytes = match descriptor.kernarg_bytes {
        0 => metadata.kernarg_bytes,
        given => given,
    };
    let pairs = [
        ("the wave size", wave_size, metadata.wave_size),
        (
            "the LDS bytes",
            descriptor.group_segment_fixed_bytes,
            metadata.group_segment_fixed_bytes,
        ),
        (
            "the scratch bytes",
            descriptor.private_segment_fixed_bytes,
            metadata.private_segment_fixed_bytes,
        ),
        ("the kernarg bytes", kernarg_bytes, metadata.kernarg_bytes),
    ];
    for (what, in_descriptor, in_metadata) in pairs {
        if in_descriptor != in_metadata {
            return Err(format!(
                "{what}: {in_descriptor} in its descriptor, {in_metadata} in the metadata"
            ));
        }
    }
    Ok(())
}

fn parse_globals(
    symbols: &Symbols<'_>,
    layout: Layout<'_>,
) -> Result<Vec<Global>, CodeObjectError> {
    let mut globals = Vec::new();
    for (&name, symbol) in &symbols.by_name {
        if symbol.kind != elf::STT_OBJECT || name.ends_with(".kd") {
            continue;
        }
        if layout.segment(symbol.address, symbol.bytes).is_none() {
            return Err(CodeObjectError::Malformed(format!(
                "the variable {name:?} at {:#x} ({} bytes) is outside of every segment",
                symbol.address, symbol.bytes
            )));
        }
        globals.push(Global {
            name: name.to_owned(),
            address: symbol.address,
            bytes: symbol.bytes,
        });
    }
    globals.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    Ok(globals)
}
