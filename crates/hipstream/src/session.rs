//! Sessions: a device, the modules that run on it, and their state.

mod argument;
mod chip;
mod output;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hal::{Device, Fence, StatusCode, Timeout, Timepoint};
use profile::{Activity, Name, Profiler};
use vm::{
    BytecodeModule, Context, Function, Invocation, Limits, ModuleId, NativeModule, Poll, Signature,
    Value,
};

pub use argument::{Argument, Element};
pub use output::{Output, Tensor};

use crate::modules::ProfiledModule;
use crate::modules::hal::{HalModule, types};
use crate::modules::io_parameters::IoParametersModule;
use crate::parameters::{ProgressObserver, Set};
use crate::{Error, Result, device, mapped};

/// The attribute of functions that return before their work is done.
const ABI_MODEL: &str = "iree.abi.model";
const COARSE_FENCES: &str = "coarse-fences";
/// The attribute that has a function's declaration as text.
const ABI_DECLARATION: &str = "iree.abi.declaration";
/// What a module exports to be called last.
const DEINITIALIZER: &str = "__deinit";

/// Modules loaded on a device, with their state.
///
/// ```
/// # fn main() -> hipstream::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gfx1100/add.vmfb");
/// let mut session = hipstream::Session::open("software")?;
/// // SAFETY: the module comes from our own compiler run.
/// unsafe { session.load_file(path)? };
///
/// let (a, b) = ([1f32; 1000], [2f32; 1000]);
/// let outputs = session.call("add", &[a.as_slice().into(), b.as_slice().into()])?;
/// let sum: Vec<f32> = outputs[0].to_vec()?;
/// assert_eq!(sum, [3.0; 1000]);
/// # Ok(())
/// # }
/// ```
///
/// A call that fails leaves the session usable for the next one.
pub struct Session {
    context: Context,
    devices: Vec<Device>,
    modules: Vec<ModuleId>,
    profiler: Option<Profiler>,
}

/// What a session is made of.
#[derive(Default)]
pub struct SessionBuilder {
    devices: Vec<Device>,
    limits: Limits,
    parameters: Arc<Set>,
    parameter_progress: Option<ProgressObserver>,
    tensor_trace: Option<Box<dyn io::Write + Send>>,
    natives: Vec<Box<dyn NativeModule>>,
    profiler: Option<Profiler>,
}

impl SessionBuilder {
    /// Adds a device. Programs see devices in the order they were added.
    #[must_use]
    pub fn device(mut self, device: &Device) -> Self {
        self.devices.push(device.clone());
        self
    }

    /// How much a program may use of the host.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets programs find the parameters that they name in these files;
    /// without, they find none. Several sessions may share a set.
    #[must_use]
    pub fn parameters(mut self, parameters: impl Into<Arc<Set>>) -> Self {
        self.parameters = parameters.into();
        self
    }

    /// Tells `observer` how loading parameters gets on.
    #[must_use]
    pub fn parameter_progress(mut self, observer: ProgressObserver) -> Self {
        self.parameter_progress = Some(observer);
        self
    }

    /// Writes arrays that programs trace (`flow.tensor.trace`) to `sink`, as
    /// text; without, they are dropped.
    #[must_use]
    pub fn tensor_trace(mut self, sink: impl io::Write + Send + 'static) -> Self {
        self.tensor_trace = Some(Box::new(sink));
        self
    }

    /// Adds a module of Rust functions that programs may call.
    #[must_use]
    pub fn native(mut self, module: Box<dyn NativeModule>) -> Self {
        self.natives.push(module);
        self
    }

    /// Tells `profiler` what calls spend their time on: [`Session::call`] is a
    /// call, and what [`Session::poll`] drives is recorded without being
    /// summed. What devices do it learns if they were opened with it too
    /// ([`device::Options`]).
    #[must_use]
    pub fn profiler(mut self, profiler: &Profiler) -> Self {
        self.profiler = Some(profiler.clone());
        self
    }

    /// The session, without modules of its own yet.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` without a device.
    pub fn build(self) -> Result<Session> {
        if self.devices.is_empty() {
            return Err(Error::new(
                StatusCode::InvalidArgument,
                "a session needs a device",
            ));
        }
        let mut context = Context::new(self.limits);
        let profiler = self.profiler;
        let mut register = |module: Box<dyn NativeModule>| {
            context.register(match &profiler {
                Some(profiler) => Box::new(ProfiledModule::new(module, profiler)),
                None => module,
            });
        };
        #[expect(
            unsafe_code,
            reason = "device code is as trusted as a shared library; see Session::load"
        )]
        // SAFETY: device code comes from modules only, and whoever loads one
        // by `Session::load` vouches for it.
        let mut hal = unsafe { HalModule::new(self.devices.clone()) };
        if let Some(sink) = self.tensor_trace {
            hal = hal.with_trace(sink);
        }
        register(Box::new(hal));
        let mut parameters = IoParametersModule::new(self.parameters);
        if let Some(observer) = self.parameter_progress {
            parameters = parameters.with_progress(observer);
        }
        register(Box::new(parameters));
        for module in self.natives {
            register(module);
        }
        Ok(Session {
            context,
            devices: self.devices,
            modules: Vec::new(),
            profiler,
        })
    }
}

