//! Lowering of memory instructions.

use super::Op;
use super::lower::{Lowerer, Refusal};
use crate::exec::families::*;
use crate::exec::{access, atomic_function};
use crate::isa::{Encoding, Instruction, Opcode, Operand, Type};
use crate::simd::Handler;
use crate::wave::slot;

pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    if matches!(i.op, SGl1Inv | SDcacheInv | BufferGl0Inv | BufferGl1Inv) {
        // There are no caches.
        return Ok(());
    }
    match i.encoding {
        Encoding::Smem => scalar(l, i),
        Encoding::Ds => lds(l, i),
        Encoding::Mubuf => buffer(l, i),
        Encoding::Scratch => scratch(l, i),
        _ => global(l, i),
    }
}

fn scalar(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    let run = match i.op {
        SLoadB32 => l.common_code::<ScalarLoad<1>>(),
        SLoadB64 => l.common_code::<ScalarLoad<2>>(),
        SLoadB128 => l.common_code::<ScalarLoad<4>>(),
        SLoadB256 => l.common_code::<ScalarLoad<8>>(),
        SLoadB512 => l.common_code::<ScalarLoad<16>>(),
        SBufferLoadB32 => l.common_code::<ScalarBufferLoad<1>>(),
        SBufferLoadB64 => l.common_code::<ScalarBufferLoad<2>>(),
        SBufferLoadB128 => l.common_code::<ScalarBufferLoad<4>>(),
        SBufferLoadB256 => l.common_code::<ScalarBufferLoad<8>>(),
        SBufferLoadB512 => l.common_code::<ScalarBufferLoad<16>>(),
        _ => return Err("not implemented".to_owned()),
    };
    let mut op = l.op_of(run);
    let last = u16::from(i.dst[0].dwords());
    op.d = l.result_slot(i.dst[0])?;
    if op.d == slot::SINK && last > 2 {
        return Err("a wide load into null".to_owned());
    }
    op.a = l.source_slot(i.src[0], Type::S64)?;
    op.b = l.source_slot(i.src[1], Type::S32)?;
    op.imm = i.modifiers.offset as u32;
    l.push(op);
    Ok(())
}

/// Picks the handlers of loads and stores by the end of the mnemonic.
macro_rules! transfers {
    ($l:ident, $name:expr, $load:ident, $load_small:ident, $store:ident, $store_small:ident) => {
        match $name {
            "load_b32" => $l.code::<$load<1>>(),
            "load_b64" => $l.code::<$load<2>>(),
            "load_b96" => $l.code::<$load<3>>(),
            "load_b128" => $l.code::<$load<4>>(),
            "store_b32" => $l.code::<$store<1>>(),
            "store_b64" => $l.code::<$store<2>>(),
            "store_b96" => $l.code::<$store<3>>(),
            "store_b128" => $l.code::<$store<4>>(),
            "load_u8" => $l.common_code::<$load_small<access::U8>>(),
            "load_i8" => $l.common_code::<$load_small<access::I8>>(),
            "load_u16" => $l.common_code::<$load_small<access::U16>>(),
            "load_i16" => $l.common_code::<$load_small<access::I16>>(),
            "load_d16_u8" | "load_u8_d16" => $l.common_code::<$load_small<access::LowU8>>(),
            "load_d16_i8" | "load_i8_d16" => $l.common_code::<$load_small<access::LowI8>>(),
            "load_d16_b16" | "load_u16_d16" => $l.common_code::<$load_small<access::LowB16>>(),
            "load_d16_hi_u8" | "load_u8_d16_hi" => $l.common_code::<$load_small<access::HighU8>>(),
            "load_d16_hi_i8" | "load_i8_d16_hi" => $l.common_code::<$load_small<access::HighI8>>(),
            "load_d16_hi_b16" | "load_u16_d16_hi" => {
                $l.common_code::<$load_small<access::HighB16>>()
            }
            "store_b8" => $l.common_code::<$store_small<1, false>>(),
            "store_b16" => $l.common_code::<$store_small<2, false>>(),
            "store_d16_hi_b8" | "store_b8_d16_hi" => $l.common_code::<$store_small<1, true>>(),
            "store_d16_hi_b16" | "store_b16_d16_hi" => $l.common_code::<$store_small<2, true>>(),
            _ => return Err("not implemented".to_owned()),
        }
    };
}

