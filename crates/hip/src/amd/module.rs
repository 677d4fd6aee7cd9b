//! Modules and kernel launches.

use std::ffi::{CString, c_void};
use std::sync::PoisonError;

use amdgpu::code_object::CodeObject;

use super::{Amd, abi, call, device};
use crate::{Api, Code, DeviceHandle, Error, ModuleHandle, Result};

pub(super) fn load(amd: &Amd, image: &[u8]) -> Result<ModuleHandle> {
    // A copy of our own, in words so that it is aligned, and kept until the
    // unload: HIP builds from it as late as it likes.
    let words: Box<[u64]> = image
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        })
        .collect();
    let module =
        load_kept(amd, words.as_ptr().cast()).map_err(|error| explain(amd, image, error))?;
    amd.images
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(module, words);
    Ok(module)
}

fn load_kept(amd: &Amd, image: *const c_void) -> Result<ModuleHandle> {
    let mut module = ModuleHandle::default();
    if !amd.symbols.module_load_data_ex.is_present() {
        call!(amd.module_load_data(&mut module, image))?;
        return Ok(module);
    }
    let mut log = vec![0u8; 4096];
    let mut options = [
        abi::JIT_ERROR_LOG_BUFFER,
        abi::JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
    ];
    let mut values: [*mut c_void; 2] = [
        log.as_mut_ptr().cast(),
        std::ptr::without_provenance_mut(log.len() - 1),
    ];
    let count = options.len() as u32;
    let (options, values) = (options.as_mut_ptr(), values.as_mut_ptr());
    let result = call!(amd.module_load_data_ex(&mut module, image, count, options, values));
    result.map_err(|error| {
        let length = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        let text = String::from_utf8_lossy(&log[..length]);
        match text.trim() {
            "" => error,
            text => Error::with_detail(error.code, error.call, text),
        }
    })?;
    Ok(module)
}

/// Adds what can be said about an image that was refused: above all, that it
/// is for another chip.
fn explain(amd: &Amd, image: &[u8], error: Error) -> Error {
    let may_be_the_image = [
        Code::INVALID_IMAGE,
        Code::NO_BINARY_FOR_GPU,
        Code::SHARED_OBJECT_INIT_FAILED,
        Code::INVALID_KERNEL_FILE,
    ];
    if !may_be_the_image.contains(&error.code) {
        return error;
    }
    let problem = match CodeObject::parse(image) {
        Err(problem) => problem.to_string(),
        Ok(object) => {
            let arch = amd
                .context_current()
                .ok()
                .and_then(device::ordinal_of)
                .and_then(|ordinal| amd.device_arch(DeviceHandle(ordinal)).ok());
            let Some(arch) = arch else { return error };
            let chip = arch.split(':').next().unwrap_or_default();
            match object.expect_chip(chip) {
                Err(problem) => problem.to_string(),
                Ok(()) => return error,
            }
        }
    };
    let detail = match &error.detail {
        Some(log) => format!("{problem}; {log}"),
        None => problem,
    };
    Error::with_detail(error.code, error.call, detail)
}

pub(super) fn unload(amd: &Amd, module: ModuleHandle) -> Result<()> {
    let result = call!(amd.module_unload(module));
    amd.images
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&module);
    result
}

pub(super) fn c_name(name: &str, call: &'static str) -> Result<CString> {
    CString::new(name).map_err(|_| {
        Error::with_detail(
            Code::INVALID_VALUE,
            call,
            format!("{name:?} contains a zero byte"),
        )
    })
}

pub(super) fn name_in_error(error: Error, name: &str) -> Error {
    match error.detail {
        Some(_) => error,
        None => Error::with_detail(error.code, error.call, format!("{name:?}")),
    }
}

/// The `extra` list that hands over a packed kernel argument segment. It
/// borrows what its pointers lead to only by their addresses: both must stay.
pub(super) fn launch_parameters(kernarg: &[u8], bytes: &mut usize) -> [*mut c_void; 5] {
    [
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_BUFFER_POINTER),
        kernarg.as_ptr().cast_mut().cast(),
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_BUFFER_SIZE),
        std::ptr::from_mut(bytes).cast(),
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_END),
    ]
}
