//! Modules and their functions.

use std::sync::{Arc, Mutex, PoisonError};

use amdgpu::{BoundRange, Kernel, LoadError, Module};

use super::Software;
use crate::{Code, Error, FunctionAttribute, FunctionHandle, ModuleHandle, Result};

/// A loaded module and the functions looked up in it.
pub(super) struct Loaded {
    module: Module,
    functions: Mutex<Vec<(String, FunctionHandle)>>,
}

/// A kernel, and what its launches are bound to if that is known.
#[derive(Clone)]
pub(super) struct Function {
    pub(super) kernel: Kernel,
    pub(super) bindings: Option<Arc<[BoundRange]>>,
}

pub(super) fn load(provider: &Software, image: &[u8]) -> Result<ModuleHandle> {
    let module = provider.gpu.load(image).map_err(|error| {
        let code = match &error {
            LoadError::WrongArch { .. } => Code::NO_BINARY_FOR_GPU,
            LoadError::OutOfMemory { .. } => Code::OUT_OF_MEMORY,
            _ => Code::INVALID_IMAGE,
        };
        Error::with_detail(code, "hipModuleLoadDataEx", error.to_string())
    })?;
    let loaded = Loaded {
        module,
        functions: Mutex::new(Vec::new()),
    };
    Ok(ModuleHandle(provider.modules.insert(loaded.into())))
}

/// Unloads; work under way keeps the code it runs.
pub(super) fn unload(provider: &Software, module: ModuleHandle) -> Result<()> {
    let call = "hipModuleUnload";
    let loaded = provider.modules.remove(module.0, call)?;
    let functions = std::mem::take(
        &mut *loaded
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    for (_, function) in functions {
        provider.functions.remove(function.0, call)?;
    }
    Ok(())
}

pub(super) fn function(
    provider: &Software,
    module: ModuleHandle,
    name: &str,
) -> Result<FunctionHandle> {
    let call = "hipModuleGetFunction";
    let loaded = provider.modules.get(module.0, call)?;
    let mut functions = loaded
        .functions
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = functions.iter().find(|(known, _)| known == name) {
        return Ok(*known);
    }
    let Some(kernel) = loaded.module.kernel(name) else {
        let names: Vec<String> = loaded
            .module
            .kernels()
            .map(|kernel| format!("`{}`", kernel.name()))
            .collect();
        let detail = format!("no kernel `{name}`; there is {}", names.join(", "));
        return Err(Error::with_detail(Code::NOT_FOUND, call, detail));
    };
    let function = Function {
        kernel,
        bindings: None,
    };
    let handle = FunctionHandle(provider.functions.insert(function));
    functions.push((name.to_owned(), handle));
    Ok(handle)
}

/// The same kernel, with what its launches are bound to.
pub(super) fn bind(
    provider: &Software,
    function: FunctionHandle,
    bindings: &[BoundRange],
) -> Result<FunctionHandle> {
    let Function { kernel, .. } = provider.functions.get(function.0, "function_bind")?;
    let bound = Function {
        kernel,
        bindings: Some(bindings.into()),
    };
    Ok(FunctionHandle(provider.functions.insert(bound)))
}

/// Address and size in bytes of a device variable.
pub(super) fn global(provider: &Software, module: ModuleHandle, name: &str) -> Result<(u64, u64)> {
    let call = "hipModuleGetGlobal";
    let loaded = provider.modules.get(module.0, call)?;
    loaded.module.global(name).ok_or_else(|| {
        Error::with_detail(
            Code::NOT_FOUND,
            call,
            format!("no device variable `{name}`"),
        )
    })
}

pub(super) fn attribute(
    provider: &Software,
    function: FunctionHandle,
    attribute: FunctionAttribute,
) -> Result<i32> {
    let call = "hipFuncGetAttribute";
    let Function { kernel, .. } = provider.functions.get(function.0, call)?;
    let value = match attribute {
        FunctionAttribute::MaxThreadsPerBlock => kernel.max_workgroup_size(),
        FunctionAttribute::SharedSizeBytes => kernel.lds_bytes(),
        FunctionAttribute::MaxDynamicSharedSizeBytes => {
            let most = provider.gpu.arch().max_lds_bytes();
            most.saturating_sub(kernel.lds_bytes())
        }
    };
    Ok(i32::try_from(value).unwrap_or(i32::MAX))
}
