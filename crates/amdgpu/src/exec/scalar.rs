//! Scalar instructions.

use std::marker::PhantomData;

use super::Env;
use super::buffer::Small;
use super::lane::{bfe_i32, leading_signs};
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::{Wave, slot};

/// A function of two values of one or two dwords and SCC; gives its result
/// and the new SCC.
pub(crate) trait ScalarFn {
    const A_WIDE: bool;
    const B_WIDE: bool;
    /// Dwords of the result: 0, 1 or 2.
    const RESULT: u32;

    fn eval(a: u64, b: u64, scc: bool) -> (u64, bool);
}

/// `F` of scalar slots `a` and `b` into slot `d`.
pub(crate) struct Scalar<F>(PhantomData<F>);

impl<F: ScalarFn> Kernel for Scalar<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let fetch = |slot: u16, wide: bool| {
            if wide {
                wave.scalar_64(slot)
            } else {
                u64::from(wave.scalar(slot))
            }
        };
        let (value, scc) = F::eval(fetch(op.a, F::A_WIDE), fetch(op.b, F::B_WIDE), wave.scc);
        wave.scc = scc;
        match F::RESULT {
            0 => {}
            1 => wave.set_scalar(op.d, value as u32),
            _ => wave.set_scalar_64(op.d, value),
        }
        next
    }
}

/// A function of a source and EXEC.
pub(crate) trait ExecFn {
    fn eval(source: u64, exec: u64) -> u64;
}

/// EXEC = `F(a, EXEC)`; slot `d` gets the old EXEC, or (`WRITE`) the new one.
pub(crate) struct SaveExec<F, const WRITE: bool>(PhantomData<F>);

/// The same for waves of 64, with pairs of slots.
pub(crate) struct SaveExec64<F, const WRITE: bool>(PhantomData<F>);

impl<F: ExecFn, const WRITE: bool> Kernel for SaveExec<F, WRITE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let old = wave.exec;
        let new = F::eval(u64::from(wave.scalar(op.a)), u64::from(old)) as u32;
        wave.set_scalar(op.d, if WRITE { new } else { old });
        wave.set_exec::<S>(new);
        wave.scc = new != 0;
        next
    }
}

impl<F: ExecFn, const WRITE: bool> Kernel for SaveExec64<F, WRITE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let old = wave.scalar_64(slot::EXEC);
        let new = F::eval(wave.scalar_64(op.a), old);
        wave.set_scalar_64(op.d, if WRITE { new } else { old });
        wave.set_scalar_64(slot::EXEC, new);
        wave.scc = new != 0;
        next
    }
}

/// Puts SCC (`imm` 0), "VCC is zero" (1) or "EXEC is zero" (2) into slot `d`,
/// for an instruction that has it as operand.
pub(crate) struct Stage;

impl Kernel for Stage {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let value = match op.imm {
            0 => wave.scc,
            1 => wave.vcc_is_zero(),
            _ => wave.exec_is_zero(),
        };
        wave.scalars[op.d as usize] = u32::from(value);
        next
    }
}

/// Loads `N` dwords from address slots `a` + slot `b` + `imm` (signed).
pub(crate) struct ScalarLoad<const N: usize>;

impl<const N: usize> Kernel for ScalarLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let address = wave
            .scalar_64(op.a)
            .wrapping_add(u64::from(wave.scalar(op.b)))
            .wrapping_add_signed(i64::from(op.imm as i32))
            & !3;
        let mut dwords = [0; N];
        let result = env.view.load_scalar(address, &mut dwords);
        for (i, &dword) in dwords.iter().enumerate() {
            wave.set_scalar(op.d + i as u16, dword);
        }
        env.settle(wave, next, result)
    }
}

/// Loads one or two bytes from address slots `a` + slot `b` + `imm` (signed).
pub(crate) struct ScalarLoadSmall<M>(PhantomData<M>);

