//! What gfx950 does in a lane and no other chip: random numbers, shifts that
//! saturate, conversions to halves and brain floats.

use super::{each_1, each_2, each_3, lanes};

/// The next number of the generator that `v_prng_b32` is a step of.
pub(crate) fn next_random(x: u32) -> u32 {
    x << 1 ^ if x >> 31 != 0 { 197 } else { 0 }
}

fn saturate(value: i32, low: i32, high: i32) -> u32 {
    value.clamp(low, high) as u32 & 0xff
}

/// Drops the lower bits of an f32 after adding random ones below those kept.
fn round_at_random(value: u32, random: u32, dropped: u32) -> u32 {
    if value & 0x7f80_0000 == 0x7f80_0000 {
        return value;
    }
    value.wrapping_add(random >> (32 - dropped)) & !((1 << dropped) - 1)
}

lanes! {
    Prng(a) => each_1(a, next_random);
    AshrPkI8(a, b, c) => each_3(a, b, c, |a, b, c| {
        let [a, b] = [a, b].map(|x| saturate(x as i32 >> (c & 31), -128, 127));
        a | b << 8
    });
    AshrPkU8(a, b, c) => each_3(a, b, c, |a, b, c| {
        let [a, b] = [a, b].map(|x| saturate(x as i32 >> (c & 31), 0, 255));
        a | b << 8
    });
    CvtF32Bf16(a) => a.shl(S::splat(16));
    CvtPkF16F32(a, b) => each_2(a, b, |a, b| {
        let [a, b] = [a, b].map(|x| half::f16::from_f32(f32::from_bits(x)).to_bits());
        u32::from(a) | u32::from(b) << 16
    });
    CvtPkBf16F32(a, b) => each_2(a, b, |a, b| {
        let [a, b] = [a, b].map(|x| half::bf16::from_f32(f32::from_bits(x)).to_bits());
        u32::from(a) | u32::from(b) << 16
    });
    CvtSrBf16F32(a, b) => each_2(a, b, |a, b| {
        u32::from(half::bf16::from_f32(f32::from_bits(round_at_random(a, b, 16))).to_bits())
    });
    CvtSrF16F32(a, b) => each_2(a, b, |a, b| {
        let exact = half::f16::from_f32(f32::from_bits(a));
        // Denormals have fewer bits, which no random number of this width rounds.
        if (a & 0x7fff_ffff) < 0x3880_0000 {
            return u32::from(exact.to_bits());
        }
        u32::from(half::f16::from_f32(f32::from_bits(round_at_random(a, b, 13))).to_bits())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bits_round_in_proportion() {
        let half = 1.0_f32.to_bits() | 1 << 15;
        let up = (0..1024_u32).filter(|n| round_at_random(half, n << 22, 16) != 0x3f80_0000);
        assert_eq!(up.count(), 512);
    }

    #[test]
    fn the_generator_takes_its_steps() {
        assert_eq!(next_random(1), 2);
        assert_eq!(next_random(0x8000_0000), 197);
        assert_eq!(next_random(0xc000_0001), 0x8000_0002 ^ 197);
    }
}
