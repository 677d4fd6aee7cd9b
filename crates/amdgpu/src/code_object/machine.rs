//! Which chip a code object is for: the machine number and feature bits of ELF `e_flags`.

use std::fmt;

/// The chip and its feature settings, from the `e_flags` of code object version 4 and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Machine {
    number: u8,
    name: &'static str,
    /// Whether page-fault replay (XNACK) was assumed.
    pub xnack: Feature,
    /// Whether ECC of the SRAMs was assumed.
    pub sramecc: Feature,
    /// Version of a generic target such as `gfx11-generic`; 0 for a single chip.
    pub generic_version: u8,
}

/// How a target feature was set when the code was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// The chip does not have it.
    Unsupported,
    /// The code works with it on and with it off.
    Any,
    /// The code needs it off.
    Off,
    /// The code needs it on.
    On,
}

impl Machine {
    /// Reads `e_flags`; the error is the machine number nobody knows.
    pub(super) fn from_flags(flags: u32) -> Result<Machine, u8> {
        let number = (flags & 0xff) as u8;
        let name = MACHINES
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, name)| *name)
            .ok_or(number)?;
        Ok(Machine {
            number,
            name,
            xnack: Feature::from_bits(flags >> 8),
            sramecc: Feature::from_bits(flags >> 10),
            generic_version: (flags >> 24) as u8,
        })
    }

    /// The machine number: the low byte of `e_flags`.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The chip, such as `gfx1100`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The generation of the instruction set: 9 for `gfx942`, 11 for `gfx1100` and `gfx11-generic`.
    pub fn generation(&self) -> u32 {
        let number = self.name.trim_start_matches("gfx");
        let major = match number.split_once('-') {
            Some((major, _)) => major,
            None => &number[..number.len() - 2],
        };
        major
            .parse()
            .expect("every name in the table begins with its generation")
    }
}

/// `gfx1100`, `gfx942:xnack+`: the chip and the features that were pinned.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (feature, name) in [(self.sramecc, "sramecc"), (self.xnack, "xnack")] {
            match feature {
                Feature::On => write!(f, ":{name}+")?,
                Feature::Off => write!(f, ":{name}-")?,
                Feature::Any | Feature::Unsupported => {}
            }
        }
        Ok(())
    }
}

impl Feature {
    fn from_bits(bits: u32) -> Feature {
        match bits & 3 {
            0 => Feature::Unsupported,
            1 => Feature::Any,
            2 => Feature::Off,
            _ => Feature::On,
        }
    }
}

/// The chip of an `amdhsa.target` string.
///
/// Compilers disagree about the triple in front (`amdgcn-amd-amdhsa--gfx1100`, `amdgpu11.00-amd-amdhsa-unknown-gfx1100`)
/// and may append features (`gfx942:xnack+`), so only the last `gfx...` field counts. Generic targets have dashes of
/// their own (`gfx11-generic`).
pub(super) fn chip_of_target(target: &str) -> Option<&str> {
    let triple_and_chip = target.split(':').next()?;
    let start = triple_and_chip.rfind("-gfx")? + 1;
    Some(&triple_and_chip[start..])
}

/// Machine numbers as LLVM assigns them.
const MACHINES: &[(u8, &str)] = &[
    (0x20, "gfx600"),
    (0x21, "gfx601"),
    (0x22, "gfx700"),
    (0x23, "gfx701"),
    (0x24, "gfx702"),
    (0x25, "gfx703"),
    (0x26, "gfx704"),
    (0x28, "gfx801"),
    (0x29, "gfx802"),
    (0x2a, "gfx803"),
    (0x2b, "gfx810"),
    (0x2c, "gfx900"),
    (0x2d, "gfx902"),
    (0x2e, "gfx904"),
    (0x2f, "gfx906"),
    (0x30, "gfx908"),
    (0x31, "gfx909"),
    (0x32, "gfx90c"),
    (0x33, "gfx1010"),
    (0x34, "gfx1011"),
    (0x35, "gfx1012"),
    (0x36, "gfx1030"),
    (0x37, "gfx1031"),
    (0x38, "gfx1032"),
    (0x39, "gfx1033"),
    (0x3a, "gfx602"),
    (0x3b, "gfx705"),
    (0x3c, "gfx805"),
    (0x3d, "gfx1035"),
    (0x3e, "gfx1034"),
    (0x3f, "gfx90a"),
    (0x40, "gfx940"),
    (0x41, "gfx1100"),
    (0x42, "gfx1013"),
    (0x43, "gfx1150"),
    (0x44, "gfx1103"),
    (0x45, "gfx1036"),
    (0x46, "gfx1101"),
    (0x47, "gfx1102"),
    (0x48, "gfx1200"),
    (0x49, "gfx1250"),
    (0x4a, "gfx1151"),
    (0x4b, "gfx941"),
    (0x4c, "gfx942"),
    (0x4e, "gfx1201"),
    (0x4f, "gfx950"),
    (0x51, "gfx9-generic"),
    (0x52, "gfx10-1-generic"),
    (0x53, "gfx10-3-generic"),
    (0x54, "gfx11-generic"),
    (0x55, "gfx1152"),
    (0x58, "gfx1153"),
    (0x59, "gfx12-generic"),
    (0x5a, "gfx1251"),
    (0x5f, "gfx9-4-generic"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_real_compilers() {
        let plain = Machine::from_flags(0x41).unwrap();
        assert_eq!((plain.name(), plain.generation()), ("gfx1100", 11));
        assert_eq!(plain.xnack, Feature::Unsupported);
        assert_eq!(plain.to_string(), "gfx1100");

        let any = Machine::from_flags(0x54c).unwrap();
        assert_eq!((any.xnack, any.sramecc), (Feature::Any, Feature::Any));
        assert_eq!(any.to_string(), "gfx942");

        let pinned = Machine::from_flags(0xf4c).unwrap();
        assert_eq!((pinned.xnack, pinned.sramecc), (Feature::On, Feature::On));
        assert_eq!(pinned.to_string(), "gfx942:sramecc+:xnack+");

        let generic = Machine::from_flags(0x0100_0054).unwrap();
        assert_eq!(
            (generic.name(), generic.generic_version),
            ("gfx11-generic", 1)
        );
        assert_eq!(Machine::from_flags(0x1ff), Err(0xff));
    }

    #[test]
    fn machine_numbers_and_names_are_unique() {
        for (i, (number, name)) in MACHINES.iter().enumerate() {
            for (other, other_name) in &MACHINES[..i] {
                assert!(number > other, "{name} is out of order");
                assert_ne!(name, other_name);
            }
            let machine = Machine::from_flags(u32::from(*number)).unwrap();
            assert!((6..=12).contains(&machine.generation()), "{name}");
        }
    }

    #[test]
    fn the_chip_is_the_last_field_of_a_target() {
        for (target, chip) in [
            ("amdgcn-amd-amdhsa--gfx1100", Some("gfx1100")),
            ("amdgpu11.00-amd-amdhsa-unknown-gfx1100", Some("gfx1100")),
            ("amdgcn-amd-amdhsa--gfx942:sramecc+:xnack-", Some("gfx942")),
            (
                "amdgcn-amd-amdhsa--gfx10-3-generic",
                Some("gfx10-3-generic"),
            ),
            ("x86_64-unknown-linux-gnu", None),
            ("", None),
        ] {
            assert_eq!(chip_of_target(target), chip, "{target}");
        }
    }
}
