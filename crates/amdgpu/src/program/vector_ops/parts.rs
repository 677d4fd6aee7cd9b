//! Operands that are parts of dwords: how sources are taken out, and how
//! results are put in.

use super::super::Op;
use super::super::lower::Lowerer;
use super::{Halves, Source};
use crate::exec::families::*;
use crate::isa::{Flags, Instruction, Opcode, Sdwa, Selection, Type, Unused};
use crate::wave::temp;

/// Shift and width of a part.
fn place(selection: Selection) -> (u16, u32) {
    match selection {
        Selection::Byte(number) => (8 * u16::from(number), 8),
        Selection::Word(number) => (16 * u16::from(number), 16),
        Selection::Dword => (0, 32),
    }
}

/// The lowest bits of a dword.
fn low_bits(width: u32) -> u32 {
    u32::MAX >> (32 - width)
}

/// How a source that sub-dword addressing picks is taken.
pub(super) fn source(
    l: &Lowerer,
    i: &Instruction,
    sdwa: &Sdwa,
    number: usize,
    halves: Halves,
) -> Source {
    let ty = i.info().src[number];
    let natural = if ty.is_half() { 16 } else { 32 };
    let (shift, width) = place(sdwa.src[number]);
    let mut source = Source {
        shift,
        mask: low_bits(width.min(natural)),
        ..Source::WHOLE
    };
    let bit = |mask: u8| mask >> number & 1 != 0;
    if ty == Type::F16 && halves == Halves::Widened {
        source.flags |= form::HALF;
    } else if l.flush && ty == Type::F32 {
        source.flags |= form::FLUSH;
    }
    if ty.is_float() {
        let sign = 1 << (natural - 1);
        if bit(i.modifiers.abs) {
            source.mask &= !sign;
        }
        if bit(i.modifiers.neg) {
            source.flip = sign;
        }
    } else if bit(sdwa.sext) && width < natural {
        source.flags |= form::SIGNED;
        source.flip = 1 << (width - 1);
        if natural == 16 {
            source.flags |= form::NARROW;
        }
    }
    source
}

/// How a result is given: the flags of [`Finish`], then the part of it that
/// stays, sign-extended from `sign`, then its place and the old bits to keep.
#[derive(Clone, Copy)]
pub(super) struct Finishing {
    pub(super) flags: u16,
    pub(super) part: Option<Part>,
    pub(super) shift: u16,
    pub(super) keep: u32,
}

/// Low bits of a result.
#[derive(Clone, Copy)]
pub(super) struct Part {
    mask: u32,
    /// The bit to extend, or zero.
    sign: u32,
}

/// What becomes of a result on gfx9, given the flags of its float form: SDWA
/// puts it in a part of the destination; 16-bit results clear the upper half
/// but where the instruction picks halves.
pub(super) fn finishing_gfx9(i: &Instruction, flags: u16) -> Option<Finishing> {
    let info = i.info();
    let half = info.dst[0].is_half();
    let natural = if half { 16 } else { 32 };
    let (shift, width, unused) = match &i.modifiers.sdwa {
        Some(sdwa) if !info.flags.contains(Flags::WHOLE_DST) => {
            let (shift, width) = place(sdwa.dst);
            (shift, width, sdwa.unused)
        }
        _ => (0, 32, Unused::Pad),
    };
    let selects = info.flags.contains(Flags::HALF_SEL);
    if i.modifiers.sdwa.is_none() && half && selects {
        let shift = if i.modifiers.op_sel >> 3 & 1 != 0 {
            16
        } else {
            0
        };
        return Some(Finishing {
            flags,
            part: None,
            shift,
            keep: !(0xffff << shift),
        });
    }
    let kept = width.min(natural);
    let part = (kept < 32).then(|| Part {
        mask: low_bits(kept),
        sign: if unused == Unused::Sext && width < 32 {
            1 << (kept - 1)
        } else {
            0
        },
    });
    let keep = match unused {
        Unused::Preserve => !(low_bits(width) << shift),
        _ => 0,
    };
    (flags != 0 || part.is_some()).then_some(Finishing {
        flags,
        part,
        shift,
        keep,
    })
}

/// Adds an op, and others that finish its result if it needs that.
pub(super) fn push_finished(
    l: &mut Lowerer,
    mut op: Op,
    result: u16,
    finishing: Option<Finishing>,
) {
    op.d = result;
    let Some(Finishing {
        flags,
        part,
        shift,
        keep,
    }) = finishing
    else {
        l.push(op);
        return;
    };
    let temporary = l.temp(temp::RESULT);
    op.d = temporary;
    l.push(op);
    let finish = |l: &mut Lowerer, d: u16, e: u16, imm: u32| {
        let mut op = l.op::<Finish>();
        (op.d, op.a, op.e, op.imm) = (d, temporary, e, imm);
        l.push(op);
    };
    let Some(Part { mask, sign }) = part else {
        finish(l, result, flags | shift, keep);
        return;
    };
    if flags != 0 {
        finish(l, temporary, flags, 0);
    }
    let whole = shift == 0 && keep == 0;
    let mut op = l.op::<Take>();
    op.d = if whole { result } else { temporary };
    (op.a, op.imm, op.aux) = (temporary, mask, sign);
    op.e = if sign != 0 { form::SIGNED } else { 0 };
    l.push(op);
    if !whole {
        finish(l, result, shift, keep);
    }
}

/// Is the result a half float that is mixed from f32?
pub(super) fn is_mix(op: Opcode) -> bool {
    matches!(op, Opcode::VFmaMixloF16 | Opcode::VFmaMixhiF16)
}
