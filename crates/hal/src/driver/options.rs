//! Options of a driver, as values and as text.

use hip::{CodeCache, Observer};

use crate::{CommandBufferMode, DeviceParams, Result, Status};

/// How a driver is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverOptions {
    /// Ordinal of the device that is taken when none is named.
    pub default_device: u32,
    /// Where to look for the provider's library, and nowhere else: files or
    /// folders. Empty for the usual places.
    pub library_paths: Vec<String>,
    /// Where the provider keeps the device code that it compiles, if it does.
    pub code_cache: CodeCache,
    /// The chip that the device is, for providers that can choose; their own
    /// choice if it is not said.
    pub chip: Option<String>,
    /// Who watches every kernel that runs, which the software GPU alone allows.
    pub observer: Option<Observer>,
    /// What devices are made with, unless the caller says.
    pub device: DeviceParams,
}

/// Keys that [`DriverOptions::set`] knows, and what they do. Before each may
/// stand the name of a driver, as in `hip_use_streams`: so the stock tools call
/// theirs.
pub const DRIVER_OPTIONS: &[(&str, &str)] = &[
    ("command_buffer_mode", "`stream`, `graph` or `auto`"),
    ("use_streams", "true for `stream`, false for `graph`"),
    (
        "async_allocations",
        "whether queues allocate from stream-ordered pools",
    ),
    (
        "default_index",
        "ordinal of the device that is taken when none is named",
    ),
    (
        "dylib_path",
        "file or folder to look for the library in; may be given more than once",
    ),
    (
        "code_cache",
        "folder to keep compiled device code in, or `off`",
    ),
    ("chip", "chip that the software GPU is, such as `gfx942`"),
    (
        "check",
        "checks of kernels that the software GPU makes: `memory`, `races`, `waits`, or `all`; \
         `DriverOptions::observer` has what they find",
    ),
    ("queue_count", "queues of a device, 1 to 64"),
    (
        "arena_block_size",
        "bytes of a block that commands are recorded into",
    ),
];

