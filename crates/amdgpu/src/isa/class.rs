//! What kind of work an operation is, and how surely its result is that of
//! hardware. Both follow from its name, so that a row of the opcode table
//! needs to say nothing of them.

use std::fmt;

use super::{Encoding, Flags, Instruction, Opcode};

/// Kinds of instructions, as statistics count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Scalar arithmetic and moves.
    Scalar,
    /// Vector arithmetic and moves.
    Vector,
    /// Exponentials, logarithms, roots, reciprocals, sines.
    Transcendental,
    /// Matrix products.
    Matrix,
    /// Scalar loads.
    ScalarMemory,
    /// Vector loads.
    Load,
    /// Vector stores.
    Store,
    /// Atomics.
    Atomic,
    /// Accesses to LDS, and permutations that go through it.
    Lds,
    /// Branches, calls and the end.
    Branch,
    /// Waits and barriers.
    Wait,
    /// Hints, messages, caches.
    Other,
}

impl Class {
    /// Every class, in the order of their numbers.
    pub const ALL: [Class; 12] = [
        Class::Scalar,
        Class::Vector,
        Class::Transcendental,
        Class::Matrix,
        Class::ScalarMemory,
        Class::Load,
        Class::Store,
        Class::Atomic,
        Class::Lds,
        Class::Branch,
        Class::Wait,
        Class::Other,
    ];

    /// A short name.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Scalar => "salu",
            Class::Vector => "valu",
            Class::Transcendental => "trans",
            Class::Matrix => "matrix",
            Class::ScalarMemory => "smem",
            Class::Load => "load",
            Class::Store => "store",
            Class::Atomic => "atomic",
            Class::Lds => "lds",
            Class::Branch => "branch",
            Class::Wait => "wait",
            Class::Other => "other",
        }
    }

    /// Do the lanes of EXEC matter to it?
    pub const fn is_vector(self) -> bool {
        matches!(
            self,
            Class::Vector
                | Class::Transcendental
                | Class::Matrix
                | Class::Load
                | Class::Store
                | Class::Atomic
                | Class::Lds
        )
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How close the software GPU's result of an operation is to what hardware
/// computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fidelity {
    /// Bit for bit what the manual defines.
    Exact,
    /// The manual promises a bound and no bits.
    Rounded {
        /// Units in the last place that our result is from the exact value at
        /// the most, as tests hold it to.
        ulps: u32,
        /// The same of hardware, as the manual promises; `None` if it
        /// promises nothing.
        hardware_ulps: Option<u32>,
    },
    /// Sums of products whose order and rounding the manual leaves open.
    Matrix,
    /// A value of the machine it runs on, such as a clock.
    Machine,
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fidelity::Exact => f.write_str("exact"),
            Fidelity::Rounded {
                ulps,
                hardware_ulps: Some(hardware),
            } => write!(f, "within {ulps} ulp (hardware within {hardware})"),
            Fidelity::Rounded {
                ulps,
                hardware_ulps: None,
            } => write!(f, "within {ulps} ulp (hardware promises no bound)"),
            Fidelity::Matrix => f.write_str("matrix: order of accumulation not specified"),
            Fidelity::Machine => f.write_str("of this machine: a clock or an identifier"),
        }
    }
}

impl Instruction {
    /// What kind of work it is. A dual-issue pair is what its first half is.
    pub fn class(&self) -> Class {
        let name = self.op.name();
        let flags = self.info().flags;
        match self.encoding {
            Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopc | Encoding::Sopk | Encoding::Sopp => {
                let ends = flags.contains(Flags::END);
                if flags.contains(Flags::BRANCH) || ends {
                    Class::Branch
                } else if ["s_wait", "s_barrier", "s_sleep"]
                    .iter()
                    .any(|start| name.starts_with(start))
                {
                    Class::Wait
                } else if self.encoding == Encoding::Sopp {
                    Class::Other
                } else {
                    Class::Scalar
                }
            }
            Encoding::Smem if self.info().dst.is_empty() => Class::Other,
            Encoding::Smem => Class::ScalarMemory,
            Encoding::Ds => Class::Lds,
            Encoding::Mubuf
            | Encoding::Mtbuf
            | Encoding::Flat
            | Encoding::Global
            | Encoding::Scratch => {
                if name.contains("_atomic_") {
                    Class::Atomic
                } else if name.contains("_load_") {
                    Class::Load
                } else if name.contains("_store_") {
                    Class::Store
                } else {
                    Class::Other
                }
            }
            _ if is_matrix(name) => Class::Matrix,
            _ if transcendental(name).is_some() => Class::Transcendental,
            _ => Class::Vector,
        }
    }
}

