//! Native modules: what compiled programs import.

pub mod check;
pub mod hal;
pub mod io_parameters;
mod profiled;

use ::vm::Signature;

pub(crate) use profiled::ProfiledModule;

/// Whether programs may import this function, by its full name and calling convention.
pub(crate) fn provides(name: &str, signature: &Signature) -> bool {
    name.split_once('.').is_some_and(|(module, function)| {
        let exports = match module {
            "check" => check::EXPORTS,
            "hal" => hal::HalModule::EXPORTS,
            "io_parameters" => io_parameters::EXPORTS,
            _ => return false,
        };
        exports
            .iter()
            .any(|export| export.name == function && export.signature == signature.text())
    })
}