impl DriverOptions {
    /// The default options with these settings made in order.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut options = Self::default();
        for (key, value) in pairs {
            options.set(key, value)?;
        }
        Ok(options)
    }

    /// Makes one setting of [`DRIVER_OPTIONS`]. `FAILED_PRECONDITION` for an unknown
    /// key or a value that does not fit it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let device = &mut self.device;
        match without_driver(key) {
            "command_buffer_mode" => {
                device.command_buffer_mode = value
                    .parse()
                    .map_err(|_| unfit(key, value, "`stream`, `graph` or `auto`"))?;
            }
            "use_streams" => {
                device.command_buffer_mode = if boolean(key, value)? {
                    CommandBufferMode::Stream
                } else {
                    CommandBufferMode::Graph
                };
            }
            "async_allocations" => device.async_allocations = boolean(key, value)?,
            "default_index" => self.default_device = integer(key, value)?,
            "dylib_path" => self.library_paths.push(value.to_owned()),
            "code_cache" => self.code_cache = CodeCache::from_text(value),
            "chip" => self.chip = Some(value.to_owned()),
            "check" => {
                let checks = value
                    .parse()
                    .map_err(|error| Status::failed_precondition(format!("{error}")))?;
                self.observer = Some(Observer::new(checks));
            }
            "queue_count" => device.queue_count = integer(key, value)?,
            "arena_block_size" => device.arena_block_size = integer(key, value)?,
            _ => {
                let keys: Vec<_> = DRIVER_OPTIONS.iter().map(|row| row.0).collect();
                return Err(Status::failed_precondition(format!(
                    "there is no option `{key}`; there are: {}",
                    keys.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// The key without a driver's name before it.
fn without_driver(key: &str) -> &str {
    let mut names = hip::PROVIDERS.iter();
    names
        .find_map(|(name, _)| key.strip_prefix(name)?.strip_prefix('_'))
        .unwrap_or(key)
}

fn boolean(key: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => match value.parse::<i64>() {
            Ok(number) => Ok(number != 0),
            Err(_) => Err(unfit(key, value, "`true`, `false` or an integer")),
        },
    }
}

fn integer<T: std::str::FromStr>(key: &str, value: &str) -> Result<T> {
    value
        .parse()
        .map_err(|_| unfit(key, value, "an integer that is not negative"))
}

fn unfit(key: &str, value: &str, expected: &str) -> Status {
    Status::failed_precondition(format!("option `{key}` is {expected}, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;

    #[test]
    fn every_listed_key_is_known() {
        for (key, _) in DRIVER_OPTIONS {
            let mut options = DriverOptions::default();
            let known = ["1", "graph", "all"]
                .iter()
                .any(|value| options.set(key, value).is_ok());
            assert!(known, "{key}");
        }
    }

    #[test]
    fn settings_reach_their_fields() {
        let options = DriverOptions::from_pairs([
            ("hip_use_streams", "false"),
            ("hip_async_allocations", "0"),
            ("hip_default_index", "3"),
            ("hip_dylib_path", "/a"),
            ("dylib_path", "file:/b"),
            ("code_cache", "/c"),
            ("software_chip", "gfx942"),
            ("queue_count", "2"),
            ("arena_block_size", "8192"),
        ])
        .unwrap();
        let expected = DriverOptions {
            default_device: 3,
            library_paths: vec!["/a".to_owned(), "file:/b".to_owned()],
            code_cache: CodeCache::Folder("/c".into()),
            chip: Some("gfx942".to_owned()),
            observer: None,
            device: DeviceParams {
                queue_count: 2,
                arena_block_size: 8192,
                command_buffer_mode: CommandBufferMode::Graph,
                async_allocations: false,
                ..DeviceParams::default()
            },
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn checks_make_an_observer() {
        let options = DriverOptions::from_pairs([("software_check", "races,waits")]).unwrap();
        let checks = options.observer.expect("somebody watches").checks();
        assert_eq!(checks, hip::Checks::RACES | hip::Checks::WAITS);
        let error = DriverOptions::from_pairs([("check", "luck")]).unwrap_err();
        assert_eq!(error.code(), StatusCode::FailedPrecondition);
    }

    #[test]
    fn the_name_of_any_driver_may_stand_before_a_key() {
        for (driver, _) in hip::PROVIDERS {
            let key = format!("{driver}_default_index");
            let options = DriverOptions::from_pairs([(key.as_str(), "2")]).unwrap();
            assert_eq!(options.default_device, 2, "{key}");
        }
        for key in ["vulkan_default_index", "hip__default_index", "hip_"] {
            let status = DriverOptions::from_pairs([(key, "2")]).unwrap_err();
            assert_eq!(status.code(), StatusCode::FailedPrecondition, "{key}");
        }
    }

    #[test]
    fn booleans_are_words_or_integers() {
        for (value, mode) in [
            ("true", CommandBufferMode::Stream),
            ("1", CommandBufferMode::Stream),
            ("-7", CommandBufferMode::Stream),
            ("false", CommandBufferMode::Graph),
            ("0", CommandBufferMode::Graph),
        ] {
            let options = DriverOptions::from_pairs([("hip_use_streams", value)]).unwrap();
            assert_eq!(options.device.command_buffer_mode, mode, "{value}");
        }
    }

    #[test]
    fn unknown_keys_and_unfit_values_are_refused() {
        for (key, value) in [
            ("hip_colour", "1"),
            ("", ""),
            ("hip_use_streams", "maybe"),
            ("hip_use_streams", ""),
            ("hip_async_allocations", "True"),
            ("hip_default_index", "-1"),
            ("hip_default_index", "one"),
            ("hip_default_index", "4294967296"),
            ("command_buffer_mode", "vulkan"),
            ("queue_count", "1.5"),
        ] {
            let status = DriverOptions::from_pairs([(key, value)]).unwrap_err();
            assert_eq!(
                status.code(),
                StatusCode::FailedPrecondition,
                "{key} {value}"
            );
            assert!(status.message().contains(key));
        }
    }
}
