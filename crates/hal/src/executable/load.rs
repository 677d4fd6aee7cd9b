//! From the bytes of a container to a loaded executable.

use std::sync::Arc;

use hip::{Code, FunctionAttribute, Module};
use vmfb::ErrorKind;
use vmfb::executable as container;

use super::{Executable, Export, Inner, SourceLocation};
use crate::{Device, DeviceLimits, ExecutableParams, PipelineLayout, Result, Status, StatusCode};

/// Loads device code through `load_module`. What can be checked without the
/// device is checked before it sees anything.
pub(crate) fn load(
    device: &Device,
    params: &ExecutableParams<'_>,
    load_module: &dyn Fn(&[u8]) -> hip::Result<Module>,
) -> Result<Executable> {
    if let Some(format) = params.format
        && !device.takes_format(format)
    {
        let chip = device.family().has_chip_formats.then(|| device.arch());
        let mut known = device.family().formats.to_vec();
        known.extend(chip);
        return Err(Status::unimplemented(format!(
            "executables of format `{format}` cannot be prepared; known formats: {}",
            known.join(", ")
        )));
    }
    let mut file = container::Executable::parse(params.data).map_err(unreadable)?;
    if file.format.is_bare() && params.pipeline_layouts.is_empty() {
        keep_dispatchable(&mut file)?;
    }
    let signatures = signatures(&file, params.pipeline_layouts)?;
    for export in &file.exports {
        check_limits(export, device.limits())?;
    }
    let modules = file
        .images
        .iter()
        .map(|image| load_module(image).map_err(|error| not_loaded(error, image, device)))
        .collect::<Result<Vec<_>>>()?;
    let exports = file
        .exports
        .iter()
        .zip(signatures)
        .map(|(export, signature)| {
            load_export(export, signature, &modules[export.image], device.limits())
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Executable(Arc::new(Inner { exports, modules })))
}

/// Drops the kernels of bare code that take something else than
/// bindings and constants: it may hold any kernels, and nobody counts on their
/// ordinals.
fn keep_dispatchable(file: &mut container::Executable<'_>) -> Result<()> {
    let names: Vec<_> = file.exports.iter().map(|export| export.name).collect();
    file.exports
        .retain(|export| export.constant_count.is_some() && export.bindings.is_some());
    if file.exports.is_empty() {
        return Err(Status::invalid_argument(format!(
            "no kernel takes only bindings and constants; there are: {}",
            names.join(", ")
        )));
    }
    Ok(())
}

/// What an export takes.
struct Signature {
    constant_count: u32,
    binding_flags: Vec<u64>,
    layout: Option<PipelineLayout>,
}

fn signatures(
    file: &container::Executable<'_>,
    layouts: &[PipelineLayout],
) -> Result<Vec<Signature>> {
    if !layouts.is_empty() && layouts.len() != file.exports.len() {
        return Err(Status::invalid_argument(format!(
            "{} pipeline layouts were given for {} exports",
            layouts.len(),
            file.exports.len()
        )));
    }
    file.exports
        .iter()
        .enumerate()
        .map(|(ordinal, export)| signature(file, export, layouts.get(ordinal)))
        .collect()
}

/// The container says it, or the layout, or else the code's own metadata.
/// Where two of them speak they must agree.
fn signature(
    file: &container::Executable<'_>,
    export: &container::Export<'_>,
    layout: Option<&PipelineLayout>,
) -> Result<Signature> {
    let stated = match (export.constant_count, &export.bindings) {
        (Some(constants), Some(bindings)) => {
            let flags = bindings.iter().map(|flags| flags.0).collect();
            Some((constants, flags))
        }
        _ if layout.is_none() => Some(from_metadata(file, export)?),
        _ => None,
    };
    let of_layout: Option<(u32, Vec<u64>)> = layout.map(|layout| {
        let flags = layout.binding_flags().map(u64::from).collect();
        (layout.push_constant_count() as u32, flags)
    });
    let (constant_count, binding_flags) = match (stated, of_layout) {
        (Some(stated), Some(given)) if (stated.0, stated.1.len()) != (given.0, given.1.len()) => {
            return Err(Status::invalid_argument(format!(
                "the pipeline layout of `{}` has {} constants and {} bindings, the executable says {} and {}",
                export.name,
                given.0,
                given.1.len(),
                stated.0,
                stated.1.len()
            )));
        }
        (Some(signature), _) | (None, Some(signature)) => signature,
        (None, None) => unreachable!("without a layout the metadata was asked"),
    };
    Ok(Signature {
        constant_count,
        binding_flags,
        layout: layout.cloned(),
    })
}

/// Constants and flags of the bindings, by the kernel's own metadata.
fn from_metadata(
    file: &container::Executable<'_>,
    export: &container::Export<'_>,
) -> Result<(u32, Vec<u64>)> {
    let kernels = vmfb::kernels::parse(file.image_of(export)).map_err(unreadable)?;
    kernels
        .iter()
        .find(|kernel| kernel.name == export.name)
        .and_then(vmfb::kernels::Kernel::dispatch_layout)
        .map(|layout| {
            let flags = layout.bindings.iter().map(|&is_read_only| {
                let flags = if is_read_only {
                    container::BindingFlags::READ_ONLY
                } else {
                    container::BindingFlags::default()
                };
                flags.0
            });
            (layout.constants, flags.collect())
        })
        .ok_or_else(|| {
            Status::invalid_argument(format!(
                "what `{}` takes is not known: it needs a pipeline layout",
                export.name
            ))
        })
}

/// `INVALID_ARGUMENT`, naming the kernel, for what no launch could do.
fn check_limits(export: &container::Export<'_>, limits: &DeviceLimits) -> Result<()> {
    let name = export.name;
    if let Some(size) = export.workgroup_size {
        let max = limits.max_block_dims;
        let threads: u64 = size.iter().map(|&dim| u64::from(dim)).product();
        if size.contains(&0) {
            return Err(Status::invalid_argument(format!(
                "kernel `{name}` has no workgroup size"
            )));
        }
        if size.iter().zip(max).any(|(&dim, max)| dim > max)
            || threads > u64::from(limits.max_threads_per_block)
        {
            let [x, y, z] = size;
            return Err(Status::invalid_argument(format!(
                "kernel `{name}` has workgroups of {x} x {y} x {z} threads; the device allows {} x {} x {} and {} in all",
                max[0], max[1], max[2], limits.max_threads_per_block
            )));
        }
    }
    check_lds(name, 0, export.dynamic_lds_bytes, limits)
}

fn check_lds(name: &str, declared: u32, dynamic: u32, limits: &DeviceLimits) -> Result<()> {
    let needed = u64::from(declared) + u64::from(dynamic);
    if needed <= u64::from(limits.max_shared_memory_per_block) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "kernel `{name}` needs {needed} bytes of group memory, the device has {}",
        limits.max_shared_memory_per_block
    )))
}

