//! Whether a module's device code is for the chips there are.

use std::collections::HashSet;
use std::ops::Range;

use hal::{Device, StatusCode};
use vmfb::executable::{Executable, Format};
use vmfb::module::{Module, Rodata};

use crate::{Error, Result};

/// `INCOMPATIBLE` if the module has device code, but none for any of
/// `devices`: names both chips and the compiler's flag for the right one.
///
/// Code that does not say what it is for passes; loading it will tell.
pub(super) fn check(file: &[u8], module: &Module, devices: &[Device]) -> Result<()> {
    let mut others = Vec::new();
    for range in distinct(&module.rodata) {
        let contents = &file[range];
        if Format::detect(contents).is_none() {
            continue;
        }
        let Some(target) = Executable::parse(contents)
            .ok()
            .and_then(|executable| executable.target())
        else {
            return Ok(());
        };
        if devices.iter().any(|device| runs(device.arch(), target)) {
            return Ok(());
        }
        if !others.contains(&target) {
            others.push(target);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let chips: Vec<_> = devices.iter().map(|device| base(device.arch())).collect();
    let is_old = module.bytecode_version.0 < 16;
    Err(Error::new(
        StatusCode::Incompatible,
        format!(
            "the module is for {}, the device is {}",
            others.join(" and "),
            chips.join(" and ")
        ),
    )
    .with_help(format!("compile it with {}", flags(chips[0], is_old))))
}

/// The ranges of segments, each once: any number of segments may be the same
/// bytes, which need not be read again.
fn distinct(segments: &[Rodata]) -> impl Iterator<Item = Range<usize>> {
    let mut seen = HashSet::new();
    let ranges = segments.iter().map(|segment| segment.range.clone());
    ranges.filter(move |range| seen.insert(range.clone()))
}

/// Whether code for `target` runs on a chip that calls itself `arch`.
fn runs(arch: &str, target: &str) -> bool {
    match (compute_capability(arch), compute_capability(target)) {
        // The driver compiles PTX for the chip, if that is as new.
        (Some(chip), Some(needed)) => chip >= needed,
        (None, None) => base(arch) == base(target) || target.ends_with("-generic"),
        _ => false,
    }
}

/// `gfx942` of `gfx942:sramecc+:xnack-`.
fn base(arch: &str) -> &str {
    arch.split(':').next().unwrap_or(arch)
}

/// 80 of `sm_80`.
fn compute_capability(arch: &str) -> Option<u32> {
    let digits = arch.strip_prefix("sm_")?;
    digits.trim_end_matches(char::is_alphabetic).parse().ok()
}

/// What makes either compiler generation compile for a chip.
fn flags(chip: &str, is_old: bool) -> String {
    match (compute_capability(chip).is_some(), is_old) {
        (false, false) => format!("--iree-hal-target-device=hip --iree-rocm-target={chip}"),
        (false, true) => format!("--iree-hal-target-backends=rocm --iree-rocm-target-chip={chip}"),
        (true, false) => "--iree-hal-target-device=cuda --iree-cuda-target=sm_80".to_owned(),
        (true, true) => {
            "--iree-hal-target-backends=cuda --iree-hal-cuda-llvm-target-arch=sm_80".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_many_segments_share_are_looked_at_once() {
        let file = fixtures::read("gfx1100/add.vmfb");
        let module = Module::parse(&file).unwrap();
        let mut many = module.rodata.clone();
        for _ in 0..3 {
            many.extend_from_within(..module.rodata.len());
        }
        let once: Vec<_> = distinct(&module.rodata).collect();
        assert!(!once.is_empty());
        assert_eq!(distinct(&many).collect::<Vec<_>>(), once);
    }

    #[test]
    fn chips_match_by_their_base_name() {
        assert!(runs("gfx1100", "gfx1100"));
        assert!(runs("gfx942:sramecc+:xnack-", "gfx942"));
        assert!(!runs("gfx1100", "gfx942"));
        assert!(runs("gfx1100", "gfx11-generic"));
    }

    #[test]
    fn nvidia_chips_run_older_code_and_no_other_vendors() {
        assert!(runs("sm_90", "sm_80"));
        assert!(runs("sm_90a", "sm_90"));
        assert!(!runs("sm_75", "sm_80"));
        assert!(!runs("sm_90", "gfx1100"));
        assert!(!runs("gfx1100", "sm_80"));
    }
}
