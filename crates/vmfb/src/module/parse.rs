//! From the flatbuffer of a module to its structs.

use super::{
    BYTECODE_VERSIONS, Dependency, Export, Features, Function, Import, MAX_GLOBAL_BYTES,
    MAX_GLOBAL_REFS, MAX_I32_REGISTERS, MAX_REF_REGISTERS, Module, Rodata,
};
use crate::container::Container;
use crate::flatbuffer::{Field, Table};
use crate::{Error, Result};

mod module_def {
    use super::Field;
    pub(super) const VERSION: Field = Field(1, "version");
    pub(super) const REQUIREMENTS: Field = Field(2, "requirements");
    pub(super) const ATTRS: Field = Field(3, "attrs");
    pub(super) const TYPES: Field = Field(4, "types");
    pub(super) const DEPENDENCIES: Field = Field(5, "dependencies");
    pub(super) const IMPORTED_FUNCTIONS: Field = Field(6, "imported_functions");
    pub(super) const EXPORTED_FUNCTIONS: Field = Field(7, "exported_functions");
    pub(super) const FUNCTION_SIGNATURES: Field = Field(8, "function_signatures");
    pub(super) const MODULE_STATE: Field = Field(11, "module_state");
    pub(super) const FUNCTION_DESCRIPTORS: Field = Field(12, "function_descriptors");
    pub(super) const BYTECODE_VERSION: Field = Field(13, "bytecode_version");
    pub(super) const BYTECODE_DATA: Field = Field(14, "bytecode_data");
}

mod attr_def {
    use super::Field;
    pub(super) const KEY: Field = Field(0, "key");
    pub(super) const VALUE: Field = Field(1, "value");
}

mod type_def {
    use super::Field;
    pub(super) const FULL_NAME: Field = Field(0, "full_name");
}

mod signature_def {
    use super::Field;
    pub(super) const CALLING_CONVENTION: Field = Field(0, "calling_convention");
    pub(super) const ATTRS: Field = Field(1, "attrs");
}

mod dependency_def {
    use super::Field;
    pub(super) const NAME: Field = Field(0, "name");
    pub(super) const MINIMUM_VERSION: Field = Field(1, "minimum_version");
    pub(super) const FLAGS: Field = Field(2, "flags");
}

mod import_def {
    use super::Field;
    pub(super) const FULL_NAME: Field = Field(0, "full_name");
    pub(super) const SIGNATURE: Field = Field(1, "signature");
    pub(super) const FLAGS: Field = Field(2, "flags");
}

mod export_def {
    use super::Field;
    pub(super) const LOCAL_NAME: Field = Field(0, "local_name");
    pub(super) const INTERNAL_ORDINAL: Field = Field(1, "internal_ordinal");
}

mod state_def {
    use super::Field;
    pub(super) const GLOBAL_BYTES_CAPACITY: Field = Field(0, "global_bytes_capacity");
    pub(super) const GLOBAL_REF_COUNT: Field = Field(1, "global_ref_count");
}

/// Flag of a dependency or an import that may be absent.
const OPTIONAL: u32 = 2;

const DESCRIPTOR_BYTES: usize = 20;

pub(super) fn parse(file: &[u8]) -> Result<Module> {
    let container = Container::open(file)?;
    check_bytecode_version(&container)?;
    let root = container.root;
    let mut copier = Copier::new(container.flatbuffer.len());
    let requirements = features(
        root.u32(module_def::REQUIREMENTS)?,
        &root.place(module_def::REQUIREMENTS),
    )?;
    let functions = functions(&container, &mut copier)?;
    let (global_bytes, global_refs) = globals(root)?;
    Ok(Module {
        name: copier.text(container.name)?,
        version: root.u32(module_def::VERSION)?,
        requirements,
        attrs: copier.attrs(root, module_def::ATTRS)?,
        types: copier.each(root, module_def::TYPES, "TypeDef", type_name)?,
        dependencies: copier.each(
            root,
            module_def::DEPENDENCIES,
            "ModuleDependencyDef",
            dependency,
        )?,
        imports: copier.each(
            root,
            module_def::IMPORTED_FUNCTIONS,
            "ImportFunctionDef",
            import,
        )?,
        exports: copier.each(
            root,
            module_def::EXPORTED_FUNCTIONS,
            "ExportFunctionDef",
            |copier, table| export(copier, table, functions.len()),
        )?,
        functions,
        rodata: rodata(&container, &mut copier)?,
        global_bytes,
        global_refs,
        bytecode_version: container.bytecode_version,
    })
}

