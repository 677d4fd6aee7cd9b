//! Drivers: where devices come from.

mod options;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use hip::{Api, DeviceAttribute, Observer, ProviderInfo, TraceSink};
use profile::Profiler;

pub use options::{DRIVER_OPTIONS, DriverOptions};

use crate::{Device, DeviceParams, Result, Status};

/// A provider of devices, ready to enumerate them. Cheap to clone.
#[derive(Clone)]
pub struct Driver(Arc<Inner>);

struct Inner {
    name: String,
    api: Arc<dyn Api>,
    options: DriverOptions,
}

/// Who watches what a driver does. Nobody is the default, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Observers {
    /// Gets every call to the layer below as a line of text.
    pub trace: Option<TraceSink>,
    /// Records what host and devices do, and when.
    pub profiler: Option<Profiler>,
    /// Looks into kernels, which the software GPU alone allows; takes the place
    /// of [`DriverOptions::observer`].
    pub kernels: Option<Observer>,
}

impl Driver {
    /// Names and descriptions of the drivers that [`Driver::open`] knows.
    pub const KNOWN: &'static [(&'static str, &'static str)] = hip::PROVIDERS;

    /// Opens the driver called `name`. `UNAVAILABLE` if there is none, or if
    /// its library was not found: the message lists everything tried.
    pub fn open(name: &str, options: DriverOptions) -> Result<Self> {
        let api = Self::open_api(name, &options)?;
        Self::with_api(name, api, options)
    }

    /// As [`Driver::open`], watched.
    pub fn open_observed(name: &str, mut options: DriverOptions, by: &Observers) -> Result<Self> {
        if let Some(observer) = &by.kernels {
            options.observer = Some(observer.clone());
        }
        let mut api = Self::open_api(name, &options)?;
        if let Some(profiler) = &by.profiler {
            api = hip::profiled(api, profiler.clone());
        }
        if let Some(sink) = &by.trace {
            api = hip::trace(api, sink.clone());
        }
        Self::with_api(name, api, options)
    }

    /// A driver over a provider that exists already.
    pub fn with_api(name: &str, api: Arc<dyn Api>, options: DriverOptions) -> Result<Self> {
        api.init()?;
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            api,
            options,
        })))
    }

    fn open_api(name: &str, options: &DriverOptions) -> Result<Arc<dyn Api>> {
        let options = hip::OpenOptions {
            library_paths: options.library_paths.clone(),
            code_cache: options.code_cache.clone(),
            chip: options.chip.clone(),
            observer: options.observer.clone(),
        };
        hip::open(name, &options).map_err(|error| match error {
            hip::OpenError::Unobservable(_) => Status::invalid_argument(error.to_string()),
            _ => Status::unavailable(error.to_string()),
        })
    }

    /// Its registered name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Who answers, and from which library.
    pub fn provider(&self) -> &ProviderInfo {
        self.0.api.provider()
    }

    /// How it was set up.
    pub fn options(&self) -> &DriverOptions {
        &self.0.options
    }

    /// Every device, by ordinal. Empty when there is none.
    pub fn enumerate(&self) -> Result<Vec<DeviceInfo>> {
        self.devices()?.iter().map(DeviceInfo::query).collect()
    }

    /// Creates a device by its [`DeviceInfo::id`]; 0 is the default device.
    ///
    /// `UNAVAILABLE` if there is no device at all, `NOT_FOUND` for an id that
    /// does not exist.
    pub fn create_device_by_id(&self, id: u64, params: &DeviceParams) -> Result<Device> {
        match id.checked_sub(1) {
            Some(ordinal) => self.create_device_by_ordinal(ordinal, params),
            None => {
                let devices = self.devices()?;
                if devices.is_empty() {
                    return Err(Status::unavailable(format!(
                        "the driver `{}` has no compatible device",
                        self.0.name
                    )));
                }
                self.create(&devices, self.0.options.default_device.into(), params)
            }
        }
    }

    /// Creates a device by its position, from 0. `NOT_FOUND` if there are not
    /// that many.
    pub fn create_device_by_ordinal(&self, ordinal: u64, params: &DeviceParams) -> Result<Device> {
        self.create(&self.devices()?, ordinal, params)
    }

    /// Creates a device by path: `GPU-` and its UUID, an ordinal, or nothing
    /// for the default device.
    ///
    /// `INVALID_ARGUMENT` for a malformed UUID, `NOT_FOUND` for a device that
    /// is not there, `UNIMPLEMENTED` for a path of any other kind.
    pub fn create_device_by_path(&self, path: &str, params: &DeviceParams) -> Result<Device> {
        if path.is_empty() {
            return self.create_device_by_id(0, params);
        }
        if let Some(text) = path.strip_prefix(UUID_PREFIX) {
            let uuid = parse_uuid(text).ok_or_else(|| {
                Status::invalid_argument(format!(
                    "`{path}` is no device path: a UUID has 32 hexadecimal digits"
                ))
            })?;
            for device in self.devices()? {
                if device.uuid()?.0 == uuid {
                    return Device::new(&device, params.clone());
                }
            }
            return Err(Status::not_found(format!(
                "no device has the path `{path}`"
            )));
        }
        match path.parse() {
            Ok(ordinal) => self.create_device_by_ordinal(ordinal, params),
            Err(_) => Err(Status::unimplemented(format!(
                "device paths are `{UUID_PREFIX}<uuid>` or an ordinal, not `{path}`"
            ))),
        }
    }

    /// What is known about the device with this id, as lines of text.
    pub fn dump_device_info(&self, id: u64) -> Result<String> {
        let devices = self.devices()?;
        let ordinal = match id.checked_sub(1) {
            Some(ordinal) => ordinal,
            None => self.0.options.default_device.into(),
        };
        let device = self.nth(&devices, ordinal)?;
        describe(device, self.provider())
    }

    fn devices(&self) -> Result<Vec<hip::Device>> {
        Ok(hip::Device::enumerate(&self.0.api)?)
    }

    fn create(
        &self,
        devices: &[hip::Device],
        ordinal: u64,
        params: &DeviceParams,
    ) -> Result<Device> {
        Device::new(self.nth(devices, ordinal)?, params.clone())
    }

    fn nth<'a>(&self, devices: &'a [hip::Device], ordinal: u64) -> Result<&'a hip::Device> {
        usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| devices.get(ordinal))
            .ok_or_else(|| {
                let range = match devices.len() {
                    0 => "no devices".to_owned(),
                    1 => "device 0 only".to_owned(),
                    count => format!("devices 0 to {}", count - 1),
                };
                Status::not_found(format!(
                    "there is no device {ordinal}: the driver `{}` has {range}",
                    self.0.name
                ))
            })
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Driver({}, {:?})", self.0.name, self.provider())
    }
}

