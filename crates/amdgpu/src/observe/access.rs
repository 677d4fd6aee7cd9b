//! Where a memory instruction goes: worked out from its operands and the
//! registers of a wave that is about to execute it.

use super::site::{Path, Site, Transfer, Verb};
use crate::exec::{
    PRIVATE_APERTURE, Resource, SHARED_APERTURE, access as bits, each_lane, private_offset,
};
use crate::isa::{Flags, Generation, Operand, Special, Type};
use crate::program::Program;
use crate::simd::LANES;
use crate::wave::{Wave, slot};

/// The most lanes that a wave has.
pub(crate) const MOST_LANES: usize = 64;

/// Kinds of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Space {
    Global,
    Lds,
    Scratch,
}

/// What one instruction does to one kind of memory.
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    pub(crate) space: Space,
    pub(crate) verb: Verb,
    pub(crate) transfer: &'a Transfer,
    /// First byte of each lane that takes part.
    pub(crate) addresses: [u64; MOST_LANES],
    /// The lanes that take part, one bit each.
    pub(crate) lanes: u64,
    /// Bytes of each lane.
    pub(crate) bytes: u32,
    /// Which of the places of the instruction it is.
    place: usize,
    /// The first byte of the data that it moves, in the instruction's data.
    first: u32,
}

/// The registers of a program: where the rows of each kind begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Rows of a half.
    pub(crate) vgprs: u16,
    /// The row of the first accumulation register.
    pub(crate) agprs: u16,
}

impl Layout {
    pub(crate) fn of(program: &Program) -> Layout {
        Layout {
            vgprs: program.vgprs(),
            agprs: program.agprs(),
        }
    }

    /// The row of register `number` of an operand, for the half of a lane.
    fn row(self, operand: Operand, number: u16, half: usize) -> Option<usize> {
        let first = match operand {
            Operand::Vgpr { index, .. } => u16::from(index),
            Operand::Agpr { index, .. } => self.agprs + u16::from(index),
            _ => return None,
        };
        Some(usize::from(first + number) + half * usize::from(self.vgprs))
    }

    /// What a lane has in register `number` of an operand; 0 if that is none.
    fn vector(self, wave: &Wave, operand: Operand, number: u16, lane: usize) -> u32 {
        let row = self.row(operand, number, lane / LANES);
        row.and_then(|row| wave.rows.get(row))
            .map_or(0, |row| row.lanes()[lane % LANES])
    }
}

impl Access<'_> {
    /// The lanes that take part, with their addresses.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        (0..MOST_LANES)
            .filter(|lane| self.lanes >> lane & 1 != 0)
            .map(|lane| (lane, self.addresses[lane]))
    }

    /// A buffer of private memory (gfx90a) is known by its addresses.
    fn settle_space(&mut self) {
        for lane in (0..MOST_LANES).filter(|lane| self.lanes >> lane & 1 != 0) {
            if let Some(offset) = private_offset(self.addresses[lane]) {
                self.space = Space::Scratch;
                self.addresses[lane] = u64::from(offset);
            }
        }
    }

    /// The bytes that a lane stores, if they come from registers.
    pub(crate) fn stored(&self, layout: Layout, wave: &Wave, lane: usize) -> Option<[u8; 16]> {
        if self.verb != Verb::Store {
            return None;
        }
        let operand = self.transfer.data.get(self.place).copied()?;
        let mut bytes = [0; 16];
        for (dword, into) in bytes.chunks_exact_mut(4).enumerate() {
            let number = self.first as u16 / 4 + dword as u16;
            if number * 4 < self.transfer.bytes.max(4) as u16 {
                let value = layout.vector(wave, operand, number, lane);
                into.copy_from_slice(&(value >> self.transfer.shift).to_le_bytes());
            }
        }
        Some(bytes)
    }
}

/// Calls `see` with every access that `wave` makes when it executes `site`.
pub(crate) fn each<'a>(
    site: &'a Site,
    layout: Layout,
    wave: &Wave,
    mut see: impl FnMut(&Access<'a>),
) {
    let Some(transfer) = &site.transfer else {
        return;
    };
    if transfer.to_lds {
        into_lds(wave, transfer, &mut see);
    }
    for (place, &offset) in transfer.offsets.iter().enumerate() {
        let mut access = Access {
            space: Space::Global,
            verb: transfer.verb,
            transfer,
            addresses: [0; MOST_LANES],
            lanes: 0,
            bytes: transfer.bytes,
            place,
            first: 0,
        };
        match transfer.path {
            Path::Scalar => scalar(site, wave, offset, &mut access),
            Path::ScalarBuffer => scalar_buffer(site, wave, offset, &mut access),
            Path::Buffer => {
                buffer(site, layout, wave, offset, &mut access, &mut see);
                continue;
            }
            Path::Flat => {
                flat(site, layout, wave, offset, &mut access, &mut see);
                continue;
            }
            Path::Global => addresses(site, layout, wave, offset, &mut access),
            Path::Scratch => scratch(site, layout, wave, offset, &mut access),
            Path::Lds => lds(site, layout, wave, offset, &mut access),
            Path::LdsCounter => counter(wave, offset, &mut access),
        }
        if access.lanes != 0 {
            see(&access);
        }
    }
}

