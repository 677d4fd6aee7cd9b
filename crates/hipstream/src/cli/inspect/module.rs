//! What a module has and needs.

use std::io::{self, Write};

use serde::Serialize;
use vm::BytecodeModule;
use vmfb::executable::Format;
use vmfb::module::Features;
use vmfb::module::debug::DebugInfo;

use super::executable::ExecutableReport;
use super::wanted::{self, Wanted};
use crate::modules;

#[derive(Serialize)]
pub(super) struct ModuleReport<'a> {
    name: &'a str,
    version: u32,
    /// Major and minor.
    bytecode_version: (u16, u16),
    /// What instructions and functions need: `ext_f32`, `ext_f64`, `yield`, `unwind`.
    features: Vec<String>,
    functions: Vec<FunctionReport<'a>>,
    dependencies: Vec<DependencyReport<'a>>,
    imports: Vec<ImportReport<'a>>,
    executables: Vec<SegmentReport<'a>>,
    data: DataReport,
    parameters: Wanted,
    debug: DebugReport,
}

#[derive(Serialize)]
struct FunctionReport<'a> {
    name: &'a str,
    /// As the author declared it, where the compiler kept that.
    declaration: Option<&'a str>,
    calling_convention: &'a str,
    /// Returns before its work is done.
    is_async: bool,
}

#[derive(Serialize)]
struct DependencyReport<'a> {
    name: &'a str,
    minimum_version: u32,
    optional: bool,
}

#[derive(Serialize)]
struct ImportReport<'a> {
    name: &'a str,
    calling_convention: &'a str,
    optional: bool,
    /// Whether hipstream has it (`check.*` only for `hipstream check`).
    provided: bool,
}

#[derive(Serialize)]
struct SegmentReport<'a> {
    segment: usize,
    name: Option<&'a str>,
    #[serde(flatten)]
    contents: SegmentContents<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SegmentContents<'a> {
    Executable(ExecutableReport<'a>),
    Unreadable { error: String, bytes: u64 },
}

#[derive(Serialize)]
struct DataReport {
    segments: usize,
    bytes: u64,
    global_bytes: u32,
    global_references: u32,
    bytecode_functions: usize,
    bytecode_bytes: u64,
}

#[derive(Serialize)]
struct DebugReport {
    /// Functions whose names are known.
    named_functions: usize,
    error: Option<String>,
}

impl<'a> ModuleReport<'a> {
    pub(super) fn new(module: &'a BytecodeModule) -> Self {
        let container = module.module();
        Self {
            name: module.name(),
            version: container.version,
            bytecode_version: container.bytecode_version,
            features: features(container.requirements),
            functions: functions(module),
            dependencies: container
                .dependencies
                .iter()
                .map(|dependency| DependencyReport {
                    name: &dependency.name,
                    minimum_version: dependency.minimum_version,
                    optional: dependency.is_optional,
                })
                .collect(),
            imports: module
                .imports()
                .map(|(import, signature)| ImportReport {
                    name: &import.name,
                    calling_convention: &import.calling_convention,
                    optional: import.is_optional,
                    provided: modules::provides(&import.name, signature),
                })
                .collect(),
            executables: executables(module),
            data: DataReport {
                segments: container.rodata.len(),
                bytes: container
                    .rodata
                    .iter()
                    .map(|data| data.range.len() as u64)
                    .sum(),
                global_bytes: container.global_bytes,
                global_references: container.global_refs,
                bytecode_functions: container.functions.len(),
                bytecode_bytes: container
                    .functions
                    .iter()
                    .map(|function| function.bytecode.len() as u64)
                    .sum(),
            },
            parameters: wanted::find(module),
            debug: debug(module),
        }
    }

