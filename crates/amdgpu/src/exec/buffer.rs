//! Buffer loads and stores: the hardware's range rule first, then the check
//! against live allocations.
//!
//! Operands: `d` data rows, `a` address rows, `b` slots of the resource, `c`
//! slot of the scalar offset, `imm` constant offset, `aux` [`OFFEN`], [`IDXEN`]
//! and [`GFX9`]. With neither of the first, row `a` is zero.
//!
//! On gfx90a private memory is reached through a buffer resource, too, whose
//! base no allocation has: [`PRIVATE_BASE`].

use std::marker::PhantomData;

use super::{Env, each_lane, scratch};
use crate::memory::{AccessError, Group, Lanes, Offsets, Places, View};
use crate::program::Op;
use crate::simd::{Kernel, Simd, chunks};
use crate::wave::{Wave, slot};

/// `aux` bit: the address row is a byte offset.
pub(crate) const OFFEN: u32 = 1;
/// `aux` bit: the (first) address row is an index of records.
pub(crate) const IDXEN: u32 = 2;
/// `aux` bit: the resource is laid out as gfx9 has it.
pub(crate) const GFX9: u32 = 4;

/// Base of the resource of private memory: beyond what hosts have.
const PRIVATE_BASE: u64 = 1 << 47;

/// The resource of private memory on gfx90a: swizzled, a dword of each of 64
/// lanes one behind the other.
pub(crate) const PRIVATE_RESOURCE: [u64; 2] = {
    const SWIZZLED: u64 = 1 << 63;
    const ELEMENTS_OF_4_BYTES: u64 = 1 << 19;
    const GROUPS_OF_64: u64 = 3 << 21;
    const ADDS_LANE: u64 = 1 << 23;
    let records = u32::MAX as u64;
    [
        PRIVATE_BASE | SWIZZLED,
        records | (ELEMENTS_OF_4_BYTES | GROUPS_OF_64 | ADDS_LANE) << 32,
    ]
};

/// Loads `N` dwords a lane.
pub(crate) struct BufferLoad<const N: usize>;
/// Stores `N` dwords a lane.
pub(crate) struct BufferStore<const N: usize>;
/// Loads one or two bytes a lane.
pub(crate) struct BufferLoadSmall<M>(PhantomData<M>);
/// Stores `B` bytes a lane, from the upper half of the register if `HIGH`.
pub(crate) struct BufferStoreSmall<const B: usize, const HIGH: bool>;

/// Loads `N` dwords a lane into LDS, from M0 on lane by lane.
pub(crate) struct BufferToLds<const N: usize>;
/// Loads one or two bytes a lane into a dword of LDS.
pub(crate) struct BufferToLdsSmall<M>(PhantomData<M>);

/// How one or two bytes become a register: implemented by a type per kind.
pub(crate) trait Small {
    const BYTES: usize;
    fn insert(raw: u32, old: u32) -> u32;
}

macro_rules! small {
    ($($name:ident[$bytes:literal] |$raw:ident, $old:ident| $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl Small for $name {
            const BYTES: usize = $bytes;

            #[inline(always)]
            fn insert($raw: u32, $old: u32) -> u32 {
                $body
            }
        }
    )+};
}

const HIGH_HALF: u32 = 0xffff_0000;

small! {
    U8[1] |raw, _old| raw;
    I8[1] |raw, _old| i32::from(raw as u8 as i8) as u32;
    U16[2] |raw, _old| raw;
    I16[2] |raw, _old| i32::from(raw as u16 as i16) as u32;
    LowU8[1] |raw, old| old & HIGH_HALF | raw;
    LowI8[1] |raw, old| old & HIGH_HALF | u32::from(i16::from(raw as u8 as i8) as u16);
    LowB16[2] |raw, old| old & HIGH_HALF | raw;
    HighU8[1] |raw, old| old & 0xffff | raw << 16;
    HighI8[1] |raw, old| old & 0xffff | (i32::from(raw as u8 as i8) << 16) as u32;
    HighB16[2] |raw, old| old & 0xffff | raw << 16;
}

/// A buffer resource.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    base: u64,
    stride: u32,
    records: u32,
    /// 0: by index and offset in a record; 1: by index; 2: unless empty; 3: by bytes.
    range_rule: u32,
    /// The number of the lane is added to the index.
    adds_lane: bool,
    layout: Layout,
}