/// A device that could be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Ordinal + 1; 0 means the default device.
    pub id: u64,
    /// `GPU-` and the UUID: 40 characters.
    pub path: String,
    /// Marketing name.
    pub name: String,
    /// Target architecture, such as `gfx1100`.
    pub arch: String,
}

impl DeviceInfo {
    fn query(device: &hip::Device) -> Result<Self> {
        Ok(Self {
            id: u64::from(device.ordinal()) + 1,
            path: format!("{UUID_PREFIX}{}", device.uuid()?),
            name: device.name()?,
            arch: device.arch()?,
        })
    }
}

const UUID_PREFIX: &str = "GPU-";

/// The 16 bytes of a UUID: 32 digits, with or without hyphens between bytes.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut digits = text.bytes().filter(|&c| c != b'-');
    for byte in &mut bytes {
        let high = char::from(digits.next()?).to_digit(16)?;
        let low = char::from(digits.next()?).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

fn describe(device: &hip::Device, provider: &ProviderInfo) -> Result<String> {
    use DeviceAttribute as A;
    let get = |attribute| -> Result<i32> { Ok(device.attribute(attribute)?) };
    let yes = |attribute| -> Result<&str> { Ok(if get(attribute)? != 0 { "yes" } else { "no" }) };
    let mega = |hertz_in_thousands: i32| hertz_in_thousands / 1000;
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        text.push_str(&format!("- {what}: {value}\n"));
    };
    line("provider", provider.name.to_owned());
    if let Some(library) = &provider.library {
        line("library", library.display().to_string());
    }
    line("architecture", device.arch()?);
    line(
        "compute capability",
        format!(
            "{}.{}",
            get(A::ComputeCapabilityMajor)?,
            get(A::ComputeCapabilityMinor)?
        ),
    );
    line(
        "most threads per workgroup",
        format!(
            "{} ({} x {} x {})",
            get(A::MaxThreadsPerBlock)?,
            get(A::MaxBlockDimX)?,
            get(A::MaxBlockDimY)?,
            get(A::MaxBlockDimZ)?
        ),
    );
    line(
        "registers per workgroup",
        get(A::MaxRegistersPerBlock)?.to_string(),
    );
    line(
        "group memory",
        format!("{} KiB", get(A::MaxSharedMemoryPerBlock)? / 1024),
    );
    line("wave size", get(A::WarpSize)?.to_string());
    line("compute units", get(A::MultiprocessorCount)?.to_string());
    line(
        "memory",
        format!("{} MiB", device.total_memory()? / (1 << 20)),
    );
    line(
        "constant memory",
        format!("{} MiB", get(A::TotalConstantMemory)? / (1 << 20)),
    );
    line("L2 cache", format!("{} KiB", get(A::L2CacheSize)? / 1024));
    line("clock", format!("{} MHz", mega(get(A::ClockRate)?)));
    line(
        "memory clock",
        format!("{} MHz", mega(get(A::MemoryClockRate)?)),
    );
    line("integrated", yes(A::Integrated)?.to_owned());
    line("managed memory", yes(A::ManagedMemory)?.to_owned());
    line("memory pools", yes(A::MemoryPoolsSupported)?.to_owned());
    Ok(text)
}