impl Opcode {
    /// How close its result is to hardware's.
    pub fn fidelity(self) -> Fidelity {
        let name = self.name();
        if is_clock(name) {
            return Fidelity::Machine;
        }
        if let Some((verb, ty)) = transcendental(name) {
            let hardware_ulps = match (verb, ty) {
                // The manuals: `(2**29)ULP accuracy`.
                (_, "f64") => Some(1 << 29),
                ("sin" | "cos", _) => None,
                _ => Some(1),
            };
            return Fidelity::Rounded {
                ulps: 1,
                hardware_ulps,
            };
        }
        if rounds_at_random(name) {
            return Fidelity::Rounded {
                ulps: 1,
                hardware_ulps: Some(1),
            };
        }
        if (is_matrix(name) || is_dot(name)) && !is_of_integers(name) {
            return Fidelity::Matrix;
        }
        Fidelity::Exact
    }
}

/// Function and type of a transcendental operation.
fn transcendental(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("v_s_").or(name.strip_prefix("v_"))?;
    let (verb, rest) = rest.split_once('_')?;
    let ty = rest.rsplit('_').next()?;
    let known = ["exp", "log", "rcp", "rsq", "sqrt", "sin", "cos", "tanh"];
    (known.contains(&verb) && matches!(ty, "f16" | "f32" | "f64" | "bf16")).then_some((verb, ty))
}

fn is_matrix(name: &str) -> bool {
    ["v_wmma_", "v_swmmac_", "v_mfma_", "v_smfmac_"]
        .iter()
        .any(|start| name.starts_with(start))
}

fn is_dot(name: &str) -> bool {
    name.starts_with("v_dot")
}

/// Are the results of a product integers, whose sums have no order?
fn is_of_integers(name: &str) -> bool {
    let mut parts = name.split('_').skip(2);
    parts
        .next()
        .is_some_and(|result| matches!(result, "i32" | "u32"))
}

/// Does it round up as often as the rest that it drops is great, by random bits
/// of a source? No manual says how it adds them.
fn rounds_at_random(name: &str) -> bool {
    name.starts_with("v_cvt_") && name.contains("_sr_")
}

fn is_clock(name: &str) -> bool {
    name.starts_with("s_memtime")
        || name.starts_with("s_memrealtime")
        || name.starts_with("s_sendmsg_rtn")
        || name.starts_with("s_getreg")
        || name.starts_with("s_get_shader_cycles")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fidelity(name: &str) -> Fidelity {
        let found = Opcode::ALL.iter().find(|op| op.name() == name);
        found.unwrap_or_else(|| panic!("{name}")).fidelity()
    }

    #[test]
    fn only_what_manuals_leave_open_is_not_exact() {
        let one = Fidelity::Rounded {
            ulps: 1,
            hardware_ulps: Some(1),
        };
        for name in [
            "v_exp_f32",
            "v_rcp_iflag_f32",
            "v_sqrt_f16",
            "v_log_f16",
            "v_cvt_sr_fp8_f32",
            "v_cvt_scalef32_sr_pk32_fp6_f16",
        ] {
            assert_eq!(fidelity(name), one, "{name}");
        }
        assert!(matches!(
            fidelity("v_rsq_f64"),
            Fidelity::Rounded {
                hardware_ulps: Some(0x2000_0000),
                ..
            }
        ));
        for name in [
            "v_wmma_f32_16x16x16_f16",
            "v_mfma_f64_16x16x4_f64",
            "v_dot2_f32_f16",
            "v_mfma_f32_32x32x64_f8f6f4",
        ] {
            assert_eq!(fidelity(name), Fidelity::Matrix, "{name}");
        }
        for name in [
            "v_wmma_i32_16x16x16_iu8",
            "v_mfma_i32_16x16x32_i8",
            "v_dot2_i32_i16",
            "v_fma_f32",
            "v_frexp_exp_i32_f32",
            "v_div_fixup_f64",
            "v_accvgpr_read_b32",
            "v_cvt_scalef32_pk_fp4_f32",
            "v_prng_b32",
        ] {
            assert_eq!(fidelity(name), Fidelity::Exact, "{name}");
        }
        assert_eq!(fidelity("s_memtime"), Fidelity::Machine);
    }

    #[test]
    fn classes_have_the_numbers_of_their_places() {
        for (number, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
        }
    }
}