/// How records lie in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One after the other.
    Linear,
    /// Elements of this many bytes of neighbouring records lie together, for
    /// groups of this many records.
    Swizzled { element: u64, group: u64 },
}

impl Resource {
    #[inline(always)]
    pub(crate) fn read(wave: &Wave, slot: u16, aux: u32) -> Resource {
        let word_1 = wave.scalar(slot + 1);
        let word_3 = wave.scalar(slot + 3);
        let group = 8 << (word_3 >> 21 & 3);
        let layout = match word_1 >> 30 {
            // Of gfx9 the lower bit is about caches.
            0 | 1 if aux & GFX9 != 0 => Layout::Linear,
            _ if aux & GFX9 != 0 => Layout::Swizzled {
                element: 2 << (word_3 >> 19 & 3),
                group,
            },
            0 => Layout::Linear,
            size => Layout::Swizzled {
                element: 2 << size,
                group,
            },
        };
        let stride = word_1 >> 16 & 0x3fff;
        let range_rule = match layout {
            Layout::Linear if aux & GFX9 != 0 => 3,
            Layout::Swizzled { .. } if aux & GFX9 != 0 => u32::from(stride != 0),
            _ => word_3 >> 28 & 3,
        };
        Resource {
            base: u64::from(wave.scalar(slot)) | u64::from(word_1 & 0xffff) << 32,
            stride,
            records: wave.scalar(slot + 2),
            range_rule,
            adds_lane: word_3 >> 23 & 1 != 0,
            layout,
        }
    }

    /// Are offsets in bytes compared with the number of bytes, and addresses
    /// the sum of base and offset?
    #[inline(always)]
    fn is_raw(&self, aux: u32) -> bool {
        aux & IDXEN == 0
            && !self.adds_lane
            && self.layout == Layout::Linear
            && self.range_rule != 2
            && (self.range_rule == 3 || self.stride == 0)
    }

    /// Do records lie one after the other?
    pub(crate) fn is_linear(&self) -> bool {
        self.layout == Layout::Linear
    }

    /// What the number of a lane of the wave adds to the index.
    #[inline(always)]
    pub(crate) fn lane_index(&self, lane: usize) -> u32 {
        if self.adds_lane { lane as u32 } else { 0 }
    }

    /// Address of an offset in a record, plus a scalar offset.
    pub(crate) fn address(&self, index: u32, offset: u64, scalar: u64) -> u64 {
        let (index, stride) = (u64::from(index), u64::from(self.stride));
        let place = match self.layout {
            Layout::Linear => index * stride + offset,
            Layout::Swizzled { element, group } => {
                let whole = index / group * stride + offset / element * element;
                whole * group + index % group * element + offset % element
            }
        };
        self.base.wrapping_add(place + scalar)
    }

    /// Are `bytes` at this index and offset in range?
    pub(crate) fn in_range(&self, index: u32, offset: u64, bytes: u32, indexed: bool) -> bool {
        let end = offset + u64::from(bytes);
        let records = u64::from(self.records);
        match self.range_rule {
            2 => records != 0,
            1 if indexed => u64::from(index) < records,
            0 if indexed => {
                u64::from(index) < records && (self.stride == 0 || end <= u64::from(self.stride))
            }
            _ => u64::from(index) * u64::from(self.stride) + end <= records,
        }
    }
}

/// Index and byte offset in a record of a lane (without the scalar offset).
#[inline(always)]
fn place(wave: &Wave, op: &Op, resource: &Resource, lane: usize) -> (u32, u64) {
    let row = |index: u16| wave.rows[index as usize].lanes()[lane];
    let (index, offset) = match op.aux & (OFFEN | IDXEN) {
        0 => (0, 0),
        OFFEN => (0, row(op.a)),
        IDXEN => (row(op.a), 0),
        _ => (row(op.a), row(op.a + 1)),
    };
    let own = resource.lane_index(lane + 32 * usize::from(wave.half));
    // Compilers count on 32 bits: a negative offset plus a constant.
    let offset = offset.wrapping_add(op.imm);
    (index.wrapping_add(own), u64::from(offset))
}

