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
    AddU32Clamp(a, b) => saturating_add(a, b);
    SubU32Clamp(a, b) => a.max_u32(b).sub(b);
    SubrevU32Clamp(a, b) => b.max_u32(a).sub(a);
    AddI32Clamp(a, b) => {
        let sum = a.add(b);
        // Both have a sign that the sum has not.
        let overflows = a.xor(sum).and(b.xor(sum)).sar(S::splat(31));
        S::select(overflows, limit_of(a), sum)
    };
    SubI32Clamp(a, b) => {
        let difference = a.sub(b);
        let overflows = a.xor(b).and(a.xor(difference)).sar(S::splat(31));
        S::select(overflows, limit_of(a), difference)
    };

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
    SadU8Clamp(a, b, c) => saturating_add(sad::<S, 8>(a, b), c);
    SadU16Clamp(a, b, c) => saturating_add(sad::<S, 16>(a, b), c);
    SadU32Clamp(a, b, c) => saturating_add(sad::<S, 32>(a, b), c);
    Dot4U32U8Clamp(a, b, c) => saturating_add(dot::<S, 8>(a, b), c);
    Dot8U32U4Clamp(a, b, c) => saturating_add(dot::<S, 4>(a, b), c);

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
    BfeI32(a, b, c) => {
        let width = count(c);
        let up = count(S::splat(32).sub(width));
        let none = width.eq_u32(S::splat(0));
        none.andnot(a.sar(count(b)).shl(up).sar(up))
    };
    BfmB32(a, b) => S::splat(1).shl(count(a)).sub(S::splat(1)).shl(count(b));
    AlignBit(a, b, c) => funnel(a, b, count(c));
    AlignByte(a, b, c) => funnel(a, b, c.and(S::splat(3)).shl(S::splat(3)));
    Perm(a, b, c) => perm(a, b, c);
    Bfrev(a) => each_1(a, u32::reverse_bits);
    Clz(a) => each_1(a, |x| if x == 0 { u32::MAX } else { x.leading_zeros() });
    Ctz(a) => each_1(a, |x| if x == 0 { u32::MAX } else { x.trailing_zeros() });
    Cls(a) => each_1(a, leading_signs);
    Bcnt(a, b) => each_2(a, b, |x, y| x.count_ones().wrapping_add(y));
    SadU8(a, b, c) => sad::<S, 8>(a, b).add(c);
    SadU16(a, b, c) => sad::<S, 16>(a, b).add(c);
    SadU32(a, b, c) => sad::<S, 32>(a, b).add(c);

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
    SatPkU8I16(a) => {
        let (zero, most) = (S::splat(0), S::splat(255));
        let low = signed_16(a).max_i32(zero).min_i32(most);
        let high = a.sar(S::splat(16)).max_i32(zero).min_i32(most);
        low.or(high.shl(S::splat(8)))
    };

    Dot4U32U8(a, b, c) => dot::<S, 8>(a, b).add(c);
    Dot8U32U4(a, b, c) => dot::<S, 4>(a, b).add(c);
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

#[inline(always)]
fn saturating_add<S: Simd>(a: S, b: S) -> S {
    let sum = a.add(b);
    sum.or(a.gt_u32(sum))
}

/// What a sum saturates to whose terms have the sign of `x`.
#[inline(always)]
fn limit_of<S: Simd>(x: S) -> S {
    x.sar(S::splat(31)).xor(S::splat(i32::MAX as u32))
}

/// `a:b` (`b` the low half) shifted right by less than 32.
#[inline(always)]
fn funnel<S: Simd>(a: S, b: S, by: S) -> S {
    // In two steps, since a shift by 32 is none.
    let upper = a.shl(S::splat(31).sub(by)).shl(S::splat(1));
    upper.or(b.shr(by))
}

/// Part of each dword from bit `at`.
#[inline(always)]
fn part<S: Simd, const BITS: u32>(x: S, at: u32) -> S {
    x.shl(S::splat(32 - BITS - at)).shr(S::splat(32 - BITS))
}

/// Sum of absolute differences of unsigned parts.
#[inline(always)]
fn sad<S: Simd, const BITS: u32>(a: S, b: S) -> S {
    let mut sum = S::splat(0);
    let mut at = 0;
    while at < 32 {
        let (x, y) = (part::<S, BITS>(a, at), part::<S, BITS>(b, at));
        sum = sum.add(x.max_u32(y).sub(x.min_u32(y)));
        at += BITS;
    }
    sum
}

/// Dot product of unsigned parts.
#[inline(always)]
fn dot<S: Simd, const BITS: u32>(a: S, b: S) -> S {
    let mut sum = S::splat(0);
    let mut at = 0;
    while at < 32 {
        sum = sum.add(part::<S, BITS>(a, at).mul_lo(part::<S, BITS>(b, at)));
        at += BITS;
    }
    sum
}

/// Each result byte is a byte of `a:b` (`b` the low half), a sign or a
/// constant, as the byte of `c` says.
#[inline(always)]
fn perm<S: Simd>(a: S, b: S, c: S) -> S {
    let (ones, low) = (S::splat(0x0101_0101), S::splat(0x0303_0303));
    // A byte of ones where the bit is set.
    let [two, four, eight, high] = [
        bit_of_bytes(c, 1),
        bit_of_bytes(c, 2),
        bit_of_bytes(c, 3),
        c.shr(S::splat(4))
            .or(c.shr(S::splat(5)))
            .or(c.shr(S::splat(6)))
            .or(c.shr(S::splat(7))),
    ];
    let high = bit_of_bytes(high, 0);
    let places = c.and(low);
    let data = S::select(four, a.pick_bytes(places), b.pick_bytes(places));
    // The signs of bytes 1 and 3 of `b`, then of `a`.
    let odd = c.and(ones).shl(S::splat(1)).or(ones);
    let signs = S::select(two, a.pick_bytes(odd), b.pick_bytes(odd));
    let signs = bit_of_bytes(signs, 7);
    // 12 is zero; above that all are ones.
    let above = high.or(eight.and(four).and(two.or(bit_of_bytes(c, 0))));
    let constant = eight.and(four).or(high);
    let special = S::select(constant, above, signs);
    S::select(eight.or(high), special, data)
}

/// A byte of ones where bit `number` of the byte is set, else zeros.
#[inline(always)]
fn bit_of_bytes<S: Simd>(x: S, number: u32) -> S {
    let bits = x.shr(S::splat(number)).and(S::splat(0x0101_0101));
    bits.shl(S::splat(8)).sub(bits)
}
