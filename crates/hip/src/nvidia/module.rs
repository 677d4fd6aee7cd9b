//! Modules and kernel launches. PTX is compiled by the driver, and what comes
//! out is kept on disk; machine code is loaded as it is.

use std::ffi::{CString, c_void};
use std::sync::PoisonError;

use super::symbols::LinkState;
use super::{Nvidia, abi, call, device};
use crate::cache::Key;
use crate::{Api, Code, DevicePtr, Error, FunctionHandle, ModuleHandle, Result, inspect};

/// Most bytes of the compiler's messages that are kept.
const LOG_BYTES: usize = 8192;

pub(super) fn load(nv: &Nvidia, image: &[u8]) -> Result<ModuleHandle> {
    if !inspect::is_ptx(image) {
        return load_image(nv, image).map_err(|error| explain(nv, image, error));
    }
    // The driver reads PTX up to a zero.
    let mut text = image.to_vec();
    if text.last() != Some(&0) {
        text.push(0);
    }
    load_ptx(nv, &text).map_err(|error| explain(nv, image, error))
}

fn load_ptx(nv: &Nvidia, text: &[u8]) -> Result<ModuleHandle> {
    let (Some(cache), true) = (&nv.cache, can_link(nv)) else {
        return load_image(nv, text);
    };
    let key = Key::new(&compiler(nv)?, text);
    if let Some(code) = cache.find(&key) {
        // What the driver does not take is as good as damaged.
        if let Ok(module) = load_image(nv, &code) {
            return Ok(module);
        }
    }
    let code = compile(nv, text)?;
    cache.keep(&key, &code);
    load_image(nv, &code)
}

/// What besides the PTX decides what machine code comes out: the driver, which
/// holds the compiler, and the chip.
fn compiler(nv: &Nvidia) -> Result<String> {
    let chip = device::arch(nv, device::current(nv)?)?;
    let version = nv.runtime_version()?;
    let path = nv.info.library.as_deref();
    let library = path.and_then(|path| Some(path.canonicalize().ok()?.file_name()?.to_owned()));
    let library = library.unwrap_or_default();
    Ok(format!("cuda {version} {} {chip}", library.display()))
}

fn can_link(nv: &Nvidia) -> bool {
    let symbols = &nv.symbols;
    symbols.link_create.is_present()
        && symbols.link_add_data.is_present()
        && symbols.link_complete.is_present()
        && symbols.link_destroy.is_present()
}

/// The machine code for the current context's device of PTX that ends with a zero.
fn compile(nv: &Nvidia, text: &[u8]) -> Result<Vec<u8>> {
    let mut log = Log::new();
    let (mut options, mut values) = log.options();
    let (options, values) = (options.as_mut_ptr(), values.as_mut_ptr());
    let mut state = LinkState(0);
    call!(nv.link_create(2, options, values, &mut state))?;
    let code = link(nv, state, text);
    let destroyed = call!(nv.link_destroy(state));
    let code = code.map_err(|error| log.add_to(error))?;
    destroyed.map(|()| code)
}

fn link(nv: &Nvidia, state: LinkState, text: &[u8]) -> Result<Vec<u8>> {
    let (data, bytes) = (text.as_ptr().cast(), text.len());
    let none = std::ptr::null_mut();
    let name = c"ptx".as_ptr();
    let kind = abi::JIT_INPUT_PTX;
    call!(nv.link_add_data(state, kind, data, bytes, name, 0, none, none.cast()))?;
    let (mut code, mut bytes) = (std::ptr::null(), 0);
    call!(nv.link_complete(state, &mut code, &mut bytes))?;
    if code.is_null() {
        return Err(Error::new(Code::UNKNOWN, "cuLinkComplete"));
    }
    // SAFETY: the driver says it owns so many bytes there until the state is
    // destroyed, which comes after this.
    Ok(unsafe { std::slice::from_raw_parts(code, bytes) }.to_vec())
}

/// Loads machine code or PTX that ends with a zero; the driver copies it.
fn load_image(nv: &Nvidia, image: &[u8]) -> Result<ModuleHandle> {
    // In words, so that it is aligned.
    let words: Box<[u64]> = image
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        })
        .collect();
    let mut log = Log::new();
    let (mut options, mut values) = log.options();
    let (options, values) = (options.as_mut_ptr(), values.as_mut_ptr());
    let image: *const c_void = words.as_ptr().cast();
    let mut module = ModuleHandle::default();
    let result = call!(nv.module_load(&mut module, image, 2, options, values));
    result.map_err(|error| log.add_to(error))?;
    Ok(module)
}

/// Where the compiler writes what it does not like.
struct Log(Vec<u8>);

impl Log {
    fn new() -> Self {
        Self(vec![0; LOG_BYTES])
    }

    /// The options that name the log, and their values. The driver writes to
    /// the log while it compiles.
    fn options(&mut self) -> ([i32; 2], [*mut c_void; 2]) {
        let options = [
            abi::JIT_ERROR_LOG_BUFFER,
            abi::JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
        ];
        let values = [
            self.0.as_mut_ptr().cast(),
            std::ptr::without_provenance_mut(LOG_BYTES - 1),
        ];
        (options, values)
    }