/// EXEC of all halves.
pub(crate) fn exec(wave: &Wave) -> u64 {
    let high = if wave.halves == 2 {
        u64::from(wave.scalar(slot::EXEC + 1))
    } else {
        0
    };
    u64::from(wave.scalar(slot::EXEC)) | high << 32
}

/// What a scalar operand holds, in one or two dwords.
fn scalar_value(wave: &Wave, operand: Operand, ty: Type) -> u64 {
    let slot = match operand {
        Operand::Sgpr { index, .. } => u16::from(index),
        Operand::Special { reg, .. } => match reg {
            Special::VccLo => slot::VCC,
            Special::VccHi => slot::VCC + 1,
            Special::Ttmp(number) => slot::TTMP0 + u16::from(number),
            Special::M0 => slot::M0,
            Special::ExecLo => slot::EXEC,
            Special::ExecHi => slot::EXEC + 1,
            _ => return 0,
        },
        Operand::Imm(value) => return u64::from(value),
        other => return other.constant(ty).unwrap_or(0),
    };
    if ty == Type::S64 {
        wave.scalar_64(slot)
    } else {
        u64::from(wave.scalar(slot))
    }
}

fn first_slot(operand: Operand) -> u16 {
    match operand {
        Operand::Sgpr { index, .. } => u16::from(index),
        Operand::Special {
            reg: Special::VccLo,
            ..
        } => slot::VCC,
        Operand::Special {
            reg: Special::Ttmp(number),
            ..
        } => slot::TTMP0 + u16::from(number),
        _ => slot::NULL,
    }
}

/// The halves of a wave, and its active lanes, as `see(half, lane of all)`.
fn each_active(wave: &Wave, mut see: impl FnMut(usize)) {
    let exec = exec(wave);
    each_lane(exec as u32, &mut see);
    each_lane((exec >> 32) as u32, |lane| see(lane + LANES));
}

/// Whole dwords, unless fewer are moved.
fn aligned(address: u64, bytes: u32) -> u64 {
    if bytes < 4 { address } else { address & !3 }
}

fn scalar(site: &Site, wave: &Wave, offset: i32, access: &mut Access<'_>) {
    let [base, register, ..] = site.instruction.src;
    let address = scalar_value(wave, base, Type::S64)
        .wrapping_add(scalar_value(wave, register, Type::S32))
        .wrapping_add_signed(i64::from(offset));
    (access.addresses[0], access.lanes) = (aligned(address, access.bytes), 1);
}

fn scalar_buffer(site: &Site, wave: &Wave, offset: i32, access: &mut Access<'_>) {
    let [resource, register, ..] = site.instruction.src;
    let first = first_slot(resource);
    let base = wave.scalar_64(first) & 0xffff_ffff_ffff;
    let stride = wave.scalar(first + 1) >> 16 & 0x3fff;
    let records = u64::from(wave.scalar(first + 2)) * u64::from(stride.max(1));
    let offset = scalar_value(wave, register, Type::S32).wrapping_add_signed(i64::from(offset));
    let offset = aligned(offset, access.bytes);
    // What is past the end is zero and not read.
    let bytes = records.saturating_sub(offset).min(u64::from(access.bytes));
    let bytes = aligned(bytes, access.bytes);
    if bytes != 0 {
        access.bytes = bytes as u32;
        (access.addresses[0], access.lanes) = (base + offset, 1);
    }
}

fn addresses(site: &Site, layout: Layout, wave: &Wave, offset: i32, access: &mut Access<'_>) {
    let [vector, base, ..] = site.instruction.src;
    let own = site.instruction.info().flags.contains(Flags::NO_ADDRESS);
    let has_base = own || !matches!(base, Operand::Off | Operand::None);
    let base = if has_base {
        scalar_value(wave, base, Type::S64)
    } else {
        0
    };
    each_active(wave, |lane| {
        let low = if own {
            4 * lane as u64
        } else {
            u64::from(layout.vector(wave, vector, 0, lane))
        };
        let high = if has_base {
            0
        } else {
            u64::from(layout.vector(wave, vector, 1, lane)) << 32
        };
        access.addresses[lane] = base
            .wrapping_add(low | high)
            .wrapping_add_signed(i64::from(offset));
        access.lanes |= 1 << lane;
    });
}

/// An access for each kind of memory that the lanes' addresses are of.
fn flat<'a>(
    site: &'a Site,
    layout: Layout,
    wave: &Wave,
    offset: i32,
    access: &mut Access<'a>,
    see: &mut impl FnMut(&Access<'a>),
) {
    addresses(site, layout, wave, offset, access);
    let all = access.lanes;
    let whole = access.addresses;
    for space in [Space::Global, Space::Lds, Space::Scratch] {
        access.space = space;
        access.lanes = 0;
        for lane in (0..MOST_LANES).filter(|lane| all >> lane & 1 != 0) {
            let (lane_space, address) = match (whole[lane] >> 32) as u32 {
                SHARED_APERTURE => (Space::Lds, whole[lane] & 0xffff_ffff),
                PRIVATE_APERTURE => (Space::Scratch, whole[lane] & 0xffff_ffff),
                _ => (Space::Global, whole[lane]),
            };
            if lane_space == space {
                access.addresses[lane] = address;
                access.lanes |= 1 << lane;
            }
        }
        if access.lanes != 0 {
            see(access);
        }
    }
}

