//! Random encodings of what gfx9 encodes in its own way.

use amdgpu::isa::{Encoding, Flags, Type, WaveSize};

use super::{Form, Random, scalar_register, scalar_source};
use crate::isa::Case;

/// True for matrix instructions and moves to and from accumulation registers.
pub(super) fn is_matrix(form: &Form) -> bool {
    let accumulation = |ty: &Type| {
        matches!(
            ty,
            Type::A32
                | Type::Av32
                | Type::Av64
                | Type::Av128
                | Type::Av256
                | Type::Acc64
                | Type::Acc128
                | Type::Acc256
                | Type::Acc512
                | Type::Acc1024
        )
    };
    form.info.dst.iter().chain(form.info.src).any(accumulation)
}

/// LLVM's disassembler crashes on literals where gfx9 has none: in VOP3,
/// VOP3P and buffer offsets.
pub(super) fn crashes_llvm(case: &Case) -> bool {
    const LITERAL: u32 = 255;
    let second = case[0] >> 23 == 0x1a7 && case[2] >> 23 == 0x1a7;
    match case[0] >> 26 {
        0x34 if second && case[3] >> 18 & 0x1ff == LITERAL => true,
        0x34 => (0..3).any(|i| case[1] >> (9 * i) & 0x1ff == LITERAL),
        0x38 | 0x3a => case[1] >> 24 == LITERAL,
        _ => false,
    }
}

/// Mostly a valid first register of a tuple.
fn tuple(random: &mut Random, ty: Type) -> u32 {
    let dwords = u32::from(ty.dwords(WaveSize::Wave64));
    if random.once_in(32) {
        return random.below(256);
    }
    let register = random.below(257 - dwords);
    if dwords > 1 { register & !1 } else { register }
}

pub(super) fn matrix(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let info = form.info;
    let mut sources = [0; 3];
    for (source, &ty) in sources.iter_mut().zip(info.src) {
        *source = 256 + tuple(random, ty);
    }
    let constant = info.src.len() == 3 && random.once_in(4);
    if constant || info.src[0] == Type::B32 && random.once_in(2) {
        sources[info.src.len() - 1] = scalar_source(random);
    }
    case[0] = 0x1a7 << 23
        | number << 16
        | random.rarely(2, 1) << 15
        | random.rarely(3, 7) << 8
        | tuple(random, info.dst[0]);
    case[1] = sources[0]
        | sources[1] << 9
        | sources[2] << 18
        | random.rarely(2, 2) << 27
        | random.rarely(4, 3) << 29;
    if info.flags.contains(Flags::SCALED) && !random.once_in(16) {
        case[0] &= !(0xf << 11);
        if random.once_in(2) {
            let product = [case[0] | 1 << 11, case[1]];
            case[0] = 0x1a7 << 23 | 0x2c << 16 | random.rarely(2, 2) << 11;
            case[1] = 0x100 | random.below(256) | (0x100 | random.below(256)) << 9;
            case[1] |= random.rarely(2, 2) << 27;
            case[2..].copy_from_slice(&product);
        }
    }
}

pub(super) fn sdwa_word(random: &mut Random, form: &Form) -> u32 {
    let info = form.info;
    let mut word = random.below(256);
    if form.encoding == Encoding::Vopc {
        word |= (random.rarely(2, 1) << 7 | scalar_register(random)) << 8;
    } else if info.flags.contains(Flags::WHOLE_DST) {
        word |= (6 | random.rarely(4, 2) << 3 | random.rarely(4, 1) << 5) << 8;
    } else {
        word |= (random.below(7) | random.below(3) << 3 | random.rarely(4, 1) << 5) << 8;
        word |= random.rarely(8, 2) << 14;
    }
    for i in 0..2 {
        let used = i < info.src.len();
        let selection = if used { random.below(7) } else { 0 };
        let modifiers = if !used {
            random.rarely(32, 3)
        } else if info.src[i].is_float() {
            random.rarely(2, 2) << 1 | random.rarely(32, 1)
        } else {
            random.rarely(2, 1) | random.rarely(32, 2) << 1
        };
        let scalar = if used { random.rarely(3, 1) } else { 0 };
        let field = selection | modifiers << 3 | random.rarely(32, 1) << 6 | scalar << 7;
        word |= field << (16 + 8 * i);
    }
    if info.dst.is_empty() && form.encoding != Encoding::Vopc {
        word &= !0x3f_ff00;
    }
    word
}

pub(super) fn memory(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let [low, high] = match form.encoding {
        Encoding::Smem => scalar(random),
        Encoding::Ds => lds(random, form),
        Encoding::Mubuf => buffer(random, form),
        Encoding::Mtbuf => typed_buffer(random, form),
        _ => flat(random, form),
    };
    let shift = match form.encoding {
        Encoding::Ds => 17,
        Encoding::Mtbuf => 15,
        _ => 18,
    };
    case[0] = low | number << shift;
    case[1] = high;
}

