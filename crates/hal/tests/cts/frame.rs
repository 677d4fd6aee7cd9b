//! Cases, what they run on, and how they become tests.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hal::{
    CommandBufferMode, Device, DeviceInfo, DeviceParams, Driver, DriverOptions, Executable,
    ExecutableParams, Status,
};
use libtest_mimic::{Completion, Failed, Trial};

use crate::known::KNOWN_FAILURES;
use crate::programs;

/// Something a device must do.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The module it stands in and its function, such as `buffer::mapping::fill_empty`.
    pub(crate) name: (&'static str, &'static str),
    /// What it depends on.
    pub(crate) scope: Scope,
    /// Does it.
    pub(crate) body: Body,
}

/// What a case does.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// This.
    Function(fn(&Fixture) -> Outcome),
    /// Runs a program of the fixtures and checks what it computes.
    Program(&'static fixtures::Case),
}

/// What a case depends on, and so how often it runs on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The device: once.
    Device,
    /// How commands reach it: once per command buffer mode.
    Mode,
    /// How they name buffers too: twice per command buffer mode.
    Bindings,
    /// Kernels too: as [`Scope::Bindings`], with each compiler generation's.
    Kernels,
}

/// Which compiler made the kernels: its containers tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The present one: containers with a `HIP1` or `CDA1` header.
    #[default]
    Present,
    /// That of early 2024: `ROCM` or `CUDA` flatbuffers.
    Early2024,
}

/// Makes a table of cases out of functions of the same module.
#[macro_export]
macro_rules! cases {
    ($scope:ident: $($case:ident,)*) => {
        &[$($crate::frame::Case {
            name: (module_path!(), stringify!($case)),
            scope: $crate::frame::Scope::$scope,
            body: $crate::frame::Body::Function($case),
        },)*]
    };
}

/// How a case ended.
pub(crate) type Outcome = Result<(), Stop>;

/// Why a case ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The device did wrong.
    Failed(String),
    /// The case has no meaning here.
    Skipped(String),
}

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Self::Failed(format!("{status:#}"))
    }
}

/// What a case runs on.
pub(crate) struct Fixture {
    /// Where the device comes from.
    pub(crate) driver: Driver,
    /// The device as it is listed.
    pub(crate) info: DeviceInfo,
    /// A device of the case's own.
    pub(crate) device: Device,
    /// Whether buffers are named by slots of a binding table.
    pub(crate) indirect: bool,
    /// Whose kernels are dispatched.
    pub(crate) generation: Generation,
}

impl Fixture {
    /// Whether work is done. The null provider does none: commands go
    /// through, and what they would have computed is not looked at.
    pub(crate) fn computes(&self) -> bool {
        self.driver.name() != NULL
    }

    /// Ends a case that is about what kernels compute, or what code a device takes.
    pub(crate) fn require_computing(&self) -> Outcome {
        if self.computes() {
            return Ok(());
        }
        Err(Stop::Skipped(
            "the null provider computes nothing".to_owned(),
        ))
    }

    /// The folder of the fixtures with the kernels for this device.
    pub(crate) fn target(&self) -> String {
        self.target_of(self.generation)
    }

    fn target_of(&self, generation: Generation) -> String {
        let chip = self.device.arch().split(':').next().unwrap_or_default();
        // One set is enough for all chips that compile what they load.
        let chip = if is_sm(chip) { "sm_80" } else { chip };
        match generation {
            Generation::Present => chip.to_owned(),
            Generation::Early2024 => format!("old_{chip}"),
        }
    }

    /// The container of the test kernels called `name`, for this device.
    pub(crate) fn kernels(&self, name: &str) -> Result<Vec<u8>, Stop> {
        self.file(&format!("{name}.fb"))
    }

    /// A file of the test kernels for this device.
    fn file(&self, name: &str) -> Result<Vec<u8>, Stop> {
        self.file_of(self.generation, name)
    }

