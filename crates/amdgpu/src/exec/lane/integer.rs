//! Integers and bits. Sixteen-bit values come zero-extended; of a 16-bit
//! result the upper half is ignored.

use super::{each_1, each_2, each_3, lanes};
use crate::simd::Simd;

#[inline(always)]
fn count<S: Simd>(x: S) -> S {
    x.and(S::splat(31))
}

#[inline(always)]
fn count_16<S: Simd>(x: S) -> S {
    x.and(S::splat(15))
}

#[inline(always)]
fn low_24<S: Simd>(x: S) -> S {
    x.and(S::splat(0xff_ffff))
}

#[inline(always)]
fn signed_24<S: Simd>(x: S) -> S {
    x.shl(S::splat(8)).sar(S::splat(8))
}

/// Sign-extends the low 16 bits.
#[inline(always)]
fn signed_16<S: Simd>(x: S) -> S {
    x.shl(S::splat(16)).sar(S::splat(16))
}

#[inline(always)]
fn min_i32<S: Simd>(a: S, b: S) -> S {
    a.min_i32(b)
}

#[inline(always)]
fn saturate_u16<S: Simd>(x: S) -> S {
    x.max_i32(S::splat(0)).min_i32(S::splat(0xffff))
}

#[inline(always)]
fn saturate_i16<S: Simd>(x: S) -> S {
    x.max_i32(S::splat(-0x8000_i32 as u32))
        .min_i32(S::splat(0x7fff))
}

