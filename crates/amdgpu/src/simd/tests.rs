//! Both back ends give the same bits, operation by operation.

use super::{Portable, Row, Simd};

/// Values at which something changes: zeros, ones, signs, infinities, NaNs,
/// denormals, halves of integers, bounds of conversions.
pub(crate) const EDGES: [u32; 40] = [
    0x0000_0000,
    0x8000_0000,
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x3fc0_0000,
    0x4020_0000,
    0xc020_0000,
    0x4f00_0000,
    0xcf00_0000,
    0x4eff_ffff,
    0x4f80_0000,
    0x4f7f_ffff,
    0x4b00_0001,
    0x4b80_0001,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc0_0000,
    0x7f80_0001,
    0x7fff_ffff,
    0xffff_ffff,
    0x0000_ffff,
    0xffff_0000,
    0x1234_5678,
    0x4770_0000,
    0x477f_f000,
    0x3300_0000,
    0x3880_0000,
    0x387f_c000,
    0x0000_7c00,
    0x42fe_0000,
];

/// Equal, or both NaN: which NaN an operation makes is left to the host.
pub(crate) fn same_f32(a: u32, b: u32) -> bool {
    a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan()
}

/// Every pair of edges, eight at a time.
pub(crate) fn pairs() -> impl Iterator<Item = ([u32; 8], [u32; 8])> {
    EDGES.into_iter().flat_map(|a| {
        EDGES
            .chunks_exact(8)
            .map(move |b| ([a; 8], b.try_into().expect("eight")))
    })
}

#[cfg(target_arch = "x86_64")]
mod against_avx2 {
    use super::super::Avx2;
    use super::*;

    /// Compares an operation of two vectors on both back ends.
    macro_rules! agree {
        ($($method:ident)+) => {$(
            #[test]
            fn $method() {
                if !Avx2::available() {
                    return;
                }
                for (a, b) in pairs() {
                    let wide = Avx2::from_array(a).$method(Avx2::from_array(b)).to_array();
                    let plain = Portable::from_array(a).$method(Portable::from_array(b)).to_array();
                    for i in 0..8 {
                        assert!(
                            same_f32(wide[i], plain[i]),
                            "{:#x}, {:#x}: {:#x} and {:#x}", a[i], b[i], wide[i], plain[i]
                        );
                    }
                }
            }
        )+};
    }

    agree! {
        and or xor andnot add sub mul_lo mul_hi_u32 min_u32 max_u32 min_i32 max_i32 eq_u32 gt_i32
        gt_u32 add_f32 sub_f32 mul_f32 div_f32 raw_min_f32 raw_max_f32 eq_f32 lt_f32 le_f32
        unordered_f32
    }

    /// The same for one vector.
    macro_rules! agree_alone {
        ($($method:ident)+) => {$(
            #[test]
            fn $method() {
                if !Avx2::available() {
                    return;
                }
                for (_, a) in pairs() {
                    let wide = Avx2::from_array(a).$method().to_array();
                    let plain = Portable::from_array(a).$method().to_array();
                    for i in 0..8 {
                        assert!(
                            same_f32(wide[i], plain[i]),
                            "{:#x}: {:#x} and {:#x}", a[i], wide[i], plain[i]
                        );
                    }
                }
            }
        )+};
    }

    agree_alone! {
        not sqrt_f32 round_even_f32 floor_f32 ceil_f32 trunc_f32 raw_f32_to_i32 i32_to_f32
        is_nan_f32
    }

    #[test]
    fn half_floats() {
        if !Avx2::available() {
            return;
        }
        for low in (0..=0xffff_u32).step_by(8) {
            let halves = std::array::from_fn(|i| 0xabcd_0000 | (low + i as u32));
            let wide = Avx2::from_array(halves).f16_to_f32().to_array();
            let plain = Portable::from_array(halves).f16_to_f32().to_array();
            for i in 0..8 {
                assert!(same_f32(wide[i], plain[i]), "{:#x}", halves[i]);
            }
        }
        // Around every half float, the ties between them included.
        for low in (0..=0xffff_u32).step_by(8) {
            for nudge in [0, 1, 0xfff, 0x1000, 0x1001, 0x1fff] {
                let floats = Portable::from_array(std::array::from_fn(|i| low + i as u32));
                let floats = floats.f16_to_f32().add(Portable::splat(nudge)).to_array();
                let wide = Avx2::from_array(floats).f32_to_f16().to_array();
                let plain = Portable::from_array(floats).f32_to_f16().to_array();
                for i in 0..8 {
                    let nan = f32::from_bits(floats[i]).is_nan();
                    assert!(wide[i] == plain[i] || nan, "{:#x}", floats[i]);
                }
            }
        }
    }

    #[test]
    fn shifts_and_fused_multiply_add() {
        if !Avx2::available() {
            return;
        }
        for (a, b) in pairs() {
            let (x, y) = (Avx2::from_array(a), Portable::from_array(a));
            for count in 0..32 {
                let (m, n) = (Avx2::splat(count), Portable::splat(count));
                assert_eq!(x.shl(m).to_array(), y.shl(n).to_array());
                assert_eq!(x.shr(m).to_array(), y.shr(n).to_array());
                assert_eq!(x.sar(m).to_array(), y.sar(n).to_array());
            }
            for c in EDGES {
                let wide = x.fma_f32(Avx2::from_array(b), Avx2::splat(c)).to_array();
                let plain = y
                    .fma_f32(Portable::from_array(b), Portable::splat(c))
                    .to_array();
                for i in 0..8 {
                    assert!(
                        same_f32(wide[i], plain[i]),
                        "{:#x} {:#x} {c:#x}",
                        a[i],
                        b[i]
                    );
                }
            }
            assert_eq!(x.top_bits(), y.top_bits());
            let (p, q) = (Avx2::from_array(b), Portable::from_array(b));
            assert_eq!(p.least_u32(), q.least_u32());
            assert_eq!(p.greatest_u32(), q.greatest_u32());
        }
    }
}

#[test]
fn rows() {
    let mut row = Row::from_mask(0x8000_0001);
    assert_eq!(
        (row.lanes()[0], row.lanes()[1], row.lanes()[31]),
        (u32::MAX, 0, u32::MAX)
    );
    let mask = row;
    row.set([Portable::splat(5); 4]);
    row.blend([Portable::splat(9); 4], &mask);
    assert_eq!((row.lanes()[0], row.lanes()[1], row.lanes()[31]), (9, 5, 9));
}
