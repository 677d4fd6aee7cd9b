//! Moving dwords between memory and rows of lanes. Nothing is checked here.

use super::view::Lanes;
use crate::simd::{LANES, Row, Simd, chunks, mask_bits};

/// Byte offsets of lanes that access consecutive dwords.
const CONTIGUOUS: Row = {
    let mut chunks = [[0; 8]; 4];
    let mut lane = 0;
    while lane < LANES {
        chunks[lane / 8][lane % 8] = 4 * lane as u32;
        lane += 1;
    }
    Row(chunks)
};

/// Least and greatest offset of the active lanes; least > greatest if none is.
#[inline(always)]
pub(super) fn span<S: Simd>(at: Lanes<'_>) -> (u32, u32) {
    let [a, b, c, d] = at.offsets.get::<S>();
    if at.active == u32::MAX {
        let least = a.min_u32(b).min_u32(c.min_u32(d)).least_u32();
        let greatest = a.max_u32(b).max_u32(c.max_u32(d)).greatest_u32();
        return (least, greatest);
    }
    let [p, q, r, s] = at.mask.get::<S>();
    let least = a
        .or(p.not())
        .min_u32(b.or(q.not()))
        .min_u32(c.or(r.not()).min_u32(d.or(s.not())))
        .least_u32();
    let greatest = a
        .and(p)
        .max_u32(b.and(q))
        .max_u32(c.and(r).max_u32(d.and(s)))
        .greatest_u32();
    (least, greatest)
}

/// Loads `N` (1 to 4) dwords a lane into `N` rows; inactive lanes keep theirs.
///
/// # Safety
/// At least one lane is active; `span` is that of the active lanes, and all
/// bytes from `base + span.0` to `base + span.1 + 4 * N` are valid for reads.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const N: usize>(
    at: Lanes<'_>,
    (least, greatest): (u32, u32),
    rows: &mut [Row; N],
) {
    let base = at.base as usize as *const u8;
    if least == greatest {
        // SAFETY: the lanes' common place is in the span.
        let dwords = unsafe { base.add(least as usize).cast::<[u32; N]>().read_unaligned() };
        for (row, dword) in rows.iter_mut().zip(dwords) {
            put(row, [S::splat(dword); 4], at);
        }
        return;
    }
    let mut offsets = at.offsets.get::<S>();
    if at.active != u32::MAX {
        // Inactive lanes read where some active lane reads.
        let spare = S::splat(least);
        let mask = at.mask.get::<S>();
        for c in 0..4 {
            offsets[c] = S::select(mask[c], offsets[c], spare);
        }
    }
    if N == 4 {
        // SAFETY: every offset is now within the span.
        let values = unsafe { load_4::<S>(base, offsets) };
        for (row, value) in rows.iter_mut().zip(values) {
            put(row, value, at);
        }
        return;
    }
    if N == 1 && is_contiguous(offsets) {
        let mut row = Row::ZERO;
        // SAFETY: the lanes' places are consecutive dwords, all in the span.
        unsafe {
            std::ptr::copy_nonoverlapping(
                base.add(least as usize),
                row.0.as_mut_ptr().cast(),
                4 * LANES,
            );
        }
        put(&mut rows[0], row.get::<S>(), at);
        return;
    }
    let mut loaded = [Row::ZERO; N];
    for (c, chunk) in offsets.into_iter().enumerate() {
        for (i, offset) in chunk.to_array().into_iter().enumerate() {
            // SAFETY: every offset is now within the span.
            let dwords = unsafe {
                base.add(offset as usize)
                    .cast::<[u32; N]>()
                    .read_unaligned()
            };
            for j in 0..N {
                loaded[j].0[c][i] = dwords[j];
            }
        }
    }
    for (row, value) in rows.iter_mut().zip(loaded) {
        put(row, value.get::<S>(), at);
    }
}

/// Four dwords a lane, as four rows.
///
/// # Safety
/// 16 bytes at `base` + every offset are valid for reads.
#[inline(always)]
unsafe fn load_4<S: Simd>(base: *const u8, offsets: [S; 4]) -> [[S; 4]; 4] {
    let first = offsets[0];
    let same = offsets[1]
        .eq_u32(first)
        .and(offsets[2].eq_u32(first))
        .and(offsets[3].eq_u32(first));
    if same.top_bits() == 0xff {
        // SAFETY: by the contract of the function.
        let values = unsafe { load_chunk(base, first) };
        return chunks!(j => [values[j]; 4]);
    }
    // SAFETY: by the contract of the function.
    let chunks = chunks!(c => unsafe { load_chunk(base, offsets[c]) });
    chunks!(j => [chunks[0][j], chunks[1][j], chunks[2][j], chunks[3][j]])
}

/// Four dwords for each lane of a chunk.
///
/// # Safety
/// As for `load_4`.
#[inline(always)]
unsafe fn load_chunk<S: Simd>(base: *const u8, offsets: S) -> [S; 4] {
    let mut pointers = [base; 8];
    for (pointer, offset) in pointers.iter_mut().zip(offsets.to_array()) {
        // SAFETY: the place is valid for reads by the contract.
        *pointer = unsafe { base.add(offset as usize) };
    }
    // SAFETY: by the contract of the function.
    unsafe { S::load_4x8(pointers) }
}

/// Stores `N` (1 to 4) dwords a lane from `N` rows, in the order of lanes.
///
/// # Safety
/// At least one lane is active, and `4 * N` bytes at `base` + the offset of
/// every active lane are valid for writes.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const N: usize>(at: Lanes<'_>, rows: &[Row; N]) {
    let base = at.base as usize as *mut u8;
    if at.active == u32::MAX {
        let offsets = at.offsets.get::<S>();
        if N == 1 && is_contiguous(offsets) {
            let first = at.offsets.0[0][0] as usize;
            // SAFETY: the lanes' places are consecutive dwords, all writable.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    rows[0].0.as_ptr().cast(),
                    base.add(first),
                    4 * LANES,
                );
            }
            return;
        }
        if N == 4 {
            for (c, chunk) in offsets.into_iter().enumerate() {
                let values = chunks!(j => S::from_array(rows[j % N].0[c]));
                let mut pointers = [base; 8];
                for (pointer, offset) in pointers.iter_mut().zip(chunk.to_array()) {
                    // SAFETY: the place is valid for writes by the contract.
                    *pointer = unsafe { base.add(offset as usize) };
                }
                // SAFETY: by the contract of the function.
                unsafe { S::store_4x8(values, pointers) }
            }
            return;
        }
    }
    let mut left = at.active;
    while left != 0 {
        let lane = left.trailing_zeros() as usize % LANES;
        left &= left - 1;
        let dwords: [u32; N] = std::array::from_fn(|j| rows[j].lanes()[lane]);
        // SAFETY: by the contract of the function.
        unsafe {
            base.add(at.offsets.lanes()[lane] as usize)
                .cast::<[u32; N]>()
                .write_unaligned(dwords);
        }
    }
}

#[inline(always)]
fn is_contiguous<S: Simd>(offsets: [S; 4]) -> bool {
    let first = S::splat(offsets[0].to_array()[0]);
    let steps = CONTIGUOUS.get::<S>();
    let hits = chunks!(c => offsets[c].eq_u32(first.add(steps[c])));
    mask_bits(hits) == u32::MAX
}

#[inline(always)]
fn put<S: Simd>(row: &mut Row, values: [S; 4], at: Lanes<'_>) {
    if at.active == u32::MAX {
        row.set(values);
    } else {
        row.blend(values, at.mask);
    }
}