    fn add_to(&self, error: Error) -> Error {
        let text = match (log_text(&self.0), &error.detail) {
            (text, _) if text.is_empty() => return error,
            (text, None) => text,
            (text, Some(detail)) => format!("{detail}; {text}"),
        };
        Error::with_detail(error.code, error.call, text)
    }
}

/// What stands in a log before its first zero.
pub(super) fn log_text(log: &[u8]) -> String {
    let length = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
    String::from_utf8_lossy(&log[..length]).trim().to_owned()
}

/// Adds to the refusal of an image that it is for another chip, if it is.
fn explain(nv: &Nvidia, image: &[u8], error: Error) -> Error {
    let may_be_the_image = [
        Code::INVALID_IMAGE,
        Code::NO_BINARY_FOR_GPU,
        Code::INVALID_KERNEL_FILE,
    ];
    let chip = || device::arch(nv, device::current(nv).ok()?).ok();
    if !may_be_the_image.contains(&error.code) {
        return error;
    }
    let problem = match inspect::ptx_target(image) {
        Some(target) => match chip() {
            Some(chip) if !inspect::runs_on(target, &chip) => {
                format!("the code is for {target}, the device is {chip}")
            }
            _ => return error,
        },
        None if image.starts_with(b"\x7fELF") => return error,
        None => "neither PTX nor an ELF file".to_owned(),
    };
    let detail = match &error.detail {
        Some(log) => format!("{problem}; {log}"),
        None => problem,
    };
    Error::with_detail(error.code, error.call, detail)
}

/// What our function handles lead to.
pub(super) struct Kernel {
    /// The driver's handle.
    pub(super) function: FunctionHandle,
    /// Bytes of the arguments it takes. The driver refuses to be given more,
    /// and programs give also what a kernel turned out not to need.
    pub(super) argument_bytes: usize,
}

/// The kernels of a module. Their addresses are our handles, so they stay put.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "a vector moves what is in it")]
pub(super) struct Kernels(Vec<Box<Kernel>>);

pub(super) fn function(nv: &Nvidia, module: ModuleHandle, name: &str) -> Result<FunctionHandle> {
    let c_name = c_name(name, "cuModuleGetFunction")?;
    let mut function = FunctionHandle::default();
    call!(nv.module_function(&mut function, module, c_name.as_ptr()))
        .map_err(|error| name_in_error(error, name))?;
    let kernel = Box::new(Kernel {
        function,
        argument_bytes: argument_bytes(nv, function)?,
    });
    let handle = std::ptr::from_ref(&*kernel).expose_provenance();
    let mut kernels = nv.kernels.lock().unwrap_or_else(PoisonError::into_inner);
    kernels.entry(module).or_default().0.push(kernel);
    Ok(FunctionHandle(handle))
}

/// Where the last argument ends; no limit where the driver cannot tell.
fn argument_bytes(nv: &Nvidia, function: FunctionHandle) -> Result<usize> {
    if !nv.symbols.function_parameter.is_present() {
        return Ok(usize::MAX);
    }
    let mut end = 0;
    for index in 0.. {
        let (mut offset, mut bytes) = (0, 0);
        let told = call!(nv.function_parameter(function, index, &mut offset, &mut bytes));
        // That there is no such parameter is how the driver says that there are no more.
        if !nv.answer(told, Code::INVALID_VALUE)? {
            break;
        }
        end = end.max(offset + bytes);
    }
    Ok(end)
}

/// What a function handle leads to.
pub(super) fn kernel<'a>(function: FunctionHandle) -> &'a Kernel {
    // SAFETY: by the contract of `Api` the handle was made by `function` above
    // and its module is loaded, so the box is where it was.
    unsafe { &*std::ptr::with_exposed_provenance(function.0) }
}

pub(super) fn unload(nv: &Nvidia, module: ModuleHandle) -> Result<()> {
    let result = call!(nv.module_unload(module));
    let mut kernels = nv.kernels.lock().unwrap_or_else(PoisonError::into_inner);
    kernels.remove(&module);
    result
}

fn c_name(name: &str, call: &'static str) -> Result<CString> {
    CString::new(name).map_err(|_| {
        Error::with_detail(
            Code::INVALID_VALUE,
            call,
            format!("{name:?} contains a zero byte"),
        )
    })
}

pub(super) fn global(nv: &Nvidia, module: ModuleHandle, name: &str) -> Result<(DevicePtr, u64)> {
    let c_name = c_name(name, "cuModuleGetGlobal_v2")?;
    let (mut ptr, mut bytes) = (DevicePtr::NULL, 0);
    call!(nv.module_global(&mut ptr, &mut bytes, module, c_name.as_ptr()))
        .map_err(|error| name_in_error(error, name))?;
    Ok((ptr, bytes as u64))
}

fn name_in_error(error: Error, name: &str) -> Error {
    match error.detail {
        Some(_) => error,
        None => Error::with_detail(error.code, error.call, format!("{name:?}")),
    }
}

/// The `extra` list that hands over packed kernel arguments. It borrows what
/// its pointers lead to only by their addresses: both must stay.
pub(super) fn launch_parameters(kernarg: &[u8], bytes: &mut usize) -> [*mut c_void; 5] {
    [
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_BUFFER_POINTER),
        kernarg.as_ptr().cast_mut().cast(),
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_BUFFER_SIZE),
        std::ptr::from_mut(bytes).cast(),
        std::ptr::without_provenance_mut(abi::LAUNCH_PARAM_END),
    ]
}
