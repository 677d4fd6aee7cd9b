//! Which executables for GPUs a `.vmfb` module holds, found without reading its program: modules of any bytecode
//! version will do.

use std::ops::Range;

use crate::container::Container;
use crate::executable::Format;
use crate::{Error, Result};

/// The executables of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive<'a> {
    /// Name of the module, usually `module`.
    pub module_name: &'a str,
    /// Version of its bytecode: major, minor.
    pub bytecode_version: (u16, u16),
    /// Its executables, by their place among the data segments.
    pub executables: Vec<Entry>,
}

/// An executable in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: of the ZIP entry where there is one, otherwise `segment_N`.
    pub name: String,
    /// Number of its data segment.
    pub segment: usize,
    /// The form of its container.
    pub format: Format,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

impl<'a> Archive<'a> {
    /// Whether these bytes begin like a module.
    pub fn detect(file: &[u8]) -> bool {
        Container::detect(file)
    }

    /// Reads the data segments of a module.
    ///
    /// # Errors
    /// When the file is not a module, is cut short, or contradicts itself.
    pub fn parse(file: &'a [u8]) -> Result<Archive<'a>> {
        let container = Container::open(file)?;
        let mut executables = Vec::new();
        let mut bytes = 0;
        for (number, segment) in container.segments()?.enumerate() {
            let segment = segment?;
            let contents = &file[segment.range.clone()];
            let Some(format) = Format::detect(contents) else {
                continue;
            };
            if format == Format::CodeObject && !is_amd_elf(contents) {
                continue;
            }
            // Each is loaded, so that many of them in the same bytes would be a bomb.
            bytes += contents.len();
            if bytes > file.len() {
                return Err(Error::malformed("module", "its executables overlap"));
            }
            let name = segment
                .entry
                .map_or_else(|| format!("segment_{number}"), str::to_owned);
            executables.push(Entry {
                name,
                segment: number,
                format,
                range: segment.range,
            });
        }
        Ok(Archive {
            module_name: container.name,
            bytecode_version: container.bytecode_version,
            executables,
        })
    }
}

fn is_amd_elf(contents: &[u8]) -> bool {
    contents.get(18..20) == Some(&[224, 0])
}
