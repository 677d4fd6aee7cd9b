//! Atomic memory instructions.
//!
//! Operands: `d` row of the returned value, `a` address, `c` data rows (for a
//! compare-and-swap the new value, then the compared one), `e` flags of
//! [`RETURN`] and the function in the bits above; the rest as for loads.

use super::{Env, Problem, each_lane, scratch};
use crate::isa::Opcode;
use crate::memory::AccessError;
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::{Wave, slot};

/// `e` bit: the old value is returned.
pub(crate) const RETURN: u16 = 1;

/// What an atomic does to the old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum AtomicFn {
    Swap,
    CompareSwap,
    Add,
    Sub,
    ReverseSub,
    MinI,
    MinU,
    MaxI,
    MaxU,
    And,
    Or,
    Xor,
    Inc,
    Dec,
    AddF,
    MinF,
    MaxF,
    /// The difference, or zero if it were negative.
    SubClamp,
    /// Subtract if that leaves something.
    CondSub,
    /// Compare-and-swap of floats: zeros are equal, NaNs are not.
    CompareSwapF,
    /// Bits of the data are cleared, those of the second data set.
    MaskOr,
    /// Less the data, or else plus the second data.
    Wrap,
    /// Each dword whose top bit is set in the data is replaced by the rest of it.
    CondExchange,
    /// Sums of two half floats; of two brain floats.
    AddPkF16,
    AddPkBf16,
}

impl AtomicFn {
    const ALL: [AtomicFn; 25] = [
        AtomicFn::Swap,
        AtomicFn::CompareSwap,
        AtomicFn::Add,
        AtomicFn::Sub,
        AtomicFn::ReverseSub,
        AtomicFn::MinI,
        AtomicFn::MinU,
        AtomicFn::MaxI,
        AtomicFn::MaxU,
        AtomicFn::And,
        AtomicFn::Or,
        AtomicFn::Xor,
        AtomicFn::Inc,
        AtomicFn::Dec,
        AtomicFn::AddF,
        AtomicFn::MinF,
        AtomicFn::MaxF,
        AtomicFn::SubClamp,
        AtomicFn::CondSub,
        AtomicFn::CompareSwapF,
        AtomicFn::MaskOr,
        AtomicFn::Wrap,
        AtomicFn::CondExchange,
        AtomicFn::AddPkF16,
        AtomicFn::AddPkBf16,
    ];

    /// Does it take a second data operand?
    fn has_second(self) -> bool {
        matches!(self, AtomicFn::CompareSwap | AtomicFn::CompareSwapF)
    }

    fn of(op: &Op) -> AtomicFn {
        AtomicFn::ALL[(op.e >> 1) as usize % AtomicFn::ALL.len()]
    }

    /// The new value of a dword.
    pub(crate) fn apply_32(self, old: u32, data: u32, compare: u32) -> u32 {
        let float = |f: fn(f32, f32) -> f32| f(f32::from_bits(old), f32::from_bits(data)).to_bits();
        match self {
            AtomicFn::Swap => data,
            AtomicFn::CompareSwap => {
                if old == compare {
                    data
                } else {
                    old
                }
            }
            AtomicFn::Add => old.wrapping_add(data),
            AtomicFn::Sub => old.wrapping_sub(data),
            AtomicFn::ReverseSub => data.wrapping_sub(old),
            AtomicFn::MinI => (old as i32).min(data as i32) as u32,
            AtomicFn::MinU => old.min(data),
            AtomicFn::MaxI => (old as i32).max(data as i32) as u32,
            AtomicFn::MaxU => old.max(data),
            AtomicFn::And => old & data,
            AtomicFn::Or => old | data,
            AtomicFn::Xor => old ^ data,
            AtomicFn::Inc => {
                if old >= data {
                    0
                } else {
                    old + 1
                }
            }
            AtomicFn::Dec => {
                if old == 0 || old > data {
                    data
                } else {
                    old - 1
                }
            }
            AtomicFn::AddF => float(|x, y| x + y),
            AtomicFn::MinF => float(|x, y| if y < x { y } else { x }),
            AtomicFn::MaxF => float(|x, y| if y > x { y } else { x }),
            AtomicFn::SubClamp => old.saturating_sub(data),
            AtomicFn::CondSub => old.checked_sub(data).unwrap_or(old),
            AtomicFn::CompareSwapF => {
                if f32::from_bits(old) == f32::from_bits(compare) {
                    data
                } else {
                    old
                }
            }
            AtomicFn::MaskOr => old & !data | compare,
            AtomicFn::Wrap => {
                if old >= data {
                    old - data
                } else {
                    old.wrapping_add(compare)
                }
            }
            AtomicFn::CondExchange => cond_exchange(old, data),
            AtomicFn::AddPkF16 => each_half(old, data, |x, y| {
                let sum = half::f16::from_bits(x).to_f32() + half::f16::from_bits(y).to_f32();
                half::f16::from_f32(sum).to_bits()
            }),
            AtomicFn::AddPkBf16 => each_half(old, data, |x, y| {
                let sum = half::bf16::from_bits(x).to_f32() + half::bf16::from_bits(y).to_f32();
                half::bf16::from_f32(sum).to_bits()
            }),
        }
    }

