//! The back end that needs nothing of the host.

use half::f16;

use super::{Simd, Simd64};

/// Eight lanes in an array.
#[derive(Clone, Copy)]
pub(crate) struct Portable([u32; 8]);

impl Portable {
    #[inline(always)]
    fn map(self, f: impl Fn(u32) -> u32) -> Portable {
        Portable(self.0.map(f))
    }

    #[inline(always)]
    fn zip(self, other: Portable, f: impl Fn(u32, u32) -> u32) -> Portable {
        Portable(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn map_f32(self, f: impl Fn(f32) -> f32) -> Portable {
        self.map(|x| f(f32::from_bits(x)).to_bits())
    }

    #[inline(always)]
    fn zip_f32(self, other: Portable, f: impl Fn(f32, f32) -> f32) -> Portable {
        self.zip(other, |x, y| {
            f(f32::from_bits(x), f32::from_bits(y)).to_bits()
        })
    }

    #[inline(always)]
    fn test(self, other: Portable, f: impl Fn(u32, u32) -> bool) -> Portable {
        self.zip(other, |x, y| 0_u32.wrapping_sub(u32::from(f(x, y))))
    }

    #[inline(always)]
    fn test_f32(self, other: Portable, f: impl Fn(f32, f32) -> bool) -> Portable {
        self.test(other, |x, y| f(f32::from_bits(x), f32::from_bits(y)))
    }
}

impl Simd for Portable {
    type Wide = PortableWide;

    #[inline(always)]
    fn splat(value: u32) -> Self {
        Portable([value; 8])
    }
    #[inline(always)]
    fn from_array(lanes: [u32; 8]) -> Self {
        Portable(lanes)
    }
    #[inline(always)]
    fn to_array(self) -> [u32; 8] {
        self.0
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |x, y| x & y)
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |x, y| x | y)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |x, y| x ^ y)
    }
    #[inline(always)]
    fn andnot(self, other: Self) -> Self {
        self.zip(other, |x, y| !x & y)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_sub)
    }
    #[inline(always)]
    fn mul_lo(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_mul)
    }
    #[inline(always)]
    fn mul_hi_u32(self, other: Self) -> Self {
        self.zip(other, |x, y| ((u64::from(x) * u64::from(y)) >> 32) as u32)
    }
    #[inline(always)]
    fn shl(self, count: Self) -> Self {
        self.zip(count, |x, n| x << (n & 31))
    }
    #[inline(always)]
    fn shr(self, count: Self) -> Self {
        self.zip(count, |x, n| x >> (n & 31))
    }
    #[inline(always)]
    fn sar(self, count: Self) -> Self {
        self.zip(count, |x, n| (x as i32 >> (n & 31)) as u32)
    }
    #[inline(always)]
    fn min_u32(self, other: Self) -> Self {
        self.zip(other, u32::min)
    }
    #[inline(always)]
    fn max_u32(self, other: Self) -> Self {
        self.zip(other, u32::max)
    }
    #[inline(always)]
    fn min_i32(self, other: Self) -> Self {
        self.zip(other, |x, y| (x as i32).min(y as i32) as u32)
    }
    #[inline(always)]
    fn max_i32(self, other: Self) -> Self {
        self.zip(other, |x, y| (x as i32).max(y as i32) as u32)
    }
    #[inline(always)]
    fn eq_u32(self, other: Self) -> Self {
        self.test(other, |x, y| x == y)
    }
    #[inline(always)]
    fn gt_i32(self, other: Self) -> Self {
        self.test(other, |x, y| x as i32 > y as i32)
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Portable(std::array::from_fn(|i| {
            (yes.0[i] & mask.0[i]) | (no.0[i] & !mask.0[i])
        }))
    }
    #[inline(always)]
    fn join(low: Self, high: Self) -> [PortableWide; 2] {
        let lane = |i: usize| u64::from(low.0[i]) | u64::from(high.0[i]) << 32;
        [0, 4].map(|first| PortableWide(std::array::from_fn(|i| lane(first + i))))
    }
    #[inline(always)]
    fn split(wide: [PortableWide; 2]) -> [Self; 2] {
        let lane = |i: usize| wide[i / 4].0[i % 4];
        [0, 32].map(|shift| Portable(std::array::from_fn(|i| (lane(i) >> shift) as u32)))
    }
    #[inline(never)]
    fn permute(self, lanes: Self) -> Self {
        lanes.map(|lane| self.0[lane as usize % 8])
    }
    #[inline(never)]
    fn pick_bytes(self, places: Self) -> Self {
        self.zip(places, |x, places| {
            let bytes = x.to_le_bytes();
            u32::from_le_bytes(places.to_le_bytes().map(|place| bytes[place as usize % 4]))
        })
    }
    #[inline(never)]
    fn least_u32(self) -> u32 {
        self.0.into_iter().fold(u32::MAX, u32::min)
    }
    #[inline(never)]
    fn greatest_u32(self) -> u32 {
        self.0.into_iter().fold(0, u32::max)
    }
    #[inline(never)]
    fn top_bits(self) -> u32 {
        self.0
            .iter()
            .enumerate()
            .fold(0, |bits, (i, x)| bits | (x >> 31) << i)
    }

    #[inline(always)]
    fn add_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| x + y)
    }
    #[inline(always)]
    fn sub_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| x - y)
    }
    #[inline(always)]
    fn mul_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| x * y)
    }
    #[inline(never)]
    fn div_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| x / y)
    }
    #[inline(never)]
    fn fma_f32(self, factor: Self, addend: Self) -> Self {
        Portable(std::array::from_fn(|i| {
            let [x, y, z] = [self.0[i], factor.0[i], addend.0[i]].map(f32::from_bits);
            x.mul_add(y, z).to_bits()
        }))
    }
    #[inline(never)]
    fn sqrt_f32(self) -> Self {
        self.map_f32(f32::sqrt)
    }
    #[inline(always)]
    fn raw_min_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    fn raw_max_f32(self, other: Self) -> Self {
        self.zip_f32(other, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn eq_f32(self, other: Self) -> Self {
        self.test_f32(other, |x, y| x == y)
    }
    #[inline(always)]
    fn lt_f32(self, other: Self) -> Self {
        self.test_f32(other, |x, y| x < y)
    }
    #[inline(always)]
    fn le_f32(self, other: Self) -> Self {
        self.test_f32(other, |x, y| x <= y)
    }
    #[inline(always)]
    fn unordered_f32(self, other: Self) -> Self {
        self.test_f32(other, |x, y| x.is_nan() || y.is_nan())
    }
    #[inline(never)]
    fn round_even_f32(self) -> Self {
        self.map_f32(f32::round_ties_even)
    }
    #[inline(never)]
    fn floor_f32(self) -> Self {
        self.map_f32(f32::floor)
    }
    #[inline(never)]
    fn ceil_f32(self) -> Self {
        self.map_f32(f32::ceil)
    }
    #[inline(never)]
    fn trunc_f32(self) -> Self {
        self.map_f32(f32::trunc)
    }
    #[inline(never)]
    fn raw_f32_to_i32(self) -> Self {
        self.map(|x| {
            let x = f32::from_bits(x);
            if (-2_147_483_648.0..2_147_483_648.0).contains(&x) {
                x as i32 as u32
            } else {
                1 << 31
            }
        })
    }
    #[inline(always)]
    fn i32_to_f32(self) -> Self {
        self.map(|x| (x as i32 as f32).to_bits())
    }
    #[inline(never)]
    fn f16_to_f32(self) -> Self {
        self.map(|x| f16::from_bits(x as u16).to_f32().to_bits())
    }
    #[inline(never)]
    fn f32_to_f16(self) -> Self {
        self.map(|x| u32::from(f16::from_f32(f32::from_bits(x)).to_bits()))
    }

    #[inline(never)]
    unsafe fn load_4x8(pointers: [*const u8; 8]) -> [Self; 4] {
        let mut rows = [Portable([0; 8]); 4];
        for (i, pointer) in pointers.into_iter().enumerate() {
            // SAFETY: valid for 16 bytes by the contract of the method.
            let dwords = unsafe { pointer.cast::<[u32; 4]>().read_unaligned() };
            for (row, dword) in rows.iter_mut().zip(dwords) {
                row.0[i] = dword;
            }
        }
        rows
    }

    #[inline(never)]
    unsafe fn store_4x8(values: [Self; 4], pointers: [*mut u8; 8]) {
        for (i, pointer) in pointers.into_iter().enumerate() {
            // SAFETY: valid for 16 bytes by the contract of the method.
            unsafe {
                pointer
                    .cast::<[u32; 4]>()
                    .write_unaligned(values.map(|row| row.0[i]))
            }
        }
    }
}

/// Four lanes of 64 bits in an array.
#[derive(Clone, Copy)]
pub(crate) struct PortableWide([u64; 4]);

impl PortableWide {
    #[inline(always)]
    fn map(self, f: impl Fn(u64) -> u64) -> PortableWide {
        PortableWide(self.0.map(f))
    }

    #[inline(always)]
    fn zip(self, other: PortableWide, f: impl Fn(u64, u64) -> u64) -> PortableWide {
        PortableWide(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn map_f64(self, f: impl Fn(f64) -> f64) -> PortableWide {
        self.map(|x| f(f64::from_bits(x)).to_bits())
    }

    #[inline(always)]
    fn zip_f64(self, other: PortableWide, f: impl Fn(f64, f64) -> f64) -> PortableWide {
        self.zip(other, |x, y| {
            f(f64::from_bits(x), f64::from_bits(y)).to_bits()
        })
    }

    #[inline(always)]
    fn test(self, other: PortableWide, f: impl Fn(u64, u64) -> bool) -> PortableWide {
        self.zip(other, |x, y| 0_u64.wrapping_sub(u64::from(f(x, y))))
    }

    #[inline(always)]
    fn test_f64(self, other: PortableWide, f: impl Fn(f64, f64) -> bool) -> PortableWide {
        self.test(other, |x, y| f(f64::from_bits(x), f64::from_bits(y)))
    }
}

impl Simd64 for PortableWide {
    #[inline(always)]
    fn splat(value: u64) -> Self {
        PortableWide([value; 4])
    }
    #[inline(always)]
    fn from_array(lanes: [u64; 4]) -> Self {
        PortableWide(lanes)
    }
    #[inline(always)]
    fn to_array(self) -> [u64; 4] {
        self.0
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |x, y| x & y)
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |x, y| x | y)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |x, y| x ^ y)
    }
    #[inline(always)]
    fn andnot(self, other: Self) -> Self {
        self.zip(other, |x, y| !x & y)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_add)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_sub)
    }
    #[inline(always)]
    fn shl(self, count: Self) -> Self {
        self.zip(count, |x, n| x << (n & 63))
    }
    #[inline(always)]
    fn shr(self, count: Self) -> Self {
        self.zip(count, |x, n| x >> (n & 63))
    }
    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        self.zip(other, |x, y| u64::from(x as u32) * u64::from(y as u32))
    }
    #[inline(always)]
    fn mul_i32(self, other: Self) -> Self {
        self.zip(other, |x, y| {
            (i64::from(x as i32) * i64::from(y as i32)) as u64
        })
    }
    #[inline(always)]
    fn eq_u64(self, other: Self) -> Self {
        self.test(other, |x, y| x == y)
    }
    #[inline(always)]
    fn gt_i64(self, other: Self) -> Self {
        self.test(other, |x, y| x as i64 > y as i64)
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        PortableWide(std::array::from_fn(|i| {
            (yes.0[i] & mask.0[i]) | (no.0[i] & !mask.0[i])
        }))
    }

    #[inline(always)]
    fn add_f64(self, other: Self) -> Self {
        self.zip_f64(other, |x, y| x + y)
    }
    #[inline(always)]
    fn sub_f64(self, other: Self) -> Self {
        self.zip_f64(other, |x, y| x - y)
    }
    #[inline(always)]
    fn mul_f64(self, other: Self) -> Self {
        self.zip_f64(other, |x, y| x * y)
    }
    #[inline(never)]
    fn div_f64(self, other: Self) -> Self {
        self.zip_f64(other, |x, y| x / y)
    }
    #[inline(never)]
    fn fma_f64(self, factor: Self, addend: Self) -> Self {
        PortableWide(std::array::from_fn(|i| {
            let [x, y, z] = [self.0[i], factor.0[i], addend.0[i]].map(f64::from_bits);
            x.mul_add(y, z).to_bits()
        }))
    }
    #[inline(never)]
    fn sqrt_f64(self) -> Self {
        self.map_f64(f64::sqrt)
    }
    #[inline(never)]
    fn round_even_f64(self) -> Self {
        self.map_f64(f64::round_ties_even)
    }
    #[inline(never)]
    fn floor_f64(self) -> Self {
        self.map_f64(f64::floor)
    }
    #[inline(never)]
    fn ceil_f64(self) -> Self {
        self.map_f64(f64::ceil)
    }
    #[inline(never)]
    fn trunc_f64(self) -> Self {
        self.map_f64(f64::trunc)
    }
    #[inline(always)]
    fn eq_f64(self, other: Self) -> Self {
        self.test_f64(other, |x, y| x == y)
    }
    #[inline(always)]
    fn lt_f64(self, other: Self) -> Self {
        self.test_f64(other, |x, y| x < y)
    }
    #[inline(always)]
    fn le_f64(self, other: Self) -> Self {
        self.test_f64(other, |x, y| x <= y)
    }
    #[inline(always)]
    fn unordered_f64(self, other: Self) -> Self {
        self.test_f64(other, |x, y| x.is_nan() || y.is_nan())
    }
    #[inline(always)]
    fn f32_to_f64(self) -> Self {
        self.map(|x| f64::from(f32::from_bits(x as u32)).to_bits())
    }
    #[inline(always)]
    fn f64_to_f32(self) -> Self {
        self.map(|x| u64::from((f64::from_bits(x) as f32).to_bits()))
    }
}
