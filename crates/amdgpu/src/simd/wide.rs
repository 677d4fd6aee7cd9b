//! Lanes of 64 bits: doubles, and pairs of dwords.

/// Four lanes of 64 bits, half of the eight of a [`super::Simd`]. A "mask" is a
/// vector whose lanes are all ones or zero.
///
/// Methods are plain functions of each lane; shift counts must be below 64.
pub(crate) trait Simd64: Copy {
    fn splat(value: u64) -> Self;
    fn from_array(lanes: [u64; 4]) -> Self;
    fn to_array(self) -> [u64; 4];

    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// `!self & other`.
    fn andnot(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn shl(self, count: Self) -> Self;
    fn shr(self, count: Self) -> Self;
    /// Product of the low dwords.
    fn mul_u32(self, other: Self) -> Self;
    /// Product of the low dwords as signed numbers.
    fn mul_i32(self, other: Self) -> Self;
    fn eq_u64(self, other: Self) -> Self;
    fn gt_i64(self, other: Self) -> Self;
    /// `yes` where `mask` is all ones, `no` where it is zero.
    fn select(mask: Self, yes: Self, no: Self) -> Self;

    fn add_f64(self, other: Self) -> Self;
    fn sub_f64(self, other: Self) -> Self;
    fn mul_f64(self, other: Self) -> Self;
    fn div_f64(self, other: Self) -> Self;
    fn fma_f64(self, factor: Self, addend: Self) -> Self;
    fn sqrt_f64(self) -> Self;
    fn round_even_f64(self) -> Self;
    fn floor_f64(self) -> Self;
    fn ceil_f64(self) -> Self;
    fn trunc_f64(self) -> Self;
    fn eq_f64(self, other: Self) -> Self;
    fn lt_f64(self, other: Self) -> Self;
    fn le_f64(self, other: Self) -> Self;
    fn unordered_f64(self, other: Self) -> Self;
    /// The low dwords, which are f32, as f64.
    fn f32_to_f64(self) -> Self;
    /// f64 to f32 in the low dwords, upper dwords zero.
    fn f64_to_f32(self) -> Self;

    // Derived, the same for all.

    #[inline(always)]
    fn not(self) -> Self {
        self.xor(Self::splat(!0))
    }

    #[inline(always)]
    fn gt_u64(self, other: Self) -> Self {
        let flip = Self::splat(1 << 63);
        self.xor(flip).gt_i64(other.xor(flip))
    }

    /// All ones where the sign bit is set.
    #[inline(always)]
    fn sign_mask(self) -> Self {
        Self::splat(0).gt_i64(self)
    }

    #[inline(always)]
    fn sar(self, count: Self) -> Self {
        let sign = self.sign_mask();
        self.xor(sign).shr(count).xor(sign)
    }

    #[inline(always)]
    fn is_nan_f64(self) -> Self {
        self.unordered_f64(self)
    }

    #[inline(always)]
    fn splat_f64(value: f64) -> Self {
        Self::splat(value.to_bits())
    }

    /// Integers of less than 2^51 in size as f64. Exact.
    #[inline(always)]
    fn small_i64_to_f64(self) -> Self {
        // As the last bits of a number whose last bit is a one.
        self.add(Self::splat_f64(MAGIC))
            .sub_f64(Self::splat_f64(MAGIC))
    }

    /// Whole numbers of less than 2^51 in size as integers. Exact.
    #[inline(always)]
    fn small_f64_to_i64(self) -> Self {
        self.add_f64(Self::splat_f64(MAGIC))
            .sub(Self::splat_f64(MAGIC))
    }
}

/// 1.5 times 2^52.
const MAGIC: f64 = 6_755_399_441_055_744.0;