    /// The new value of two dwords.
    pub(crate) fn apply_64(self, old: u64, data: u64, compare: u64) -> u64 {
        let float = |f: fn(f64, f64) -> f64| f(f64::from_bits(old), f64::from_bits(data)).to_bits();
        match self {
            AtomicFn::Swap => data,
            AtomicFn::CompareSwap => {
                if old == compare {
                    data
                } else {
                    old
                }
            }
            AtomicFn::Add => old.wrapping_add(data),
            AtomicFn::Sub => old.wrapping_sub(data),
            AtomicFn::ReverseSub => data.wrapping_sub(old),
            AtomicFn::MinI => (old as i64).min(data as i64) as u64,
            AtomicFn::MinU => old.min(data),
            AtomicFn::MaxI => (old as i64).max(data as i64) as u64,
            AtomicFn::MaxU => old.max(data),
            AtomicFn::And => old & data,
            AtomicFn::Or => old | data,
            AtomicFn::Xor => old ^ data,
            AtomicFn::Inc => {
                if old >= data {
                    0
                } else {
                    old + 1
                }
            }
            AtomicFn::Dec => {
                if old == 0 || old > data {
                    data
                } else {
                    old - 1
                }
            }
            AtomicFn::AddF => float(|x, y| x + y),
            AtomicFn::MinF => float(|x, y| if y < x { y } else { x }),
            AtomicFn::MaxF => float(|x, y| if y > x { y } else { x }),
            AtomicFn::SubClamp => old.saturating_sub(data),
            AtomicFn::CondSub => old.checked_sub(data).unwrap_or(old),
            AtomicFn::CompareSwapF => {
                if f64::from_bits(old) == f64::from_bits(compare) {
                    data
                } else {
                    old
                }
            }
            AtomicFn::MaskOr => old & !data | compare,
            AtomicFn::Wrap => {
                if old >= data {
                    old - data
                } else {
                    old.wrapping_add(compare)
                }
            }
            AtomicFn::CondExchange => {
                let low = cond_exchange(old as u32, data as u32);
                let high = cond_exchange((old >> 32) as u32, (data >> 32) as u32);
                u64::from(low) | u64::from(high) << 32
            }
            // Of one dword only.
            AtomicFn::AddPkF16 | AtomicFn::AddPkBf16 => {
                let sum = self.apply_32(old as u32, data as u32, compare as u32);
                old >> 32 << 32 | u64::from(sum)
            }
        }
    }
}

fn cond_exchange(old: u32, data: u32) -> u32 {
    if data >> 31 != 0 {
        data & !(1 << 31)
    } else {
        old
    }
}

/// A function of both halves of a dword.
fn each_half(a: u32, b: u32, f: impl Fn(u16, u16) -> u16) -> u32 {
    u32::from(f(a as u16, b as u16)) | u32::from(f((a >> 16) as u16, (b >> 16) as u16)) << 16
}