/// Offset in a lane's private memory of an address behind [`PRIVATE_BASE`].
pub(crate) fn private_offset(address: u64) -> Option<u32> {
    /// Bytes of a dword of every lane.
    const ROW: u64 = 4 * 64;
    let place = address.checked_sub(PRIVATE_BASE)?;
    Some((place / ROW * 4 + place % 4) as u32)
}

/// Reads up to four bytes of a lane.
fn load(
    wave: &Wave,
    env: &mut Env,
    address: u64,
    bytes: u32,
    lane: usize,
) -> Result<u32, AccessError> {
    match private_offset(address) {
        Some(offset) => scratch::load(wave, lane, offset, bytes),
        None if bytes == 4 => env.view.load_dword(address, lane as u32),
        None => env.view.load_bytes(address, bytes, lane as u32),
    }
}

/// Writes the low `bytes` of `value` for a lane.
fn store(
    wave: &mut Wave,
    env: &mut Env,
    address: u64,
    bytes: u32,
    lane: usize,
    value: u32,
) -> Result<(), AccessError> {
    match private_offset(address) {
        Some(offset) => scratch::store(wave, lane, offset, bytes, value),
        None if bytes == 4 => env.view.store_dword(address, lane as u32, value),
        None => env.view.store_bytes(address, bytes, lane as u32, value),
    }
}

/// Calls `access` for each element of `bytes` of each active lane with the
/// lane, the number of the element, and its address if it is in range.
fn each_element(
    wave: &mut Wave,
    op: &Op,
    elements: usize,
    bytes: u32,
    mut access: impl FnMut(&mut Wave, usize, usize, Option<u64>) -> Result<(), AccessError>,
) -> Result<(), AccessError> {
    let resource = Resource::read(wave, op.b, op.aux);
    let scalar = u64::from(wave.scalar(op.c));
    let mut result = Ok(());
    let exec = wave.exec;
    let places: [(u32, u64); 32] = std::array::from_fn(|lane| place(wave, op, &resource, lane));
    each_lane(exec, |lane| {
        let (index, offset) = places[lane];
        for element in 0..elements {
            let offset = offset + u64::from(bytes) * element as u64;
            let address = resource
                .in_range(index, offset + scalar, bytes, op.aux & IDXEN != 0)
                .then(|| resource.address(index, offset, scalar));
            if result.is_ok() {
                result = access(wave, lane, element, address);
            }
        }
    });
    result
}

/// The lanes of a raw buffer access of `bytes`, if they are all in range: what
/// `span` makes of them. Offsets are tried as they are first, and then with the
/// constant one added in 32 bits.
macro_rules! when_in_range {
    ($S:ty, $wave:ident, $op:ident, $bytes:expr, |$spanned:ident| $access:expr) => {{
        let resource = Resource::read($wave, $op.b, $op.aux);
        let mut offsets = $wave.rows[$op.a as usize];
        let mut constant = $op.imm;
        loop {
            if !resource.is_raw($op.aux) {
                break None;
            }
            let fixed = u64::from($wave.scalar($op.c)) + u64::from(constant);
            let lanes = Lanes {
                base: resource.base.wrapping_add(fixed),
                offsets: &offsets,
                active: $wave.exec,
                mask: &$wave.mask,
            };
            if let Some($spanned) = lanes.measure::<$S>() {
                let end = u64::from($spanned.greatest()) + fixed + u64::from($bytes as u32);
                if end <= u64::from(resource.records) {
                    break Some($access);
                }
            }
            if constant == 0 {
                break None;
            }
            let moved = <$S>::splat(constant);
            let sums = offsets.get::<$S>();
            offsets.set(chunks!(i => sums[i].add(moved)));
            constant = 0;
        }
    }};
}

impl<const N: usize> Kernel for BufferLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = when_in_range!(S, wave, op, 4 * N, |spanned| {
            env.view
                .load_span::<S, N>(spanned, &mut wave.rows[op.d as usize..])
        });
        let result = result.unwrap_or_else(|| load_elements(wave, env, op, N));
        env.settle(wave, next, result)
    }
}

/// Where the loads of a group at byte offsets read, all lanes being active;
/// false if any of that is out of the ordinary.
#[inline(always)]
pub(crate) fn locate_group<S: Simd>(
    wave: &Wave,
    view: &mut View,
    offsets: Offsets<'_>,
    group: &Group,
    places: &mut Places,
) -> bool {
    let resource = Resource::read(wave, group.resource, group.aux);
    let fixed = u64::from(wave.scalar(group.offset));
    let base = resource.base.wrapping_add(fixed);
    let room = u64::from(resource.records).saturating_sub(fixed);
    resource.is_raw(group.aux) && view.locate::<S>(group, (base, room), offsets, places)
}

