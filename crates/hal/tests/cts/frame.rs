//! Cases, what they run on, and how they become tests.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use hal::{
    CommandBufferMode, Device, DeviceInfo, DeviceParams, Driver, DriverOptions, Executable,
    ExecutableParams, Status,
};
use libtest_mimic::{Completion, Failed, Trial};

/// Something a device must do.
pub(crate) struct Case {
    /// The module it stands in and its function, such as `buffer::mapping::fill_empty`.
    pub(crate) name: (&'static str, &'static str),
    /// What it depends on.
    pub(crate) scope: Scope,
    /// Does it.
    pub(crate) run: fn(&Fixture) -> Outcome,
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
}

/// Makes a table of cases out of functions of the same module.
#[macro_export]
macro_rules! cases {
    ($scope:ident: $($case:ident,)*) => {
        &[$($crate::frame::Case {
            name: (module_path!(), stringify!($case)),
            scope: $crate::frame::Scope::$scope,
            run: $case,
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

/// A case that fails on some device, and why that is known.
struct KnownFailure {
    /// Start of the variant's name: a provider, or more of it.
    variant: &'static str,
    /// The case, as it is printed.
    case: &'static str,
    reason: &'static str,
}

/// Cases that are known to fail. They run all the same: one that passes fails
/// the suite until its row goes.
const KNOWN_FAILURES: &[KnownFailure] = &[KnownFailure {
    variant: "software",
    case: "command_buffer::push::dispatch_abs_of_the_older_compiler",
    reason: "the older compiler chose waves of 64 lanes, of which the software GPU executes none yet",
}];

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
}

impl Fixture {
    /// The container of the test kernels called `name`, for this device.
    pub(crate) fn kernels(&self, name: &str) -> Result<Vec<u8>, Stop> {
        self.file(&format!("{name}.fb"))
    }

    /// A file of the test kernels for this device.
    pub(crate) fn file(&self, name: &str) -> Result<Vec<u8>, Stop> {
        let chip = self.device.arch().split(':').next().unwrap_or_default();
        let relative = format!("{chip}/{name}");
        if !fixtures::path(&relative).exists() {
            return Err(Stop::Skipped(format!("there is no fixture {relative}")));
        }
        Ok(fixtures::read(&relative))
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
}

impl Variant {
    /// The variants of a device that cases of this scope run in.
    fn all(driver: &Driver, info: &DeviceInfo, scope: Scope) -> Vec<Self> {
        let modes: &[_] = match scope {
            Scope::Device => &[None],
            _ => &[
                Some(CommandBufferMode::Stream),
                Some(CommandBufferMode::Graph),
            ],
        };
        let bindings: &[_] = match scope {
            Scope::Bindings => &[Some(false), Some(true)],
            _ => &[None],
        };
        modes
            .iter()
            .flat_map(|&mode| bindings.iter().map(move |&indirect| (mode, indirect)))
            .map(|(mode, indirect)| Self {
                driver: driver.clone(),
                info: info.clone(),
                mode,
                indirect,
            })
            .collect()
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
            indirect: self.indirect.unwrap_or(false),
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
            Some(true) => f.write_str("/indirect"),
            Some(false) => f.write_str("/direct"),
            None => Ok(()),
        }
    }
}

/// Every case in every variant that this machine has. For a provider that has
/// no device each case is there too, ignored with the reason.
pub(crate) fn trials(cases: &[&'static Case]) -> Vec<Trial> {
    for known in KNOWN_FAILURES {
        let exists = cases.iter().any(|case| case_name(case) == known.case);
        assert!(exists, "no case `{}` to be known to fail", known.case);
    }
    let mut trials = Vec::new();
    for (provider, _) in Driver::KNOWN {
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
                trials.extend(cases.iter().map(|case| ignored(provider, case, &reason)));
            }
        }
    }
    trials
}

/// The devices of a provider, at least one, or why there are none.
fn devices(provider: &str) -> Result<(Driver, Vec<DeviceInfo>), String> {
    let driver = Driver::open(provider, DriverOptions::default());
    let driver = driver.map_err(|status| status.message().to_owned())?;
    let infos = driver.enumerate().map_err(|status| format!("{status:#}"))?;
    if infos.is_empty() {
        return Err("no device".to_owned());
    }
    Ok((driver, infos))
}

fn ignored(provider: &str, case: &Case, reason: &str) -> Trial {
    // The whole list of places that were searched is for `hipstream devices`.
    let reason = reason.lines().next().unwrap_or_default().to_owned();
    let name = format!("[{provider}] {}", case_name(case));
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
}

fn trial(variant: Variant, case: &'static Case) -> Trial {
    let (variant_name, case_name) = (variant.to_string(), case_name(case));
    let known = KNOWN_FAILURES
        .iter()
        .find(|known| variant_name.starts_with(known.variant) && known.case == case_name);
    Trial::ignorable_test(format!("[{variant_name}] {case_name}"), move || {
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
            (Err(Stop::Failed(_)), Some(known)) => Ok(Completion::ignored_with(format!(
                "known failure: {}",
                known.reason
            ))),
            (Err(Stop::Failed(message)), None) => Err(Failed::from(message)),
        }
    })
}

/// Runs a case; a failed assertion is a failure as any other.
fn run(case: &Case, fixture: &Fixture) -> Outcome {
    panic::catch_unwind(AssertUnwindSafe(|| (case.run)(fixture))).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panicked");
        Err(Stop::Failed(message.to_owned()))
    })
}

fn case_name(case: &Case) -> String {
    let (module, function) = case.name;
    let module = module.split_once("::").map_or(module, |(_, inner)| inner);
    format!("{module}::{function}")
}