/// The mnemonic behind its family: `load_b32` of `global_load_b32`.
fn verb(i: &Instruction) -> &'static str {
    i.op.mnemonic().split_once('_').map_or("", |(_, verb)| verb)
}

/// Row of the data of a load or store: its result, or its data source.
fn data_row(l: &Lowerer, i: &Instruction) -> Result<u16, Refusal> {
    match i.dst[0] {
        Operand::None => l.vgpr(i.src[3]),
        operand => l.vgpr(operand),
    }
}

fn buffer(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let modifiers = &i.modifiers;
    if modifiers.tfe {
        return Err("residency reports are not implemented".to_owned());
    }
    let atomic = verb(i)
        .starts_with("atomic")
        .then(|| atomic_function(i.op))
        .flatten();
    let run = match atomic {
        Some((_, true)) => l.common_code::<GlobalAtomic<true, true>>(),
        Some((_, false)) => l.common_code::<GlobalAtomic<true, false>>(),
        None => transfers!(
            l,
            verb(i),
            BufferLoad,
            BufferLoadSmall,
            BufferStore,
            BufferStoreSmall
        ),
    };
    let mut op = l.op_of(run);
    op.d = data_row(l, i)?;
    op.a = match i.src[0] {
        Operand::Off => l.constant_row(0),
        operand => l.vgpr(operand)?,
    };
    op.b = l.source_slot(i.src[1], Type::S128)?;
    op.c = l.source_slot(i.src[2], Type::B32)?;
    op.imm = modifiers.offset as u32;
    op.aux =
        (u32::from(modifiers.offen) * access::OFFEN) | (u32::from(modifiers.idxen) * access::IDXEN);
    if let Some((function, _)) = atomic {
        op.e = ((function as u16) << 1) | (u16::from(modifiers.glc) * access::RETURN);
    }
    l.push(op);
    Ok(())
}

fn global(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let atomic = verb(i)
        .starts_with("atomic")
        .then(|| atomic_function(i.op))
        .flatten();
    let run = match atomic {
        Some((_, true)) => l.common_code::<GlobalAtomic<false, true>>(),
        Some((_, false)) => l.common_code::<GlobalAtomic<false, false>>(),
        None => transfers!(
            l,
            verb(i),
            GlobalLoad,
            GlobalLoadSmall,
            GlobalStore,
            GlobalStoreSmall
        ),
    };
    let mut op = l.op_of(run);
    op.a = l.vgpr(i.src[0])?;
    op.imm = i.modifiers.offset as u32;
    if !matches!(i.src[1], Operand::Off | Operand::None) {
        op.b = l.source_slot(i.src[1], Type::S64)?;
        op.aux |= access::SCALAR_BASE;
    }
    if i.encoding == Encoding::Flat {
        op.aux |= access::FLAT;
    }
    if let Some((function, _)) = atomic {
        op.c = l.vgpr(i.src[3])?;
        if i.modifiers.glc {
            op.d = l.vgpr(i.dst[0])?;
        }
        op.e = ((function as u16) << 1) | (u16::from(i.modifiers.glc) * access::RETURN);
    } else {
        op.d = data_row(l, i)?;
    }
    l.push(op);
    Ok(())
}

fn scratch(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let run = transfers!(
        l,
        verb(i),
        ScratchLoad,
        ScratchLoadSmall,
        ScratchStore,
        ScratchStoreSmall
    );
    let mut op = l.op_of(run);
    op.d = data_row(l, i)?;
    if i.src[0] != Operand::Off {
        op.a = l.vgpr(i.src[0])?;
        op.aux = access::VECTOR;
    }
    op.b = l.source_slot(i.src[1], Type::S32)?;
    op.imm = i.modifiers.offset as u32;
    l.push(op);
    Ok(())
}

