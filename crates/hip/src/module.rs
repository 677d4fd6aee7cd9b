//! Modules and their functions: device code.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::{
    BoundRange, Context, DevicePtr, FunctionAttribute, FunctionHandle, ModuleHandle, Result,
};

/// Loaded device code. Its functions keep it loaded.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    context: Context,
    handle: ModuleHandle,
}

impl Module {
    /// Loads a code object.
    ///
    /// # Safety
    ///
    /// The code will run on the device with access to whatever the device can
    /// reach: the caller vouches for it.
    pub unsafe fn load(context: &Context, image: &[u8]) -> Result<Self> {
        // SAFETY: the caller vouches for the image.
        let handle = unsafe { context.enter()?.api().module_load(image)? };
        Ok(Self(Arc::new(Inner {
            context: context.clone(),
            handle,
        })))
    }

    /// The kernel called `name`.
    pub fn function(&self, name: &str) -> Result<Function> {
        let scope = self.0.context.enter()?;
        // SAFETY: the module is live.
        let handle = unsafe { scope.api().module_function(self.0.handle, name)? };
        Ok(Function {
            module: self.clone(),
            handle,
        })
    }

    /// Address and size in bytes of the device variable called `name`.
    pub fn global(&self, name: &str) -> Result<(DevicePtr, u64)> {
        let scope = self.0.context.enter()?;
        // SAFETY: the module is live.
        unsafe { scope.api().module_global(self.0.handle, name) }
    }
}

impl PartialEq for Module {
    /// The same loaded module, not merely equal code.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Module({:#x})", self.0.handle.0)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: owned, and unloaded only here.
        self.context
            .release(|api| unsafe { api.module_unload(self.handle) });
    }
}

/// A kernel of a [`Module`].
#[derive(Clone)]
pub struct Function {
    module: Module,
    handle: FunctionHandle,
}

impl Function {
    /// One attribute.
    pub fn attribute(&self, attribute: FunctionAttribute) -> Result<i32> {
        let scope = self.module.0.context.enter()?;
        // SAFETY: the function is live as long as its module is.
        unsafe { scope.api().function_attribute(self.handle, attribute) }
    }

    /// Sets an attribute. On AMD this succeeds without effect.
    pub fn set_attribute(&self, attribute: FunctionAttribute, value: i32) -> Result<()> {
        let scope = self.module.0.context.enter()?;
        // SAFETY: the function is live as long as its module is.
        unsafe {
            scope
                .api()
                .function_set_attribute(self.handle, attribute, value)
        }
    }

    /// The function for launches that are bound to `bindings`, by number, of a
    /// provider that checks bindings.
    pub fn bind(&self, bindings: &[BoundRange]) -> Result<BoundFunction> {
        let scope = self.module.0.context.enter()?;
        // SAFETY: the function is live as long as its module is.
        let handle = unsafe { scope.api().function_bind(self.handle, bindings)? };
        Ok(BoundFunction(Self {
            module: self.module.clone(),
            handle,
        }))
    }

    /// Asks leave to launch with up to `bytes` of dynamic LDS, which some
    /// runtimes want. Others refuse the question, and that is no failure: the
    /// launch is what counts.
    pub fn allow_dynamic_shared_memory(&self, bytes: u32) -> Result<()> {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        let scope = self.module.0.context.enter()?;
        // SAFETY: the function is live as long as its module is.
        let answer = unsafe {
            scope.api().function_set_attribute(
                self.handle,
                FunctionAttribute::MaxDynamicSharedSizeBytes,
                bytes,
            )
        };
        if answer.is_err() {
            // It must not stay for other users of the library on this thread to find.
            scope.api().take_last_error();
        }
        Ok(())
    }

    pub(crate) fn handle(&self) -> FunctionHandle {
        self.handle
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({:#x})", self.handle.0)
    }
}

/// A [`Function`] with what its launches are bound to. Needed only while they
/// are made.
#[derive(Debug)]
pub struct BoundFunction(Function);

impl Deref for BoundFunction {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.0
    }
}

impl Drop for BoundFunction {
    fn drop(&mut self) {
        let Function { module, handle } = &self.0;
        let context = &module.0.context;
        // SAFETY: owned, and unbound only here.
        context.release(|api| unsafe { api.function_unbind(*handle) });
    }
}
