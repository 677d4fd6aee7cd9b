//! Lowering of memory instructions.

use super::Op;
use super::lower::{Lowerer, Refusal};
use super::native::Step;
use crate::exec::families::*;
use crate::exec::{access, atomic_function};
use crate::isa::{Encoding, Flags, Instruction, Opcode, Operand, Type};
use crate::simd::Handler;
use crate::wave::{slot, temp};

pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    if matches!(
        i.op,
        SGl1Inv
            | SDcacheInv
            | SDcacheWb
            | SDcacheInvVol
            | SDcacheWbVol
            | SDcacheDiscard
            | SDcacheDiscardX2
            | BufferGl0Inv
            | BufferGl1Inv
            | BufferWbl2
            | BufferInv
            | BufferInvl2
            | BufferWbinvl1
            | BufferWbinvl1Vol
            | SAtcProbe
            | SAtcProbeBuffer
            | DsNop
            | GlobalInv
            | GlobalWb
            | GlobalWbinv
            | SPrefetchInst
            | SPrefetchInstPcRel
            | SPrefetchData
            | SBufferPrefetchData
            | SPrefetchDataPcRel
    ) {
        // There are no caches, and nothing to ask a translation for.
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
        SLoadB96 => l.common_code::<ScalarLoad<3>>(),
        SLoadU8 => l.common_code::<ScalarLoadSmall<access::U8>>(),
        SLoadI8 => l.common_code::<ScalarLoadSmall<access::I8>>(),
        SLoadU16 => l.common_code::<ScalarLoadSmall<access::U16>>(),
        SLoadI16 => l.common_code::<ScalarLoadSmall<access::I16>>(),
        SLoadB128 => l.common_code::<ScalarLoad<4>>(),
        SLoadB256 => l.common_code::<ScalarLoad<8>>(),
        SLoadB512 => l.common_code::<ScalarLoad<16>>(),
        SBufferLoadB32 => l.common_code::<ScalarBufferLoad<1>>(),
        SBufferLoadB64 => l.common_code::<ScalarBufferLoad<2>>(),
        SBufferLoadB96 => l.common_code::<ScalarBufferLoad<3>>(),
        SBufferLoadU8 => l.common_code::<ScalarBufferLoadSmall<access::U8>>(),
        SBufferLoadI8 => l.common_code::<ScalarBufferLoadSmall<access::I8>>(),
        SBufferLoadU16 => l.common_code::<ScalarBufferLoadSmall<access::U16>>(),
        SBufferLoadI16 => l.common_code::<ScalarBufferLoadSmall<access::I16>>(),
        SBufferLoadB128 => l.common_code::<ScalarBufferLoad<4>>(),
        SBufferLoadB256 => l.common_code::<ScalarBufferLoad<8>>(),
        SBufferLoadB512 => l.common_code::<ScalarBufferLoad<16>>(),
        SMemtime | SMemrealtime => {
            let mut op = l.common_op::<Clock>();
            op.d = l.result_slot(i.dst[0])?;
            l.push(op);
            return Ok(());
        }
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

/// Picks the handlers of loads and stores by the end of the mnemonic; those of
/// small loads made once, or for every back end.
macro_rules! transfers {
    ($l:ident, $name:expr, $load:ident, $small:ident $load_small:ident, $store:ident, $store_small:ident) => {
        match $name {
            "load_b32" | "load_addtid_b32" => $l.code::<$load<1>>(),
            "load_b64" => $l.code::<$load<2>>(),
            "load_b96" => $l.code::<$load<3>>(),
            "load_b128" => $l.code::<$load<4>>(),
            "store_b32" | "store_addtid_b32" => $l.code::<$store<1>>(),
            "store_b64" => $l.code::<$store<2>>(),
            "store_b96" => $l.code::<$store<3>>(),
            "store_b128" => $l.code::<$store<4>>(),
            "load_u8" => $l.$small::<$load_small<access::U8>>(),
            "load_i8" => $l.$small::<$load_small<access::I8>>(),
            "load_u16" => $l.$small::<$load_small<access::U16>>(),
            "load_i16" => $l.$small::<$load_small<access::I16>>(),
            "load_d16_u8" | "load_u8_d16" => $l.$small::<$load_small<access::LowU8>>(),
            "load_d16_i8" | "load_i8_d16" => $l.$small::<$load_small<access::LowI8>>(),
            "load_d16_b16" | "load_u16_d16" => $l.$small::<$load_small<access::LowB16>>(),
            "load_d16_hi_u8" | "load_u8_d16_hi" => $l.$small::<$load_small<access::HighU8>>(),
            "load_d16_hi_i8" | "load_i8_d16_hi" => $l.$small::<$load_small<access::HighI8>>(),
            "load_d16_hi_b16" | "load_u16_d16_hi" => $l.$small::<$load_small<access::HighB16>>(),
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
    i.op.name().split_once('_').map_or("", |(_, verb)| verb)
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
    let atomic = verb(i)
        .starts_with("atomic")
        .then(|| atomic_function(i.op))
        .flatten();
    let run = match atomic {
        Some((_, true)) => l.common_code::<GlobalAtomic<true, true>>(),
        Some((_, false)) => l.common_code::<GlobalAtomic<true, false>>(),
        None if modifiers.lds => match verb(i) {
            "load_u8" => l.common_code::<BufferToLdsSmall<access::U8>>(),
            "load_i8" => l.common_code::<BufferToLdsSmall<access::I8>>(),
            "load_u16" => l.common_code::<BufferToLdsSmall<access::U16>>(),
            "load_i16" => l.common_code::<BufferToLdsSmall<access::I16>>(),
            "load_b32" => l.common_code::<BufferToLds<1>>(),
            "load_b96" => l.common_code::<BufferToLds<3>>(),
            "load_b128" => l.common_code::<BufferToLds<4>>(),
            _ => return Err("not implemented".to_owned()),
        },
        None => transfers!(
            l,
            verb(i),
            BufferLoad,
            common_code BufferLoadSmall,
            BufferStore,
            BufferStoreSmall
        ),
    };
    let mut op = l.op_of(run);
    if !modifiers.lds {
        op.d = data_row(l, i)?;
    }
    op.a = match i.src[0] {
        Operand::Off => l.constant_row(0),
        operand => l.vgpr(operand)?,
    };
    op.b = l.source_slot(i.src[1], Type::S128)?;
    op.c = l.source_slot(i.src[2], Type::B32)?;
    op.imm = modifiers.offset as u32;
    op.aux =
        (u32::from(modifiers.offen) * access::OFFEN) | (u32::from(modifiers.idxen) * access::IDXEN);
    if l.is_gfx9() {
        op.aux |= access::GFX9;
    }
    if let Some((function, _)) = atomic {
        op.e = ((function as u16) << 1) | (u16::from(modifiers.glc) * access::RETURN);
    }
    let dwords = match verb(i) {
        "load_b32" => 1,
        "load_b64" => 2,
        "load_b96" => 3,
        "load_b128" => 4,
        _ => 0,
    };
    if dwords != 0 && op.aux & !access::GFX9 == access::OFFEN {
        l.know(Step::Load {
            d: op.d,
            dwords,
            address: op.a,
            resource: op.b,
            offset: op.c,
            constant: op.imm,
            aux: op.aux,
        });
    }
    l.push(op);
    if modifiers.tfe && i.dst[0] != Operand::None {
        report_residency(l, i, op.d);
    }
    Ok(())
}

/// The dword behind a load's data that says which pages were missing: none.
fn report_residency(l: &mut Lowerer, i: &Instruction, data: u16) {
    let dwords = i.info().dst[0].dwords(l.size);
    let mut op = l.op::<Plain<crate::exec::lane::Move>>();
    op.a = l.constant_row(0);
    op.d = data + u16::from(dwords);
    l.push(op);
}

fn global(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let to_lds = i.modifiers.lds || verb(i).starts_with("load_lds_");
    let atomic = verb(i)
        .starts_with("atomic")
        .then(|| atomic_function(i.op))
        .flatten();
    let run = match atomic {
        Some((_, true)) => l.common_code::<GlobalAtomic<false, true>>(),
        Some((_, false)) => l.common_code::<GlobalAtomic<false, false>>(),
        None if to_lds => match (verb(i), i.modifiers.lds) {
            ("load_lds_ubyte", _) | ("load_u8", true) => {
                l.common_code::<GlobalToLdsSmall<access::U8>>()
            }
            ("load_lds_sbyte", _) | ("load_i8", true) => {
                l.common_code::<GlobalToLdsSmall<access::I8>>()
            }
            ("load_lds_ushort", _) | ("load_u16", true) => {
                l.common_code::<GlobalToLdsSmall<access::U16>>()
            }
            ("load_lds_sshort", _) | ("load_i16", true) => {
                l.common_code::<GlobalToLdsSmall<access::I16>>()
            }
            ("load_lds_dword", _) | ("load_b32", true) => l.common_code::<GlobalToLds<1>>(),
            ("load_lds_dwordx3", _) => l.common_code::<GlobalToLds<3>>(),
            ("load_lds_dwordx4", _) => l.common_code::<GlobalToLds<4>>(),
            _ => return Err("not implemented".to_owned()),
        },
        None => transfers!(
            l,
            verb(i),
            GlobalLoad,
            common_code GlobalLoadSmall,
            GlobalStore,
            GlobalStoreSmall
        ),
    };
    let mut op = l.op_of(run);
    let own = i.info().flags.contains(Flags::NO_ADDRESS);
    op.a = if own {
        lane_addresses(l, false)
    } else {
        l.vgpr(i.src[0])?
    };
    op.imm = i.modifiers.offset as u32;
    if own || !matches!(i.src[1], Operand::Off | Operand::None) {
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
    } else if !to_lds {
        op.d = data_row(l, i)?;
    }
    l.push(op);
    Ok(())
}

fn scratch(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if i.modifiers.lds {
        return Err("a load from scratch to LDS is not implemented".to_owned());
    }
    let run = transfers!(
        l,
        verb(i),
        ScratchLoad,
        common_code ScratchLoadSmall,
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
        "bpermute_b32" if l.is_gfx9() => Some(l.code::<BackwardPermute64>()),
        "permute_b32" if l.is_gfx9() => Some(l.common_code::<ForwardPermute64>()),
        "swizzle_b32" => Some(l.code::<Swizzle>()),
        "bpermute_b32" => Some(l.code::<BackwardPermute<false>>()),
        "bpermute_fi_b32" => Some(l.code::<BackwardPermute<true>>()),
        "permute_b32" => Some(l.common_code::<ForwardPermute>()),
        _ => None,
    };
    if let Some(run) = permute {
        return lds_permute(l, i, run);
    }
    if name.contains("addtid") || matches!(name, "append" | "consume") {
        return lds_from_m0(l, i);
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
        "storexchg_2addr_rtn_b32" | "storexchg_2addr_stride64_rtn_b32" => {
            l.common_code::<DsExchange2<false>>()
        }
        "storexchg_2addr_rtn_b64" | "storexchg_2addr_stride64_rtn_b64" => {
            l.common_code::<DsExchange2<true>>()
        }
        "read_b64_tr_b4" => l.common_code::<DsLoadTransposed<2, 4>>(),
        "read_b96_tr_b6" => l.common_code::<DsLoadTransposed<3, 6>>(),
        "read_b64_tr_b8" => l.common_code::<DsLoadTransposed<2, 8>>(),
        "read_b64_tr_b16" => l.common_code::<DsLoadTransposed<2, 16>>(),
        _ => transfers!(l, name, DsLoad, code DsLoadSmall, DsStore, DsStoreSmall),
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
    }
    if i.src[1] != Operand::None {
        op.b = l.vgpr(i.src[1])?;
    }
    if i.src[2] != Operand::None {
        op.c = l.vgpr(i.src[2])?;
    }
    l.push(op);
    Ok(())
}

/// A row of the offsets of consecutive dwords, one a lane, perhaps plus M0.
fn lane_addresses(l: &mut Lowerer, from_m0: bool) -> u16 {
    let mut op = l.common_op::<LaneAddresses>();
    op.d = l.temp(temp::TAKEN);
    op.imm = u32::from(from_m0);
    l.push(op);
    op.d
}

/// Accesses at M0: a counter that all lanes share, or a dword a lane.
fn lds_from_m0(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let offset = i.modifiers.offset as u32;
    let count = match i.op {
        Opcode::DsAppend => Some(l.common_code::<DsCount<true>>()),
        Opcode::DsConsume => Some(l.common_code::<DsCount<false>>()),
        _ => None,
    };
    if let Some(run) = count {
        let mut op = l.op_of(run);
        op.d = l.vgpr(i.dst[0])?;
        (op.imm, op.e) = (offset, l.vgprs);
        l.push(op);
        return Ok(());
    }
    let address = lane_addresses(l, true);
    let mut op = if i.op == Opcode::DsLoadAddtidB32 {
        Op {
            d: l.vgpr(i.dst[0])?,
            ..l.op::<DsLoad<1>>()
        }
    } else {
        Op {
            b: l.vgpr(i.src[1])?,
            ..l.op::<DsStore<1>>()
        }
    };
    (op.a, op.imm) = (address, offset);
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
    if i.op.name().starts_with("ds_cmpst_") {
        // Here the compared value comes first.
        std::mem::swap(&mut op.b, &mut op.c);
    }
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
        op.e = l.vgprs;
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
