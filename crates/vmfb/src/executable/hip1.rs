//! The `HIP1` container: a 64-byte header, then a flatbuffer.

use super::{
    BindingFlags, Executable, Export, Format, MAX_BINDINGS, MAX_CONSTANTS, MAX_EXPORTS, SourceFile,
    SourceLocation,
};
use crate::flatbuffer::{Field, Table};
use crate::{Error, Result};

pub(super) const MAGIC: &[u8; 4] = b"HIP1";

const HEADER_BYTES: usize = 64;
const HEADER: &str = "HIP1 header";

mod executable_def {
    use super::Field;
    pub(super) const EXPORTS: Field = Field(0, "exports");
    pub(super) const MODULES: Field = Field(1, "modules");
    pub(super) const SOURCE_FILES: Field = Field(2, "source_files");
}

mod module_def {
    use super::Field;
    pub(super) const HSACO_IMAGE: Field = Field(0, "hsaco_image");
}

mod export_def {
    use super::Field;
    pub(super) const MODULE_ORDINAL: Field = Field(0, "module_ordinal");
    pub(super) const KERNEL_NAME: Field = Field(1, "kernel_name");
    pub(super) const BLOCK_DIMS: Field = Field(2, "block_dims");
    pub(super) const BLOCK_SHARED_MEMORY_SIZE: Field = Field(3, "block_shared_memory_size");
    pub(super) const CONSTANT_COUNT: Field = Field(4, "constant_count");
    pub(super) const BINDING_FLAGS: Field = Field(5, "binding_flags");
    pub(super) const DEBUG_INFO: Field = Field(6, "debug_info");
}

mod debug_def {
    use super::Field;
    pub(super) const LOCATION: Field = Field(1, "location");
    pub(super) const FILENAME: Field = Field(0, "filename");
    pub(super) const LINE: Field = Field(1, "line");
    pub(super) const SOURCE_PATH: Field = Field(0, "path");
    pub(super) const SOURCE_CONTENT: Field = Field(1, "content");
}

