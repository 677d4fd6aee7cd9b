//! Code in executable memory, and its calls.
//!
//! Memory is written first and executable afterwards, never both.

use std::io;

use memmap2::{Mmap, MmapMut};

use super::code::{self, Layout};
use super::plan::Plan;
use crate::memory::Form;
use crate::simd::Row;

/// Machine code that reads and writes rows of a wave and temporary rows, and
/// reads scalar slots.
#[derive(Debug)]
pub(super) struct Machine {
    code: Mmap,
    /// Rows, scalar slots and temporary rows that it touches, at the most.
    rows: usize,
    scalars: usize,
    temps: usize,
}

/// On Unix hosts, where alone it is called, this is the System V convention.
type Function = unsafe extern "C" fn(*mut Row, *const u32, *mut Row);

impl Machine {
    /// Code for what the addresses of a plan are made of, if it is not empty.
    pub(super) fn early(plan: &Plan, layout: &mut Layout) -> io::Result<Option<Machine>> {
        let bytes = code::early(plan, layout).map_err(io::Error::other)?;
        bytes
            .map(|bytes| Machine::new(&bytes, plan, layout))
            .transpose()
    }

    /// Code for the rest of a plan.
    pub(super) fn main(plan: &Plan, layout: &mut Layout, forms: &[Form]) -> io::Result<Machine> {
        let bytes = code::main(plan, layout, forms).map_err(io::Error::other)?;
        Machine::new(&bytes, plan, layout)
    }

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

    /// Temporary rows that it needs.
    #[inline(always)]
    pub(super) fn temps(&self) -> usize {
        self.temps
    }

    /// Runs it.
    pub(super) fn call(&self, rows: &mut [Row], scalars: &[u32], temps: &mut [Row]) {
        assert!(
            self.rows <= rows.len() && self.scalars <= scalars.len() && self.temps <= temps.len(),
            "native code is given the registers that it was made for"
        );
        // SAFETY: the bytes are a whole function of this type by `code::generate`,
        // and executable from here on. It touches only the rows, slots and
        // temporary rows of the plan and layout, which are within the slices;
        // it calls nothing. Plans are made for hosts with AVX2 and FMA only.
        unsafe {
            let function: Function = std::mem::transmute(self.code.as_ptr());
            function(rows.as_mut_ptr(), scalars.as_ptr(), temps.as_mut_ptr());
        }
    }
}
