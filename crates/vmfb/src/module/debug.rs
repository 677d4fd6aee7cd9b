//! Where in its source a function's instructions come from, as far as the compiler wrote it down.
//!
//! The database may be many times larger than the program, so it is read where it is asked, and best effort: compilers
//! of 2024 describe every function, those of release 3.13 only the last one, and either can be told to leave all of it
//! out. Nothing in it decides how a module runs.

use std::collections::HashMap;
use std::fmt;

use super::Module;
use crate::Result;
use crate::container::Container;
use crate::flatbuffer::{Field, Table, Vector};

const DEBUG_DATABASE: Field = Field(15, "debug_database");

mod database_def {
    use super::Field;
    pub(super) const LOCATION_TAGS: Field = Field(0, "location_table_type");
    pub(super) const LOCATIONS: Field = Field(1, "location_table");
    pub(super) const FUNCTIONS: Field = Field(2, "functions");
}

mod source_map_def {
    use super::Field;
    pub(super) const LOCAL_NAME: Field = Field(0, "local_name");
    pub(super) const LOCATIONS: Field = Field(1, "locations");
}

mod location_def {
    use super::Field;
    pub(super) const CALL_SITE: u8 = 1;
    pub(super) const CALLEE: Field = Field(0, "callee");
    pub(super) const CALLER: Field = Field(1, "caller");

    pub(super) const FILE_LINE_COLUMN: u8 = 2;
    pub(super) const FILENAME: Field = Field(0, "filename");
    pub(super) const LINE: Field = Field(1, "line");
    pub(super) const COLUMN: Field = Field(2, "column");

    pub(super) const FUSED: u8 = 3;
    pub(super) const LOCATIONS: Field = Field(1, "locations");

    pub(super) const NAME: u8 = 4;
    pub(super) const CHILD_LOCATION: Field = Field(1, "child_location");
}

/// A location can stand for others, and a wrong one for itself: so many are looked at.
const MAX_STEPS: usize = 64;

/// The debug database of a module.
pub struct DebugInfo<'a> {
    tags: Vector<'a>,
    locations: Vector<'a>,
    /// By function number.
    functions: HashMap<u32, SourceMap<'a>>,
}

/// What the database has about one function.
struct SourceMap<'a> {
    map: Table<'a>,
    /// Pairs of an instruction's place and a location's number, ordered by place.
    locations: Vector<'a>,
}