fn check_bytecode_version(container: &Container<'_>) -> Result<()> {
    if BYTECODE_VERSIONS.contains(&container.bytecode_version) {
        return Ok(());
    }
    let (major, minor) = container.bytecode_version;
    Err(Error::incompatible(
        container.root.place(module_def::BYTECODE_VERSION),
        format!(
            "found bytecode {major}.{minor}, expected 17.0 (iree-compile 3.13) or 15.0 (iree-compile of early 2024); \
             compile the module again with one of these"
        ),
    ))
}

fn features(bits: u32, place: &str) -> Result<Features> {
    Features::from_bits(bits).ok_or_else(|| {
        let unknown = bits & !Features::all().bits();
        Error::incompatible(
            place,
            format!(
                "found unknown feature bits {unknown:#x}, expected only {:#x}; compile the module again with a \
                 compiler this library supports",
                Features::all().bits()
            ),
        )
    })
}

fn type_name(copier: &mut Copier, table: Table<'_>) -> Result<String> {
    let full = table.required_string(type_def::FULL_NAME)?;
    copier.charge(full.len())?;
    let name = full.strip_prefix('!').unwrap_or(full);
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    if name.is_empty() {
        return Err(table.malformed(type_def::FULL_NAME, format!("{full:?} names no type")));
    }
    copier.text(name)
}

fn dependency(copier: &mut Copier, table: Table<'_>) -> Result<Dependency> {
    Ok(Dependency {
        name: copier.text(table.required_string(dependency_def::NAME)?)?,
        minimum_version: table.u32(dependency_def::MINIMUM_VERSION)?,
        is_optional: table.u32(dependency_def::FLAGS)? & OPTIONAL != 0,
    })
}

fn import(copier: &mut Copier, table: Table<'_>) -> Result<Import> {
    let name = table.required_string(import_def::FULL_NAME)?;
    let signature = table
        .table(import_def::SIGNATURE, "FunctionSignatureDef")?
        .ok_or_else(|| {
            table.malformed(
                import_def::SIGNATURE,
                format!("the signature of {name:?} is missing"),
            )
        })?;
    Ok(Import {
        name: copier.text(name)?,
        calling_convention: copier
            .text(signature.required_string(signature_def::CALLING_CONVENTION)?)?,
        is_optional: table.u32(import_def::FLAGS)? & OPTIONAL != 0,
        attrs: copier.attrs(signature, signature_def::ATTRS)?,
    })
}

fn export(copier: &mut Copier, table: Table<'_>, functions: usize) -> Result<Export> {
    let name = table.required_string(export_def::LOCAL_NAME)?;
    let ordinal = table.i32(export_def::INTERNAL_ORDINAL)?;
    match u32::try_from(ordinal) {
        Ok(function) if (function as usize) < functions => Ok(Export {
            name: copier.text(name)?,
            function,
        }),
        _ => Err(table.malformed(
            export_def::INTERNAL_ORDINAL,
            format!("{name:?} is function {ordinal}, there are {functions}"),
        )),
    }
}

