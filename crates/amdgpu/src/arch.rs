//! The chips that can be simulated.

use std::fmt;
use std::str::FromStr;

use crate::isa::{Cdna, Generation};

/// A chip, named as the compiler names its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Arch {
    /// RDNA 3, desktop (Radeon RX 7900).
    #[default]
    Gfx1100,
    /// CDNA 2, servers (Instinct MI200).
    Gfx90a,
    /// CDNA 3, servers (Instinct MI300).
    Gfx942,
    /// CDNA 4, servers (Instinct MI350).
    Gfx950,
    /// RDNA 4, desktop (Radeon RX 9060).
    Gfx1200,
    /// RDNA 4, desktop (Radeon RX 9070).
    Gfx1201,
}

impl Arch {
    /// Every chip that can be simulated.
    pub const ALL: &[Arch] = &[
        Arch::Gfx1100,
        Arch::Gfx90a,
        Arch::Gfx942,
        Arch::Gfx950,
        Arch::Gfx1200,
        Arch::Gfx1201,
    ];

    /// The compiler's name of the target.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::Gfx1100 => "gfx1100",
            Arch::Gfx90a => "gfx90a",
            Arch::Gfx942 => "gfx942",
            Arch::Gfx950 => "gfx950",
            Arch::Gfx1200 => "gfx1200",
            Arch::Gfx1201 => "gfx1201",
        }
    }

    /// The name with the features that code may insist on, as a device of the
    /// chip reports it.
    pub const fn target(self) -> &'static str {
        match self {
            Arch::Gfx1100 => "gfx1100",
            Arch::Gfx90a => "gfx90a:sramecc+:xnack-",
            Arch::Gfx942 => "gfx942:sramecc+:xnack-",
            Arch::Gfx950 => "gfx950:sramecc+:xnack-",
            Arch::Gfx1200 => "gfx1200",
            Arch::Gfx1201 => "gfx1201",
        }
    }

    /// The instruction set.
    pub const fn generation(self) -> Generation {
        match self {
            Arch::Gfx1100 => Generation::Gfx11,
            Arch::Gfx90a => Generation::Gfx9(Cdna::Cdna2),
            Arch::Gfx942 => Generation::Gfx9(Cdna::Cdna3),
            Arch::Gfx950 => Generation::Gfx9(Cdna::Cdna4),
            Arch::Gfx1200 | Arch::Gfx1201 => Generation::Gfx12,
        }
    }

    /// Lanes of a wave where the program does not choose: what the chip calls
    /// its warp size.
    pub const fn warp_size(self) -> u32 {
        match self {
            Arch::Gfx1100 | Arch::Gfx1200 | Arch::Gfx1201 => 32,
            Arch::Gfx90a | Arch::Gfx942 | Arch::Gfx950 => 64,
        }
    }

    /// Most bytes of LDS that one workgroup may have.
    pub const fn max_lds_bytes(self) -> u32 {
        match self {
            Arch::Gfx950 => 160 << 10,
            _ => 64 << 10,
        }
    }

    /// Most work-items in one workgroup.
    pub const fn max_workgroup_size(self) -> u32 {
        match self {
            Arch::Gfx1100 | Arch::Gfx90a | Arch::Gfx942 => 1024,
            Arch::Gfx950 | Arch::Gfx1200 | Arch::Gfx1201 => 1024,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not that of a chip that can be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no software GPU for {name:?}: there is one for {}", names())]
pub struct UnknownArch {
    /// The name given.
    pub name: String,
}

fn names() -> String {
    Arch::ALL
        .iter()
        .map(|arch| arch.name())
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(name: &str) -> Result<Arch, UnknownArch> {
        Arch::ALL
            .iter()
            .copied()
            .find(|arch| arch.name() == name)
            .ok_or_else(|| UnknownArch {
                name: name.to_owned(),
            })
    }
}