#[cold]
fn load_elements(wave: &mut Wave, env: &mut Env, op: &Op, count: usize) -> Result<(), AccessError> {
    each_element(wave, op, count, 4, |wave, lane, element, address| {
        let value = match address {
            Some(address) => load(wave, env, address, 4, lane)?,
            None => 0,
        };
        wave.rows[op.d as usize + element].lanes_mut()[lane] = value;
        Ok(())
    })
}

impl<const N: usize> Kernel for BufferStore<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = when_in_range!(S, wave, op, 4 * N, |spanned| {
            env.view
                .store_span::<S, N>(spanned, &wave.rows[op.d as usize..])
        });
        let result = result.unwrap_or_else(|| store_elements(wave, env, op, N));
        env.settle(wave, next, result)
    }
}

#[cold]
fn store_elements(
    wave: &mut Wave,
    env: &mut Env,
    op: &Op,
    count: usize,
) -> Result<(), AccessError> {
    each_element(wave, op, count, 4, |wave, lane, element, address| {
        let value = wave.rows[op.d as usize + element].lanes()[lane];
        match address {
            Some(address) => store(wave, env, address, 4, lane, value),
            None => Ok(()),
        }
    })
}

impl<M: Small> Kernel for BufferLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = each_element(wave, op, 1, M::BYTES as u32, |wave, lane, _, address| {
            let raw = match address {
                Some(address) => load(wave, env, address, M::BYTES as u32, lane)?,
                None => 0,
            };
            let value = &mut wave.rows[op.d as usize].lanes_mut()[lane];
            *value = M::insert(raw, *value);
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<const B: usize, const HIGH: bool> Kernel for BufferStoreSmall<B, HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = each_element(wave, op, 1, B as u32, |wave, lane, _, address| {
            let value = wave.rows[op.d as usize].lanes()[lane] >> if HIGH { 16 } else { 0 };
            match address {
                Some(address) => store(wave, env, address, B as u32, lane, value),
                None => Ok(()),
            }
        });
        env.settle(wave, next, result)
    }
}

/// Where in LDS a lane's part of a load of `dwords` goes: behind M0, one lane
/// after the other.
pub(super) fn lds_place(wave: &Wave, op: &Op, lane: usize, dwords: usize) -> u32 {
    let number = lane as u32 + 32 * u32::from(wave.half);
    let first = wave.scalar(slot::M0).wrapping_add(op.imm);
    first.wrapping_add(number * 4 * dwords as u32)
}

impl<const N: usize> Kernel for BufferToLds<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = each_element(wave, op, N, 4, |wave, lane, element, address| {
            let value = match address {
                Some(address) => load(wave, env, address, 4, lane)?,
                None => 0,
            };
            let place = lds_place(wave, op, lane, N).wrapping_add(4 * element as u32);
            env.lds.store_bytes(place, 4, lane as u32, value)
        });
        env.settle(wave, next, result)
    }
}

impl<M: Small> Kernel for BufferToLdsSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = each_element(wave, op, 1, M::BYTES as u32, |wave, lane, _, address| {
            let raw = match address {
                Some(address) => load(wave, env, address, M::BYTES as u32, lane)?,
                None => 0,
            };
            let place = lds_place(wave, op, lane, 1);
            env.lds
                .store_bytes(place, 4, lane as u32, M::insert(raw, 0))
        });
        env.settle(wave, next, result)
    }
}

/// Addresses of the lanes of a buffer atomic; `None` for those out of range.
pub(super) fn atomic_addresses(wave: &Wave, op: &Op, bytes: u32) -> [Option<u64>; 32] {
    let resource = Resource::read(wave, op.b, op.aux);
    let scalar = u64::from(wave.scalar(op.c));
    std::array::from_fn(|lane| {
        let (index, offset) = place(wave, op, &resource, lane);
        resource
            .in_range(index, offset + scalar, bytes, op.aux & IDXEN != 0)
            .then(|| resource.address(index, offset, scalar))
    })
}