/// The functions: one descriptor and one signature each, all bytecode in one vector.
fn functions(container: &Container<'_>, copier: &mut Copier) -> Result<Vec<Function>> {
    let root = container.root;
    let signatures = root.offsets(module_def::FUNCTION_SIGNATURES)?;
    let descriptors = root.vector(module_def::FUNCTION_DESCRIPTORS, DESCRIPTOR_BYTES)?;
    let count = descriptors.map_or(0, |descriptors| descriptors.len());
    if signatures.len() != count {
        return Err(root.malformed(
            module_def::FUNCTION_SIGNATURES,
            format!(
                "there are {} for {count} function descriptors",
                signatures.len()
            ),
        ));
    }
    let Some(descriptors) = descriptors else {
        return Ok(Vec::new());
    };
    let bytecode = root
        .byte_range(module_def::BYTECODE_DATA)?
        .unwrap_or_default();
    let start = container.flatbuffer.start;
    let bytecode = start + bytecode.start..start + bytecode.end;
    let mut functions = Vec::with_capacity(count);
    for (number, (descriptor, signature)) in descriptors
        .elements::<DESCRIPTOR_BYTES>()
        .zip(signatures.tables("FunctionSignatureDef"))
        .enumerate()
    {
        let function = Descriptor::read(descriptor)
            .check(bytecode.len())
            .and_then(|descriptor| {
                let signature = signature?;
                Ok(Function {
                    bytecode: bytecode.start + descriptor.bytecode.start
                        ..bytecode.start + descriptor.bytecode.end,
                    requirements: descriptor.requirements,
                    block_count: descriptor.block_count,
                    i32_registers: descriptor.i32_registers,
                    ref_registers: descriptor.ref_registers,
                    calling_convention: copier
                        .text(signature.required_string(signature_def::CALLING_CONVENTION)?)?,
                    attrs: copier.attrs(signature, signature_def::ATTRS)?,
                })
            })
            .map_err(|error| error.inside(&format!("function {number}")))?;
        functions.push(function);
    }
    check_overlaps(&functions)?;
    Ok(functions)
}

/// Each instruction belongs to one function, so that reading all functions takes no longer than reading the file.
fn check_overlaps(functions: &[Function]) -> Result<()> {
    let mut order: Vec<usize> = (0..functions.len()).collect();
    order.sort_by_key(|&number| functions[number].bytecode.start);
    for pair in order.windows(2) {
        if functions[pair[0]].bytecode.end > functions[pair[1]].bytecode.start {
            return Err(Error::malformed(
                "FunctionDescriptor.bytecode_offset",
                format!(
                    "the instructions of functions {} and {} overlap",
                    pair[0], pair[1]
                ),
            ));
        }
    }
    Ok(())
}

/// A function descriptor as it stands in the file.
struct Descriptor {
    bytecode_offset: i32,
    bytecode_length: i32,
    requirements: u32,
    block_count: i16,
    i32_register_count: i16,
    ref_register_count: i16,
}

/// A function descriptor whose numbers make sense.
struct CheckedDescriptor {
    /// In the vector of bytecode.
    bytecode: std::ops::Range<usize>,
    requirements: Features,
    block_count: u16,
    i32_registers: u16,
    ref_registers: u16,
}

impl Descriptor {
    fn read(bytes: [u8; DESCRIPTOR_BYTES]) -> Descriptor {
        let word = |at: usize| {
            i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let half = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
        Descriptor {
            bytecode_offset: word(0),
            bytecode_length: word(4),
            requirements: word(8).cast_unsigned(),
            block_count: half(14),
            i32_register_count: half(16),
            ref_register_count: half(18),
        }
    }

    fn check(&self, available: usize) -> Result<CheckedDescriptor> {
        let malformed = |field: &str, problem: String| {
            Err(Error::malformed(
                format!("FunctionDescriptor.{field}"),
                problem,
            ))
        };
        let (offset, length) = (self.bytecode_offset, self.bytecode_length);
        let Ok(start) = usize::try_from(offset) else {
            return malformed("bytecode_offset", format!("it is {offset}"));
        };
        let bytes = match usize::try_from(length) {
            Ok(bytes) if bytes > 0 => bytes,
            _ => return malformed("bytecode_length", format!("it is {length}")),
        };
        if start > available || bytes > available - start {
            return Err(Error::truncated(
                "FunctionDescriptor.bytecode_offset",
                format!("{bytes} bytes of instructions at {start}, there are {available}"),
            ));
        }
        let block_count = match u16::try_from(self.block_count) {
            Ok(count) if count > 0 && usize::from(count) <= bytes => count,
            _ => {
                return malformed(
                    "block_count",
                    format!("{} blocks in {bytes} bytes", self.block_count),
                );
            }
        };
        let registers = |field: &str, count: i16, limit: u16| match u16::try_from(count) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(Error::malformed(
                format!("FunctionDescriptor.{field}"),
                format!("it is {count}, expected 0 to {limit}"),
            )),
        };
        Ok(CheckedDescriptor {
            bytecode: start..start + bytes,
            requirements: features(self.requirements, "FunctionDescriptor.requirements")?,
            block_count,
            i32_registers: registers(
                "i32_register_count",
                self.i32_register_count,
                MAX_I32_REGISTERS,
            )?,
            ref_registers: registers(
                "ref_register_count",
                self.ref_register_count,
                MAX_REF_REGISTERS,
            )?,
        })
    }
}

