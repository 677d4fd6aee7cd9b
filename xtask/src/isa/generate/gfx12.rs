//! Random encodings of what gfx12 encodes in its own way.

use amdgpu::isa::{Encoding, Flags, Type, WaveSize};

use super::{Form, Random, scalar_register};
use crate::isa::Case;

/// LLVM's disassembler crashes on literals as numbers of barriers.
pub(super) fn crashes_llvm(case: &Case) -> bool {
    const LITERAL: u32 = 255;
    let barrier = (0x4e..=0x52).contains(&(case[0] >> 8 & 0xff));
    case[0] >> 23 == 0x17d && barrier && case[0] & 0xff == LITERAL
}

pub(super) fn memory(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let (words, shift) = match form.encoding {
        Encoding::Smem => (scalar(random, form), 13),
        Encoding::Mubuf => (buffer(random, form), 14),
        _ => (flat(random, form), 14),
    };
    case[..3].copy_from_slice(&words);
    case[0] |= number << shift;
}

/// The null register half of the time.
fn register_or_null(random: &mut Random) -> u32 {
    if random.once_in(2) {
        124
    } else {
        scalar_register(random)
    }
}

fn scalar(random: &mut Random, form: &Form) -> [u32; 3] {
    let info = form.info;
    let prefetches = info.flags.contains(Flags::PREFETCH);
    let data = if prefetches && !random.once_in(8) {
        random.below(32)
    } else {
        scalar_register(random)
    };
    let bare = info.src.is_empty() && !prefetches && !random.once_in(8);
    let mut offset = random.rarely(2, 24);
    if info.src.first() == Some(&Type::S128) && !random.once_in(8) {
        offset &= 0x7f_ffff;
    }
    let policy = random.rarely(if prefetches { 16 } else { 2 }, 4);
    let low = 0x3d << 26 | random.rarely(64, 1) << 20;
    if bare {
        return [low, 0, super::NOP];
    }
    [
        low | policy << 21 | data << 6 | random.below(64),
        register_or_null(random) << 25 | random.rarely(64, 1) << 24 | offset,
        super::NOP,
    ]
}

/// Scope and temporal hint.
fn policy(random: &mut Random) -> u32 {
    random.rarely(2, 2) | random.rarely(2, 3) << 2
}

fn vgpr(random: &mut Random, types: &[Type]) -> u32 {
    match types.first() {
        Some(ty) if !random.once_in(16) => {
            random.below(257 - u32::from(ty.dwords(WaveSize::Wave32)))
        }
        Some(_) => random.below(256),
        None => random.rarely(16, 8),
    }
}

fn buffer(random: &mut Random, form: &Form) -> [u32; 3] {
    let info = form.info;
    let types = [info.src, info.dst].concat();
    [
        0x31 << 26
            | random.rarely(8, 1) << 22
            | random.rarely(64, 1) << 7
            | register_or_null(random),
        random.below(4) << 30
            | policy(random) << 18
            | random.rarely(64, 2) << 16
            | random.below(27) << 11
            | vgpr(random, &types),
        random.rarely(2, 23) << 8 | random.rarely(64, 1) << 31 | random.below(256),
    ]
}

fn flat(random: &mut Random, form: &Form) -> [u32; 3] {
    let info = form.info;
    let segment = match form.encoding {
        Encoding::Flat => 0,
        Encoding::Scratch => 1,
        _ => 2,
    };
    let low = 0x3b << 26 | segment << 24 | random.rarely(64, 1) << 7;
    let policy = policy(random);
    if info.dst.is_empty() && info.src.is_empty() && !random.once_in(8) {
        return [low | 124, policy << 18, 0];
    }
    let base = if form.encoding == Encoding::Flat && !random.once_in(8) {
        124
    } else {
        register_or_null(random)
    };
    let enable = if form.encoding == Encoding::Scratch {
        random.below(2)
    } else {
        random.rarely(16, 1)
    };
    [
        low | base,
        vgpr(random, info.src) << 23
            | policy << 18
            | enable << 17
            | random.rarely(64, 1) << 16
            | vgpr(random, info.dst),
        random.rarely(2, 24) << 8 | random.below(256),
    ]
}