lanes! {
    Move(a) => a;
    Not(a) => a.not();
    And(a, b) => a.and(b);
    Or(a, b) => a.or(b);
    Xor(a, b) => a.xor(b);
    Xnor(a, b) => a.xor(b).not();
    Or3(a, b, c) => a.or(b).or(c);
    Xor3(a, b, c) => a.xor(b).xor(c);
    AndOr(a, b, c) => a.and(b).or(c);
    /// Bits of `b` where `a` has ones, of `c` elsewhere.
    Bfi(a, b, c) => a.and(b).or(a.andnot(c));

    AddU32(a, b) => a.add(b);
    SubU32(a, b) => a.sub(b);
    SubrevU32(a, b) => b.sub(a);
    Add3U32(a, b, c) => a.add(b).add(c);
    AddLshlU32(a, b, c) => a.add(b).shl(count(c));
    LshlAddU32(a, b, c) => a.shl(count(b)).add(c);
    LshlOrB32(a, b, c) => a.shl(count(b)).or(c);
    XadU32(a, b, c) => a.xor(b).add(c);
    AddU32Clamp(a, b) => each_2(a, b, u32::saturating_add);
    SubU32Clamp(a, b) => each_2(a, b, u32::saturating_sub);
    SubrevU32Clamp(a, b) => each_2(a, b, |x, y| y.saturating_sub(x));
    AddI32Clamp(a, b) => each_2(a, b, |x, y| (x as i32).saturating_add(y as i32) as u32);
    SubI32Clamp(a, b) => each_2(a, b, |x, y| (x as i32).saturating_sub(y as i32) as u32);

    MulU24Clamp(a, b) => each_2(a, b, |a, b| mad_24(a, b, 0));
    MulI24Clamp(a, b) => each_2(a, b, |a, b| mad_i24(a, b, 0));
    MadU24Clamp(a, b, c) => each_3(a, b, c, mad_24);
    MadI24Clamp(a, b, c) => each_3(a, b, c, mad_i24);
    MadU32U16Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        clamp_u32(u64::from(a & 0xffff) * u64::from(b & 0xffff) + u64::from(c))
    });
    MadI32I16Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        let factor = |x: u32| i64::from(x as u16 as i16);
        clamp_i32(factor(a) * factor(b) + i64::from(c as i32))
    });
    SadU8Clamp(a, b, c) => each_3(a, b, c, |a, b, c| sad_u8(a, b, 0).saturating_add(c));
    SadU16Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        let low = (a & 0xffff).abs_diff(b & 0xffff);
        (low + (a >> 16).abs_diff(b >> 16)).saturating_add(c)
    });
    SadU32Clamp(a, b, c) => each_3(a, b, c, |a, b, c| a.abs_diff(b).saturating_add(c));
    Dot4U32U8Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        bytes(a).zip(bytes(b)).map(|(x, y)| x * y).sum::<u32>().saturating_add(c)
    });
    Dot8U32U4Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        let sum: u32 = (0..8).map(|i| (a >> (4 * i) & 15) * (b >> (4 * i) & 15)).sum();
        sum.saturating_add(c)
    });

    MulLoU32(a, b) => a.mul_lo(b);
    MulHiU32(a, b) => a.mul_hi_u32(b);
    MulHiI32(a, b) => {
        // The signed product is the unsigned one less the other factor for
        // each negative factor.
        let fix_a = a.sar(S::splat(31)).and(b);
        let fix_b = b.sar(S::splat(31)).and(a);
        a.mul_hi_u32(b).sub(fix_a).sub(fix_b)
    };
    MulU24(a, b) => low_24(a).mul_lo(low_24(b));
    MulI24(a, b) => signed_24(a).mul_lo(signed_24(b));
    MulHiU24(a, b) => low_24(a).mul_hi_u32(low_24(b));
    MulHiI24(a, b) => MulHiI32::product(signed_24(a), signed_24(b));
    MadU24(a, b, c) => low_24(a).mul_lo(low_24(b)).add(c);
    MadI24(a, b, c) => signed_24(a).mul_lo(signed_24(b)).add(c);
    MadU32U16(a, b, c) => a.mul_lo(b).add(c);
    MadI32I16(a, b, c) => signed_16(a).mul_lo(signed_16(b)).add(c);

    MinI32(a, b) => min_i32(a, b);
    MaxI32(a, b) => a.max_i32(b);
    MinU32(a, b) => a.min_u32(b);
    MaxU32(a, b) => a.max_u32(b);
    Min3I32(a, b, c) => a.min_i32(b).min_i32(c);
    Max3I32(a, b, c) => a.max_i32(b).max_i32(c);
    Min3U32(a, b, c) => a.min_u32(b).min_u32(c);
    Max3U32(a, b, c) => a.max_u32(b).max_u32(c);
    Med3I32(a, b, c) => a.min_i32(b).max_i32(a.max_i32(b).min_i32(c));
    Med3U32(a, b, c) => a.min_u32(b).max_u32(a.max_u32(b).min_u32(c));
    MaxMinI32(a, b, c) => a.max_i32(b).min_i32(c);
    MinMaxI32(a, b, c) => a.min_i32(b).max_i32(c);
    MaxMinU32(a, b, c) => a.max_u32(b).min_u32(c);
    MinMaxU32(a, b, c) => a.min_u32(b).max_u32(c);

    /// `b` shifted left by `a`.
    LshlRev(a, b) => b.shl(count(a));
    LshrRev(a, b) => b.shr(count(a));
    AshrRev(a, b) => b.sar(count(a));
    /// `c` bits of `a` from bit `b`.
    BfeU32(a, b, c) => a.shr(count(b)).and(S::splat(1).shl(count(c)).sub(S::splat(1)));
    BfeI32(a, b, c) => each_3(a, b, c, bfe_i32);
    BfmB32(a, b) => S::splat(1).shl(count(a)).sub(S::splat(1)).shl(count(b));
    AlignBit(a, b, c) => each_3(a, b, c, |a, b, c| {
        ((u64::from(a) << 32 | u64::from(b)) >> (c & 31)) as u32
    });
    AlignByte(a, b, c) => each_3(a, b, c, |a, b, c| {
        ((u64::from(a) << 32 | u64::from(b)) >> (8 * (c & 3))) as u32
    });
    Perm(a, b, c) => each_3(a, b, c, perm);
    Bfrev(a) => each_1(a, u32::reverse_bits);
    Clz(a) => each_1(a, |x| if x == 0 { u32::MAX } else { x.leading_zeros() });
    Ctz(a) => each_1(a, |x| if x == 0 { u32::MAX } else { x.trailing_zeros() });
    Cls(a) => each_1(a, leading_signs);
    Bcnt(a, b) => each_2(a, b, |x, y| x.count_ones().wrapping_add(y));
    SadU8(a, b, c) => each_3(a, b, c, sad_u8);
    SadU16(a, b, c) => each_3(a, b, c, |a, b, c| {
        (a & 0xffff).abs_diff(b & 0xffff).wrapping_add((a >> 16).abs_diff(b >> 16)).wrapping_add(c)
    });
    SadU32(a, b, c) => a.max_u32(b).sub(a.min_u32(b)).add(c);

    AddU16Clamp(a, b) => saturate_u16(a.add(b));
    SubU16Clamp(a, b) => saturate_u16(a.sub(b));
    AddI16Clamp(a, b) => saturate_i16(signed_16(a).add(signed_16(b)));
    SubI16Clamp(a, b) => saturate_i16(signed_16(a).sub(signed_16(b)));
    MadU16Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        let sum = u64::from(a & 0xffff) * u64::from(b & 0xffff) + u64::from(c & 0xffff);
        sum.min(0xffff) as u32
    });
    MadI16Clamp(a, b, c) => each_3(a, b, c, |a, b, c| {
        let value = |x: u32| i64::from(x as u16 as i16);
        let sum = value(a) * value(b) + value(c);
        sum.clamp(-0x8000, 0x7fff) as u32
    });
    MinI16(a, b) => signed_16(a).min_i32(signed_16(b));
    MaxI16(a, b) => signed_16(a).max_i32(signed_16(b));
    Min3I16(a, b, c) => signed_16(a).min_i32(signed_16(b)).min_i32(signed_16(c));
    Max3I16(a, b, c) => signed_16(a).max_i32(signed_16(b)).max_i32(signed_16(c));
    Med3I16(a, b, c) => {
        let (a, b, c) = (signed_16(a), signed_16(b), signed_16(c));
        a.min_i32(b).max_i32(a.max_i32(b).min_i32(c))
    };
    Mad16(a, b, c) => a.mul_lo(b).add(c);
    LshlRev16(a, b) => b.shl(count_16(a));
    LshrRev16(a, b) => b.shr(count_16(a));
    AshrRev16(a, b) => signed_16(b).sar(count_16(a));
    SignExtend16(a) => signed_16(a);
    PackB32(a, b) => a.or(b.shl(S::splat(16)));
    CvtPkU16U32(a, b) => {
        let top = S::splat(0xffff);
        a.min_u32(top).or(b.min_u32(top).shl(S::splat(16)))
    };
    CvtPkI16I32(a, b) => {
        saturate_i16(a).and(S::splat(0xffff)).or(saturate_i16(b).shl(S::splat(16)))
    };
    SatPkU8I16(a) => each_1(a, |x| {
        let byte = |half: u32| i32::from(half as u16 as i16).clamp(0, 255) as u32;
        byte(x) | byte(x >> 16) << 8
    });

    Dot4U32U8(a, b, c) => each_3(a, b, c, |a, b, c| {
        bytes(a).zip(bytes(b)).fold(c, |sum, (x, y)| sum.wrapping_add(x * y))
    });
    Dot8U32U4(a, b, c) => each_3(a, b, c, |a, b, c| {
        (0..8).fold(c, |sum, i| sum.wrapping_add((a >> (4 * i) & 15) * (b >> (4 * i) & 15)))
    });
}

