//! What is known of an instruction before it runs.

use super::registers::{self, Registers};
use crate::exec::atomic_function;
use crate::isa::{Cdna, Class, Encoding, Flags, Generation, Instruction, Operand};

/// One instruction of an observed program.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Where it is, in the code object's address space.
    pub(crate) offset: u32,
    pub(crate) instruction: Instruction,
    pub(crate) class: Class,
    /// What it moves, if it accesses memory.
    pub(crate) transfer: Option<Transfer>,
    pub(crate) reads: Registers,
    pub(crate) writes: Registers,
}

/// An access to memory, as far as its encoding tells.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    pub(crate) path: Path,
    pub(crate) verb: Verb,
    /// Bytes of each lane (of the wave, if [`Transfer::is_uniform`]).
    pub(crate) bytes: u32,
    /// Byte offsets that are added to the address: two of an LDS instruction
    /// with two places.
    pub(crate) offsets: Vec<i32>,
    /// The registers a store takes its data from, one for each place.
    pub(crate) data: Vec<Operand>,
    /// Bits that the data is shifted by before its low bytes are stored.
    pub(crate) shift: u32,
    /// It goes to a place where all waves of the device see it, which is how
    /// atomic loads are compiled.
    pub(crate) is_coherent: bool,
    /// What is loaded goes to LDS, behind M0.
    pub(crate) to_lds: bool,
}

/// The way an access takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// A scalar load at an address.
    Scalar,
    /// A scalar load through a buffer resource.
    ScalarBuffer,
    /// Through a buffer resource.
    Buffer,
    /// At an address.
    Global,
    /// At an address that may be of LDS or scratch.
    Flat,
    /// Private memory.
    Scratch,
    /// LDS.
    Lds,
    /// One counter in LDS, at M0, for all lanes.
    LdsCounter,
}

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Verb {
    Load,
    Store,
    Atomic,
}

impl Site {
    pub(crate) fn new(offset: u32, instruction: &Instruction) -> Site {
        let (reads, writes) = registers::of(instruction);
        Site {
            offset,
            class: instruction.class(),
            transfer: Transfer::of(instruction),
            reads,
            writes,
            instruction: instruction.clone(),
        }
    }
}

impl Transfer {
    /// Is there one access for the whole wave?
    pub(crate) fn is_uniform(&self) -> bool {
        matches!(
            self.path,
            Path::Scalar | Path::ScalarBuffer | Path::LdsCounter
        )
    }

    fn of(instruction: &Instruction) -> Option<Transfer> {
        let name = instruction.op.name();
        let modifiers = &instruction.modifiers;
        let flags = instruction.info().flags;
        let path = match instruction.encoding {
            Encoding::Smem if name.starts_with("s_buffer_load") => Path::ScalarBuffer,
            Encoding::Smem if name.starts_with("s_load") => Path::Scalar,
            Encoding::Smem => return None,
            Encoding::Ds if name == "ds_append" || name == "ds_consume" => Path::LdsCounter,
            Encoding::Ds => Path::Lds,
            Encoding::Mubuf => Path::Buffer,
            Encoding::Flat => Path::Flat,
            Encoding::Global => Path::Global,
            Encoding::Scratch => Path::Scratch,
            _ => return None,
        };
        let atomic = atomic_function(instruction.op);
        let verb = if atomic.is_some() || name.contains("storexchg") || path == Path::LdsCounter {
            Verb::Atomic
        } else if name.contains("_load") || name.starts_with("ds_read_") {
            Verb::Load
        } else if name.contains("_store") {
            Verb::Store
        } else {
            return None;
        };
        let bytes = match (atomic, path) {
            (Some((_, wide)), _) => 4 << u32::from(wide),
            (_, Path::LdsCounter) => 4,
            _ => bytes_of_name(name)?,
        };
        let data = match (verb, instruction.encoding) {
            (Verb::Load, _) => Vec::new(),
            (_, Encoding::Ds) => instruction.src[1..3].to_vec(),
            _ => vec![instruction.src[3]],
        };
        let mut offsets = vec![modifiers.offset];
        if flags.contains(Flags::TWO_ADDRESSES) {
            let element = bytes as i32 * if name.contains("stride64") { 64 } else { 1 };
            offsets = vec![
                modifiers.offset * element,
                i32::from(modifiers.offset1) * element,
            ];
        }
        Some(Transfer {
            path,
            verb,
            bytes,
            offsets,
            data,
            shift: if name.contains("d16_hi") { 16 } else { 0 },
            is_coherent: verb != Verb::Atomic && is_coherent(instruction),
            to_lds: verb == Verb::Load
                && path != Path::Scratch
                && (modifiers.lds || name.contains("_load_lds_")),
        })
    }
}

