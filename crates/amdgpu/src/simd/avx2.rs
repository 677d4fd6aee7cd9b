//! The back end for x86-64 hosts with AVX2, FMA and F16C.
//!
//! Nothing here may run on a host without these features. The one way in is
//! [`super::Backend::at_most`], which looks for them before it hands out
//! handlers made for this back end; the vectors themselves are built only by
//! those handlers (and by tests that look first).

use std::arch::x86_64::*;

use super::{Simd, Simd64, chunks};

/// Eight lanes in one AVX register.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256i);

impl Avx2 {
    /// Does this host have what the back end needs?
    pub(crate) fn available() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
    }
}

/// Calls an intrinsic that touches no memory.
macro_rules! avx {
    ($e:expr) => {
        // SAFETY: the intrinsic needs only the features, which the host has:
        // see the module documentation.
        unsafe { $e }
    };
}

/// Four lanes of 64 bits in one AVX register.
#[derive(Clone, Copy)]
pub(crate) struct Wide(__m256i);

#[inline(always)]
fn pd(x: Wide) -> __m256d {
    avx!(_mm256_castsi256_pd(x.0))
}

#[inline(always)]
fn wide(x: __m256d) -> Wide {
    Wide(avx!(_mm256_castpd_si256(x)))
}

#[inline(always)]
fn ps(x: Avx2) -> __m256 {
    avx!(_mm256_castsi256_ps(x.0))
}

#[inline(always)]
fn si(x: __m256) -> Avx2 {
    Avx2(avx!(_mm256_castps_si256(x)))
}

impl Simd for Avx2 {
    type Wide = Wide;