    /// The first line goes on where the caller has begun it.
    pub(super) fn print(&self, bytes: u64, out: &mut dyn Write) -> io::Result<()> {
        let (major, minor) = self.bytecode_version;
        write!(
            out,
            "module `{}` version {}, bytecode {major}.{minor}, {bytes} bytes",
            self.name, self.version
        )?;
        match self.features.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, ", needs {}", self.features.join(", "))?,
        }
        writeln!(out, "functions: {}", self.functions.len())?;
        for function in &self.functions {
            writeln!(
                out,
                "  {} [{}]",
                function.declaration.unwrap_or(function.name),
                function.calling_convention
            )?;
        }
        self.print_imports(out)?;
        writeln!(out, "executables: {}", self.executables.len())?;
        for part in &self.executables {
            write!(out, "  #{} ", part.segment)?;
            if let Some(name) = part.name {
                write!(out, "{name}: ")?;
            }
            match &part.contents {
                SegmentContents::Executable(executable) => executable.print("  ", out)?,
                SegmentContents::Unreadable { error, bytes } => {
                    writeln!(out, "unreadable, {bytes} bytes: {error}")?;
                }
            }
        }
        self.print_sizes(out)
    }

    fn print_imports(&self, out: &mut dyn Write) -> io::Result<()> {
        let needs: Vec<_> = self
            .dependencies
            .iter()
            .map(|needed| {
                let optional = if needed.optional { ", optional" } else { "" };
                format!(
                    "{} (version {}{optional})",
                    needed.name, needed.minimum_version
                )
            })
            .collect();
        write!(out, "imports: {}", self.imports.len())?;
        match needs.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, ", of {}", needs.join(", "))?,
        }
        let width = self.imports.iter().map(|import| import.name.len()).max();
        for import in &self.imports {
            let note = match (import.provided, import.optional) {
                (true, false) => "",
                (true, true) => "  optional",
                (false, true) => "  optional, not provided",
                (false, false) => "  NOT PROVIDED",
            };
            writeln!(
                out,
                "  {:<width$}  {}{note}",
                import.name,
                import.calling_convention,
                width = width.unwrap_or(0)
            )?;
        }
        Ok(())
    }

    fn print_sizes(&self, out: &mut dyn Write) -> io::Result<()> {
        let data = &self.data;
        writeln!(
            out,
            "data: {} segments, {} bytes; globals: {} bytes and {} references",
            data.segments, data.bytes, data.global_bytes, data.global_references
        )?;
        writeln!(
            out,
            "bytecode: {} functions, {} bytes",
            data.bytecode_functions, data.bytecode_bytes
        )?;
        if !self.parameters.is_empty() {
            writeln!(out, "parameters wanted: {}", self.parameters)?;
        }
        match &self.debug {
            DebugReport {
                error: Some(error), ..
            } => writeln!(out, "debug information: {error}"),
            DebugReport {
                named_functions: 0, ..
            } => writeln!(out, "debug information: none"),
            debug => writeln!(
                out,
                "debug information: {} functions",
                debug.named_functions
            ),
        }
    }
}

fn functions(module: &BytecodeModule) -> Vec<FunctionReport<'_>> {
    let container = module.module();
    module
        .exports()
        // Others are for whoever loads the module.
        .filter(|(name, _)| !name.starts_with("__"))
        .map(|(name, signature)| {
            let attribute = |key: &str| {
                let attrs = &container.export(name)?.attrs;
                attrs
                    .iter()
                    .find(|(known, _)| known == key)
                    .map(|(_, value)| value.as_str())
            };
            FunctionReport {
                name,
                declaration: attribute("iree.abi.declaration"),
                calling_convention: signature.text(),
                is_async: attribute("iree.abi.model") == Some("coarse-fences"),
            }
        })
        .collect()
}

fn executables(module: &BytecodeModule) -> Vec<SegmentReport<'_>> {
    let file = module.file();
    let segments = module.module().rodata.iter().enumerate();
    segments
        .filter_map(|(segment, data)| {
            let bytes = &file[data.range.clone()];
            Format::detect(bytes)?;
            let contents = match ExecutableReport::new(bytes) {
                Ok(executable) => SegmentContents::Executable(executable),
                Err(error) => SegmentContents::Unreadable {
                    error: error.to_string(),
                    bytes: bytes.len() as u64,
                },
            };
            Some(SegmentReport {
                segment,
                name: data.name.as_deref(),
                contents,
            })
        })
        .collect()
}

fn debug(module: &BytecodeModule) -> DebugReport {
    let count = module.module().functions.len() as u32;
    match DebugInfo::parse(module.file(), module.module()) {
        Ok(info) => DebugReport {
            named_functions: info.map_or(0, |info| {
                (0..count)
                    .filter(|&number| info.function_name(number).is_some())
                    .count()
            }),
            error: None,
        },
        Err(error) => DebugReport {
            named_functions: 0,
            error: Some(error.to_string()),
        },
    }
}

fn features(features: Features) -> Vec<String> {
    features
        .iter_names()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect()
}
