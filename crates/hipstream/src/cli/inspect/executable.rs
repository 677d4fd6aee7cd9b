//! What an executable has: the chip it is for, and its kernels.

use std::io::{self, Write};

use serde::Serialize;
use vmfb::executable::{BindingFlags, Executable, Export};
use vmfb::kernels::{self, Kernel};

#[derive(Serialize)]
pub(super) struct ExecutableReport<'a> {
    format: String,
    /// The chip, where the code says.
    target: Option<&'a str>,
    bytes: u64,
    exports: Vec<ExportReport<'a>>,
    /// Sources that the compiler put in.
    source_files: Vec<&'a str>,
}

#[derive(Serialize)]
struct ExportReport<'a> {
    name: &'a str,
    /// Name of the kernel in the code, where that is another.
    symbol: Option<&'a str>,
    /// Threads in x, y, z; null when a launch may choose.
    workgroup_size: Option<[u32; 3]>,
    /// Group memory that the kernel declares; null when the code does not say.
    static_lds_bytes: Option<u32>,
    dynamic_lds_bytes: u32,
    /// 32-bit constants.
    constants: Option<u32>,
    bindings: Option<Vec<BindingReport>>,
    source: Option<String>,
}

#[derive(Serialize)]
struct BindingReport {
    read_only: bool,
    indirect: bool,
}

impl<'a> ExecutableReport<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> vmfb::Result<Self> {
        let executable = Executable::parse(bytes)?;
        Ok(Self {
            format: executable.format.to_string(),
            target: executable.target(),
            bytes: bytes.len() as u64,
            exports: executable
                .exports
                .iter()
                .map(|export| ExportReport::new(&executable, export))
                .collect(),
            source_files: executable
                .source_files
                .iter()
                .map(|file| file.path)
                .collect(),
        })
    }

    /// The first line goes on where the caller has begun it.
    pub(super) fn print(&self, indent: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{} for {}, {} bytes",
            self.format,
            self.target.unwrap_or("a chip it does not name"),
            self.bytes
        )?;
        for export in &self.exports {
            write!(out, "{indent}  {}", export.name)?;
            if let Some(symbol) = export.symbol {
                write!(out, " (in the code: {symbol})")?;
            }
            writeln!(out)?;
            writeln!(out, "{indent}    {}", export.needs())?;
            if let Some(source) = &export.source {
                writeln!(out, "{indent}    from {source}")?;
            }
        }
        for path in &self.source_files {
            writeln!(out, "{indent}  source {path}")?;
        }
        Ok(())
    }
}

impl<'a> ExportReport<'a> {
    fn new(executable: &Executable<'a>, export: &Export<'a>) -> Self {
        let kernel = kernel(executable, export);
        // Where the container leaves it to the program, the code's own metadata knows.
        let layout = kernel.as_ref().and_then(Kernel::dispatch_layout);
        let bindings = match (&export.bindings, &layout) {
            (Some(flags), _) => Some(
                flags
                    .iter()
                    .map(|flags| BindingReport {
                        read_only: flags.contains(BindingFlags::READ_ONLY),
                        indirect: flags.contains(BindingFlags::INDIRECT),
                    })
                    .collect(),
            ),
            (None, Some(layout)) => Some(
                layout
                    .bindings
                    .iter()
                    .map(|&read_only| BindingReport {
                        read_only,
                        indirect: false,
                    })
                    .collect(),
            ),
            (None, None) => None,
        };
        Self {
            name: export.lookup_name,
            symbol: (export.name != export.lookup_name).then_some(export.name),
            workgroup_size: export.workgroup_size,
            static_lds_bytes: kernel.map(|kernel| kernel.lds_bytes),
            dynamic_lds_bytes: export.dynamic_lds_bytes,
            constants: export
                .constant_count
                .or(layout.map(|layout| layout.constants)),
            bindings,
            source: export
                .source
                .map(|place| format!("{}:{}", place.file, place.line)),
        }
    }

    /// What a dispatch of it takes, in one line.
    fn needs(&self) -> String {
        let mut parts = vec![match self.workgroup_size {
            Some([x, y, z]) => format!("workgroup {x}x{y}x{z}"),
            None => "workgroup of any size".to_owned(),
        }];
        match (self.static_lds_bytes, self.dynamic_lds_bytes) {
            (None | Some(0), 0) => {}
            (None | Some(0), dynamic) => parts.push(format!("LDS {dynamic} bytes (dynamic)")),
            (Some(fixed), 0) => parts.push(format!("LDS {fixed} bytes")),
            (Some(fixed), dynamic) => {
                parts.push(format!("LDS {fixed} bytes and {dynamic} (dynamic)"));
            }
        }
        if let Some(constants) = self.constants {
            parts.push(format!("{constants} constants"));
        }
        if let Some(bindings) = &self.bindings {
            let access = |binding: &BindingReport| match binding.read_only {
                true => "read",
                false => "write",
            };
            let list: Vec<_> = bindings.iter().map(access).collect();
            parts.push(match list.is_empty() {
                true => "no bindings".to_owned(),
                false => format!("bindings {}", list.join(" ")),
            });
        }
        parts.join(", ")
    }
}

/// What the code itself says of an export, if it is for AMD GPUs and says anything.
fn kernel<'a>(executable: &Executable<'a>, export: &Export<'a>) -> Option<Kernel<'a>> {
    if !executable.format.is_amd() {
        return None;
    }
    kernels::parse(executable.image_of(export))
        .ok()?
        .into_iter()
        .find(|kernel| kernel.name == export.name)
}