    #[inline(always)]
    fn splat(value: u32) -> Self {
        Avx2(avx!(_mm256_set1_epi32(value as i32)))
    }
    #[inline(always)]
    fn from_array(lanes: [u32; 8]) -> Self {
        // SAFETY: 32 readable bytes, of any alignment.
        Avx2(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) })
    }
    #[inline(always)]
    fn to_array(self) -> [u32; 8] {
        let mut lanes = [0; 8];
        // SAFETY: 32 writable bytes, of any alignment.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), self.0) }
        lanes
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Avx2(avx!(_mm256_and_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Avx2(avx!(_mm256_or_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Avx2(avx!(_mm256_xor_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn andnot(self, other: Self) -> Self {
        Avx2(avx!(_mm256_andnot_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Avx2(avx!(_mm256_add_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Avx2(avx!(_mm256_sub_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_lo(self, other: Self) -> Self {
        Avx2(avx!(_mm256_mullo_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_hi_u32(self, other: Self) -> Self {
        let even = avx!(_mm256_mul_epu32(self.0, other.0));
        let odd = avx!(_mm256_mul_epu32(
            _mm256_srli_epi64::<32>(self.0),
            _mm256_srli_epi64::<32>(other.0)
        ));
        Avx2(avx!(_mm256_blend_epi32::<0b1010_1010>(
            _mm256_srli_epi64::<32>(even),
            odd
        )))
    }
    #[inline(always)]
    fn shl(self, count: Self) -> Self {
        Avx2(avx!(_mm256_sllv_epi32(self.0, count.0)))
    }
    #[inline(always)]
    fn shr(self, count: Self) -> Self {
        Avx2(avx!(_mm256_srlv_epi32(self.0, count.0)))
    }
    #[inline(always)]
    fn sar(self, count: Self) -> Self {
        Avx2(avx!(_mm256_srav_epi32(self.0, count.0)))
    }
    #[inline(always)]
    fn min_u32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_min_epu32(self.0, other.0)))
    }
    #[inline(always)]
    fn max_u32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_max_epu32(self.0, other.0)))
    }
    #[inline(always)]
    fn min_i32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_min_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn max_i32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_max_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn eq_u32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_cmpeq_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn gt_i32(self, other: Self) -> Self {
        Avx2(avx!(_mm256_cmpgt_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Avx2(avx!(_mm256_blendv_epi8(no.0, yes.0, mask.0)))
    }
    #[inline(always)]
    fn join(low: Self, high: Self) -> [Wide; 2] {
        [
            Wide(avx!(_mm256_unpacklo_epi32(low.0, high.0))),
            Wide(avx!(_mm256_unpackhi_epi32(low.0, high.0))),
        ]
    }
    #[inline(always)]
    fn split([first, second]: [Wide; 2]) -> [Self; 2] {
        let [first, second] = [pd(first), pd(second)];
        let [first, second] = [
            avx!(_mm256_castpd_ps(first)),
            avx!(_mm256_castpd_ps(second)),
        ];
        [
            si(avx!(_mm256_shuffle_ps::<0b10_00_10_00>(first, second))),
            si(avx!(_mm256_shuffle_ps::<0b11_01_11_01>(first, second))),
        ]
    }
    #[inline(always)]
    fn permute(self, lanes: Self) -> Self {
        Avx2(avx!(_mm256_permutevar8x32_epi32(self.0, lanes.0)))
    }
    #[inline(always)]
    fn pick_bytes(self, places: Self) -> Self {
        let lanes = avx!(_mm256_set_epi32(
            0x0c0c_0c0c,
            0x0808_0808,
            0x0404_0404,
            0,
            0x0c0c_0c0c,
            0x0808_0808,
            0x0404_0404,
            0
        ));
        Avx2(avx!(_mm256_shuffle_epi8(
            self.0,
            _mm256_or_si256(places.0, lanes)
        )))
    }
    #[inline(always)]
    fn least_u32(self) -> u32 {
        let half = avx!(_mm_min_epu32(
            _mm256_castsi256_si128(self.0),
            _mm256_extracti128_si256::<1>(self.0)
        ));
        let half = avx!(_mm_min_epu32(
            half,
            _mm_shuffle_epi32::<0b01_00_11_10>(half)
        ));
        let half = avx!(_mm_min_epu32(
            half,
            _mm_shuffle_epi32::<0b10_11_00_01>(half)
        ));
        avx!(_mm_cvtsi128_si32(half)) as u32
    }
    #[inline(always)]
    fn greatest_u32(self) -> u32 {
        self.not().least_u32() ^ !0
    }
    #[inline(always)]
    fn top_bits(self) -> u32 {
        avx!(_mm256_movemask_ps(_mm256_castsi256_ps(self.0))) as u32
    }

    #[inline(always)]
    fn add_f32(self, other: Self) -> Self {
        si(avx!(_mm256_add_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn sub_f32(self, other: Self) -> Self {
        si(avx!(_mm256_sub_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn mul_f32(self, other: Self) -> Self {
        si(avx!(_mm256_mul_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn div_f32(self, other: Self) -> Self {
        si(avx!(_mm256_div_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn fma_f32(self, factor: Self, addend: Self) -> Self {
        si(avx!(_mm256_fmadd_ps(ps(self), ps(factor), ps(addend))))
    }
    #[inline(always)]
    fn sqrt_f32(self) -> Self {
        si(avx!(_mm256_sqrt_ps(ps(self))))
    }
    #[inline(always)]
    fn raw_min_f32(self, other: Self) -> Self {
        si(avx!(_mm256_min_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn raw_max_f32(self, other: Self) -> Self {
        si(avx!(_mm256_max_ps(ps(self), ps(other))))
    }
    #[inline(always)]
    fn eq_f32(self, other: Self) -> Self {
        si(avx!(_mm256_cmp_ps::<_CMP_EQ_OQ>(ps(self), ps(other))))
    }
    #[inline(always)]
    fn lt_f32(self, other: Self) -> Self {
        si(avx!(_mm256_cmp_ps::<_CMP_LT_OQ>(ps(self), ps(other))))
    }
    #[inline(always)]
    fn le_f32(self, other: Self) -> Self {
        si(avx!(_mm256_cmp_ps::<_CMP_LE_OQ>(ps(self), ps(other))))
    }
    #[inline(always)]
    fn unordered_f32(self, other: Self) -> Self {
        si(avx!(_mm256_cmp_ps::<_CMP_UNORD_Q>(ps(self), ps(other))))
    }
    #[inline(always)]
    fn round_even_f32(self) -> Self {
        si(avx!(_mm256_round_ps::<
            { _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC },
        >(ps(self))))
    }
    #[inline(always)]
    fn floor_f32(self) -> Self {
        si(avx!(_mm256_floor_ps(ps(self))))
    }
    #[inline(always)]
    fn ceil_f32(self) -> Self {
        si(avx!(_mm256_ceil_ps(ps(self))))
    }
    #[inline(always)]
    fn trunc_f32(self) -> Self {
        si(avx!(_mm256_round_ps::<
            { _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC },
        >(ps(self))))
    }
    #[inline(always)]
    fn raw_f32_to_i32(self) -> Self {
        Avx2(avx!(_mm256_cvttps_epi32(ps(self))))
    }
    #[inline(always)]
    fn i32_to_f32(self) -> Self {
        si(avx!(_mm256_cvtepi32_ps(self.0)))
    }
    #[inline(always)]
    fn f16_to_f32(self) -> Self {
        let low = avx!(_mm256_and_si256(self.0, _mm256_set1_epi32(0xffff)));
        let packed = avx!(_mm256_permute4x64_epi64::<0b00_00_10_00>(
            _mm256_packus_epi32(low, low)
        ));
        si(avx!(_mm256_cvtph_ps(_mm256_castsi256_si128(packed))))
    }
    #[inline(always)]
    fn f32_to_f16(self) -> Self {
        let packed = avx!(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(ps(self)));
        Avx2(avx!(_mm256_cvtepu16_epi32(packed)))
    }

    #[inline(always)]
    unsafe fn load_4x8(pointers: [*const u8; 8]) -> [Self; 4] {
        // SAFETY: each pointer is readable for 16 bytes by the contract.
        let pairs = chunks!(i => unsafe { load_pair(pointers[i], pointers[i + 4]) });
        let [a, b, c, d] = transpose(pairs);
        [Avx2(a), Avx2(b), Avx2(c), Avx2(d)]
    }

    #[inline(always)]
    unsafe fn store_4x8(values: [Self; 4], pointers: [*mut u8; 8]) {
        let lanes = transpose(chunks!(j => values[j].0));
        // In lane order, so that overlapping stores end as they do elsewhere.
        for (pair, pointer) in lanes.into_iter().zip(&pointers[..4]) {
            // SAFETY: the pointer is writable for 16 bytes by the contract.
            unsafe { _mm_storeu_si128(pointer.cast(), _mm256_castsi256_si128(pair)) }
        }
        for (pair, pointer) in lanes.into_iter().zip(&pointers[4..]) {
            // SAFETY: the pointer is writable for 16 bytes by the contract.
            unsafe { _mm_storeu_si128(pointer.cast(), _mm256_extracti128_si256::<1>(pair)) }
        }
    }
}

impl Simd64 for Wide {
    #[inline(always)]
    fn splat(value: u64) -> Self {
        Wide(avx!(_mm256_set1_epi64x(value as i64)))
    }
    #[inline(always)]
    fn from_array(lanes: [u64; 4]) -> Self {
        // SAFETY: 32 readable bytes, of any alignment.
        Wide(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) })
    }
    #[inline(always)]
    fn to_array(self) -> [u64; 4] {
        let mut lanes = [0; 4];
        // SAFETY: 32 writable bytes, of any alignment.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), self.0) }
        lanes
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Wide(avx!(_mm256_and_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Wide(avx!(_mm256_or_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Wide(avx!(_mm256_xor_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn andnot(self, other: Self) -> Self {
        Wide(avx!(_mm256_andnot_si256(self.0, other.0)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Wide(avx!(_mm256_add_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Wide(avx!(_mm256_sub_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        Wide(avx!(_mm256_mul_epu32(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_i32(self, other: Self) -> Self {
        Wide(avx!(_mm256_mul_epi32(self.0, other.0)))
    }
    #[inline(always)]
    fn eq_u64(self, other: Self) -> Self {
        Wide(avx!(_mm256_cmpeq_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn gt_i64(self, other: Self) -> Self {
        Wide(avx!(_mm256_cmpgt_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn shl(self, count: Self) -> Self {
        Wide(avx!(_mm256_sllv_epi64(self.0, count.0)))
    }
    #[inline(always)]
    fn shr(self, count: Self) -> Self {
        Wide(avx!(_mm256_srlv_epi64(self.0, count.0)))
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Wide(avx!(_mm256_blendv_epi8(no.0, yes.0, mask.0)))
    }

    #[inline(always)]
    fn add_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_add_pd(pd(self), pd(other))))
    }
    #[inline(always)]
    fn sub_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_sub_pd(pd(self), pd(other))))
    }
    #[inline(always)]
    fn mul_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_mul_pd(pd(self), pd(other))))
    }
    #[inline(always)]
    fn div_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_div_pd(pd(self), pd(other))))
    }
    #[inline(always)]
    fn fma_f64(self, factor: Self, addend: Self) -> Self {
        wide(avx!(_mm256_fmadd_pd(pd(self), pd(factor), pd(addend))))
    }
    #[inline(always)]
    fn sqrt_f64(self) -> Self {
        wide(avx!(_mm256_sqrt_pd(pd(self))))
    }
    #[inline(always)]
    fn round_even_f64(self) -> Self {
        wide(avx!(_mm256_round_pd::<
            { _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC },
        >(pd(self))))
    }
    #[inline(always)]
    fn floor_f64(self) -> Self {
        wide(avx!(_mm256_floor_pd(pd(self))))
    }
    #[inline(always)]
    fn ceil_f64(self) -> Self {
        wide(avx!(_mm256_ceil_pd(pd(self))))
    }
    #[inline(always)]
    fn trunc_f64(self) -> Self {
        wide(avx!(_mm256_round_pd::<
            { _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC },
        >(pd(self))))
    }
    #[inline(always)]
    fn eq_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_cmp_pd::<_CMP_EQ_OQ>(pd(self), pd(other))))
    }
    #[inline(always)]
    fn lt_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_cmp_pd::<_CMP_LT_OQ>(pd(self), pd(other))))
    }
    #[inline(always)]
    fn le_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_cmp_pd::<_CMP_LE_OQ>(pd(self), pd(other))))
    }
    #[inline(always)]
    fn unordered_f64(self, other: Self) -> Self {
        wide(avx!(_mm256_cmp_pd::<_CMP_UNORD_Q>(pd(self), pd(other))))
    }
    #[inline(always)]
    fn f32_to_f64(self) -> Self {
        let low = avx!(_mm256_permutevar8x32_epi32(
            self.0,
            _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0)
        ));
        let low = avx!(_mm_castsi128_ps(_mm256_castsi256_si128(low)));
        wide(avx!(_mm256_cvtps_pd(low)))
    }
    #[inline(always)]
    fn f64_to_f32(self) -> Self {
        let narrow = avx!(_mm_castps_si128(_mm256_cvtpd_ps(pd(self))));
        Wide(avx!(_mm256_cvtepu32_epi64(narrow)))
    }
}

/// Sixteen bytes into each half of a register.
///
/// # Safety
/// Both pointers are valid for reads of 16 bytes.
#[inline(always)]
unsafe fn load_pair(low: *const u8, high: *const u8) -> __m256i {
    // SAFETY: by the contract of the function.
    unsafe {
        let low = _mm_loadu_si128(low.cast());
        let high = _mm_loadu_si128(high.cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }
}

/// Transposes the 4 × 4 dwords of the lower and of the upper halves.
#[inline(always)]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let ab_low = avx!(_mm256_unpacklo_epi32(a, b));
    let ab_high = avx!(_mm256_unpackhi_epi32(a, b));
    let cd_low = avx!(_mm256_unpacklo_epi32(c, d));
    let cd_high = avx!(_mm256_unpackhi_epi32(c, d));
    [
        avx!(_mm256_unpacklo_epi64(ab_low, cd_low)),
        avx!(_mm256_unpackhi_epi64(ab_low, cd_low)),
        avx!(_mm256_unpacklo_epi64(ab_high, cd_high)),
        avx!(_mm256_unpackhi_epi64(ab_high, cd_high)),
    ]
}
