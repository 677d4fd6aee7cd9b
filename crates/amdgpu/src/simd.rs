//! Rows of lanes, and the vectors that pass over them.
//!
//! A vector register of a wave32 is one [`Row`]: 32 dwords, a lane each. An
//! instruction's meaning is written once, over the [`Simd`] trait of 8-lane
//! vectors, and instantiated for [`portable::Portable`] and, where the host
//! has it, for AVX2 + FMA + F16C. Both give the same bits (the payload of a
//! NaN that an operation makes or chooses between is left to the host).

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "std::arch intrinsics behind a detected back end"
)]
mod avx2;
#[expect(unsafe_code, reason = "calls code that needs detected features")]
mod handler;
#[expect(
    unsafe_code,
    reason = "implements the raw-pointer methods of the trait"
)]
mod portable;
mod wide;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
pub use handler::Extensions;
pub(crate) use handler::{Backend, Handler, Kernel};
pub(crate) use portable::Portable;
pub(crate) use wide::Simd64;

/// An array of four values, one for each chunk of a row.
///
/// Not a closure: a closure is compiled without the features of the function
/// around it, and the intrinsics in it then become calls.
macro_rules! chunks {
    ($i:ident => $value:expr) => {
        [
            {
                let $i = 0_usize;
                $value
            },
            {
                let $i = 1_usize;
                $value
            },
            {
                let $i = 2_usize;
                $value
            },
            {
                let $i = 3_usize;
                $value
            },
        ]
    };
}
pub(crate) use chunks;

/// Lanes of one row.
pub(crate) const LANES: usize = 32;

/// One vector register of a wave32: a dword a lane, in four chunks of 8 lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Row(pub(crate) [[u32; 8]; 4]);

impl Row {
    pub(crate) const ZERO: Row = Row([[0; 8]; 4]);

    #[inline(always)]
    pub(crate) const fn splat(value: u32) -> Row {
        Row([[value; 8]; 4])
    }

    #[inline(always)]
    pub(crate) fn lanes(&self) -> &[u32; LANES] {
        self.0.as_flattened().try_into().expect("4 × 8 lanes")
    }

    #[inline(always)]
    pub(crate) fn lanes_mut(&mut self) -> &mut [u32; LANES] {
        self.0.as_flattened_mut().try_into().expect("4 × 8 lanes")
    }

    /// All lanes as vectors.
    #[inline(always)]
    pub(crate) fn get<S: Simd>(&self) -> [S; 4] {
        chunks!(c => S::from_array(self.0[c]))
    }

    /// Overwrites all lanes.
    #[inline(always)]
    pub(crate) fn set<S: Simd>(&mut self, values: [S; 4]) {
        for (chunk, value) in self.0.iter_mut().zip(values) {
            *chunk = value.to_array();
        }
    }

    /// Overwrites the lanes whose mask is all ones.
    #[inline(always)]
    pub(crate) fn blend<S: Simd>(&mut self, values: [S; 4], mask: &Row) {
        let (old, mask) = (self.get::<S>(), mask.get::<S>());
        self.set(chunks!(c => S::select(mask[c], values[c], old[c])));
    }

    /// All ones in the lanes whose bit is set.
    pub(crate) fn from_mask(bits: u32) -> Row {
        let mut row = Row::ZERO;
        for (lane, value) in row.lanes_mut().iter_mut().enumerate() {
            *value = 0_u32.wrapping_sub(bits >> lane & 1);
        }
        row
    }
}

/// Eight lanes of 32 bits. A "mask" is a vector whose lanes are all ones or zero.
///
/// Methods are plain functions of each lane; shift counts must be below 32.
pub(crate) trait Simd: Copy {
    /// Half of the lanes, 64 bits each.
    type Wide: Simd64;

