//! One encoding of each vector instruction, and registers for it to read.

use amdgpu::isa::{self, Encoding, Flags, Generation, Opcode, OpcodeInfo, Type, WaveSize};

/// Vector registers that are filled before the loop: 32 for each source, then
/// 32 that hold addresses in LDS.
pub(crate) const ROWS: usize = 128;
const SOURCE_ROWS: usize = 32;
const ADDRESS: u32 = 96;
/// Where results go.
const RESULT: u32 = 128;
const SCALAR_RESULT: u32 = 26;
/// Scalars that the loop's beginning sets.
const LANE_SELECT: u32 = 20;
const MASK: u32 = 22;
const FLOAT: u32 = 24;
/// Number of a source that is vector register 0.
const VECTOR: u32 = 256;

/// An instruction to measure.
pub(crate) struct Case {
    pub(crate) op: Opcode,
    /// As LLVM prints it.
    pub(crate) text: String,
    pub(crate) words: Vec<u32>,
    pub(crate) info: &'static OpcodeInfo,
}

/// A case for every vector instruction of a generation that the table has,
/// global memory apart; and the names of those that have none.
pub(crate) fn cases(generation: Generation, size: WaveSize) -> (Vec<Case>, Vec<&'static str>) {
    let mut cases = Vec::new();
    let mut without = Vec::new();
    for &op in Opcode::ALL {
        let Some(info) = op.info(generation) else {
            continue;
        };
        let mut encodings: Vec<Encoding> = info
            .encodings
            .iter()
            .map(|&(encoding, _)| encoding)
            .filter(|&encoding| is_measured(encoding))
            .collect();
        if encodings.is_empty() {
            continue;
        }
        encodings.push(Encoding::Vop3);
        let case = encodings.into_iter().find_map(|encoding| {
            let words = encode(op, info, encoding, generation)?;
            decoded(op, info, words, generation, size)
        });
        match case {
            Some(case) => cases.push(case),
            None => without.push(info.mnemonic),
        }
    }
    cases.extend(other_forms(generation, size));
    (cases, without)
}

/// The case of an encoding, if it is one of the operation.
fn decoded(
    op: Opcode,
    info: &'static OpcodeInfo,
    words: [u32; 3],
    generation: Generation,
    size: WaveSize,
) -> Option<Case> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let decoded = isa::decode(generation, size, &bytes, 0).ok()?;
    (decoded.op == op).then(|| Case {
        op,
        text: decoded.to_string(),
        words: words[..usize::from(decoded.size_bytes) / 4].to_vec(),
        info,
    })
}

/// Additions with each kind of permutation, and with parts of registers, where
/// the generation has them.
fn other_forms(generation: Generation, size: WaveSize) -> Vec<Case> {
    /// Numbers of sources that announce a second word.
    const PERMUTED: u32 = 0xfa;
    const PARTS: u32 = 0xf9;
    // Within four lanes, a shift, a rotation and a mirror within 16, a
    // broadcast to the next 16, and all lanes of the masks.
    const PERMUTATIONS: [u32; 5] = [0xb1, 0x111, 0x121, 0x141, 0x142];
    const ALL: u32 = 0xff << 24;
    // Upper half to upper half, the other half stays; the second source whole.
    const UPPER: u32 = 6 << 24 | 5 << 16 | 2 << 11 | 5 << 8;

    let permuted = PERMUTATIONS.map(|control| (PERMUTED, control << 8 | ALL));
    let words = permuted.into_iter().chain([(PARTS, UPPER)]);
    let of = |op: Opcode, (source, word): (u32, u32)| {
        let info = op.info(generation)?;
        let [first, ..] = encode(op, info, Encoding::Vop2, generation)?;
        decoded(
            op,
            info,
            [first & !0x1ff | source, word, 0],
            generation,
            size,
        )
    };
    words
        .flat_map(|word| [of(Opcode::VAddF32, word), of(Opcode::VAddNcU32, word)])
        .flatten()
        .collect()
}

fn is_measured(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::Vop1
            | Encoding::Vop2
            | Encoding::Vopc
            | Encoding::Vop3
            | Encoding::Vop3p
            | Encoding::Ds
    )
}