impl Session {
    /// A session on the device that `spec` names; see [`device::open`].
    ///
    /// # Errors
    ///
    /// As [`device::open`].
    pub fn open(spec: &str) -> Result<Self> {
        let opened = device::open(spec, &device::Options::default())?;
        Self::builder().device(&opened.device).build()
    }

    /// What a session is made of, to be chosen one by one.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// The devices, as programs number them.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Gives `hook` each instruction of a program before it runs, as a line of
    /// text; `None` stops that.
    pub fn set_trace(&mut self, hook: Option<vm::TraceHook>) {
        self.context.set_trace(hook);
    }

    /// Loads a module from a file, which is mapped into memory and used in
    /// place: do not change it while the session lives. Otherwise as
    /// [`Session::load`].
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` and others if the file cannot be read; see [`Session::load`].
    ///
    /// # Safety
    ///
    /// As [`Session::load`]; and nobody cuts or rewrites the file meanwhile.
    #[expect(unsafe_code, reason = "device code is as trusted as a shared library")]
    pub unsafe fn load_file(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = mapped::map(path).map_err(|error| unreadable(path, &error))?;
        // SAFETY: the caller vouches for the code, and keeps the file as it is.
        unsafe { self.load(bytes) }.map_err(|error| error.context(path.display().to_string()))
    }

    /// Loads a module: verifies it, links it with what was loaded before, and
    /// runs its initializer, which makes the device code ready.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` and `OUT_OF_RANGE` for files that are malformed or
    /// cut short, `INCOMPATIBLE` for modules of another version or for another
    /// chip, `NOT_FOUND` for an import that nobody provides; otherwise what
    /// the initializer fails with. The session is then as it was before.
    ///
    /// # Safety
    ///
    /// A module carries code for the device. Whoever loads it vouches for it,
    /// as for a shared library: on a real GPU nothing else keeps it from
    /// doing harm.
    #[expect(unsafe_code, reason = "device code is as trusted as a shared library")]
    pub unsafe fn load(&mut self, file: Bytes) -> Result<()> {
        let profiler = self.profiler.clone();
        let _span = span(&profiler, Activity::Loading, || "load");
        let module = Arc::new(BytecodeModule::load(file)?);
        chip::check(module.file(), module.module(), &self.devices)?;
        let id = self.context.link(module)?;
        let initialized = match self.context.initializer(id) {
            Some(initializer) => self.run(initializer, Vec::new()).map(drop),
            None => Ok(()),
        };
        if let Err(error) = initialized {
            // Nobody can be using what was never ready.
            let _unlinked = self.context.unlink(id);
            return Err(error);
        }
        self.modules.push(id);
        Ok(())
    }

