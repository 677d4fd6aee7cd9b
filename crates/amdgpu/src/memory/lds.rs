//! The local data share of one workgroup.

use super::transfer;
use super::view::{AccessError, Lanes, Reason, narrow, widen};
use crate::simd::{LANES, Row, Simd, chunks, mask_bits};

/// LDS of the workgroup that a worker is running. Only that worker touches it.
#[derive(Debug, Default)]
pub(crate) struct Lds {
    words: Vec<u64>,
    bytes: u32,
}

impl Lds {
    /// Makes it `bytes` long and zero.
    pub(crate) fn reset(&mut self, bytes: u32) {
        self.words.clear();
        self.words.resize((bytes as usize).div_ceil(8), 0);
        self.bytes = bytes;
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// As `View::load`; `at.base` is an offset in LDS.
    #[inline(always)]
    pub(crate) fn load<S: Simd, const N: usize>(
        &mut self,
        at: Lanes<'_>,
        rows: &mut [Row],
    ) -> Result<(), AccessError> {
        let rows: &mut [Row; N] = (&mut rows[..N]).try_into().expect("N rows");
        if at.active == 0 {
            return Ok(());
        }
        let mut moved = Row::ZERO;
        let (at, span) = self.settle::<S>(at, &mut moved, 4 * N as u32, false)?;
        let base = self.words.as_ptr().expose_provenance() as u64 + at.base;
        // SAFETY: the active lanes' bytes are inside `self.words`.
        unsafe { transfer::load::<S, N>(Lanes { base, ..at }, span, rows) }
        Ok(())
    }

    /// As `View::store`.
    #[inline(always)]
    pub(crate) fn store<S: Simd, const N: usize>(
        &mut self,
        at: Lanes<'_>,
        rows: &[Row],
    ) -> Result<(), AccessError> {
        let rows: &[Row; N] = rows[..N].try_into().expect("N rows");
        if at.active == 0 {
            return Ok(());
        }
        let mut moved = Row::ZERO;
        let (at, _) = self.settle::<S>(at, &mut moved, 4 * N as u32, true)?;
        let base = self.words.as_mut_ptr().expose_provenance() as u64 + at.base;
        // SAFETY: the active lanes' bytes are inside `self.words`, which is
        // borrowed for writing.
        unsafe { transfer::store::<S, N>(Lanes { base, ..at }, rows) }
        Ok(())
    }

    /// Loads `B` bytes a lane, zero-extended.
    #[inline(always)]
    pub(crate) fn load_small<S: Simd, const B: usize>(
        &mut self,
        at: Lanes<'_>,
        into: &mut Row,
    ) -> Result<(), AccessError> {
        let mut moved = Row::ZERO;
        let (at, _) = self.settle::<S>(at, &mut moved, B as u32, false)?;
        let bytes = self.as_bytes();
        if at.active == u32::MAX {
            let base = bytes.as_ptr().wrapping_add(at.base as usize);
            if are_behind_each_other::<S, B>(at.offsets) {
                for (chunk, offsets) in into.0.iter_mut().zip(&at.offsets.0) {
                    let place = base.wrapping_add(offsets[0] as usize);
                    // SAFETY: the bytes of all lanes are inside `self.words`.
                    let values = unsafe { place.cast::<[[u8; B]; 8]>().read() };
                    for (value, bytes) in chunk.iter_mut().zip(values) {
                        *value = widen::<B>(bytes);
                    }
                }
                return Ok(());
            }
            let lanes = into.lanes_mut().iter_mut().zip(at.offsets.lanes());
            for (value, &offset) in lanes {
                let place = base.wrapping_add(offset as usize).cast::<[u8; B]>();
                // SAFETY: the bytes of all lanes are inside `self.words`.
                *value = widen::<B>(unsafe { place.read() });
            }
            return Ok(());
        }
        each(at, |lane, offset| {
            let value = bytes[offset..offset + B].try_into().expect("B bytes");
            into.lanes_mut()[lane] = widen::<B>(value);
        });
        Ok(())
    }

    /// As `View::store_small`.
    #[inline(always)]
    pub(crate) fn store_small<S: Simd, const B: usize>(
        &mut self,
        at: Lanes<'_>,
        from: &Row,
    ) -> Result<(), AccessError> {
        let mut moved = Row::ZERO;
        let (at, _) = self.settle::<S>(at, &mut moved, B as u32, true)?;
        let bytes = self.as_bytes_mut();
        each(at, |lane, offset| {
            bytes[offset..offset + B].copy_from_slice(&narrow::<B>(from.lanes()[lane]));
        });
        Ok(())
    }

    /// Replaces `B` (4 or 8) bytes at `address` by `update` of them; returns
    /// the old value.
    pub(crate) fn update<const B: usize>(
        &mut self,
        address: u64,
        lane: u32,
        update: impl FnOnce(u64) -> u64,
    ) -> Result<u64, AccessError> {
        let refuse = |reason| AccessError {
            address,
            bytes: B as u32,
            write: true,
            lane: Some(lane),
            reason,
        };
        if address.saturating_add(B as u64) > u64::from(self.bytes) {
            return Err(refuse(Reason::Lds));
        }
        if !address.is_multiple_of(B as u64) {
            return Err(refuse(Reason::Misaligned));
        }
        let cell = &mut self.as_bytes_mut()[address as usize..][..B];
        let mut wide = [0; 8];
        wide[..B].copy_from_slice(cell);
        let old = u64::from_le_bytes(wide);
        cell.copy_from_slice(&update(old).to_le_bytes()[..B]);
        Ok(old)
    }

    /// As `View::load_bytes`.
    pub(crate) fn load_bytes(
        &self,
        offset: u32,
        bytes: u32,
        lane: u32,
    ) -> Result<u32, AccessError> {
        let end = u64::from(offset) + u64::from(bytes);
        if end > u64::from(self.bytes) {
            let (address, reason) = (u64::from(offset), Reason::Lds);
            return Err(AccessError {
                address,
                bytes,
                write: false,
                lane: Some(lane),
                reason,
            });
        }
        let cell = &self.as_bytes()[offset as usize..end as usize];
        Ok(cell
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    /// As `View::store_bytes`.
    pub(crate) fn store_bytes(
        &mut self,
        offset: u32,
        bytes: u32,
        lane: u32,
        value: u32,
    ) -> Result<(), AccessError> {
        let end = u64::from(offset) + u64::from(bytes);
        if end > u64::from(self.bytes) {
            let (address, reason) = (u64::from(offset), Reason::Lds);
            return Err(AccessError {
                address,
                bytes,
                write: true,
                lane: Some(lane),
                reason,
            });
        }
        let cell = &mut self.as_bytes_mut()[offset as usize..end as usize];
        cell.copy_from_slice(&value.to_le_bytes()[..bytes as usize]);
        Ok(())
    }

    fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.words.as_slice())
    }

    fn as_bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self.words.as_mut_slice())
    }

    /// Checks that the places of the active lanes are there; gives them and
    /// their span. Addresses and constant offsets are added in 32 bits, which
    /// matters to negative addresses only: then `moved` holds the sums.
    #[inline(always)]
    fn settle<'a, S: Simd>(
        &self,
        at: Lanes<'a>,
        moved: &'a mut Row,
        bytes: u32,
        write: bool,
    ) -> Result<(Lanes<'a>, (u32, u32)), AccessError> {
        let fits = |base: u64, (_, greatest): (u32, u32)| {
            base + u64::from(greatest) + u64::from(bytes) <= u64::from(self.bytes)
        };
        let span = transfer::span::<S>(at);
        if fits(at.base, span) {
            return Ok((at, span));
        }
        let constant = S::splat(at.base as u32);
        let sums = at.offsets.get::<S>();
        moved.set(chunks!(i => sums[i].add(constant)));
        let at = Lanes {
            base: 0,
            offsets: moved,
            ..at
        };
        let span = transfer::span::<S>(at);
        if !fits(0, span) {
            self.explain(at, bytes, write)?;
        }
        Ok((at, span))
    }

    /// Finds the first lane at fault.
    #[cold]
    fn explain(&self, at: Lanes<'_>, bytes: u32, write: bool) -> Result<(), AccessError> {
        let mut first = None;
        each(at, |lane, offset| {
            if offset as u64 + u64::from(bytes) > u64::from(self.bytes) && first.is_none() {
                first = Some((lane as u32, offset as u64));
            }
        });
        match first {
            Some((lane, address)) => {
                let reason = Reason::Lds;
                Err(AccessError {
                    address,
                    bytes,
                    write,
                    lane: Some(lane),
                    reason,
                })
            }
            None => Ok(()),
        }
    }
}

/// Do the lanes of each chunk access `B` bytes behind each other?
#[inline(always)]
fn are_behind_each_other<S: Simd, const B: usize>(offsets: &Row) -> bool {
    let steps = S::from_array([0, 1, 2, 3, 4, 5, 6, 7].map(|step| step * B as u32));
    let chunks = offsets.get::<S>();
    let hits = chunks!(c => S::splat(offsets.0[c][0]).add(steps).eq_u32(chunks[c]));
    mask_bits(hits) == u32::MAX
}

#[inline(always)]
fn each(at: Lanes<'_>, mut access: impl FnMut(usize, usize)) {
    let mut left = at.active;
    while left != 0 {
        let lane = left.trailing_zeros() as usize % LANES;
        left &= left - 1;
        access(lane, at.base as usize + at.offsets.lanes()[lane] as usize);
    }
}
