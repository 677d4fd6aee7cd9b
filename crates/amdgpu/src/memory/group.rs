//! Several loads at constants behind the same places, into temporary rows, in
//! the form that native code reads.

use super::transfer;
use super::view::{Lanes, Spanned, View};
use crate::simd::{Row, Simd, mask_bits};

/// How the dwords of a load lie in the temporary rows that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A row for each dword.
    Full,
    /// The lanes of each strip of eight read at one place: four dwords a strip.
    Uniform,
    /// All strips read at the places of the first: a strip for each dword.
    Repeated,
}

/// A load of 1 to 4 dwords at a constant behind the places of its group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLoad {
    pub(crate) constant: u32,
    pub(crate) dwords: u16,
    /// The first temporary row that it fills.
    pub(crate) row: u16,
}

/// Loads of one buffer at one row of offsets.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Scalar slots of the resource, and of the scalar offset.
    pub(crate) resource: u16,
    pub(crate) offset: u16,
    /// How the resource is read, as in the ops.
    pub(crate) aux: u32,
    form: Form,
    loads: Vec<GroupLoad>,
    /// Least constant, and the end of the dwords behind the greatest.
    least: u32,
    end: u32,
}

impl Form {
    /// The shortest form of loads at these offsets.
    pub(crate) fn of(offsets: &Row) -> Form {
        let [first, ..] = offsets.0;
        if offsets.0.iter().all(|strip| *strip == [strip[0]; 8]) {
            Form::Uniform
        } else if offsets.0.iter().all(|strip| *strip == first) {
            Form::Repeated
        } else {
            Form::Full
        }
    }

    /// Can loads at these offsets have this form?
    #[inline(always)]
    fn fits<S: Simd>(self, offsets: &Row) -> bool {
        let strips = offsets.get::<S>();
        let like = |strip: usize| match self {
            Form::Full => strips[strip],
            Form::Uniform => S::splat(offsets.0[strip][0]),
            Form::Repeated => strips[0],
        };
        let like = [like(0), like(1), like(2), like(3)];
        self == Form::Full
            || mask_bits([
                strips[0].eq_u32(like[0]),
                strips[1].eq_u32(like[1]),
                strips[2].eq_u32(like[2]),
                strips[3].eq_u32(like[3]),
            ]) == u32::MAX
    }
}

impl Group {
    /// A group of one load.
    pub(crate) fn new(
        [resource, offset]: [u16; 2],
        aux: u32,
        form: Form,
        load: GroupLoad,
    ) -> Group {
        let mut group = Group {
            resource,
            offset,
            aux,
            form,
            loads: Vec::new(),
            least: load.constant,
            end: 0,
        };
        group.add(load);
        group
    }

    /// Adds a load.
    pub(crate) fn add(&mut self, load: GroupLoad) {
        self.least = self.least.min(load.constant);
        self.end = self.end.max(load.constant + 4 * u32::from(load.dwords));
        self.loads.push(load);
    }

    /// The end of the dwords of the load with the greatest constant.
    #[inline(always)]
    pub(crate) fn end(&self) -> u32 {
        self.end
    }
}

impl View {
    /// Makes the loads of a group, all lanes being active; false if the lanes
    /// do not lie as its form asks, or some place is refused.
    #[inline(always)]
    pub(crate) fn load_group<S: Simd>(
        &mut self,
        Spanned { at, span }: Spanned<'_>,
        group: &Group,
        temps: &mut [Row],
    ) -> bool {
        let first = at.base.wrapping_add(u64::from(group.least));
        let bytes = group.end - group.least;
        if !group.form.fits::<S>(at.offsets) || !self.covers(first, span, bytes, false) {
            return false;
        }
        for load in &group.loads {
            let base = at.base.wrapping_add(u64::from(load.constant));
            let at = Lanes { base, ..at };
            let rows = &mut temps[load.row as usize..];
            // SAFETY: the dwords of all loads at all places of the span were
            // found live; all lanes are active, and they lie as the form says.
            unsafe {
                match load.dwords {
                    1 => one::<S, 1>(at, span, group.form, rows),
                    2 => one::<S, 2>(at, span, group.form, rows),
                    3 => one::<S, 3>(at, span, group.form, rows),
                    _ => one::<S, 4>(at, span, group.form, rows),
                }
            }
        }
        true
    }
}

/// A load of `N` dwords.
///
/// # Safety
/// As for `transfer::load`; all lanes are active, and fit the form.
#[inline(always)]
unsafe fn one<S: Simd, const N: usize>(
    at: Lanes<'_>,
    span: (u32, u32),
    form: Form,
    rows: &mut [Row],
) {
    // SAFETY: by the contract of the function.
    unsafe {
        match form {
            Form::Full => {
                let rows = (&mut rows[..N]).try_into().expect("N rows");
                transfer::load::<S, N>(at, span, rows);
            }
            Form::Uniform => transfer::load_uniform::<N>(at, &mut rows[0]),
            Form::Repeated => transfer::load_strip::<S, N>(at, &mut rows[0]),
        }
    }
}