impl MulHiI32 {
    #[inline(always)]
    fn product<S: Simd>(a: S, b: S) -> S {
        <MulHiI32 as super::Lane>::eval(a, b, b)
    }
}

fn clamp_u32(x: u64) -> u32 {
    x.min(u64::from(u32::MAX)) as u32
}

fn clamp_i32(x: i64) -> u32 {
    x.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32 as u32
}

/// Product of the low 24 bits plus `c`, saturated.
fn mad_24(a: u32, b: u32, c: u32) -> u32 {
    clamp_u32(u64::from(a & 0xff_ffff) * u64::from(b & 0xff_ffff) + u64::from(c))
}

/// The same of signed numbers.
fn mad_i24(a: u32, b: u32, c: u32) -> u32 {
    let factor = |x: u32| i64::from((x as i32) << 8 >> 8);
    clamp_i32(factor(a) * factor(b) + i64::from(c as i32))
}

fn bytes(x: u32) -> impl Iterator<Item = u32> {
    x.to_le_bytes().into_iter().map(u32::from)
}

/// `c` bits of `a` from bit `b`, sign-extended.
pub(crate) fn bfe_i32(a: u32, b: u32, c: u32) -> u32 {
    let width = c & 31;
    if width == 0 {
        return 0;
    }
    let shifted = (a as i32) >> (b & 31);
    let up = 32 - width;
    ((shifted << up) >> up) as u32
}

/// Leading bits equal to the sign, or -1 if all are.
pub(crate) fn leading_signs(x: u32) -> u32 {
    let flipped = if (x as i32) < 0 { !x } else { x };
    if flipped == 0 {
        u32::MAX
    } else {
        flipped.leading_zeros()
    }
}

/// Each result byte is a byte of `a:b` (`b` the low half), a sign or a
/// constant, as the byte of `c` says.
pub(crate) fn perm(a: u32, b: u32, c: u32) -> u32 {
    let data = u64::from(a) << 32 | u64::from(b);
    let byte = |select: u8| match select {
        0..=7 => (data >> (8 * select)) as u8,
        8..=11 => {
            let sign_bit = [15, 31, 47, 63][(select - 8) as usize];
            if data >> sign_bit & 1 != 0 { 0xff } else { 0 }
        }
        12 => 0,
        _ => 0xff,
    };
    u32::from_le_bytes(c.to_le_bytes().map(byte))
}

fn sad_u8(a: u32, b: u32, c: u32) -> u32 {
    bytes(a)
        .zip(bytes(b))
        .fold(c, |sum, (x, y)| sum.wrapping_add(x.abs_diff(y)))
}