fn encode(
    op: Opcode,
    info: &OpcodeInfo,
    encoding: Encoding,
    generation: Generation,
) -> Option<[u32; 3]> {
    /// A literal behind the instruction: 1.5.
    const LITERAL: u32 = 0x3fc0_0000;
    let number = u32::from(info.number(encoding)?);
    let gfx9 = generation.is_gfx9();
    let source = |place: usize| match info.src.get(place) {
        None => 0,
        Some(Type::Mask) => MASK,
        Some(Type::Uniform | Type::S32) => LANE_SELECT,
        Some(Type::UniformF16 | Type::UniformF32) => FLOAT,
        Some(_) => VECTOR + (SOURCE_ROWS * place) as u32,
    };
    let result = match info.dst.first() {
        None => 0,
        Some(Type::Mask | Type::S32) => SCALAR_RESULT,
        Some(_) => RESULT,
    };
    let second = if info.src.len() > 1 {
        source(1) & 0xff
    } else {
        0
    };
    Some(match encoding {
        Encoding::Vop1 => [0x3f << 25 | result << 17 | number << 9 | source(0), 0, 0],
        Encoding::Vop2 => {
            // A literal in the middle takes the place of the second source.
            let second = match info.src.get(1) {
                Some(Type::Literal32 | Type::Literal16) => source(2) & 0xff,
                _ => second,
            };
            let word = number << 25 | result << 17 | second << 9 | source(0);
            [word, LITERAL, 0]
        }
        Encoding::Vopc => [0x3e << 25 | number << 17 | second << 9 | source(0), 0, 0],
        Encoding::Vop3 | Encoding::Vop3p => {
            let packed = encoding == Encoding::Vop3p;
            let prefix = match (gfx9, packed) {
                (false, true) => 0xcc << 24,
                (false, false) => 0x35 << 26,
                (true, true) => 0x1a7 << 23,
                (true, false) => 0x34 << 26,
            };
            let matrix = gfx9 && is_matrix(op);
            let mut low = prefix | number << 16 | result;
            let mut high = source(0) | source(1) << 9 | source(2) << 18;
            if info.dst.len() == 2 {
                low |= SCALAR_RESULT << 8;
            }
            if packed && !matrix {
                // Upper halves of the results come from upper halves.
                low |= 1 << 14;
                high |= 3 << 27;
            }
            if info.src.first() == Some(&Type::A32) {
                high |= 1 << 27;
            }
            [low, high, 0]
        }
        Encoding::Ds => {
            let has_address = !info.flags.contains(Flags::NO_ADDRESS);
            let offset = if info.flags.contains(Flags::TWO_ADDRESSES) {
                0x100
            } else if op == Opcode::DsSwizzleB32 {
                0x41f
            } else {
                0
            };
            let data = u32::from(has_address);
            let register = |place: u32| {
                let used = info.src.len() as u32 > place + data;
                if used { SOURCE_ROWS as u32 * place } else { 0 }
            };
            let address = if has_address { ADDRESS } else { 0 };
            let shift = if gfx9 { 17 } else { 18 };
            let word = 0x36 << 26 | number << shift | offset;
            [
                word,
                result << 24 | register(1) << 16 | register(0) << 8 | address,
                0,
            ]
        }
        _ => return None,
    })
}

/// Is it a product of matrices, or does it move to and from their registers?
pub(crate) fn is_matrix(op: Opcode) -> bool {
    ["v_mfma", "v_smfmac", "v_wmma", "v_swmmac", "v_accvgpr"]
        .iter()
        .any(|start| op.name().starts_with(start))
}

/// What the registers hold before the loop, 64 lanes each: ordinary values of
/// the types that the instruction reads.
pub(crate) fn registers(case: &Case) -> Vec<u8> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) as u32
    };
    let lds = case.info.encodings[0].0 == Encoding::Ds;
    let mut bytes = Vec::new();
    for row in 0..ROWS {
        // Data of LDS instructions stand behind their address.
        let place = row / SOURCE_ROWS + usize::from(lds);
        let ty = case.info.src.get(place).copied();
        let shifts = case.op.name().contains("ldexp") && place == 1;
        for lane in 0..64 {
            let bits = next();
            let value = match ty {
                _ if row >= ADDRESS as usize => 16 * lane,
                _ if shifts => (bits % 17).wrapping_sub(8),
                Some(ty) => ordinary(ty, bits, row % 2 == 1),
                None => bits,
            };
            bytes.extend(value.to_le_bytes());
        }
    }
    bytes
}

/// A number of about one, if the type is of floats; random bits, if not.
fn ordinary(ty: Type, bits: u32, upper: bool) -> u32 {
    let half = |bits: u32| bits & 0x83ff | 0x3800 | bits >> 3 & 0x400;
    let brain = |bits: u32| bits & 0x807f | 0x3f00 | bits >> 3 & 0x80;
    match ty {
        Type::F32 | Type::MixF32 | Type::PkF32 | Type::AccF32 => bits & 0x80ff_ffff | 0x3f00_0000,
        Type::F64 | Type::Acc64 | Type::Acc256 if upper => bits & 0x801f_ffff | 0x3fe0_0000,
        Type::F16 | Type::PkF16 | Type::SplatF16 | Type::AccF16 | Type::PkAccF16 => {
            half(bits) | half(bits >> 16) << 16
        }
        Type::Bf16 | Type::PkBf16 | Type::AccBf16 | Type::PkAccBf16 => {
            brain(bits) | brain(bits >> 16) << 16
        }
        _ => bits,
    }
}