/// A place in a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file, as the compiler was given it.
    pub file: &'a str,
    /// The line, from 1; 0 when it is not known.
    pub line: u32,
    /// The column, from 1; 0 when it is not known.
    pub column: u32,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl<'a> DebugInfo<'a> {
    /// The debug database of `module`, which was read from `file`; none if the compiler left it out.
    ///
    /// # Errors
    /// When the database contradicts itself. The module can be run all the same.
    pub fn parse(file: &'a [u8], module: &Module) -> Result<Option<DebugInfo<'a>>> {
        let container = Container::open(file)?;
        let database = container.root.table(DEBUG_DATABASE, "DebugDatabaseDef")?;
        let Some(database) = database else {
            return Ok(None);
        };
        let tags = database.vector(database_def::LOCATION_TAGS, 1)?;
        let locations = database.offsets(database_def::LOCATIONS)?;
        let maps = database.offsets(database_def::FUNCTIONS)?;
        let is_complete = maps.len() == module.functions.len();
        let exported: HashMap<&[u8], u32> = module
            .exports
            .iter()
            .map(|export| (export.name.as_bytes(), export.function))
            .collect();
        let mut functions = HashMap::new();
        // Names that are compared; entries that share a long one do not make this slow.
        let mut name_bytes = container.flatbuffer.len();
        for (index, map) in maps.tables("FunctionSourceMapDef").enumerate() {
            let map = map?;
            // Names are not unique and need not be those of exports, so they decide only where numbers cannot.
            let function = if is_complete {
                u32::try_from(index).ok()
            } else {
                let name = map.raw_string(source_map_def::LOCAL_NAME)?.unwrap_or(b"");
                name_bytes = match name_bytes.checked_sub(name.len()) {
                    Some(left) => left,
                    None => break,
                };
                exported.get(name).copied()
            };
            if let (Some(function), Some(locations)) =
                (function, map.vector(source_map_def::LOCATIONS, 8)?)
            {
                functions.insert(function, SourceMap { map, locations });
            }
        }
        Ok(Some(DebugInfo {
            tags: tags.unwrap_or_default(),
            locations,
            functions,
        }))
    }

    /// What the function with this number was called in the source.
    pub fn function_name(&self, function: u32) -> Option<&'a str> {
        let map = self.functions.get(&function)?.map;
        map.string(source_map_def::LOCAL_NAME).ok().flatten()
    }

    /// Where the instruction at byte `offset` of a function comes from: the place itself, then the places it was
    /// inlined or combined from, each once. Empty when nothing is known.
    pub fn locations(&self, function: u32, offset: u32) -> Vec<Location<'a>> {
        let mut found = Vec::new();
        let Some(map) = self.functions.get(&function) else {
            return found;
        };
        let Some(number) = map.location_at(offset) else {
            return found;
        };
        // The next location to look at is the last one here.
        let mut pending = vec![number];
        let mut steps = 0;
        while let Some(number) = pending.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                break;
            }
            // A location that cannot be read is one that is not known.
            let _ = self.resolve(number, &mut found, &mut pending);
        }
        found
    }

    /// Takes a place from a location, or the locations it stands for.
    fn resolve(
        &self,
        number: i32,
        found: &mut Vec<Location<'a>>,
        pending: &mut Vec<i32>,
    ) -> Result<()> {
        use location_def as def;
        let Ok(index) = usize::try_from(number) else {
            return Ok(());
        };
        let (Some([tag]), Some(table)) = (
            self.tags.element(index),
            self.locations.table(index, "LocationDef"),
        ) else {
            return Ok(());
        };
        match tag {
            def::FILE_LINE_COLUMN => {
                found.extend(place(table?)?.filter(|place| !found.contains(place)));
            }
            def::CALL_SITE => {
                let table = table?;
                pending.extend([table.i32(def::CALLER)?, table.i32(def::CALLEE)?]);
            }
            def::NAME => pending.push(table?.i32(def::CHILD_LOCATION)?),
            def::FUSED => {
                if let Some(parts) = table?.vector(def::LOCATIONS, 4)? {
                    let first: Vec<i32> = parts
                        .elements()
                        .take(MAX_STEPS)
                        .map(i32::from_le_bytes)
                        .collect();
                    pending.extend(first.into_iter().rev());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl SourceMap<'_> {
    /// The location of the instruction that covers a place.
    fn location_at(&self, offset: u32) -> Option<i32> {
        let entry = |index: usize| {
            let [a, b, c, d, e, f, g, h] = self.locations.element(index)?;
            Some((
                i32::from_le_bytes([a, b, c, d]),
                i32::from_le_bytes([e, f, g, h]),
            ))
        };
        let (mut low, mut high) = (0, self.locations.len());
        while low < high {
            let middle = low.midpoint(high);
            if i64::from(entry(middle)?.0) <= i64::from(offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        entry(low.checked_sub(1)?).map(|(_, location)| location)
    }
}

fn place(location: Table<'_>) -> Result<Option<Location<'_>>> {
    use location_def::{COLUMN, FILENAME, LINE};
    let file = location.string(FILENAME)?.unwrap_or_default();
    let number = |field| Ok(u32::try_from(location.i32(field)?).unwrap_or(0));
    Ok((!file.is_empty()).then_some(Location {
        file,
        line: number(LINE)?,
        column: number(COLUMN)?,
    }))
}