/// The scope of gfx12 that all waves of the device share.
const DEVICE: u8 = 2;

/// Does a load or store have the bits of an atomic one?
fn is_coherent(instruction: &Instruction) -> bool {
    let modifiers = &instruction.modifiers;
    match instruction.generation {
        Generation::Gfx9(Cdna::Cdna2) | Generation::Gfx11 => modifiers.glc,
        Generation::Gfx9(_) => modifiers.sc1,
        Generation::Gfx12 => modifiers.scope >= DEVICE,
    }
}

/// Bytes that the last type in a name has: 2 of `buffer_load_u16_d16_hi`. What
/// comes behind `tr` is the size of the elements that are transposed.
fn bytes_of_name(name: &str) -> Option<u32> {
    let name = name.split("_tr_").next()?;
    let bits = |part: &str| match part {
        "ubyte" | "sbyte" => Some(8),
        "ushort" | "sshort" => Some(16),
        "dword" => Some(32),
        "dwordx3" => Some(96),
        "dwordx4" => Some(128),
        _ => part.strip_prefix(['b', 'u', 'i', 'f'])?.parse::<u32>().ok(),
    };
    name.rsplit('_').find_map(bits).map(|bits| bits / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Opcode, Type, WaveSize};

    #[test]
    fn names_tell_sizes() {
        for (name, bytes) in [
            ("buffer_load_u16_d16_hi", 2),
            ("global_load_d16_hi_b16", 2),
            ("ds_store_b8_d16_hi", 1),
            ("ds_load_2addr_stride64_b64", 8),
            ("scratch_store_b96", 12),
            ("flat_load_i8", 1),
            ("s_load_b96", 12),
            ("global_load_lds_dwordx4", 16),
            ("ds_read_b64_tr_b16", 8),
            ("ds_read_b96_tr_b6", 12),
        ] {
            assert_eq!(bytes_of_name(name), Some(bytes), "{name}");
        }
    }

    /// What the name says is what the table says of the registers.
    #[test]
    fn sizes_fit_the_registers() {
        for op in Opcode::ALL {
            let name = op.name();
            let moves = ["buffer_", "global_", "flat_", "scratch_", "ds_"]
                .iter()
                .any(|family| name.starts_with(family));
            let plain = ["_load_b", "_store_b", "ds_read_b"]
                .iter()
                .any(|verb| name.contains(verb));
            // Blocks are of as many registers as M0 says; nothing executes them.
            if !moves || !plain || name.contains("_lds_") || name.ends_with("_block") {
                continue;
            }
            for generation in Generation::ALL {
                let Some(info) = op.info(generation) else {
                    continue;
                };
                let data = info.dst.first().or(info.src.last());
                let dwords = data.map_or(0, |ty: &Type| {
                    u32::from(ty.dwords(crate::isa::WaveSize::Wave32))
                });
                let bytes = bytes_of_name(name).unwrap_or(0);
                assert_eq!(bytes.div_ceil(4), dwords, "{name}");
            }
        }
    }

    #[test]
    fn transposed_loads_and_loads_to_lds_are_known() {
        let of = |generation, words: &[u32]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let instruction = crate::isa::decode(generation, WaveSize::Wave64, &bytes, 0);
            let site = Site::new(0, &instruction.expect("it decodes"));
            let transfer = site.transfer.expect("it goes to memory");
            (transfer.path, transfer.bytes, transfer.to_lds)
        };
        let cdna4 = Generation::Gfx9(Cdna::Cdna4);
        // ds_read_b64_tr_b16 v[2:3], v1 offset:16
        let transposed = of(cdna4, &[0xd9c6_0010, 0x0200_0001]);
        assert_eq!(transposed, (Path::Lds, 8, false));
        // global_load_lds_dwordx4 v[2:3], off
        let direct = of(cdna4, &[0xddf4_8000, 0x007f_0002]);
        assert_eq!(direct, (Path::Global, 16, true));
        // buffer_load_dwordx3 v1, s[4:7], 0 offen lds
        let buffer = of(cdna4, &[0xe059_1000, 0x8001_0001]);
        assert_eq!(buffer, (Path::Buffer, 12, true));
    }
}