    fn splat(value: u32) -> Self;
    fn from_array(lanes: [u32; 8]) -> Self;
    fn to_array(self) -> [u32; 8];

    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// `!self & other`.
    fn andnot(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul_lo(self, other: Self) -> Self;
    fn mul_hi_u32(self, other: Self) -> Self;
    fn shl(self, count: Self) -> Self;
    fn shr(self, count: Self) -> Self;
    fn sar(self, count: Self) -> Self;
    fn min_u32(self, other: Self) -> Self;
    fn max_u32(self, other: Self) -> Self;
    fn min_i32(self, other: Self) -> Self;
    fn max_i32(self, other: Self) -> Self;
    fn eq_u32(self, other: Self) -> Self;
    fn gt_i32(self, other: Self) -> Self;
    /// `yes` where `mask` is all ones, `no` where it is zero.
    fn select(mask: Self, yes: Self, no: Self) -> Self;
    /// Eight lanes of 64 bits from their low and high dwords. Which lanes are
    /// in which half is not said.
    fn join(low: Self, high: Self) -> [Self::Wide; 2];
    /// The inverse of `join`.
    fn split(wide: [Self::Wide; 2]) -> [Self; 2];
    /// Lane `i` is the lane of `self` that the lowest three bits of lane `i` of
    /// `lanes` name.
    fn permute(self, lanes: Self) -> Self;
    /// Each byte is the byte of its lane whose number (0 to 3) stands there in
    /// `places`.
    fn pick_bytes(self, places: Self) -> Self;
    /// The least of the lanes.
    fn least_u32(self) -> u32;
    /// The greatest of the lanes.
    fn greatest_u32(self) -> u32;
    /// One bit a lane: the lane's top bit.
    fn top_bits(self) -> u32;

    fn add_f32(self, other: Self) -> Self;
    fn sub_f32(self, other: Self) -> Self;
    fn mul_f32(self, other: Self) -> Self;
    fn div_f32(self, other: Self) -> Self;
    fn fma_f32(self, factor: Self, addend: Self) -> Self;
    fn sqrt_f32(self) -> Self;
    /// x86's `min`: `other` if either is NaN or both are zero.
    fn raw_min_f32(self, other: Self) -> Self;
    /// x86's `max`: `other` if either is NaN or both are zero.
    fn raw_max_f32(self, other: Self) -> Self;
    fn eq_f32(self, other: Self) -> Self;
    fn lt_f32(self, other: Self) -> Self;
    fn le_f32(self, other: Self) -> Self;
    fn unordered_f32(self, other: Self) -> Self;
    fn round_even_f32(self) -> Self;
    fn floor_f32(self) -> Self;
    fn ceil_f32(self) -> Self;
    fn trunc_f32(self) -> Self;
    /// Truncates; any result that does not fit is 0x8000_0000.
    fn raw_f32_to_i32(self) -> Self;
    fn i32_to_f32(self) -> Self;
    /// Low halves as f16 to f32.
    fn f16_to_f32(self) -> Self;
    /// f32 to f16 (nearest even) in the low halves, upper halves zero.
    fn f32_to_f16(self) -> Self;

    /// Dword `j` of the 16 bytes at `pointers[i]` becomes lane `i` of result `j`.
    ///
    /// # Safety
    /// Each pointer is valid for reads of 16 bytes; no alignment is needed.
    #[expect(unsafe_code, reason = "takes raw pointers")]
    unsafe fn load_4x8(pointers: [*const u8; 8]) -> [Self; 4];

    /// The inverse of `load_4x8`.
    ///
    /// # Safety
    /// Each pointer is valid for writes of 16 bytes; no alignment is needed.
    #[expect(unsafe_code, reason = "takes raw pointers")]
    unsafe fn store_4x8(values: [Self; 4], pointers: [*mut u8; 8]);

    // Derived, the same for all.

    #[inline(always)]
    fn not(self) -> Self {
        self.xor(Self::splat(!0))
    }

    #[inline(always)]
    fn gt_u32(self, other: Self) -> Self {
        let flip = Self::splat(1 << 31);
        self.xor(flip).gt_i32(other.xor(flip))
    }

    #[inline(always)]
    fn is_nan_f32(self) -> Self {
        self.unordered_f32(self)
    }

    #[inline(always)]
    fn splat_f32(value: f32) -> Self {
        Self::splat(value.to_bits())
    }

    /// f32 to f64.
    #[inline(always)]
    fn to_f64(self) -> [Self::Wide; 2] {
        let [first, second] = Self::join(self, Self::splat(0));
        [first.f32_to_f64(), second.f32_to_f64()]
    }

    /// f64 to f32.
    #[inline(always)]
    fn from_f64([first, second]: [Self::Wide; 2]) -> Self {
        let [low, _] = Self::split([first.f64_to_f32(), second.f64_to_f32()]);
        low
    }
}

/// Row of which lane `i` is the lane of `source` that the lowest five bits of
/// lane `i` of `lanes` name.
#[inline(always)]
pub(crate) fn permute_row<S: Simd>(source: [S; 4], lanes: [S; 4]) -> [S; 4] {
    let (eight, sixteen) = (S::splat(8), S::splat(16));
    chunks!(i => {
        let of = lanes[i];
        let odd = of.and(eight).eq_u32(eight);
        let upper = of.and(sixteen).eq_u32(sixteen);
        let low = S::select(odd, source[1].permute(of), source[0].permute(of));
        let high = S::select(odd, source[3].permute(of), source[2].permute(of));
        S::select(upper, high, low)
    })
}

/// Eight bits of each chunk's mask, put together.
#[inline(always)]
pub(crate) fn mask_bits<S: Simd>(masks: [S; 4]) -> u32 {
    masks[0].top_bits()
        | masks[1].top_bits() << 8
        | masks[2].top_bits() << 16
        | masks[3].top_bits() << 24
}