impl<M: Small> Kernel for ScalarLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let address = wave
            .scalar_64(op.a)
            .wrapping_add(u64::from(wave.scalar(op.b)))
            .wrapping_add_signed(i64::from(op.imm as i32));
        let loaded = env.view.load_bytes(address, M::BYTES as u32, 0);
        if let Ok(raw) = loaded {
            wave.set_scalar(op.d, M::insert(raw, 0));
        }
        env.settle(wave, next, loaded.map(|_| ()))
    }
}

/// Loads one or two bytes from the buffer in slots `a` at slot `b` + `imm`;
/// zero past the buffer's end.
pub(crate) struct ScalarBufferLoadSmall<M>(PhantomData<M>);

impl<M: Small> Kernel for ScalarBufferLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let (base, records) = scalar_buffer(wave, op.a);
        let offset = u64::from(wave.scalar(op.b)).wrapping_add_signed(i64::from(op.imm as i32));
        let loaded = if offset + M::BYTES as u64 <= records {
            env.view.load_bytes(base + offset, M::BYTES as u32, 0)
        } else {
            Ok(0)
        };
        if let Ok(raw) = loaded {
            wave.set_scalar(op.d, M::insert(raw, 0));
        }
        env.settle(wave, next, loaded.map(|_| ()))
    }
}

/// Base and bytes of the buffer in slots from `slot` on.
fn scalar_buffer(wave: &Wave, slot: u16) -> (u64, u64) {
    let base = wave.scalar_64(slot) & 0xffff_ffff_ffff;
    let stride = wave.scalar(slot + 1) >> 16 & 0x3fff;
    (
        base,
        u64::from(wave.scalar(slot + 2)) * u64::from(stride.max(1)),
    )
}

/// Loads `N` dwords from the buffer in slots `a` at slot `b` + `imm`; dwords
/// past the buffer's end are zero.
pub(crate) struct ScalarBufferLoad<const N: usize>;

impl<const N: usize> Kernel for ScalarBufferLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let (base, records) = scalar_buffer(wave, op.a);
        let offset =
            (u64::from(wave.scalar(op.b)).wrapping_add_signed(i64::from(op.imm as i32))) & !3;
        for i in 0..N {
            let at = offset + 4 * i as u64;
            let mut dword = [0];
            if at + 4 <= records
                && let Err(error) = env.view.load_scalar(base + at, &mut dword)
            {
                return env.settle(wave, next, Err(error));
            }
            wave.set_scalar(op.d + i as u16, dword[0]);
        }
        next
    }
}

/// `imm` of moves whose register numbers M0 changes.
pub(crate) mod relative_to_m0 {
    /// The source's.
    pub(crate) const SOURCE: u32 = 1;
    /// The destination's.
    pub(crate) const RESULT: u32 = 2;
    /// The source's by bits 0 to 9, the destination's by bits 16 to 25.
    pub(crate) const EACH: u32 = 3;
    /// Both by the same.
    pub(crate) const BOTH: u32 = 4;
    /// Bit: only the lowest byte of M0 counts, as in index mode.
    pub(crate) const BYTE: u32 = 8;
}

/// Moves one (or, `WIDE`, two) scalar registers whose numbers M0 changes:
/// slots `d` = slots `a`, `imm` as in [`relative_to_m0`].
pub(crate) struct ScalarMoveRelative<const WIDE: bool>;

impl<const WIDE: bool> Kernel for ScalarMoveRelative<WIDE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let [a, d] = relative(wave.scalar(slot::M0), op);
        let moved = if op.imm == relative_to_m0::RESULT {
            d
        } else if op.imm == relative_to_m0::SOURCE {
            a
        } else {
            a.max(d)
        };
        let last = moved.saturating_add(u32::from(WIDE));
        if last >= u32::from(slot::VCC) {
            let text = format!("s{last}, reached through M0, does not exist");
            return env.fail(wave, next, super::Problem::Unsupported(text));
        }
        if WIDE {
            wave.set_scalar_64(d as u16, wave.scalar_64(a as u16));
        } else {
            wave.set_scalar(d as u16, wave.scalar(a as u16));
        }
        next
    }
}

