//! Loads at constants behind the same places, which native code makes itself
//! once the places are known to be live.

use super::view::View;
use crate::simd::{LANES, Portable, Row, Simd, chunks, mask_bits};

/// Offsets of lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offsets<'a> {
    Each(&'a Row),
    Same(u32),
}

/// How the places of a group's lanes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Anyhow.
    Full,
    /// All lanes read at one place.
    Same,
    /// The lanes of each eight read at one place.
    Uniform,
    /// Every eight lanes read at the places of the first eight.
    Repeated,
    /// Each lane reads a dword behind the one before.
    Contiguous,
}

/// Loads of one buffer at one row of offsets.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Scalar slots of the resource, and of the scalar offset.
    pub(crate) resource: u16,
    pub(crate) offset: u16,
    /// How the resource is read, as in the ops.
    pub(crate) aux: u32,
    /// How the lanes lie.
    pub(crate) form: Form,
    /// Least constant, and the end of the dwords behind the greatest.
    pub(crate) least: u32,
    pub(crate) end: u32,
}

/// Addresses of the lanes' places, without the constants of loads. Which of
/// them a form needs, it has.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Places(pub(crate) [u64; LANES]);

impl Places {
    pub(crate) const NONE: Places = Places([0; LANES]);
}

/// Dwords behind each other.
const STEPS: Row = {
    let mut chunks = [[0; 8]; 4];
    let mut lane = 0;
    while lane < LANES {
        chunks[lane / 8][lane % 8] = 4 * lane as u32;
        lane += 1;
    }
    Row(chunks)
};

/// All lanes of `offsets` against those of another row.
#[inline(always)]
fn equal<S: Simd>(offsets: &Row, other: [S; 4]) -> bool {
    let offsets = offsets.get::<S>();
    mask_bits(chunks!(c => offsets[c].eq_u32(other[c]))) == u32::MAX
}

impl Form {
    /// The most special form of places at these offsets.
    pub(crate) fn of(offsets: Offsets<'_>) -> Form {
        use Form::*;
        let Offsets::Each(offsets) = offsets else {
            return Same;
        };
        [Same, Uniform, Repeated, Contiguous]
            .into_iter()
            .find(|form| form.span::<Portable>(offsets).is_some())
            .unwrap_or(Full)
    }

    /// Least and greatest of the offsets, if they have this form.
    #[inline(always)]
    fn span<S: Simd>(self, offsets: &Row) -> Option<(u32, u32)> {
        let first = offsets.0[0][0];
        let (fits, least, greatest) = match self {
            Form::Full => {
                let [a, b, c, d] = offsets.get::<S>();
                let least = a.min_u32(b).min_u32(c.min_u32(d)).least_u32();
                let greatest = a.max_u32(b).max_u32(c.max_u32(d)).greatest_u32();
                (true, least, greatest)
            }
            Form::Same => (equal(offsets, [S::splat(first); 4]), first, first),
            Form::Uniform => {
                let firsts = offsets.0.map(|eight| eight[0]);
                let splats = chunks!(c => S::splat(firsts[c]));
                let [a, b, c, d] = firsts;
                let least = a.min(b).min(c.min(d));
                (equal(offsets, splats), least, a.max(b).max(c.max(d)))
            }
            Form::Repeated => {
                let eight = S::from_array(offsets.0[0]);
                let fits = equal(offsets, [eight; 4]);
                (fits, eight.least_u32(), eight.greatest_u32())
            }
            Form::Contiguous => {
                let (steps, splat) = (STEPS.get::<S>(), S::splat(first));
                let fits = equal(offsets, chunks!(c => splat.add(steps[c])));
                let last = offsets.0[3][7];
                (fits && first < last, first, last)
            }
        };
        fits.then_some((least, greatest))
    }
}

impl Group {
    /// A group without loads.
    pub(crate) fn new([resource, offset]: [u16; 2], aux: u32, form: Form) -> Group {
        Group {
            resource,
            offset,
            aux,
            form,
            least: u32::MAX,
            end: 0,
        }
    }

    /// Adds a load of `dwords` at a constant.
    pub(crate) fn add(&mut self, constant: u32, dwords: u16) {
        self.least = self.least.min(constant);
        self.end = self.end.max(constant + 4 * u32::from(dwords));
    }
}

impl View {
    /// Where a group reads: lanes at `offsets` behind `base`, of which `room`
    /// bytes are in its buffer's range. False if they do not lie as the form
    /// says, or not all the group's dwords are live and in range.
    #[inline(always)]
    pub(crate) fn locate<S: Simd>(
        &mut self,
        group: &Group,
        (base, room): (u64, u64),
        offsets: Offsets<'_>,
        places: &mut Places,
    ) -> bool {
        let span = match offsets {
            Offsets::Each(offsets) => group.form.span::<S>(offsets),
            Offsets::Same(offset) => Some((offset, offset)),
        };
        let Some((least, greatest)) = span else {
            return false;
        };
        let first = base.wrapping_add(u64::from(group.least));
        if u64::from(greatest) + u64::from(group.end) > room
            || !self.covers(first, (least, greatest), group.end - group.least, false)
        {
            return false;
        }
        let offsets = match offsets {
            Offsets::Each(offsets) => offsets,
            Offsets::Same(offset) => {
                places.0 = [base.wrapping_add(u64::from(offset)); LANES];
                return true;
            }
        };
        let place = |lane: usize| base.wrapping_add(u64::from(offsets.lanes()[lane]));
        match group.form {
            Form::Same | Form::Uniform | Form::Contiguous => {
                for lane in [0, 8, 16, 24] {
                    places.0[lane] = place(lane);
                }
            }
            Form::Repeated => {
                for (lane, address) in places.0[..8].iter_mut().enumerate() {
                    *address = place(lane);
                }
            }
            Form::Full => {
                for (lane, address) in places.0.iter_mut().enumerate() {
                    *address = place(lane);
                }
            }
        }
        true
    }
}
