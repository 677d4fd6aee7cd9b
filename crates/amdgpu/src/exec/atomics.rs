//! Atomic memory instructions.
//!
//! Operands: `d` row of the returned value, `a` address, `c` data rows (for a
//! compare-and-swap the new value, then the compared one), `e` flags of
//! [`RETURN`] and the function in the bits above; the rest as for loads.

use super::{Env, Problem, each_lane};
use crate::isa::Opcode;
use crate::memory::AccessError;
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::Wave;

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
}

impl AtomicFn {
    const ALL: [AtomicFn; 17] = [
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
    ];

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
            AtomicFn::MinF => float(f32::min),
            AtomicFn::MaxF => float(f32::max),
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
            AtomicFn::MinF => float(f64::min),
            AtomicFn::MaxF => float(f64::max),
        }
    }
}

/// What an atomic opcode does, and whether to 64 bits; from its name.
pub(crate) fn atomic_function(op: Opcode) -> Option<(AtomicFn, bool)> {
    let name = op.mnemonic();
    let (_, rest) = name
        .split_once("atomic_")
        .or_else(|| name.split_once("ds_"))?;
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
        ("cmpswap" | "cmpstore", b'b') => AtomicFn::CompareSwap,
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
        let compares = function == AtomicFn::CompareSwap;
        let compare_row = if compares {
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
            let high = (address >> 32) as u32;
            if !BUFFER
                && op.aux & super::global::FLAT != 0
                && high == super::global::PRIVATE_APERTURE
            {
                let text = "flat atomics on private memory are not implemented".to_owned();
                problem = Some(Problem::Unsupported(text));
                return;
            }
            let (data, compare) = operands::<WIDE>(wave, data_row, compare_row, lane);
            let in_lds = !BUFFER
                && op.aux & super::global::FLAT != 0
                && high == super::global::SHARED_APERTURE;
            let result: Result<u64, AccessError> = if in_lds {
                on_lds::<WIDE>(
                    env,
                    function,
                    u64::from(address as u32),
                    lane,
                    data,
                    compare,
                )
            } else if WIDE {
                env.view.atomic_64(address, lane as u32, |old| {
                    function.apply_64(old, data, compare)
                })
            } else {
                env.view
                    .atomic_32(address, lane as u32, |old| {
                        function.apply_32(old, data as u32, compare as u32)
                    })
                    .map(u64::from)
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

impl<const WIDE: bool> Kernel for DsAtomic<WIDE> {
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let function = AtomicFn::of(op);
        let result = super::global::try_each_lane(wave.exec, |lane| {
            let address = u64::from(wave.rows[op.a as usize].lanes()[lane]) + u64::from(op.imm);
            let (data, compare) = operands::<WIDE>(wave, op.b, op.c, lane);
            let old = on_lds::<WIDE>(env, function, address, lane, data, compare)?;
            give_back::<WIDE>(wave, op, lane, old);
            Ok(())
        });
        env.settle(wave, next, result)
    }
}
