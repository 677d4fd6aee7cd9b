//! Code without a container. What a dispatch needs is read from the code itself.

use super::{BindingFlags, Executable, Export, Format, MAX_BINDINGS, MAX_CONSTANTS};
use crate::kernels::{self, Kernel};
use crate::{Error, Result};

pub(super) fn parse(bytes: &[u8], format: Format) -> Result<Executable<'_>> {
    let kernels = kernels::parse(bytes)?;
    if kernels.is_empty() {
        return Err(Error::malformed("device code", "it has no kernels"));
    }
    let exports = kernels.iter().map(export_of).collect();
    Ok(Executable {
        format,
        exports,
        images: vec![bytes],
        source_files: Vec::new(),
    })
}

fn export_of<'a>(kernel: &Kernel<'a>) -> Export<'a> {
    let layout = kernel.dispatch_layout().filter(|layout| {
        layout.constants <= MAX_CONSTANTS && layout.bindings.len() <= MAX_BINDINGS
    });
    let (constant_count, bindings) = match layout {
        Some(layout) => {
            let flag = |read_only: bool| {
                if read_only {
                    BindingFlags::READ_ONLY
                } else {
                    BindingFlags(0)
                }
            };
            (
                Some(layout.constants),
                Some(layout.bindings.into_iter().map(flag).collect()),
            )
        }
        None => (None, None),
    };
    Export {
        name: kernel.name,
        lookup_name: kernel.name,
        image: 0,
        workgroup_size: kernel.required_workgroup_size,
        dynamic_lds_bytes: 0,
        constant_count,
        bindings,
        source: None,
    }
}