/// Source `a` and destination `d` of an op, moved by M0 as `imm` says.
pub(super) fn relative(m0: u32, op: &Op) -> [u32; 2] {
    let [a, d] = [op.a, op.d].map(u32::from);
    let m0 = if op.imm & relative_to_m0::BYTE != 0 {
        m0 & 0xff
    } else {
        m0
    };
    match op.imm & !relative_to_m0::BYTE {
        relative_to_m0::SOURCE => [a.saturating_add(m0), d],
        relative_to_m0::RESULT => [a, d.saturating_add(m0)],
        relative_to_m0::BOTH => [a.saturating_add(m0), d.saturating_add(m0)],
        _ => [a + (m0 & 0x3ff), d + (m0 >> 16 & 0x3ff)],
    }
}

/// The bits `aux` of M0 become those of scalar `a` and of `imm`.
pub(crate) struct SetIndex;

impl Kernel for SetIndex {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let value = wave.scalar(op.a) & 0xff | op.imm;
        let m0 = wave.scalar(slot::M0) & !op.aux | value & op.aux;
        wave.set_scalar(slot::M0, m0);
        next
    }
}

/// Declares scalar functions: dwords of the sources and of the result.
macro_rules! scalars {
    ($($name:ident [$a_wide:literal $b_wide:literal => $result:literal]
       |$a:ident, $b:ident, $scc:ident| $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl ScalarFn for $name {
            const A_WIDE: bool = $a_wide == 2;
            const B_WIDE: bool = $b_wide == 2;
            const RESULT: u32 = $result;

            #[inline(always)]
            fn eval($a: u64, $b: u64, $scc: bool) -> (u64, bool) {
                $body
            }
        }
    )+};
}

/// A 32-bit result, with SCC set if it is not zero.
#[inline(always)]
fn nonzero(value: u32) -> (u64, bool) {
    (u64::from(value), value != 0)
}

/// The same for 64 bits.
#[inline(always)]
fn nonzero_64(value: u64) -> (u64, bool) {
    (value, value != 0)
}

#[inline(always)]
fn shift_add(a: u64, shift: u32, b: u64) -> (u64, bool) {
    let sum = (a << shift) + b;
    (u64::from(sum as u32), sum >> 32 != 0)
}

#[inline(always)]
fn signed(x: u64) -> i32 {
    x as u32 as i32
}