/// What an atomic opcode does, and whether to 64 bits; from its name.
pub(crate) fn atomic_function(op: Opcode) -> Option<(AtomicFn, bool)> {
    let name = op.name();
    let (_, rest) = name
        .split_once("atomic_")
        .or_else(|| name.split_once("ds_"))?;
    match rest {
        "pk_add_f16" | "pk_add_rtn_f16" => return Some((AtomicFn::AddPkF16, false)),
        "pk_add_bf16" | "pk_add_rtn_bf16" => return Some((AtomicFn::AddPkBf16, false)),
        "cond_sub_u32" | "cond_sub_rtn_u32" => return Some((AtomicFn::CondSub, false)),
        "sub_clamp_u32" | "sub_clamp_rtn_u32" => return Some((AtomicFn::SubClamp, false)),
        _ => {}
    }
    let mut parts = rest.split('_').filter(|&part| part != "rtn");
    let verb = parts.next()?;
    let kind = parts.next()?;
    if parts.next().is_some() {
        return None;
    }
    let wide = match kind {
        "b32" | "u32" | "i32" | "f32" => false,
        "b64" | "u64" | "i64" | "f64" => true,
        _ => return None,
    };
    let function = match (verb, kind.as_bytes()[0]) {
        ("swap" | "storexchg", b'b') => AtomicFn::Swap,
        ("cmpswap" | "cmpstore" | "cmpst", b'b') => AtomicFn::CompareSwap,
        ("add", b'u') => AtomicFn::Add,
        ("sub", b'u') => AtomicFn::Sub,
        ("rsub", b'u') => AtomicFn::ReverseSub,
        ("min", b'i') => AtomicFn::MinI,
        ("min", b'u') => AtomicFn::MinU,
        ("max", b'i') => AtomicFn::MaxI,
        ("max", b'u') => AtomicFn::MaxU,
        ("and", b'b') => AtomicFn::And,
        ("or", b'b') => AtomicFn::Or,
        ("xor", b'b') => AtomicFn::Xor,
        ("inc", b'u') => AtomicFn::Inc,
        ("dec", b'u') => AtomicFn::Dec,
        ("add", b'f') => AtomicFn::AddF,
        ("min", b'f') => AtomicFn::MinF,
        ("max", b'f') => AtomicFn::MaxF,
        ("csub", b'u') => AtomicFn::SubClamp,
        ("cmpswap" | "cmpstore" | "cmpst", b'f') => AtomicFn::CompareSwapF,
        ("mskor", b'b') => AtomicFn::MaskOr,
        ("wrap", b'b') => AtomicFn::Wrap,
        ("condxchg32", b'b') => AtomicFn::CondExchange,
        _ => return None,
    };
    Some((function, wide))
}

/// An atomic on global memory; with `BUFFER` through a resource.
pub(crate) struct GlobalAtomic<const BUFFER: bool, const WIDE: bool>;

/// An atomic on LDS.
pub(crate) struct DsAtomic<const WIDE: bool>;

/// Data and compared value of a lane; LDS has them in rows `b` and `c`.
#[inline(always)]
fn operands<const WIDE: bool>(wave: &Wave, data: u16, compare: u16, lane: usize) -> (u64, u64) {
    let value = |row: u16| {
        let low = u64::from(wave.rows[row as usize].lanes()[lane]);
        if WIDE {
            low | u64::from(wave.rows[row as usize + 1].lanes()[lane]) << 32
        } else {
            low
        }
    };
    (value(data), value(compare))
}

fn give_back<const WIDE: bool>(wave: &mut Wave, op: &Op, lane: usize, old: u64) {
    if op.e & RETURN != 0 {
        wave.rows[op.d as usize].lanes_mut()[lane] = old as u32;
        if WIDE {
            wave.rows[op.d as usize + 1].lanes_mut()[lane] = (old >> 32) as u32;
        }
    }
}

impl<const BUFFER: bool, const WIDE: bool> Kernel for GlobalAtomic<BUFFER, WIDE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let function = AtomicFn::of(op);
        let bytes = if WIDE { 8 } else { 4 };
        let addresses: [Option<u64>; 32] = if BUFFER {
            super::buffer::atomic_addresses(wave, op, bytes)
        } else {
            std::array::from_fn(|lane| Some(super::global::address(wave, op, lane)))
        };
        // A buffer atomic's data is where its result goes.
        let data_row = if BUFFER { op.d } else { op.c };
        let compare_row = if function.has_second() {
            data_row + if WIDE { 2 } else { 1 }
        } else {
            data_row
        };
        let mut problem = None;
        let exec = wave.exec;
        each_lane(exec, |lane| {
            let Some(address) = addresses[lane].filter(|_| problem.is_none()) else {
                return;
            };
            let (data, compare) = operands::<WIDE>(wave, data_row, compare_row, lane);
            let flat = !BUFFER && op.aux & super::global::FLAT != 0;
            let offset = address as u32;
            let result = match (address >> 32) as u32 {
                super::global::SHARED_APERTURE if flat => {
                    on_lds::<WIDE>(env, function, u64::from(offset), lane, data, compare)
                }
                super::global::PRIVATE_APERTURE if flat => {
                    on_scratch::<WIDE>(wave, function, offset, lane, data, compare)
                }
                _ if WIDE => env.view.atomic_64(address, lane as u32, |old| {
                    function.apply_64(old, data, compare)
                }),
                _ => env
                    .view
                    .atomic_32(address, lane as u32, |old| {
                        function.apply_32(old, data as u32, compare as u32)
                    })
                    .map(u64::from),
            };
            match result {
                Ok(old) => give_back::<WIDE>(wave, op, lane, old),
                Err(error) => problem = Some(Problem::Access(error)),
            }
        });
        match problem {
            Some(problem) => env.fail(wave, next, problem),
            None => next,
        }
    }
}