/// Bytes of value globals and number of reference globals.
fn globals(root: Table<'_>) -> Result<(u32, u32)> {
    let Some(state) = root.table(module_def::MODULE_STATE, "ModuleStateDef")? else {
        return Ok((0, 0));
    };
    let bounded = |field: Field, limit: u32| match u32::try_from(state.i32(field)?) {
        Ok(count) if count <= limit => Ok(count),
        Ok(count) => Err(Error::limit(
            state.place(field),
            format!("it is {count}, the limit is {limit}"),
        )),
        Err(_) => Err(state.malformed(field, format!("it is {}", state.i32(field)?))),
    };
    Ok((
        bounded(state_def::GLOBAL_BYTES_CAPACITY, MAX_GLOBAL_BYTES)?,
        bounded(state_def::GLOBAL_REF_COUNT, MAX_GLOBAL_REFS)?,
    ))
}

fn rodata(container: &Container<'_>, copier: &mut Copier) -> Result<Vec<Rodata>> {
    container
        .segments()?
        .map(|segment| {
            let segment = segment?;
            copier.charge(size_of::<Rodata>())?;
            Ok(Rodata {
                range: segment.range,
                is_embedded: segment.is_embedded,
                name: segment.entry.map(|name| copier.text(name)).transpose()?,
            })
        })
        .collect()
}

/// Copies text out of the flatbuffer, so much and no more. Nothing in the format keeps a million tables from being the
/// same one with the same long name, so what is copied is counted; real modules copy about as much as they have.
struct Copier {
    bytes: usize,
    limit: usize,
}

impl Copier {
    /// Copies that many times the bytes of the flatbuffer.
    const RATIO: usize = 16;

    /// Small flatbuffers may share more.
    const LEAST: usize = 1 << 16;

    fn new(flatbuffer_bytes: usize) -> Copier {
        Copier {
            bytes: 0,
            limit: Copier::LEAST + Copier::RATIO * flatbuffer_bytes,
        }
    }

    /// Counts bytes that are about to be taken.
    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        if self.bytes <= self.limit {
            return Ok(());
        }
        Err(Error::limit(
            "module",
            format!(
                "its names and attributes unfold to more than {} bytes, many times what the file has",
                self.limit
            ),
        ))
    }

    fn text(&mut self, text: &str) -> Result<String> {
        self.charge(size_of::<String>() + text.len())?;
        Ok(text.to_owned())
    }

    fn attrs(&mut self, table: Table<'_>, field: Field) -> Result<Vec<(String, String)>> {
        self.each(table, field, "AttrDef", |copier, attr| {
            let key = copier.text(attr.required_string(attr_def::KEY)?)?;
            let value = copier.text(attr.string(attr_def::VALUE)?.unwrap_or_default())?;
            Ok((key, value))
        })
    }

    /// Reads each table of a vector; errors say which one it was.
    fn each<'a, T>(
        &mut self,
        table: Table<'a>,
        field: Field,
        name: &'static str,
        mut read: impl FnMut(&mut Copier, Table<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        table
            .offsets(field)?
            .tables(name)
            .enumerate()
            .map(|(index, element)| {
                self.charge(size_of::<T>())?;
                element
                    .and_then(|element| read(self, element))
                    .map_err(|error| error.inside(&format!("{}[{index}]", field.1)))
            })
            .collect()
    }
}