scalars! {
    SMov32 [1 1 => 1] |a, _b, scc| (a, scc);
    SMov64 [2 1 => 2] |a, _b, scc| (a, scc);
    // `b` is the old destination.
    SCmov32 [1 1 => 1] |a, b, scc| (if scc { a } else { b }, scc);
    SCmov64 [2 2 => 2] |a, b, scc| (if scc { a } else { b }, scc);
    SNot32 [1 1 => 1] |a, _b, _scc| nonzero(!a as u32);
    SNot64 [2 1 => 2] |a, _b, _scc| nonzero_64(!a);
    SBrev32 [1 1 => 1] |a, _b, scc| (u64::from((a as u32).reverse_bits()), scc);
    SBrev64 [2 1 => 2] |a, _b, scc| (a.reverse_bits(), scc);
    SFf0_32 [1 1 => 1] |a, _b, scc| {
        let place = (a as u32).trailing_ones();
        (if place == 32 { 0xffff_ffff } else { u64::from(place) }, scc)
    };
    SFf0_64 [2 1 => 1] |a, _b, scc| {
        let place = a.trailing_ones();
        (if place == 64 { 0xffff_ffff } else { u64::from(place) }, scc)
    };
    SCtz32 [1 1 => 1] |a, _b, scc| (if a == 0 { 0xffff_ffff } else { u64::from(a.trailing_zeros()) }, scc);
    SCtz64 [2 1 => 1] |a, _b, scc| (if a == 0 { 0xffff_ffff } else { u64::from(a.trailing_zeros()) }, scc);
    SClz32 [1 1 => 1] |a, _b, scc| {
        (if a == 0 { 0xffff_ffff } else { u64::from((a as u32).leading_zeros()) }, scc)
    };
    SClz64 [2 1 => 1] |a, _b, scc| (if a == 0 { 0xffff_ffff } else { u64::from(a.leading_zeros()) }, scc);
    SCls32 [1 1 => 1] |a, _b, scc| (u64::from(leading_signs(a as u32)), scc);
    SCls64 [2 1 => 1] |a, _b, scc| {
        let flipped = if (a as i64) < 0 { !a } else { a };
        (if flipped == 0 { 0xffff_ffff } else { u64::from(flipped.leading_zeros()) }, scc)
    };
    SSext8 [1 1 => 1] |a, _b, scc| (u64::from(i32::from(a as u8 as i8) as u32), scc);
    SSext16 [1 1 => 1] |a, _b, scc| (u64::from(i32::from(a as u16 as i16) as u32), scc);
    SBitset0_32 [1 1 => 1] |a, b, scc| (b & !(1 << (a & 31)), scc);
    SBitset1_32 [1 1 => 1] |a, b, scc| (b | 1 << (a & 31), scc);
    SBitset0_64 [1 2 => 2] |a, b, scc| (b & !(1 << (a & 63)), scc);
    SBitset1_64 [1 2 => 2] |a, b, scc| (b | 1 << (a & 63), scc);
    SBitreplicate [1 1 => 2] |a, _b, scc| {
        let doubled = (0..32).fold(0, |bits, i| bits | ((a >> i & 1) * (3 << (2 * i))));
        (doubled, scc)
    };
    SAbs [1 1 => 1] |a, _b, _scc| nonzero(signed(a).unsigned_abs());
    SBcnt0_32 [1 1 => 1] |a, _b, _scc| nonzero((a as u32).count_zeros());
    SBcnt0_64 [2 1 => 1] |a, _b, _scc| nonzero(a.count_zeros());
    SBcnt1_32 [1 1 => 1] |a, _b, _scc| nonzero((a as u32).count_ones());
    SBcnt1_64 [2 1 => 1] |a, _b, _scc| nonzero(a.count_ones());
    SQuadmask32 [1 1 => 1] |a, _b, _scc| {
        nonzero((0..8).fold(0, |bits, i| bits | u32::from(a >> (4 * i) & 15 != 0) << i))
    };
    SQuadmask64 [2 1 => 2] |a, _b, _scc| {
        nonzero_64((0..16).fold(0, |bits, i| bits | u64::from(a >> (4 * i) & 15 != 0) << i))
    };
    SWqm64 [2 1 => 2] |a, _b, _scc| {
        let quads = (0..16).filter(|i| a >> (4 * i) & 15 != 0);
        nonzero_64(quads.fold(0, |bits, i| bits | 15 << (4 * i)))
    };
    SWqm32 [1 1 => 1] |a, _b, _scc| {
        let quads = (0..8).filter(|i| a >> (4 * i) & 15 != 0);
        nonzero(quads.fold(0, |bits, i| bits | 15 << (4 * i)))
    };

    SAddU32 [1 1 => 1] |a, b, _scc| ((a + b) & 0xffff_ffff, a + b > 0xffff_ffff);
    SSubU32 [1 1 => 1] |a, b, _scc| (u64::from((a as u32).wrapping_sub(b as u32)), b > a);
    SAddI32 [1 1 => 1] |a, b, _scc| {
        let (sum, overflow) = signed(a).overflowing_add(signed(b));
        (u64::from(sum as u32), overflow)
    };
    SSubI32 [1 1 => 1] |a, b, _scc| {
        let (difference, overflow) = signed(a).overflowing_sub(signed(b));
        (u64::from(difference as u32), overflow)
    };
    SAddcU32 [1 1 => 1] |a, b, scc| {
        let sum = a + b + u64::from(scc);
        (sum & 0xffff_ffff, sum > 0xffff_ffff)
    };
    SSubbU32 [1 1 => 1] |a, b, scc| {
        let taken = b + u64::from(scc);
        (a.wrapping_sub(taken) & 0xffff_ffff, taken > a)
    };
    SAbsdiff [1 1 => 1] |a, b, _scc| {
        nonzero(signed(a).wrapping_sub(signed(b)).unsigned_abs())
    };
    SLshl32 [1 1 => 1] |a, b, _scc| nonzero((a as u32) << (b & 31));
    SLshl64 [2 1 => 2] |a, b, _scc| nonzero_64(a << (b & 63));
    SLshr32 [1 1 => 1] |a, b, _scc| nonzero((a as u32) >> (b & 31));
    SLshr64 [2 1 => 2] |a, b, _scc| nonzero_64(a >> (b & 63));
    SAshr32 [1 1 => 1] |a, b, _scc| nonzero((signed(a) >> (b & 31)) as u32);
    SAshr64 [2 1 => 2] |a, b, _scc| nonzero_64((a as i64 >> (b & 63)) as u64);
    SLshl1Add [1 1 => 1] |a, b, _scc| shift_add(a, 1, b);
    SLshl2Add [1 1 => 1] |a, b, _scc| shift_add(a, 2, b);
    SLshl3Add [1 1 => 1] |a, b, _scc| shift_add(a, 3, b);
    SLshl4Add [1 1 => 1] |a, b, _scc| shift_add(a, 4, b);
    SMinI32 [1 1 => 1] |a, b, _scc| (if signed(a) < signed(b) { a } else { b }, signed(a) < signed(b));
    SMinU32 [1 1 => 1] |a, b, _scc| (a.min(b), a < b);
    SMaxI32 [1 1 => 1] |a, b, _scc| (if signed(a) >= signed(b) { a } else { b }, signed(a) >= signed(b));
    SMaxU32 [1 1 => 1] |a, b, _scc| (a.max(b), a >= b);
    SAnd32 [1 1 => 1] |a, b, _scc| nonzero((a & b) as u32);
    SAnd64 [2 2 => 2] |a, b, _scc| nonzero_64(a & b);
    SOr32 [1 1 => 1] |a, b, _scc| nonzero((a | b) as u32);
    SOr64 [2 2 => 2] |a, b, _scc| nonzero_64(a | b);
    SXor32 [1 1 => 1] |a, b, _scc| nonzero((a ^ b) as u32);
    SXor64 [2 2 => 2] |a, b, _scc| nonzero_64(a ^ b);
    SNand32 [1 1 => 1] |a, b, _scc| nonzero(!(a & b) as u32);
    SNand64 [2 2 => 2] |a, b, _scc| nonzero_64(!(a & b));
    SNor32 [1 1 => 1] |a, b, _scc| nonzero(!(a | b) as u32);
    SNor64 [2 2 => 2] |a, b, _scc| nonzero_64(!(a | b));
    SXnor32 [1 1 => 1] |a, b, _scc| nonzero(!(a ^ b) as u32);
    SXnor64 [2 2 => 2] |a, b, _scc| nonzero_64(!(a ^ b));
    SAndNot32 [1 1 => 1] |a, b, _scc| nonzero((a & !b) as u32);
    SAndNot64 [2 2 => 2] |a, b, _scc| nonzero_64(a & !b);
    SOrNot32 [1 1 => 1] |a, b, _scc| nonzero((a | !b) as u32);
    SOrNot64 [2 2 => 2] |a, b, _scc| nonzero_64(a | !b);
    SBfeU32 [1 1 => 1] |a, b, _scc| {
        let width = (b >> 16 & 0x7f).min(32);
        nonzero((a >> (b & 31) & ((1 << width) - 1)) as u32)
    };
    SBfeI32 [1 1 => 1] |a, b, _scc| {
        let width = b >> 16 & 0x7f;
        let shifted = signed(a) >> (b & 31);
        nonzero(if width >= 32 { shifted as u32 } else { bfe_i32(shifted as u32, 0, width as u32) })
    };
    SBfeU64 [2 1 => 2] |a, b, _scc| {
        let width = b >> 16 & 0x7f;
        let ones = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
        nonzero_64(a >> (b & 63) & ones)
    };
    SBfeI64 [2 1 => 2] |a, b, _scc| {
        let width = b >> 16 & 0x7f;
        let shifted = a as i64 >> (b & 63);
        nonzero_64(match width {
            0 => 0,
            1..64 => (shifted << (64 - width) >> (64 - width)) as u64,
            _ => shifted as u64,
        })
    };
    SBfm32 [1 1 => 1] |a, b, scc| (u64::from(((1_u32 << (a & 31)) - 1) << (b & 31)), scc);
    SBfm64 [1 1 => 2] |a, b, scc| (((1_u64 << (a & 63)) - 1) << (b & 63), scc);
    SMul32 [1 1 => 1] |a, b, scc| ((a * b) & 0xffff_ffff, scc);
    SAddU64 [2 2 => 2] |a, b, scc| (a.wrapping_add(b), scc);
    SSubU64 [2 2 => 2] |a, b, scc| (a.wrapping_sub(b), scc);
    SMul64 [2 2 => 2] |a, b, scc| (a.wrapping_mul(b), scc);
    SMulHiU32 [1 1 => 1] |a, b, scc| ((a * b) >> 32, scc);
    SMulHiI32 [1 1 => 1] |a, b, scc| {
        let product = i64::from(signed(a)) * i64::from(signed(b));
        (u64::from((product >> 32) as u32), scc)
    };
    SCselect32 [1 1 => 1] |a, b, scc| (if scc { a } else { b }, scc);
    SCselect64 [2 2 => 2] |a, b, scc| (if scc { a } else { b }, scc);
    SPackLl [1 1 => 1] |a, b, scc| (a & 0xffff | (b & 0xffff) << 16, scc);
    SPackLh [1 1 => 1] |a, b, scc| (a & 0xffff | b & 0xffff_0000, scc);
    SPackHh [1 1 => 1] |a, b, scc| (a >> 16 | b & 0xffff_0000, scc);
    SPackHl [1 1 => 1] |a, b, scc| (a >> 16 | (b & 0xffff) << 16, scc);

    SCmpEq32 [1 1 => 0] |a, b, _scc| (0, a == b);
    SCmpNe32 [1 1 => 0] |a, b, _scc| (0, a != b);
    SCmpGtI32 [1 1 => 0] |a, b, _scc| (0, signed(a) > signed(b));
    SCmpGeI32 [1 1 => 0] |a, b, _scc| (0, signed(a) >= signed(b));
    SCmpLtI32 [1 1 => 0] |a, b, _scc| (0, signed(a) < signed(b));
    SCmpLeI32 [1 1 => 0] |a, b, _scc| (0, signed(a) <= signed(b));
    SCmpGtU32 [1 1 => 0] |a, b, _scc| (0, a > b);
    SCmpGeU32 [1 1 => 0] |a, b, _scc| (0, a >= b);
    SCmpLtU32 [1 1 => 0] |a, b, _scc| (0, a < b);
    SCmpLeU32 [1 1 => 0] |a, b, _scc| (0, a <= b);
    SCmpEq64 [2 2 => 0] |a, b, _scc| (0, a == b);
    SCmpNe64 [2 2 => 0] |a, b, _scc| (0, a != b);
    SBitcmp0_32 [1 1 => 0] |a, b, _scc| (0, a >> (b & 31) & 1 == 0);
    SBitcmp1_32 [1 1 => 0] |a, b, _scc| (0, a >> (b & 31) & 1 == 1);
    SBitcmp0_64 [2 1 => 0] |a, b, _scc| (0, a >> (b & 63) & 1 == 0);
    SBitcmp1_64 [2 1 => 0] |a, b, _scc| (0, a >> (b & 63) & 1 == 1);
}

/// Declares functions of a source and EXEC.
macro_rules! exec_functions {
    ($($name:ident |$source:ident, $exec:ident| $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl ExecFn for $name {
            #[inline(always)]
            fn eval($source: u64, $exec: u64) -> u64 {
                $body
            }
        }
    )+};
}

exec_functions! {
    ExecAnd |source, exec| source & exec;
    ExecOr |source, exec| source | exec;
    ExecXor |source, exec| source ^ exec;
    ExecNand |source, exec| !(source & exec);
    ExecNor |source, exec| !(source | exec);
    ExecXnor |source, exec| !(source ^ exec);
    ExecAndNot0 |source, exec| !source & exec;
    ExecOrNot0 |source, exec| !source | exec;
    ExecAndNot1 |source, exec| source & !exec;
    ExecOrNot1 |source, exec| source | !exec;
}