    /// Every function that can be called, of all modules in the order they
    /// were loaded.
    pub fn functions(&self) -> impl Iterator<Item = FunctionInfo<'_>> {
        self.modules.iter().flat_map(|&id| self.functions_of(id))
    }

    /// The functions of the main module: the one that was loaded last.
    pub fn main_functions(&self) -> impl Iterator<Item = FunctionInfo<'_>> {
        let main = self.modules.last();
        main.into_iter().flat_map(|&id| self.functions_of(id))
    }

    fn functions_of(&self, id: ModuleId) -> impl Iterator<Item = FunctionInfo<'_>> {
        let module = self
            .context
            .module(id)
            .expect("modules of a session stay linked");
        self.context
            .functions(id)
            .map(move |(name, function)| FunctionInfo {
                module,
                name,
                signature: self.context.signature(function),
                function,
            })
    }

    /// The function called `name` of the module loaded last that has one, or
    /// `module.name` of a certain module. `NOT_FOUND` if there is none; the
    /// message lists those there are.
    ///
    /// # Errors
    ///
    /// As said.
    pub fn function(&self, name: &str) -> Result<FunctionInfo<'_>> {
        let matches = |info: &FunctionInfo<'_>| {
            info.name() == name
                || name
                    .strip_prefix(info.module())
                    .and_then(|rest| rest.strip_prefix('.'))
                    == Some(info.name())
        };
        self.functions().filter(matches).last().ok_or_else(|| {
            let names: Vec<_> = self
                .functions()
                .filter(|info| !info.name().starts_with("__"))
                .map(|info| format!("`{}`", info.name()))
                .collect();
            Error::new(
                StatusCode::NotFound,
                match names.is_empty() {
                    true => {
                        format!("there is no function `{name}`: no module was loaded that has any")
                    }
                    false => format!(
                        "there is no function `{name}`; there are {}",
                        names.join(", ")
                    ),
                },
            )
        })
    }

    /// Calls a function and waits for its results.
    ///
    /// # Errors
    ///
    /// - `NOT_FOUND`: there is no such function;
    /// - `INVALID_ARGUMENT`: the arguments do not fit it: which one, what was
    ///   given and what it takes is said;
    /// - whatever the function fails with, with where that was
    ///   ([`Error::stack`]).
    pub fn call(&mut self, name: &str, arguments: &[Argument<'_>]) -> Result<Vec<Output>> {
        let profiler = self.profiler.clone();
        let _span = span(&profiler, Activity::Call, || name.to_owned());
        let task = self.start(name, arguments)?;
        self.wait(task)
    }

    /// Begins a call, to be driven by [`Session::poll`]. Several may be under
    /// way. Nothing runs yet but the copies of arguments to the device.
    ///
    /// # Errors
    ///
    /// As [`Session::call`] as far as name and arguments go.
    pub fn start(&self, name: &str, arguments: &[Argument<'_>]) -> Result<Task> {
        let _span = span(&self.profiler, Activity::Arguments, || "arguments");
        let info = self.function(name)?;
        let is_async = info.is_async();
        let function = info.function;
        let wanted = info.argument_kinds()?;
        if wanted.len() != arguments.len() {
            return Err(Error::new(
                StatusCode::InvalidArgument,
                format!(
                    "function `{}` takes {} arguments, {} were given",
                    info.name(),
                    wanted.len(),
                    arguments.len()
                ),
            )
            .with_help(info.usage()));
        }
        let device = &self.devices[0];
        let mut copies = Vec::new();
        let mut values = Vec::with_capacity(arguments.len() + 2);
        for (index, (argument, kind)) in arguments.iter().zip(wanted).enumerate() {
            let value = argument
                .to_value(kind, device, &mut copies)
                .map_err(|error| {
                    error
                        .context(format!("argument {index} of `{}`", info.name()))
                        .with_help(info.usage())
                })?;
            values.push(value);
        }
        let signal = if is_async {
            let signal = Fence::at(&device.create_semaphore(0)?, 1);
            let wait: Fence = copies.into_iter().collect();
            values.push(match wait.is_empty() {
                true => Value::Ref(None),
                false => types::FENCE.wrap(wait).into(),
            });
            values.push(types::FENCE.wrap(signal.clone()).into());
            Some(signal)
        } else {
            self.order(copies)?;
            None
        };
        Ok(Task {
            invocation: Invocation::new(&self.context, function, values)?,
            signal,
            results: None,
        })
    }

    /// Goes on with a call as far as it gets without waiting.
    ///
    /// # Errors
    ///
    /// What the function fails with; the task is of no use then.
    pub fn poll(&mut self, task: &mut Task) -> Result<Progress> {
        let values = match task.results.take() {
            Some(values) => values,
            None => match self.interpret(task)? {
                Poll::Done(values) => values,
                Poll::Waiting { on, deadline } => {
                    let fence = types::FENCE.of(&on).cloned().ok_or_else(|| {
                        Error::new(
                            StatusCode::Internal,
                            format!(
                                "a function waits for a {}, which nobody can",
                                on.kind().name()
                            ),
                        )
                    })?;
                    return Ok(Progress::Waiting { fence, deadline });
                }
                Poll::Yielded => {
                    return Ok(Progress::Waiting {
                        fence: Fence::new(),
                        deadline: None,
                    });
                }
            },
        };
        if let Some(signal) = &task.signal
            && !signal.query()?
        {
            task.results = Some(values);
            return Ok(Progress::Waiting {
                fence: signal.clone(),
                deadline: None,
            });
        }
        let device = &self.devices[0];
        let outputs = values
            .into_iter()
            .map(|value| Output::from_value(value, device))
            .collect();
        Ok(Progress::Done(outputs))
    }

    /// Waits for a call to end.
    ///
    /// # Errors
    ///
    /// What the function fails with.
    pub fn wait(&mut self, mut task: Task) -> Result<Vec<Output>> {
        loop {
            match self.poll(&mut task)? {
                Progress::Done(outputs) => return Ok(outputs),
                Progress::Waiting { fence, deadline } => {
                    let _span = span(&self.profiler, Activity::Waiting, || "wait");
                    wait(&fence, deadline);
                }
            }
        }
    }

    fn interpret(&mut self, task: &mut Task) -> Result<Poll, vm::Trap> {
        let _span = span(&self.profiler, Activity::Program, || "program");
        task.invocation.poll(&mut self.context, None)
    }

    /// Runs a function of a module to its end.
    fn run(&mut self, function: Function, arguments: Vec<Value>) -> Result<Vec<Output>> {
        let invocation = Invocation::new(&self.context, function, arguments)?;
        self.wait(Task {
            invocation,
            signal: None,
            results: None,
        })
    }

    /// Makes sure that copies come before what a function submits that knows
    /// nothing of them: work of one queue runs in order, that of several does
    /// not.
    fn order(&self, copies: Vec<Timepoint>) -> Result<()> {
        let is_ordered = self.devices.len() == 1 && self.devices[0].queues().len() == 1;
        if is_ordered {
            return Ok(());
        }
        let fence: Fence = copies.into_iter().collect();
        Ok(fence.wait(Timeout::Infinite)?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Modules end in the opposite order of their loading. What they fail
        // with then, nobody is there to hear.
        for id in std::mem::take(&mut self.modules).into_iter().rev() {
            if let Some(end) = self.context.lookup(id, DEINITIALIZER) {
                let _unheard = self.run(end, Vec::new());
            }
            let _unlinked = self.context.unlink(id);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Session({} modules on {:?})",
            self.modules.len(),
            self.devices
        )
    }
}

/// A call under way. Dropping it gives the call up; work that it has submitted
/// to the device runs to its end.
pub struct Task {
    invocation: Invocation,
    /// Signalled when the work of an asynchronous function is done.
    signal: Option<Fence>,
    /// Results of a function whose work is not done yet.
    results: Option<Vec<Value>>,
}

/// How far a call has come.
#[derive(Debug)]
pub enum Progress {
    /// To its end.
    Done(Vec<Output>),
    /// It can go on once `fence` is reached or has failed; one without points
    /// is reached already. It wants to go on at `deadline` at the latest.
    Waiting {
        /// What it waits for.
        fence: Fence,
        /// Until when.
        deadline: Option<Instant>,
    },
}

/// A function that can be called.
#[derive(Clone, Copy)]
pub struct FunctionInfo<'a> {
    module: &'a BytecodeModule,
    name: &'a str,
    signature: &'a Signature,
    function: Function,
}

impl<'a> FunctionInfo<'a> {
    /// Name of its module.
    pub fn module(&self) -> &'a str {
        self.module.name()
    }

    /// Its name in the module.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its calling convention.
    pub fn signature(&self) -> &'a Signature {
        self.signature
    }

    /// What the compiler was given, as text, if the module says.
    pub fn declaration(&self) -> Option<&'a str> {
        self.attribute(ABI_DECLARATION)
    }

    /// Whether it returns before its work is done. [`Session::call`] waits for
    /// that.
    pub fn is_async(&self) -> bool {
        self.attribute(ABI_MODEL) == Some(COARSE_FENCES)
    }

    /// What the module says of it under `key`.
    pub fn attribute(&self, key: &str) -> Option<&'a str> {
        let functions = &self.module.module().functions;
        functions
            .get(self.function.ordinal() as usize)?
            .attrs
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The kinds of the arguments that a caller gives; the fences of an
    /// asynchronous function are not among them.
    ///
    /// # Errors
    ///
    /// `UNIMPLEMENTED` for a function with repeated arguments, which is for
    /// other modules to call.
    pub fn argument_kinds(&self) -> Result<Vec<vm::Kind>> {
        let mut kinds = self.signature().plain_args().ok_or_else(|| {
            Error::new(
                StatusCode::Unimplemented,
                format!(
                    "`{}` takes any number of arguments and cannot be called from outside",
                    self.name()
                ),
            )
        })?;
        if self.is_async() {
            kinds.truncate(kinds.len().saturating_sub(2));
        }
        Ok(kinds)
    }

    fn usage(&self) -> String {
        match self.declaration() {
            Some(declaration) => format!("it is declared `{declaration}`"),
            None => format!("its calling convention is `{}`", self.signature()),
        }
    }
}

impl fmt::Debug for FunctionInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {}", self.module(), self.name(), self.signature())
    }
}

/// A span, if somebody is to know of it.
fn span<N: Into<Name>>(
    profiler: &Option<Profiler>,
    activity: Activity,
    name: impl FnOnce() -> N,
) -> Option<profile::Span<'_>> {
    let profiler = profiler.as_ref()?;
    Some(profiler.span(activity, name()))
}

/// Sleeps until the fence is reached or has failed, or until the deadline.
fn wait(fence: &Fence, deadline: Option<Instant>) {
    // How it ended, whoever waits sees when it looks at the fence again.
    let _ended = fence.wait(deadline.map_or(Timeout::Infinite, Timeout::At));
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NotFound,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        io::ErrorKind::InvalidInput => StatusCode::InvalidArgument,
        _ => StatusCode::Unavailable,
    };
    Error::new(code, format!("{}: {error}", path.display()))
}
