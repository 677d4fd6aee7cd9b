//! Segments of 2/π, for the reduction of large angles (`v_trig_preop_f64`).

/// The fraction of 2/π: 1216 bits, most significant first.
const TWO_OVER_PI: [u64; 19] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
];

/// Bits of one segment.
const SEGMENT: u32 = 53;
/// Encoded exponents above this one move the segments down.
const LARGE: u32 = 1077;
/// From this encoded exponent on, the result is scaled up to stay normal.
const HUGE: u32 = 1968;

/// Segment `segment` (0 to 31) of 2/π, as it is needed to multiply the double
/// `x` with.
pub(crate) fn trig_preop(x: u64, segment: u32) -> u64 {
    let exponent = (x >> 52 & 0x7ff) as u32;
    let shift = (segment & 31) * SEGMENT + exponent.saturating_sub(LARGE);
    let digits = (0..SEGMENT).fold(0_u64, |digits, i| digits << 1 | bit(shift + i));
    let scale = if exponent >= HUGE { 128 } else { 0 } - (SEGMENT + shift) as i32;
    super::ldexp_f64((digits as f64).to_bits(), scale)
}

/// Bit `index` of the fraction; zero behind the last one that there is.
fn bit(index: u32) -> u64 {
    /// Bits that the hardware has.
    const BITS: u32 = 1201;
    let word = TWO_OVER_PI.get(index as usize / 64).copied().unwrap_or(0);
    if index < BITS {
        word >> (63 - index % 64) & 1
    } else {
        0
    }
}
