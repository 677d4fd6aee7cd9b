//! Providers by name.

use std::sync::Arc;

use crate::{
    AmdOptions, Api, Arch, CodeCache, LoadError, NvidiaOptions, Observer, SoftwareOptions, amd,
    nvidia, software,
};

/// Names that [`open`] knows, and what they stand for.
pub const PROVIDERS: &[(&str, &str)] = &[
    ("hip", "the HIP library of this machine"),
    ("cuda", "NVIDIA's driver of this machine"),
    ("software", "a software AMD GPU in this process"),
];

/// Why a provider could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no provider of this name.
    #[error("there is no provider `{0}`; there are: {known}", known = names())]
    Unknown(String),
    /// It cannot be this chip.
    #[error("{0}")]
    Chip(String),
    /// It runs kernels where nobody can watch them.
    #[error(
        "`{0}` cannot be observed: statistics, fidelity and checks are of the software GPU only"
    )]
    Unobservable(String),
    /// Its library was not found or cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// What providers can be told when they are opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Where to look for the library, for those that need one; see
    /// [`AmdOptions::paths`] and [`NvidiaOptions::paths`].
    pub library_paths: Vec<String>,
    /// Where to keep device code, for those that compile it.
    pub code_cache: CodeCache,
    /// Which chip to be, such as `gfx942`, for those that can choose.
    pub chip: Option<String>,
    /// Who watches every kernel, which the software GPU alone allows.
    pub observer: Option<Observer>,
}

/// Opens the provider called `name`.
pub fn open(name: &str, options: &OpenOptions) -> Result<Arc<dyn Api>, OpenError> {
    let paths = options.library_paths.clone();
    let unobserved = |api| match options.observer {
        Some(_) => Err(OpenError::Unobservable(name.to_owned())),
        None => Ok(api),
    };
    match name {
        "hip" => unobserved(amd(&AmdOptions { paths })?),
        "cuda" => unobserved(nvidia(&NvidiaOptions {
            paths,
            code_cache: options.code_cache.clone(),
        })?),
        "software" => {
            let arch = match &options.chip {
                Some(chip) => chip
                    .parse::<Arch>()
                    .map_err(|error| OpenError::Chip(error.to_string()))?,
                None => Arch::default(),
            };
            Ok(software(SoftwareOptions {
                arch,
                observer: options.observer.clone(),
                ..SoftwareOptions::default()
            }))
        }
        _ => Err(OpenError::Unknown(name.to_owned())),
    }
}

fn names() -> String {
    let names: Vec<_> = PROVIDERS.iter().map(|row| row.0).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_known() {
        let nowhere = OpenOptions {
            library_paths: vec!["/nonexistent".to_owned()],
            ..OpenOptions::default()
        };
        for (name, _) in PROVIDERS {
            if let Err(error) = open(name, &nowhere) {
                assert!(matches!(error, OpenError::Load(_)), "{name}: {error}");
            }
        }
        let chip = |name: &str| OpenOptions {
            chip: Some(name.to_owned()),
            ..OpenOptions::default()
        };
        let error = open("software", &chip("gfx1")).err().unwrap();
        assert!(error.to_string().contains("gfx942"), "{error}");
        let api = open("software", &chip("gfx942")).unwrap();
        let device = &crate::Device::enumerate(&api).unwrap()[0];
        assert_eq!(device.arch().unwrap(), "gfx942:sramecc+:xnack-");
        let attribute = |attribute| device.attribute(attribute).unwrap();
        assert_eq!(attribute(crate::DeviceAttribute::WarpSize), 64);
        assert_eq!(attribute(crate::DeviceAttribute::MaxThreadsPerBlock), 1024);
        let error = open("vulkan", &OpenOptions::default()).err().unwrap();
        assert_eq!(error, OpenError::Unknown("vulkan".to_owned()));
        assert!(error.to_string().contains("hip"));
    }
}
