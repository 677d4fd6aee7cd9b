//! Containers of release 3.13: a 64-byte header, then a flatbuffer of linked code and its exports.

use super::{
    BindingFlags, Executable, Export, Format, MAX_BINDINGS, MAX_CONSTANTS, MAX_EXPORTS, SourceFile,
    SourceLocation,
};
use crate::flatbuffer::{Field, Table};
use crate::{Error, Result};

const HEADER_BYTES: usize = 64;

/// The fields of one form of container. The forms are alike, but each numbers its fields in its own way.
pub(super) struct Schema {
    format: Format,
    magic: &'static [u8; 4],
    exports: Field,
    modules: Field,
    source_files: Option<Field>,
    image: Field,
    module_ordinal: Option<Field>,
    name: Field,
    workgroup_size: Field,
    shared_memory: Option<Field>,
    /// Whether shared memory may be asked for.
    has_dynamic_memory: bool,
    constant_count: Field,
    binding_flags: Field,
    debug_info: Field,
    /// The name to look up, where it is not the kernel's.
    lookup_name: Option<Field>,
    /// What the name ends in that is not part of it.
    name_suffix: &'static str,
}

const HIP1: Schema = Schema {
    format: Format::Hip1,
    magic: b"HIP1",
    exports: Field(0, "exports"),
    modules: Field(1, "modules"),
    source_files: Some(Field(2, "source_files")),
    image: Field(0, "hsaco_image"),
    module_ordinal: Some(Field(0, "module_ordinal")),
    name: Field(1, "kernel_name"),
    workgroup_size: Field(2, "block_dims"),
    shared_memory: Some(Field(3, "block_shared_memory_size")),
    has_dynamic_memory: false,
    constant_count: Field(4, "constant_count"),
    binding_flags: Field(5, "binding_flags"),
    debug_info: Field(6, "debug_info"),
    lookup_name: None,
    name_suffix: "",
};

const CDA1: Schema = Schema {
    format: Format::Cda1,
    magic: b"CDA1",
    image: Field(0, "ptx_image"),
    has_dynamic_memory: true,
    lookup_name: Some(Field(7, "lookup_name")),
    ..HIP1
};

/// It names the chip, and kernels by the symbols of their descriptors. It was never seen with more than one module or
/// with sources in it.
const AMD1: Schema = Schema {
    format: Format::Amd1,
    magic: b"AMD1",
    exports: Field(1, "exports"),
    modules: Field(2, "modules"),
    source_files: None,
    image: Field(0, "image"),
    module_ordinal: None,
    name: Field(0, "symbol_name"),
    workgroup_size: Field(1, "workgroup_size"),
    shared_memory: None,
    has_dynamic_memory: false,
    constant_count: Field(2, "constant_count"),
    binding_flags: Field(3, "binding_flags"),
    debug_info: Field(4, "debug_info"),
    lookup_name: None,
    name_suffix: ".kd",
};

/// Every form.
const SCHEMAS: [&Schema; 3] = [&HIP1, &CDA1, &AMD1];

mod debug_def {
    use super::Field;
    pub(super) const LOCATION: Field = Field(1, "location");
    pub(super) const FILENAME: Field = Field(0, "filename");
    pub(super) const LINE: Field = Field(1, "line");
    pub(super) const SOURCE_PATH: Field = Field(0, "path");
    pub(super) const SOURCE_CONTENT: Field = Field(1, "content");
}

impl Schema {
    /// The form these bytes begin like.
    pub(super) fn detect(bytes: &[u8]) -> Option<&'static Schema> {
        SCHEMAS
            .into_iter()
            .find(|schema| bytes.starts_with(schema.magic))
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Reads and checks a container of this form.
    pub(super) fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Executable<'a>> {
        let content = self.content(bytes)?;
        let root = Table::root(content, self.magic, "ExecutableDef")?;
        for field in [self.modules, self.exports] {
            let count = root.offsets(field)?.len();
            if count == 0 {
                return Err(root.malformed(field, "there are none; at least one is required"));
            }
            if count > MAX_EXPORTS {
                return Err(Error::limit(
                    root.place(field),
                    format!("there are {count}, the limit is {MAX_EXPORTS}"),
                ));
            }
        }
        let images = root
            .offsets(self.modules)?
            .tables("ModuleDef")
            .enumerate()
            .map(|(index, module)| {
                module
                    .and_then(|module| self.image(module))
                    .map_err(|error| error.inside(&format!("module {index}")))
            })
            .collect::<Result<Vec<_>>>()?;
        // Each is loaded, so that many of them in the same bytes would be a bomb.
        let bytes: usize = images.iter().map(|image| image.len()).sum();
        if bytes > content.len() {
            return Err(root.malformed(self.modules, "their images overlap"));
        }
        if self.module_ordinal.is_none() && images.len() != 1 {
            return Err(Error::incompatible(
                root.place(self.modules),
                format!("there are {}, expected 1", images.len()),
            ));
        }
        let exports = root
            .offsets(self.exports)?
            .tables("ExportDef")
            .enumerate()
            .map(|(index, export)| {
                export
                    .and_then(|export| self.export(export, images.len()))
                    .map_err(|error| error.inside(&format!("export {index}")))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Executable {
            format: self.format,
            exports,
            images,
            source_files: self.source_files(root)?,
        })
    }

