//! Providers by name.

use std::sync::Arc;

use crate::{AmdOptions, Api, LoadError, SoftwareOptions, amd, software};

/// Names that [`open`] knows, and what they stand for.
pub const PROVIDERS: &[(&str, &str)] = &[
    ("hip", "the HIP library of this machine"),
    ("software", "a software AMD GPU in this process"),
];

/// Why a provider could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no provider of this name.
    #[error("there is no provider `{0}`; there are: {known}", known = names())]
    Unknown(String),
    /// Its library was not found or cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Opens the provider called `name`. A library, if it needs one, is looked for
/// in `library_paths` (see [`AmdOptions::paths`]).
pub fn open(name: &str, library_paths: &[String]) -> Result<Arc<dyn Api>, OpenError> {
    match name {
        "hip" => Ok(amd(&AmdOptions {
            paths: library_paths.to_vec(),
        })?),
        "software" => Ok(software(SoftwareOptions::default())),
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
        let nowhere = ["/nonexistent".to_owned()];
        for (name, _) in PROVIDERS {
            if let Err(error) = open(name, &nowhere) {
                assert!(matches!(error, OpenError::Load(_)), "{name}: {error}");
            }
        }
        let error = open("vulkan", &[]).err().unwrap();
        assert_eq!(error, OpenError::Unknown("vulkan".to_owned()));
        assert!(error.to_string().contains("hip"));
    }
}