    /// The same of one compiler's making.
    pub(crate) fn file_of(&self, generation: Generation, name: &str) -> Result<Vec<u8>, Stop> {
        let relative = format!("{}/{name}", self.target_of(generation));
        if !fixtures::path(&relative).exists() {
            return Err(Stop::Skipped(format!("there is no fixture {relative}")));
        }
        Ok(fixtures::read(&relative))
    }

    /// The bare code of the test kernels called `name`, for this device.
    pub(crate) fn code(&self, name: &str) -> Result<Vec<u8>, Stop> {
        let extension = if is_sm(self.device.arch()) {
            "ptx"
        } else {
            "hsaco"
        };
        self.file(&format!("{name}.{extension}"))
    }

    /// Loads the test kernels called `name`.
    pub(crate) fn executable(&self, name: &str) -> Result<Executable, Stop> {
        Ok(self.prepare(&ExecutableParams::new(&self.kernels(name)?))?)
    }

    /// Loads code of this repository.
    pub(crate) fn prepare(&self, params: &ExecutableParams<'_>) -> hal::Result<Executable> {
        // SAFETY: the fixtures touch only the buffers they are given.
        unsafe { self.device.create_executable_cache().prepare(params) }
    }
}

/// One way to run cases.
#[derive(Clone)]
struct Variant {
    driver: Driver,
    info: DeviceInfo,
    mode: Option<CommandBufferMode>,
    indirect: Option<bool>,
    generation: Option<Generation>,
}

impl Variant {
    /// The variants of a device that cases of this scope run in.
    fn all(driver: &Driver, info: &DeviceInfo, scope: Scope) -> Vec<Self> {
        let modes: &[_] = match scope {
            Scope::Device => &[None],
            _ => &[
                Some(CommandBufferMode::Stream),
                Some(CommandBufferMode::Graph),
                Some(CommandBufferMode::Auto),
            ],
        };
        let bindings: &[_] = match scope {
            Scope::Bindings | Scope::Kernels => &[Some(false), Some(true)],
            _ => &[None],
        };
        let generations: &[_] = match scope {
            Scope::Kernels => &[Some(Generation::Present), Some(Generation::Early2024)],
            _ => &[None],
        };
        let mut variants = Vec::new();
        for &mode in modes {
            for &indirect in bindings {
                variants.extend(generations.iter().map(|&generation| Self {
                    driver: driver.clone(),
                    info: info.clone(),
                    mode,
                    indirect,
                    generation,
                }));
            }
        }
        variants
    }

    fn fixture(&self) -> hal::Result<Fixture> {
        let mut params = DeviceParams {
            queue_count: 2,
            ..self.driver.options().device.clone()
        };
        if let Some(mode) = self.mode {
            params.command_buffer_mode = mode;
        }
        Ok(Fixture {
            driver: self.driver.clone(),
            info: self.info.clone(),
            device: self.driver.create_device_by_id(self.info.id, &params)?,
            indirect: self.indirect.unwrap_or_default(),
            generation: self.generation.unwrap_or_default(),
        })
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.driver.name(), self.info.arch)?;
        if self.info.id > 1 {
            write!(f, "#{}", self.info.id - 1)?;
        }
        if let Some(mode) = self.mode {
            write!(f, "/{mode}")?;
        }
        match self.indirect {
            Some(true) => f.write_str("/indirect")?,
            Some(false) => f.write_str("/direct")?,
            None => {}
        }
        match (self.generation, is_sm(&self.info.arch)) {
            (Some(Generation::Present), false) => f.write_str("/hip1"),
            (Some(Generation::Early2024), false) => f.write_str("/rocm"),
            (Some(Generation::Present), true) => f.write_str("/cda1"),
            (Some(Generation::Early2024), true) => f.write_str("/cuda"),
            (None, _) => Ok(()),
        }
    }
}

/// Whether this is a chip of NVIDIA's.
fn is_sm(arch: &str) -> bool {
    arch.starts_with("sm_")
}

/// The provider that does nothing.
const NULL: &str = "null";