fn lds(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if i.modifiers.gds {
        return Err("there is no global data share".to_owned());
    }
    let name = verb(i);
    if let Some((function, wide)) = atomic_function(i.op) {
        return lds_atomic(l, i, function as u16, wide);
    }
    let permute = match name {
        "swizzle_b32" => Some(l.common_code::<Swizzle>()),
        "bpermute_b32" => Some(l.common_code::<BackwardPermute>()),
        "permute_b32" => Some(l.common_code::<ForwardPermute>()),
        _ => None,
    };
    if let Some(run) = permute {
        return lds_permute(l, i, run);
    }
    // Offsets of accesses to two places count elements.
    let element = if name.ends_with("b64") { 8 } else { 4 };
    let element = if name.contains("stride64") {
        64 * element
    } else {
        element
    };
    let run = match name {
        "load_2addr_b32" | "load_2addr_stride64_b32" => l.code::<DsLoad2<1>>(),
        "load_2addr_b64" | "load_2addr_stride64_b64" => l.code::<DsLoad2<2>>(),
        "store_2addr_b32" | "store_2addr_stride64_b32" => l.code::<DsStore2<1>>(),
        "store_2addr_b64" | "store_2addr_stride64_b64" => l.code::<DsStore2<2>>(),
        _ => transfers!(l, name, DsLoad, DsLoadSmall, DsStore, DsStoreSmall),
    };
    let mut op = l.op_of(run);
    op.a = l.vgpr(i.src[0])?;
    op.imm = i.modifiers.offset as u32;
    if name.contains("2addr") {
        op.imm *= element;
        op.aux = u32::from(i.modifiers.offset1) * element;
    }
    if i.dst[0] != Operand::None {
        op.d = l.vgpr(i.dst[0])?;
    } else {
        op.b = l.vgpr(i.src[1])?;
        if i.src[2] != Operand::None {
            op.c = l.vgpr(i.src[2])?;
        }
    }
    l.push(op);
    Ok(())
}

fn lds_atomic(l: &mut Lowerer, i: &Instruction, function: u16, wide: bool) -> Result<(), Refusal> {
    let mut op = if wide {
        l.common_op::<DsAtomic<true>>()
    } else {
        l.common_op::<DsAtomic<false>>()
    };
    op.a = l.vgpr(i.src[0])?;
    op.b = l.vgpr(i.src[1])?;
    op.c = if i.src[2] == Operand::None {
        op.b
    } else {
        l.vgpr(i.src[2])?
    };
    op.imm = i.modifiers.offset as u32;
    op.e = function << 1;
    if i.dst[0] != Operand::None {
        op.d = l.vgpr(i.dst[0])?;
        op.e |= access::RETURN;
    }
    l.push(op);
    Ok(())
}

fn lds_permute(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    let mut op: Op = l.op_of(run);
    op.d = l.vgpr(i.dst[0])?;
    op.a = l.vgpr(i.src[0])?;
    op.imm = i.modifiers.offset as u32;
    if i.op == Opcode::DsSwizzleB32 {
        let table = swizzle_table(i.modifiers.offset as u32)?;
        op.imm = l.shuffle(table);
    } else {
        op.b = l.vgpr(i.src[1])?;
    }
    l.push(op);
    Ok(())
}

/// Which lane each lane reads in `ds_swizzle_b32` with this offset.
fn swizzle_table(offset: u32) -> Result<[u8; 32], Refusal> {
    if offset & 0xe000 == 0xe000 {
        return Err("the FFT mode of ds_swizzle is not implemented".to_owned());
    }
    if offset & 0xe000 == 0xc000 {
        let amount = offset >> 5 & 31;
        let keep = offset & 31;
        let left = offset >> 10 & 1 == 0;
        return Ok(std::array::from_fn(|lane| {
            let lane = lane as u32;
            let moved = if left {
                lane + amount
            } else {
                lane.wrapping_sub(amount)
            };
            (lane & keep | moved & 31 & !keep) as u8
        }));
    }
    if offset & 0x8000 != 0 {
        return Ok(std::array::from_fn(|lane| {
            (lane as u32 & !3 | offset >> (2 * (lane as u32 & 3)) & 3) as u8
        }));
    }
    let (and, or, xor) = (offset & 31, offset >> 5 & 31, offset >> 10 & 31);
    Ok(std::array::from_fn(|lane| {
        ((lane as u32 & and | or) ^ xor) as u8
    }))
}
