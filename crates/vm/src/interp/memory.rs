//! Globals, references, lists, buffers.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::op::Op;
use crate::program::{Inst, MOVE, REF_MASK};
use crate::{Buffer, Code, Element, Error, Kind, List, Ref, Result, Type, Value, types};

use super::Machine;

/// The key of `buffer.hash`: the bytes 0 to 15.
const HASH_KEY: (u64, u64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);

/// Instructions that touch many bytes cost one more for each of these.
const BYTES_PER_COST: u64 = 64;

impl Machine<'_> {
    /// Instructions that touch memory and references.
    #[inline(always)]
    pub(super) fn memory(&mut self, inst: &Inst) -> Result<()> {
        let [a, b, c, ..] = inst.r;
        match inst.op {
            Op::GlobalLoadI32 | Op::GlobalLoadF32 => {
                let value = self.global(inst.imm[0])?;
                self.set32(a, u32::from_le_bytes(value));
            }
            Op::GlobalStoreI32 | Op::GlobalStoreF32 => {
                self.set_global(inst.imm[0], self.w32(a).to_le_bytes())?;
            }
            Op::GlobalLoadIndirectI32 | Op::GlobalLoadIndirectF32 => {
                let value = self.global(self.w32(a))?;
                self.set32(b, u32::from_le_bytes(value));
            }
            Op::GlobalStoreIndirectI32 | Op::GlobalStoreIndirectF32 => {
                self.set_global(self.w32(a), self.w32(b).to_le_bytes())?;
            }
            Op::GlobalLoadI64 | Op::GlobalLoadF64 => {
                let value = self.global(inst.imm[0])?;
                self.set64(a, u64::from_le_bytes(value));
            }
            Op::GlobalStoreI64 | Op::GlobalStoreF64 => {
                self.set_global(inst.imm[0], self.w64(a).to_le_bytes())?;
            }
            Op::GlobalLoadIndirectI64 | Op::GlobalLoadIndirectF64 => {
                let value = self.global(self.w32(a))?;
                self.set64(b, u64::from_le_bytes(value));
            }
            Op::GlobalStoreIndirectI64 | Op::GlobalStoreIndirectF64 => {
                self.set_global(self.w32(a), self.w64(b).to_le_bytes())?;
            }
            Op::GlobalLoadRef => self.load_ref(inst.imm[0], inst.imm[1], a)?,
            Op::GlobalStoreRef => self.store_ref(inst.imm[0], inst.imm[1], a)?,
            Op::GlobalLoadIndirectRef => self.load_ref(self.w32(a), inst.imm[0], b)?,
            Op::GlobalStoreIndirectRef => self.store_ref(self.w32(a), inst.imm[0], b)?,

            Op::ConstRefZero => self.set_ref(a, None),
            Op::ConstRefRodata => {
                let segment = self.module.rodata[inst.imm[0] as usize].clone();
                self.set_ref(a, Some(segment));
            }
            Op::DiscardRefs => {
                for slot in self.body.list(inst.imm[0]) {
                    self.refs[usize::from(slot.register & REF_MASK)] = None;
                }
            }
            Op::AssignRef => {
                let value = self.read_ref(a);
                self.set_ref(b, value);
            }
            Op::SelectRef => self.select_ref(inst)?,
            Op::SwitchRef => self.switch_ref(inst)?,
            Op::CastAnyRef => {
                let value = self.read_ref(a);
                self.check_type(&value, inst.imm[0])?;
                self.set_ref(b, value);
            }
            Op::CmpEqRef => self.set32(c, self.same(a, b).into()),
            Op::CmpNeRef => self.set32(c, (!self.same(a, b)).into()),
            Op::CmpNzRef => self.set32(b, self.refs[usize::from(a)].is_some().into()),
            Op::ImportResolved => {
                let target = self.imports[inst.imm[0] as usize];
                self.set32(a, (target != crate::context::Target::Missing).into());
            }
            Op::Trace | Op::Print => {
                for slot in self.body.list(inst.imm[1]) {
                    if slot.kind == Kind::Ref && slot.register & MOVE != 0 {
                        self.refs[usize::from(slot.register & REF_MASK)] = None;
                    }
                }
            }
            _ => return self.float(inst),
        }
        Ok(())
    }

    /// Instructions on lists and buffers.
    pub(super) fn lists_and_buffers(&mut self, inst: &Inst) -> Result<()> {
        let [a, b, c, d, e, f] = inst.r;
        match inst.op {
            Op::ListAlloc => {
                let element = self.types[inst.imm[0] as usize];
                let list = types::LIST.wrap(List::charged(element, self.account)?);
                self.lists.add(&list);
                self.set_ref(b, Some(list));
            }
            // How much room there is cannot be seen, so asking for room does nothing.
            Op::ListReserve => {
                self.object(&types::LIST, a)?;
            }
            Op::ListSize => {
                let len = self.object(&types::LIST, a)?.len();
                self.set32(b, u32::try_from(len).unwrap_or(u32::MAX));
            }
            Op::ListResize => {
                let len = self.w32(b);
                self.object(&types::LIST, a)?
                    .resize_for(len as usize, Some(self.account))?;
                *self.cost += u64::from(len) * size_of::<Value>() as u64 / BYTES_PER_COST;
            }
            Op::ListGetI32 | Op::ListGetI64 | Op::ListGetF32 | Op::ListGetF64 => {
                let kind = list_kind(inst.op);
                let value = self.object(&types::LIST, a)?.value(self.w32(b) as usize)?;
                match value.convert(kind)? {
                    Value::I32(value) => self.set32(c, value.cast_unsigned()),
                    Value::F32(value) => self.set32(c, value.to_bits()),
                    Value::I64(value) => self.set64(c, value.cast_unsigned()),
                    Value::F64(value) => self.set64(c, value.to_bits()),
                    Value::Ref(_) => unreachable!("converted to a number"),
                }
            }
            Op::ListSetI32 | Op::ListSetI64 | Op::ListSetF32 | Op::ListSetF64 => {
                let value = match list_kind(inst.op) {
                    Kind::I32 => Value::I32(self.w32(c).cast_signed()),
                    Kind::F32 => Value::F32(f32::from_bits(self.w32(c))),
                    Kind::I64 => Value::I64(self.w64(c).cast_signed()),
                    _ => Value::F64(f64::from_bits(self.w64(c))),
                };
                self.object(&types::LIST, a)?
                    .set(self.w32(b) as usize, value)?;
            }
            Op::ListGetRef => {
                let value = self.object(&types::LIST, a)?.value(self.w32(b) as usize)?;
                let found = match value.convert(Kind::Ref)? {
                    Value::Ref(found) if self.check_type(&found, inst.imm[0]).is_ok() => found,
                    _ => None,
                };
                self.set_ref(c, found);
            }
            Op::ListSetRef => {
                let value = Value::Ref(self.read_ref(c));
                self.object(&types::LIST, a)?
                    .set(self.w32(b) as usize, value)?;
            }

            Op::BufferAlloc => {
                let buffer = Buffer::charged(self.w64(a), self.account)?;
                self.charge(buffer.len());
                self.set_ref(c, Some(types::BUFFER.wrap(buffer)));
            }
            Op::BufferClone => {
                let (offset, length) = (self.w64(b), self.w64(c));
                let source = self.object(&types::BUFFER, a)?;
                source.range(offset, length)?;
                let clone = Buffer::charged(length, self.account)?;
                source.copy_to(offset, &clone, 0, length)?;
                self.charge(length);
                self.set_ref(e, Some(types::BUFFER.wrap(clone)));
            }
            Op::BufferLength => {
                let length = self.object(&types::BUFFER, a)?.len();
                self.set64(b, length);
            }
            Op::BufferCopy => {
                let length = self.w64(e);
                let source = self.object(&types::BUFFER, a)?;
                let target = self.object(&types::BUFFER, c)?;
                source.copy_to(self.w64(b), target, self.w64(d), length)?;
                self.charge(length);
            }
            Op::BufferCompare => {
                let length = self.w64(e);
                let left = self.object(&types::BUFFER, a)?;
                let right = self.object(&types::BUFFER, c)?;
                let equal = left.equals(self.w64(b), right, self.w64(d), length)?;
                self.charge(length);
                self.set32(f, equal.into());
            }
            Op::BufferHash => {
                let length = self.w64(c);
                let buffer = self.object(&types::BUFFER, a)?;
                let range = buffer.range(self.w64(b), length)?;
                let hash = buffer.read(|bytes| {
                    let mut hasher = SipHasher24::new_with_keys(HASH_KEY.0, HASH_KEY.1);
                    hasher.write(&bytes[range]);
                    hasher.finish()
                });
                self.charge(length);
                self.set64(d, hash);
            }
            Op::BufferFillI8 => self.fill(inst, [self.w32(d) as u8])?,
            Op::BufferFillI16 => self.fill(inst, (self.w32(d) as u16).to_le_bytes())?,
            Op::BufferFillI32 | Op::BufferFillF32 => self.fill(inst, self.w32(d).to_le_bytes())?,
            Op::BufferFillI64 | Op::BufferFillF64 => self.fill(inst, self.w64(d).to_le_bytes())?,
            Op::BufferLoadI8U => {
                let [byte] = self.load(a, b)?;
                self.set32(c, byte.into());
            }
            Op::BufferLoadI8S => {
                let value = i8::from_le_bytes(self.load(a, b)?);
                self.set32(c, i32::from(value).cast_unsigned());
            }
            Op::BufferLoadI16U => {
                let value = u16::from_le_bytes(self.load(a, b)?);
                self.set32(c, value.into());
            }
            Op::BufferLoadI16S => {
                let value = i16::from_le_bytes(self.load(a, b)?);
                self.set32(c, i32::from(value).cast_unsigned());
            }
            Op::BufferLoadI32 | Op::BufferLoadF32 => {
                let value = u32::from_le_bytes(self.load(a, b)?);
                self.set32(c, value);
            }
            Op::BufferLoadI64 | Op::BufferLoadF64 => {
                let value = u64::from_le_bytes(self.load(a, b)?);
                self.set64(c, value);
            }
            Op::BufferStoreI8 => self.store(a, b, [self.w32(c) as u8])?,
            Op::BufferStoreI16 => self.store(a, b, (self.w32(c) as u16).to_le_bytes())?,
            Op::BufferStoreI32 | Op::BufferStoreF32 => {
                self.store(a, b, self.w32(c).to_le_bytes())?;
            }
            Op::BufferStoreI64 | Op::BufferStoreF64 => {
                self.store(a, b, self.w64(c).to_le_bytes())?;
            }
            op => unreachable!("vm.{} is not executed", op.mnemonic()),
        }
        Ok(())
    }

    fn charge(&mut self, bytes: u64) {
        *self.cost += bytes / BYTES_PER_COST;
    }

    fn global<const N: usize>(&self, offset: u32) -> Result<[u8; N]> {
        let bytes = self
            .globals
            .get(offset as usize..)
            .and_then(<[u8]>::first_chunk);
        bytes.copied().ok_or_else(|| self.no_global(offset, N))
    }

    fn set_global<const N: usize>(&mut self, offset: u32, value: [u8; N]) -> Result<()> {
        match self
            .globals
            .get_mut(offset as usize..)
            .and_then(<[u8]>::first_chunk_mut)
        {
            Some(bytes) => {
                *bytes = value;
                Ok(())
            }
            None => Err(self.no_global(offset, N)),
        }
    }

    #[cold]
    fn no_global(&self, offset: u32, bytes: usize) -> Error {
        Error::new(
            Code::OUT_OF_RANGE,
            format!(
                "{bytes} bytes at {offset} are not among the {} bytes of globals",
                self.globals.len()
            ),
        )
    }

    fn load_ref(&mut self, global: u32, wanted: u32, register: u16) -> Result<()> {
        let value = self
            .global_refs
            .get(global as usize)
            .ok_or_else(|| self.no_global_ref(global))?
            .clone();
        self.check_type(&value, wanted)?;
        self.set_ref(register, value);
        Ok(())
    }

    fn store_ref(&mut self, global: u32, wanted: u32, operand: u16) -> Result<()> {
        let value = self.read_ref(operand);
        self.check_type(&value, wanted)?;
        match self.global_refs.get_mut(global as usize) {
            Some(place) => {
                *place = value;
                Ok(())
            }
            None => Err(self.no_global_ref(global)),
        }
    }

    #[cold]
    fn no_global_ref(&self, global: u32) -> Error {
        Error::new(
            Code::OUT_OF_RANGE,
            format!(
                "there is no reference global {global} of {}",
                self.global_refs.len()
            ),
        )
    }

    /// Null is of every type.
    fn check_type(&self, value: &Option<Ref>, wanted: u32) -> Result<()> {
        match (value, self.types[wanted as usize]) {
            (Some(found), Element::Ref(wanted)) if found.kind() != wanted => Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "a {} where a {} is needed",
                    found.kind().name(),
                    wanted.name()
                ),
            )),
            _ => Ok(()),
        }
    }

    fn same(&self, a: u16, b: u16) -> bool {
        match (&self.refs[usize::from(a)], &self.refs[usize::from(b)]) {
            (Some(a), Some(b)) => a.ptr_eq(b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    /// The operand that is not selected is emptied too, if it says so.
    fn select_ref(&mut self, inst: &Inst) -> Result<()> {
        let [condition, yes, no, to, ..] = inst.r;
        let (chosen, other) = match self.w32(condition) {
            0 => (no, yes),
            _ => (yes, no),
        };
        let value = self.read_ref(chosen);
        if other & MOVE != 0 {
            self.refs[usize::from(other & REF_MASK)] = None;
        }
        self.check_type(&value, inst.imm[0])?;
        self.set_ref(to, value);
        Ok(())
    }

    /// Only the operand that is selected is emptied.
    fn switch_ref(&mut self, inst: &Inst) -> Result<()> {
        let [index, default, to, ..] = inst.r;
        let chosen = self.switched(index, inst.imm[1]).unwrap_or(default);
        let value = self.read_ref(chosen);
        self.check_type(&value, inst.imm[0])?;
        self.set_ref(to, value);
        Ok(())
    }

    /// The object in a register; `INVALID_ARGUMENT` if it is null or of another type.
    fn object<T: std::any::Any + Send + Sync>(
        &self,
        of: &'static Type<T>,
        register: u16,
    ) -> Result<&T> {
        let found = self.refs[usize::from(register)].as_ref();
        found.and_then(|found| of.of(found)).ok_or_else(|| {
            Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "{} where a {} is needed",
                    found.map_or("null".to_owned(), |found| format!(
                        "a {}",
                        found.kind().name()
                    )),
                    of.erased().name()
                ),
            )
        })
    }

    /// Element number `offset` of a buffer of such elements.
    fn load<const N: usize>(&self, buffer: u16, offset: u16) -> Result<[u8; N]> {
        let buffer = self.object(&types::BUFFER, buffer)?;
        let range = buffer.range(bytes_of(self.w64(offset), N), N as u64)?;
        Ok(buffer.read(|bytes| {
            let bytes = &bytes[range];
            bytes.try_into().expect("the range has that length")
        }))
    }

    fn store<const N: usize>(&self, buffer: u16, offset: u16, value: [u8; N]) -> Result<()> {
        let buffer = self.object(&types::BUFFER, buffer)?;
        let range = buffer.range(bytes_of(self.w64(offset), N), N as u64)?;
        buffer.write(|bytes| bytes[range].copy_from_slice(&value))
    }

    fn fill<const N: usize>(&mut self, inst: &Inst, value: [u8; N]) -> Result<()> {
        let [buffer, offset, count, ..] = inst.r;
        let length = bytes_of(self.w64(count), N);
        let buffer = self.object(&types::BUFFER, buffer)?;
        let range = buffer.range(bytes_of(self.w64(offset), N), length)?;
        buffer.write(|bytes| {
            let (elements, _) = bytes[range].as_chunks_mut();
            elements.fill(value);
        })?;
        self.charge(length);
        Ok(())
    }
}

/// Offsets and lengths count elements. What is more than any buffer has is out of range in any case.
fn bytes_of(elements: u64, width: usize) -> u64 {
    elements.saturating_mul(width as u64)
}

fn list_kind(op: Op) -> Kind {
    match op {
        Op::ListGetI32 | Op::ListSetI32 => Kind::I32,
        Op::ListGetI64 | Op::ListSetI64 => Kind::I64,
        Op::ListGetF32 | Op::ListSetF32 => Kind::F32,
        _ => Kind::F64,
    }
}