/// Every case in every variant that this machine has. For a provider that has
/// no device each case is there too, ignored with the reason.
pub(crate) fn trials(cases: &[Case]) -> Vec<Trial> {
    for known in KNOWN_FAILURES {
        let exists = cases.iter().any(|case| case.to_string() == known.case);
        assert!(exists, "no case `{}` to be known to fail", known.case);
    }
    let known_providers = Driver::KNOWN.iter().map(|(name, _)| *name);
    let mut trials = Vec::new();
    for provider in known_providers.chain([NULL]) {
        match devices(provider) {
            Ok((driver, infos)) => {
                for (info, &case) in infos
                    .iter()
                    .flat_map(|info| cases.iter().map(move |case| (info, case)))
                {
                    let variants = Variant::all(&driver, info, case.scope);
                    trials.extend(variants.into_iter().map(|variant| trial(variant, case)));
                }
            }
            Err(reason) => {
                trials.extend(cases.iter().map(|&case| ignored(provider, case, &reason)));
            }
        }
    }
    trials
}

/// The devices of a provider, at least one, or why there are none.
fn devices(provider: &str) -> Result<(Driver, Vec<DeviceInfo>), String> {
    let options = DriverOptions::default();
    let driver = match provider {
        NULL => Driver::with_api(NULL, hip::null(), options),
        _ => Driver::open(provider, options),
    };
    let driver = driver.map_err(|status| status.message().to_owned())?;
    let infos = driver.enumerate().map_err(|status| format!("{status:#}"))?;
    if infos.is_empty() {
        return Err("no device".to_owned());
    }
    Ok((driver, infos))
}

fn ignored(provider: &str, case: Case, reason: &str) -> Trial {
    // The whole list of places that were searched is for `hipstream devices`.
    let reason = reason.lines().next().unwrap_or_default().to_owned();
    let name = format!("[{provider}] {case}");
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
}

fn trial(variant: Variant, case: Case) -> Trial {
    let (variant_name, case_name) = (variant.to_string(), case.to_string());
    let known = KNOWN_FAILURES
        .iter()
        .find(|known| known.case == case_name && known.covers(&variant_name));
    Trial::ignorable_test(format!("[{variant_name}] {case_name}"), move || {
        let _turn = Turn::take(case);
        let outcome = match variant.fixture() {
            Ok(fixture) => run(case, &fixture),
            Err(status) => Err(Stop::from(status.context("creating the device"))),
        };
        match (outcome, known) {
            (Ok(()), None) => Ok(Completion::Completed),
            (Ok(()), Some(_)) => Err(Failed::from(
                "it passes: take it off the list of known failures",
            )),
            (Err(Stop::Skipped(reason)), _) => Ok(Completion::ignored_with(reason)),
            (Err(Stop::Failed(message)), Some(known)) if message.contains(known.symptom) => Ok(
                Completion::ignored_with(format!("known failure: {}", known.reason)),
            ),
            (Err(Stop::Failed(message)), _) => Err(Failed::from(message)),
        }
    })
}

/// The right to run now. A case that keeps a device busy until it has looked
/// around runs alone: what others do meanwhile, such as freeing memory, may
/// wait for the device with the driver's locks held.
enum Turn {
    Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'static, ()>),
    Among(#[expect(dead_code, reason = "held")] RwLockReadGuard<'static, ()>),
}

impl Turn {
    fn take(case: Case) -> Self {
        static TURNS: RwLock<()> = RwLock::new(());
        // A case that panics is caught before it could poison the lock.
        if case.name.0.ends_with("queue::in_flight") {
            Self::Alone(TURNS.write().unwrap_or_else(PoisonError::into_inner))
        } else {
            Self::Among(TURNS.read().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// Runs a case; a failed assertion is a failure as any other.
fn run(case: Case, fixture: &Fixture) -> Outcome {
    let body = || match case.body {
        Body::Function(function) => function(fixture),
        Body::Program(program) => programs::run(fixture, program),
    };
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panicked");
        Err(Stop::Failed(message.to_owned()))
    })
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, function) = self.name;
        let module = module.split_once("::").map_or(module, |(_, inner)| inner);
        write!(f, "{module}::{function}")
    }
}