fn load_export(
    export: &container::Export<'_>,
    signature: Signature,
    module: &Module,
    limits: &DeviceLimits,
) -> Result<Export> {
    let name = export.name;
    let function = module.function(name).map_err(|error| {
        // The runtimes do not agree on what a missing kernel is called.
        let code = match error.code {
            Code::NOT_FOUND | Code::INVALID_VALUE | Code::INVALID_DEVICE_FUNCTION => {
                StatusCode::NotFound
            }
            _ => Status::from(error.clone()).code(),
        };
        Status::with_cause(code, format!("looking up kernel `{name}`"), error)
    })?;
    let declared = function.attribute(FunctionAttribute::SharedSizeBytes)?;
    let declared = u32::try_from(declared).unwrap_or(0);
    check_lds(name, declared, export.dynamic_lds_bytes, limits)?;
    if export.dynamic_lds_bytes > 0 {
        function.allow_dynamic_shared_memory(export.dynamic_lds_bytes)?;
    }
    Ok(Export {
        name: export.lookup_name.to_owned(),
        function,
        workgroup_size: export.workgroup_size.unwrap_or_default(),
        dynamic_lds_bytes: export.dynamic_lds_bytes,
        constant_count: signature.constant_count,
        binding_flags: signature.binding_flags,
        layout: signature.layout,
        source: export.source.map(|source| SourceLocation {
            file: source.file.to_owned(),
            line: source.line,
        }),
    })
}

/// Why the container is of no use.
fn unreadable(error: vmfb::Error) -> Status {
    let code = match error.kind() {
        ErrorKind::Truncated => StatusCode::OutOfRange,
        ErrorKind::Incompatible => StatusCode::Incompatible,
        _ => StatusCode::InvalidArgument,
    };
    Status::new(code, error.to_string())
}

/// Why the device did not take the code. That it is for another chip is by
/// far the most frequent reason, and the runtimes do not say so.
fn not_loaded(error: hip::Error, image: &[u8], device: &Device) -> Status {
    let chip = |arch: &str| arch.split(':').next().unwrap_or(arch).to_owned();
    let is_about_the_code = matches!(
        error.code,
        Code::NO_BINARY_FOR_GPU
            | Code::SHARED_OBJECT_INIT_FAILED
            | Code::INVALID_IMAGE
            | Code::INVALID_KERNEL_FILE
    );
    match hip::code_target(image) {
        Ok(target) if is_about_the_code && !hip::runs_on(&target, device.arch()) => {
            Status::with_cause(
                StatusCode::Incompatible,
                format!(
                    "the code is for {target}, the device is {}; compile it with {}={}",
                    device.arch(),
                    device.family().chip_option,
                    chip(device.arch())
                ),
                error,
            )
        }
        Ok(target) if is_about_the_code => Status::from(error).context(format!(
            "loading code for {target} on {}; its features may not match or it may lack device libraries",
            device.arch()
        )),
        _ => Status::from(error).context("loading device code"),
    }
}