fn scalar(random: &mut Random) -> [u32; 2] {
    [
        0x30 << 26
            | random.below(2) << 17
            | random.rarely(4, 1) << 16
            | random.rarely(32, 1) << 15
            | random.rarely(2, 1) << 14
            | random.rarely(32, 1) << 13
            | scalar_register(random) << 6
            | random.below(64),
        scalar_register(random) << 25
            | random.rarely(16, 4) << 21
            | if random.once_in(2) {
                scalar_register(random)
            } else {
                random.rarely(2, 21)
            },
    ]
}

/// A register that a pair may begin at.
fn even(random: &mut Random) -> u32 {
    random.below(256) & !1
}

/// Registers of data, each tuple aligned.
fn data(random: &mut Random, types: &[Type], number: usize) -> u32 {
    match types.get(number) {
        Some(&ty) => tuple(random, ty),
        None => random.rarely(32, 8),
    }
}

fn lds(random: &mut Random, form: &Form) -> [u32; 2] {
    let info = form.info;
    let global = info.flags.contains(Flags::NEEDS_GDS);
    let gds = if global && !random.once_in(16) {
        1
    } else {
        random.rarely(8, 1)
    };
    let addressed = !info.flags.contains(Flags::NO_ADDRESS);
    let values = info.src.get(usize::from(addressed)..).unwrap_or_default();
    let empty = info.src.is_empty() && info.dst.is_empty() && !random.once_in(8);
    let (offset, accumulation) = if empty && !global {
        (0, 0)
    } else {
        (
            random.rarely(2, 16),
            if empty { 0 } else { random.rarely(4, 1) },
        )
    };
    let address = if addressed {
        random.below(256)
    } else {
        random.rarely(32, 8)
    };
    [
        0x36 << 26 | accumulation << 25 | if empty && !global { 0 } else { gds } << 16 | offset,
        data(random, info.dst, 0) << 24
            | data(random, values, 1) << 16
            | data(random, values, 0) << 8
            | address,
    ]
}

/// The register with data of a buffer or flat access.
fn value(random: &mut Random, form: &Form) -> u32 {
    let types = [form.info.src, form.info.dst].concat();
    data(random, &types, 0)
}

fn buffer(random: &mut Random, form: &Form) -> [u32; 2] {
    let bare = form.info.dst.is_empty() && form.info.src.is_empty() && !random.once_in(8);
    let addressing = if bare { 0 } else { random.below(4) << 12 };
    let lds = form.info.flags.contains(Flags::LDS_FORM) && random.once_in(4);
    let lds = u32::from(lds) | random.rarely(64, 1);
    let accumulation = if bare || lds != 0 {
        random.rarely(32, 1)
    } else {
        random.rarely(4, 1)
    };
    [
        0x38 << 26
            | random.rarely(64, 1) << 25
            | random.rarely(2, 2) << 14
            | random.rarely(4, 1) << 17
            | if bare { 0 } else { lds } << 16
            | addressing
            | random.rarely(2, 12),
        scalar_source(random) << 24
            | accumulation << 23
            | random.rarely(64, 2) << 21
            | random.below(26) << 16
            | value(random, form) << 8
            | even(random),
    ]
}

fn typed_buffer(random: &mut Random, form: &Form) -> [u32; 2] {
    [
        0x3a << 26 | random.below(128) << 19 | random.rarely(2, 3) << 12 | random.rarely(2, 12),
        scalar_source(random) << 24
            | random.rarely(4, 3) << 21
            | random.below(26) << 16
            | value(random, form) << 8
            | even(random),
    ]
}

fn flat(random: &mut Random, form: &Form) -> [u32; 2] {
    let info = form.info;
    let (segment, base) = match form.encoding {
        Encoding::Flat => (0, random.rarely(32, 7)),
        encoding => {
            let segment = if encoding == Encoding::Scratch { 1 } else { 2 };
            let base = if random.once_in(2) {
                0x7f
            } else {
                scalar_register(random)
            };
            (segment, base)
        }
    };
    let enable = if form.encoding == Encoding::Scratch {
        random.below(2)
    } else {
        random.rarely(32, 1)
    };
    let moves = !info.dst.is_empty() || !info.src.is_empty();
    let accumulation = random.rarely(if moves { 4 } else { 32 }, 1);
    let second_bit = random.rarely(4, 1);
    [
        0x37 << 26
            | second_bit << 25
            | random.rarely(2, 2) << 16
            | segment << 14
            | enable << 13
            | random.rarely(2, 13),
        data(random, info.dst, 0) << 24
            | accumulation << 23
            | base << 16
            | data(random, info.src, 0) << 8
            | even(random),
    ]
}
