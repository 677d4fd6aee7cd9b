//! Containers of early 2024: a bare flatbuffer of parallel arrays, an element for each entry point.

use super::{Executable, Export, Format, MAX_EXPORTS, SourceLocation};
use crate::flatbuffer::{Field, Table, Vector, dims_from_bytes};
use crate::{Error, Result};

const ENTRY_POINTS: Field = Field(0, "entry_points");
const BLOCK_SIZES: Field = Field(1, "block_sizes");
const SHARED_MEMORY_SIZES: Field = Field(2, "shared_memory_sizes");
const SOURCE_LOCATIONS: Field = Field(4, "source_locations");

const FILENAME: Field = Field(0, "filename");
const LINE: Field = Field(1, "line");

/// What tells one form of container from the other.
pub(super) struct Schema {
    format: Format,
    identifier: &'static [u8; 4],
    image: Field,
}

const SCHEMAS: [&Schema; 2] = [
    &Schema {
        format: Format::Rocm,
        identifier: b"ROCM",
        image: Field(3, "hsaco_image"),
    },
    &Schema {
        format: Format::Cuda,
        identifier: b"CUDA",
        image: Field(3, "ptx_image"),
    },
];

impl Schema {
    /// The form these bytes begin like.
    pub(super) fn detect(bytes: &[u8]) -> Option<&'static Schema> {
        let identifier = bytes.get(4..8)?;
        SCHEMAS
            .into_iter()
            .find(|schema| identifier == schema.identifier)
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Reads and checks a container of this form.
    pub(super) fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Executable<'a>> {
        let root = Table::root(bytes, self.identifier, "ExecutableDef")?;
        let names = root.offsets(ENTRY_POINTS)?;
        if names.is_empty() {
            return Err(root.malformed(ENTRY_POINTS, "there are none; at least one is required"));
        }
        if names.len() > MAX_EXPORTS {
            return Err(Error::limit(
                root.place(ENTRY_POINTS),
                format!("there are {}, the limit is {MAX_EXPORTS}", names.len()),
            ));
        }
        let image = root.raw_string(self.image)?.unwrap_or_default();
        if image.is_empty() {
            return Err(root.malformed(self.image, "it is missing or empty"));
        }
        Ok(Executable {
            format: self.format,
            exports: exports(root, names)?,
            images: vec![image],
            source_files: Vec::new(),
        })
    }
}

fn exports<'a>(root: Table<'a>, names: Vector<'a>) -> Result<Vec<Export<'a>>> {
    let sizes = parallel(root, BLOCK_SIZES, 12, names.len())?;
    let shared = parallel(root, SHARED_MEMORY_SIZES, 4, names.len())?;
    let mut sources = root.offsets(SOURCE_LOCATIONS)?.tables("FileLineLocDef");
    let mut exports = Vec::with_capacity(names.len());
    let entries = names
        .names("ExecutableDef.entry_points")
        .zip(sizes.elements())
        .zip(shared.elements());
    for (index, ((name, size), shared)) in entries.enumerate() {
        let name = name?;
        if name.is_empty() {
            return Err(root.malformed(
                ENTRY_POINTS,
                format!("the name of entry point {index} is empty"),
            ));
        }
        let workgroup_size = dims_from_bytes(size);
        if workgroup_size.contains(&0) {
            return Err(root.malformed(
                BLOCK_SIZES,
                format!("the workgroup size of {name:?} is {workgroup_size:?}; no part may be 0"),
            ));
        }
        exports.push(Export {
            name,
            lookup_name: name,
            image: 0,
            workgroup_size: Some(workgroup_size),
            dynamic_lds_bytes: u32::from_le_bytes(shared),
            constant_count: None,
            bindings: None,
            source: sources
                .next()
                .transpose()?
                .map(parse_location)
                .transpose()?
                .flatten(),
        });
    }
    Ok(exports)
}

/// An array that must have an element for each entry point.
fn parallel<'a>(
    root: Table<'a>,
    field: Field,
    element_bytes: usize,
    count: usize,
) -> Result<Vector<'a>> {
    let vector = root
        .vector(field, element_bytes)?
        .ok_or_else(|| root.malformed(field, "it is missing"))?;
    if vector.len() != count {
        return Err(root.malformed(
            field,
            format!("it has {} elements for {count} entry points", vector.len()),
        ));
    }
    Ok(vector)
}

fn parse_location(location: Table<'_>) -> Result<Option<SourceLocation<'_>>> {
    let file = location.name(FILENAME)?.unwrap_or_default();
    let line = u32::try_from(location.i32(LINE)?).unwrap_or(0);
    Ok((!file.is_empty()).then_some(SourceLocation { file, line }))
}
