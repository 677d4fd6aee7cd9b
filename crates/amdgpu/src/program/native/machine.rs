//! Code in executable memory, and its calls.
//!
//! Memory is written first and executable afterwards, never both.

use std::io;

use memmap2::{Mmap, MmapMut};

use super::code::{self, Layout};
use super::plan::{Origin, Plan};
use crate::exec::locate_group;
use crate::memory::{Form, Group, Offsets, Places, View};
use crate::simd::{Backend, Row, Simd};
use crate::wave::Wave;

/// What native code uses beside the wave; kept for the next window.
#[derive(Debug, Default)]
pub(crate) struct Room {
    temps: Vec<Row>,
    places: Vec<Places>,
}

/// Machine code that reads and writes rows of a wave and temporary rows, and
/// reads scalar slots.
#[derive(Debug)]
struct Machine {
    code: Mmap,
    /// Rows, scalar slots and temporary rows that it touches, at the most.
    rows: usize,
    scalars: usize,
    temps: usize,
}

/// On Unix hosts, where alone it is called, this is the System V convention.
type Function = unsafe extern "C" fn(*mut Row, *const u32, *mut Row, *const Places);

/// Where the offsets of a group of loads are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Row(u16),
    Temporary(u16),
    Scalar(u16),
}

/// Native code of a window.
#[derive(Debug)]
pub(super) struct Code {
    early: Option<Machine>,
    groups: Vec<(Place, Group)>,
    main: Machine,
}

impl Machine {
    fn new(bytes: &[u8], plan: &Plan, layout: &Layout) -> io::Result<Machine> {
        let mut memory = MmapMut::map_anon(bytes.len())?;
        memory.copy_from_slice(bytes);
        let (rows, scalars) = plan.extent();
        Ok(Machine {
            code: memory.make_exec()?,
            rows,
            scalars,
            temps: layout.rows.into(),
        })
    }

    /// Runs it.
    ///
    /// # Safety
    /// It reads no buffers, or everything that it reads at `places` is live.
    unsafe fn call(&self, wave: &mut Wave, temps: &mut [Row], places: &[Places]) {
        let (rows, scalars) = (&mut wave.rows, &wave.scalars);
        assert!(
            self.rows <= rows.len() && self.scalars <= scalars.len() && self.temps <= temps.len(),
            "native code is given the registers that it was made for"
        );
        // SAFETY: the bytes are a whole function of this type by `code::whole`,
        // and executable from here on. It touches only the rows, slots and
        // temporary rows of the plan and layout, which are within the slices,
        // and what the contract speaks of; it calls nothing. It is made for
        // back ends that this host has.
        unsafe {
            let function: Function = std::mem::transmute(self.code.as_ptr());
            function(
                rows.as_mut_ptr(),
                scalars.as_ptr(),
                temps.as_mut_ptr(),
                places.as_ptr(),
            );
        }
    }
}

impl Code {
    /// Code for places as they lie in this wave, or for any.
    pub(super) fn new(
        plan: &Plan,
        any: bool,
        backend: Backend,
        wave: &mut Wave,
        room: &mut Room,
    ) -> io::Result<Code> {
        let extensions = backend.extensions();
        let mut layout = Layout::default();
        let bytes = code::early(plan, &mut layout, extensions).map_err(io::Error::other)?;
        let early = bytes
            .map(|bytes| Machine::new(&bytes, plan, &layout))
            .transpose()?;
        room.grow(layout.rows.into(), 0);
        if let Some(early) = &early {
            // SAFETY: addresses are not made of loads.
            unsafe { early.call(wave, &mut room.temps, &[]) };
        }
        let mut groups = Vec::new();
        for (number, source) in plan.sources.iter().enumerate() {
            let place = match plan.values[source.address] {
                Origin::Row(row) => Place::Row(row),
                Origin::Splat(slot) => Place::Scalar(slot),
                Origin::Node | Origin::Loaded { .. } => {
                    Place::Temporary(layout.early[&source.address])
                }
            };
            let form = match place {
                Place::Row(_) | Place::Temporary(_) if any => Form::Full,
                _ => Form::of(place.offsets(wave, &room.temps)),
            };
            let mut group = Group::new([source.resource, source.offset], source.aux, form);
            for load in plan.loads.iter().filter(|load| load.source == number) {
                group.add(load.constant, load.dwords);
            }
            groups.push((place, group));
        }
        let forms: Vec<Form> = groups.iter().map(|(_, group)| group.form).collect();
        let bytes = code::main(plan, &mut layout, &forms, extensions).map_err(io::Error::other)?;
        Ok(Code {
            early,
            groups,
            main: Machine::new(&bytes, plan, &layout)?,
        })
    }

    /// Runs it. If not all that it loads is live, or lies as it did when the
    /// code was made, nothing has happened.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, wave: &mut Wave, view: &mut View, room: &mut Room) -> bool {
        room.grow(self.main.temps, self.groups.len());
        if let Some(early) = &self.early {
            // SAFETY: addresses are not made of loads.
            unsafe { early.call(wave, &mut room.temps, &[]) };
        }
        for ((place, group), places) in self.groups.iter().zip(&mut room.places) {
            let offsets = place.offsets(wave, &room.temps);
            if !locate_group::<S>(wave, view, offsets, group, places) {
                return false;
            }
        }
        // SAFETY: the code reads at the places of each group plus constants of
        // its loads, and of these places at those only that their form says are
        // there. All of that was found live just now, and the view keeps it so.
        unsafe { self.main.call(wave, &mut room.temps, &room.places) };
        true
    }
}

impl Room {
    #[inline(always)]
    fn grow(&mut self, temps: usize, groups: usize) {
        if self.temps.len() < temps {
            self.temps.resize(temps, Row::ZERO);
        }
        if self.places.len() < groups {
            self.places.resize(groups, Places::NONE);
        }
    }
}

impl Place {
    #[inline(always)]
    fn offsets<'a>(self, wave: &'a Wave, temps: &'a [Row]) -> Offsets<'a> {
        match self {
            Place::Row(row) => Offsets::Each(&wave.rows[row as usize]),
            Place::Temporary(row) => Offsets::Each(&temps[row as usize]),
            Place::Scalar(slot) => Offsets::Same(wave.scalar(slot)),
        }
    }
}