/// The bytes of a container that begins here, header included, as its header gives them.
pub(crate) fn extent(bytes: &[u8]) -> Result<usize> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or_else(|| {
        Error::truncated(
            HEADER,
            format!("it has {HEADER_BYTES} bytes, there are {}", bytes.len()),
        )
    })?;
    if header[..4] != *MAGIC {
        return Err(Error::malformed(
            HEADER,
            format!(
                "found \"{}\", expected \"HIP1\"",
                header[..4].escape_ascii()
            ),
        ));
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let version = word(4);
    if version != 0 {
        return Err(Error::incompatible(
            HEADER,
            format!(
                "found container version {version}, expected 0; compile with a compiler this library supports"
            ),
        ));
    }
    let content = u64::from(word(8)) | u64::from(word(12)) << 32;
    let available = (bytes.len() - HEADER_BYTES) as u64;
    if content > available {
        return Err(Error::truncated(
            HEADER,
            format!("it announces {content} bytes of content, there are {available}"),
        ));
    }
    Ok(HEADER_BYTES + content as usize)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Executable<'_>> {
    let end = extent(bytes)?;
    let root = Table::root(&bytes[HEADER_BYTES..end], MAGIC, "ExecutableDef")?;
    let modules = root.offsets(executable_def::MODULES)?;
    let exports = root.offsets(executable_def::EXPORTS)?;
    if modules.is_empty() {
        return Err(root.malformed(
            executable_def::MODULES,
            "there are none; at least one is required",
        ));
    }
    if exports.is_empty() {
        return Err(root.malformed(
            executable_def::EXPORTS,
            "there are none; at least one is required",
        ));
    }
    for (count, field) in [
        (modules.len(), executable_def::MODULES),
        (exports.len(), executable_def::EXPORTS),
    ] {
        if count > MAX_EXPORTS {
            return Err(Error::limit(
                root.place(field),
                format!("there are {count}, the limit is {MAX_EXPORTS}"),
            ));
        }
    }
    let images = modules
        .tables("ModuleDef")
        .enumerate()
        .map(|(index, module)| {
            module
                .and_then(parse_module)
                .map_err(|error| error.inside(&format!("module {index}")))
        })
        .collect::<Result<Vec<_>>>()?;
    let exports = exports
        .tables("ExportDef")
        .enumerate()
        .map(|(index, export)| {
            export
                .and_then(|export| parse_export(export, images.len()))
                .map_err(|error| error.inside(&format!("export {index}")))
        })
        .collect::<Result<Vec<_>>>()?;
    let source_files = root
        .offsets(executable_def::SOURCE_FILES)?
        .tables("SourceFileDef")
        .take(MAX_EXPORTS)
        .map(|file| {
            let file = file?;
            Ok(SourceFile {
                path: file.string(debug_def::SOURCE_PATH)?.unwrap_or_default(),
                content: file
                    .byte_vector(debug_def::SOURCE_CONTENT)?
                    .unwrap_or_default(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Executable {
        format: Format::Hip1,
        exports,
        images,
        source_files,
    })
}

fn parse_module(module: Table<'_>) -> Result<&[u8]> {
    let image = module
        .raw_string(module_def::HSACO_IMAGE)?
        .unwrap_or_default();
    if image.is_empty() {
        return Err(module.malformed(module_def::HSACO_IMAGE, "it is missing or empty"));
    }
    Ok(image)
}

fn parse_export<'a>(export: Table<'a>, modules: usize) -> Result<Export<'a>> {
    let image = export.u32(export_def::MODULE_ORDINAL)? as usize;
    if image >= modules {
        return Err(export.malformed(
            export_def::MODULE_ORDINAL,
            format!("it names module {image}, there are {modules}"),
        ));
    }
    let name = export.string(export_def::KERNEL_NAME)?.unwrap_or_default();
    if name.is_empty() {
        return Err(export.malformed(export_def::KERNEL_NAME, "it is missing or empty"));
    }
    let workgroup_size = export.dims(export_def::BLOCK_DIMS)?.unwrap_or_default();
    if workgroup_size.contains(&0) {
        return Err(export.malformed(
            export_def::BLOCK_DIMS,
            format!("the workgroup size of {name:?} is {workgroup_size:?}; it is required, and no part may be 0"),
        ));
    }
    let shared = export.u32(export_def::BLOCK_SHARED_MEMORY_SIZE)?;
    if shared != 0 {
        return Err(Error::incompatible(
            export.place(export_def::BLOCK_SHARED_MEMORY_SIZE),
            format!(
                "{name:?} asks for {shared} bytes of dynamic group memory, expected 0; compile it again"
            ),
        ));
    }
    let constants = export.u32(export_def::CONSTANT_COUNT)?;
    if constants > MAX_CONSTANTS {
        return Err(Error::limit(
            export.place(export_def::CONSTANT_COUNT),
            format!("{name:?} takes {constants} constants, the limit is {MAX_CONSTANTS}"),
        ));
    }
    let flags = export.vector(export_def::BINDING_FLAGS, 8)?;
    let bindings = flags.map_or(0, |flags| flags.len());
    if bindings > MAX_BINDINGS {
        return Err(Error::limit(
            export.place(export_def::BINDING_FLAGS),
            format!("{name:?} takes {bindings} bindings, the limit is {MAX_BINDINGS}"),
        ));
    }
    let bindings = flags.map_or_else(Vec::new, |flags| {
        flags
            .elements::<8>()
            .map(|bytes| BindingFlags(u64::from_le_bytes(bytes)))
            .collect()
    });
    Ok(Export {
        name,
        image,
        workgroup_size: Some(workgroup_size),
        dynamic_lds_bytes: 0,
        constant_count: Some(constants),
        bindings: Some(bindings),
        source: parse_location(export)?,
    })
}

fn parse_location(export: Table<'_>) -> Result<Option<SourceLocation<'_>>> {
    let Some(debug) = export.table(export_def::DEBUG_INFO, "debug ExportDef")? else {
        return Ok(None);
    };
    let Some(location) = debug.table(debug_def::LOCATION, "FileLineLocDef")? else {
        return Ok(None);
    };
    let file = location.string(debug_def::FILENAME)?.unwrap_or_default();
    let line = u32::try_from(location.i32(debug_def::LINE)?).unwrap_or(0);
    Ok((!file.is_empty()).then_some(SourceLocation { file, line }))
}