    /// What is behind the header, as the header gives it.
    fn content<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let place = || format!("{} header", self.magic.escape_ascii());
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Error::truncated(
                place(),
                format!("it has {HEADER_BYTES} bytes, there are {}", bytes.len()),
            ));
        };
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let version = word(4);
        if version != 0 {
            return Err(Error::incompatible(
                place(),
                format!(
                    "found container version {version}, expected 0; compile with a compiler this library supports"
                ),
            ));
        }
        let content = u64::from(word(8)) | u64::from(word(12)) << 32;
        usize::try_from(content)
            .ok()
            .and_then(|content| rest.get(..content))
            .ok_or_else(|| {
                Error::truncated(
                    place(),
                    format!(
                        "it announces {content} bytes of content, there are {}",
                        rest.len()
                    ),
                )
            })
    }

    fn image<'a>(&self, module: Table<'a>) -> Result<&'a [u8]> {
        let image = module.raw_string(self.image)?.unwrap_or_default();
        if image.is_empty() {
            return Err(module.malformed(self.image, "it is missing or empty"));
        }
        Ok(image)
    }

    fn export<'a>(&self, export: Table<'a>, modules: usize) -> Result<Export<'a>> {
        let image = self.module_ordinal.map_or(Ok(0), |field| {
            let image = export.u32(field)? as usize;
            if image >= modules {
                return Err(export.malformed(
                    field,
                    format!("it names module {image}, there are {modules}"),
                ));
            }
            Ok(image)
        })?;
        let name = self.kernel_name(export)?;
        let lookup_name = match self.lookup_name {
            Some(field) => export.name(field)?.filter(|name| !name.is_empty()),
            None => None,
        };
        let workgroup_size = export.dims(self.workgroup_size)?.unwrap_or_default();
        if workgroup_size.contains(&0) {
            return Err(export.malformed(
                self.workgroup_size,
                format!("the workgroup size of {name:?} is {workgroup_size:?}; it is required, and no part may be 0"),
            ));
        }
        let constants = export.u32(self.constant_count)?;
        if constants > MAX_CONSTANTS {
            return Err(Error::limit(
                export.place(self.constant_count),
                format!("{name:?} takes {constants} constants, the limit is {MAX_CONSTANTS}"),
            ));
        }
        Ok(Export {
            name,
            lookup_name: lookup_name.unwrap_or(name),
            image,
            workgroup_size: Some(workgroup_size),
            dynamic_lds_bytes: self.dynamic_memory(export, name)?,
            constant_count: Some(constants),
            bindings: Some(self.bindings(export, name)?),
            source: self.source(export)?,
        })
    }

    fn kernel_name<'a>(&self, export: Table<'a>) -> Result<&'a str> {
        let symbol = export.name(self.name)?.unwrap_or_default();
        if symbol.is_empty() {
            return Err(export.malformed(self.name, "it is missing or empty"));
        }
        match symbol.strip_suffix(self.name_suffix) {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(export.malformed(
                self.name,
                format!(
                    "found {symbol:?}, expected a name that ends in {:?}",
                    self.name_suffix
                ),
            )),
        }
    }

    fn dynamic_memory(&self, export: Table<'_>, name: &str) -> Result<u32> {
        let Some(field) = self.shared_memory else {
            return Ok(0);
        };
        let bytes = export.u32(field)?;
        if bytes != 0 && !self.has_dynamic_memory {
            return Err(Error::incompatible(
                export.place(field),
                format!(
                    "{name:?} asks for {bytes} bytes of dynamic group memory, expected 0; compile it again"
                ),
            ));
        }
        Ok(bytes)
    }

    fn bindings(&self, export: Table<'_>, name: &str) -> Result<Vec<BindingFlags>> {
        let Some(flags) = export.vector(self.binding_flags, 8)? else {
            return Ok(Vec::new());
        };
        if flags.len() > MAX_BINDINGS {
            return Err(Error::limit(
                export.place(self.binding_flags),
                format!(
                    "{name:?} takes {} bindings, the limit is {MAX_BINDINGS}",
                    flags.len()
                ),
            ));
        }
        Ok(flags
            .elements()
            .map(|bytes| BindingFlags(u64::from_le_bytes(bytes)))
            .collect())
    }

    fn source<'a>(&self, export: Table<'a>) -> Result<Option<SourceLocation<'a>>> {
        let Some(debug) = export.table(self.debug_info, "debug ExportDef")? else {
            return Ok(None);
        };
        let Some(location) = debug.table(debug_def::LOCATION, "FileLineLocDef")? else {
            return Ok(None);
        };
        let file = location.name(debug_def::FILENAME)?.unwrap_or_default();
        let line = u32::try_from(location.i32(debug_def::LINE)?).unwrap_or(0);
        Ok((!file.is_empty()).then_some(SourceLocation { file, line }))
    }

    fn source_files<'a>(&self, root: Table<'a>) -> Result<Vec<SourceFile<'a>>> {
        let Some(field) = self.source_files else {
            return Ok(Vec::new());
        };
        root.offsets(field)?
            .tables("SourceFileDef")
            .take(MAX_EXPORTS)
            .map(|file| {
                let file = file?;
                Ok(SourceFile {
                    path: file.name(debug_def::SOURCE_PATH)?.unwrap_or_default(),
                    content: file
                        .byte_vector(debug_def::SOURCE_CONTENT)?
                        .unwrap_or_default(),
                })
            })
            .collect()
    }
}