fn scratch(site: &Site, layout: Layout, wave: &Wave, offset: i32, access: &mut Access<'_>) {
    let [vector, base, ..] = site.instruction.src;
    let base = scalar_value(wave, base, Type::S32) as u32;
    access.space = Space::Scratch;
    each_active(wave, |lane| {
        let own = layout.vector(wave, vector, 0, lane);
        let address = own.wrapping_add(base).wrapping_add_signed(offset);
        access.addresses[lane] = u64::from(address);
        access.lanes |= 1 << lane;
    });
}

fn lds(site: &Site, layout: Layout, wave: &Wave, offset: i32, access: &mut Access<'_>) {
    let flags = site.instruction.info().flags;
    let from_m0 = flags.contains(Flags::NO_ADDRESS);
    let m0 = wave.scalar(slot::M0) & 0xffff;
    access.space = Space::Lds;
    each_active(wave, |lane| {
        let base = if from_m0 {
            m0 + 4 * lane as u32
        } else {
            layout.vector(wave, site.instruction.src[0], 0, lane)
        };
        access.addresses[lane] = u64::from(base.wrapping_add_signed(offset));
        access.lanes |= 1 << lane;
    });
}

/// The store of a load that goes to LDS: behind M0, one lane after the other.
fn into_lds<'a>(wave: &Wave, transfer: &'a Transfer, see: &mut impl FnMut(&Access<'a>)) {
    let bytes = transfer.bytes.next_multiple_of(4);
    let first = wave.scalar(slot::M0);
    let mut access = Access {
        space: Space::Lds,
        verb: Verb::Store,
        transfer,
        addresses: [0; MOST_LANES],
        lanes: 0,
        bytes,
        place: 0,
        first: 0,
    };
    each_active(wave, |lane| {
        let offset = transfer.offsets[0].wrapping_add((lane as u32 * bytes) as i32);
        access.addresses[lane] = u64::from(first.wrapping_add_signed(offset));
        access.lanes |= 1 << lane;
    });
    if access.lanes != 0 {
        see(&access);
    }
}

fn counter(wave: &Wave, offset: i32, access: &mut Access<'_>) {
    access.space = Space::Lds;
    if exec(wave) != 0 {
        let address = (wave.scalar(slot::M0) & 0xffff).wrapping_add_signed(offset);
        (access.addresses[0], access.lanes) = (u64::from(address), 1);
    }
}

/// Lanes whose bytes are all in range and side by side together, the elements
/// of the others one by one: what is out of range is not accessed.
fn buffer<'a>(
    site: &'a Site,
    layout: Layout,
    wave: &Wave,
    offset: i32,
    access: &mut Access<'a>,
    see: &mut impl FnMut(&Access<'a>),
) {
    let [vector, resource, scalar, _] = site.instruction.src;
    let modifiers = &site.instruction.modifiers;
    let aux = match site.instruction.generation {
        Generation::Gfx9(_) => bits::GFX9,
        _ => 0,
    };
    let resource = Resource::read(wave, first_slot(resource), aux);
    let scalar = scalar_value(wave, scalar, Type::B32);
    let (bytes, element) = (access.bytes, access.bytes.min(4));
    let whole = resource.is_linear() || bytes == element;
    let mut partial = 0_u64;
    let place = |lane: usize| {
        let register = |number| layout.vector(wave, vector, number, lane);
        let (index, own) = match (modifiers.idxen, modifiers.offen) {
            (false, false) => (0, 0),
            (false, true) => (0, register(0)),
            (true, false) => (register(0), 0),
            (true, true) => (register(0), register(1)),
        };
        let index = index.wrapping_add(resource.lane_index(lane));
        (index, u64::from(own.wrapping_add_signed(offset)))
    };
    each_active(wave, |lane| {
        let (index, offset) = place(lane);
        if whole && resource.in_range(index, offset + scalar, bytes, modifiers.idxen) {
            access.addresses[lane] = resource.address(index, offset, scalar);
            access.lanes |= 1 << lane;
        } else if bytes > element {
            partial |= 1 << lane;
        }
    });
    if access.lanes != 0 {
        access.settle_space();
        see(access);
    }
    if partial == 0 {
        return;
    }
    access.bytes = element;
    for first in (0..bytes).step_by(element as usize) {
        access.first = first;
        access.lanes = 0;
        for lane in (0..MOST_LANES).filter(|lane| partial >> lane & 1 != 0) {
            let (index, offset) = place(lane);
            let offset = offset + u64::from(first);
            if resource.in_range(index, offset + scalar, element, modifiers.idxen) {
                access.addresses[lane] = resource.address(index, offset, scalar);
                access.lanes |= 1 << lane;
            }
        }
        if access.lanes != 0 {
            access.settle_space();
            see(access);
        }
    }
}