/// On private memory, which nobody else sees.
fn on_scratch<const WIDE: bool>(
    wave: &mut Wave,
    function: AtomicFn,
    offset: u32,
    lane: usize,
    data: u64,
    compare: u64,
) -> Result<u64, AccessError> {
    let low = scratch::load(wave, lane, offset, 4)?;
    if !WIDE {
        let new = function.apply_32(low, data as u32, compare as u32);
        scratch::store(wave, lane, offset, 4, new)?;
        return Ok(u64::from(low));
    }
    let high = scratch::load(wave, lane, offset.wrapping_add(4), 4)?;
    let old = u64::from(low) | u64::from(high) << 32;
    let new = function.apply_64(old, data, compare);
    scratch::store(wave, lane, offset, 4, new as u32)?;
    scratch::store(wave, lane, offset.wrapping_add(4), 4, (new >> 32) as u32)?;
    Ok(old)
}

fn on_lds<const WIDE: bool>(
    env: &mut Env,
    function: AtomicFn,
    address: u64,
    lane: usize,
    data: u64,
    compare: u64,
) -> Result<u64, AccessError> {
    if WIDE {
        env.lds.update::<8>(address, lane as u32, |old| {
            function.apply_64(old, data, compare)
        })
    } else {
        env.lds.update::<4>(address, lane as u32, |old| {
            u64::from(function.apply_32(old as u32, data as u32, compare as u32))
        })
    }
}

/// Exchanges one or (`WIDE`) two dwords of LDS in each of two places, at the
/// byte offsets `imm` and `aux`; the old values go to the rows from `d`.
pub(crate) struct DsExchange2<const WIDE: bool>;

impl<const WIDE: bool> Kernel for DsExchange2<WIDE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = super::global::try_each_lane(wave.exec, |lane| {
            let base = wave.rows[op.a as usize].lanes()[lane];
            let (first, second) = operands::<WIDE>(wave, op.b, op.c, lane);
            let places = [(op.imm, first), (op.aux, second)];
            for (i, (offset, data)) in places.into_iter().enumerate() {
                let at = u64::from(base.wrapping_add(offset));
                let old = on_lds::<WIDE>(env, AtomicFn::Swap, at, lane, data, 0)?;
                let row = op.d as usize + i * if WIDE { 2 } else { 1 };
                wave.rows[row].lanes_mut()[lane] = old as u32;
                if WIDE {
                    wave.rows[row + 1].lanes_mut()[lane] = (old >> 32) as u32;
                }
            }
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

/// Adds the number of active lanes to (`APPEND`), or subtracts it from, the
/// dword of LDS at M0 + `imm`; all active lanes get the old value in row `d`.
/// `e` is the
/// distance to the row of the upper half.
pub(crate) struct DsCount<const APPEND: bool>;

impl<const APPEND: bool> Kernel for DsCount<APPEND> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let count = wave.exec.count_ones() + wave.other.0.count_ones();
        if count == 0 {
            return next;
        }
        let function = if APPEND { AtomicFn::Add } else { AtomicFn::Sub };
        let at = u64::from(wave.scalar(slot::M0) & 0xffff) + u64::from(op.imm);
        let result = on_lds::<false>(env, function, at, 0, u64::from(count), 0);
        if let Ok(old) = result {
            let old = [S::splat(old as u32); 4];
            super::write(wave, op.d, old);
            if wave.halves == 2 {
                wave.switch();
                super::write(wave, op.d + op.e, old);
                wave.switch();
            }
        }
        env.settle(wave, next, result.map(|_| ()))
    }
}

impl<const WIDE: bool> Kernel for DsAtomic<WIDE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let function = AtomicFn::of(op);
        let result = super::global::try_each_lane(wave.exec, |lane| {
            let address = wave.rows[op.a as usize].lanes()[lane].wrapping_add(op.imm);
            let (data, compare) = operands::<WIDE>(wave, op.b, op.c, lane);
            let address = u64::from(address);
            let old = on_lds::<WIDE>(env, function, address, lane, data, compare)?;
            give_back::<WIDE>(wave, op, lane, old);
            Ok(())
        });
        env.settle(wave, next, result)
    }
}
