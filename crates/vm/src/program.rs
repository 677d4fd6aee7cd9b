//! Functions as the interpreter runs them: decoded, checked, and compact.
//!
//! Only the verifier makes these, so whoever has one may rely on it: registers are inside of the function's banks, branches
//! lead to instructions, numbers of other things are in range, and calls fit the signatures of their callees.

use std::collections::VecDeque;

use crate::op::Op;
use crate::{Kind, Signature};

/// In a register operand of the reference bank: empty the register after reading it.
pub(crate) const MOVE: u16 = 0x4000;

/// In a register operand: the number in the reference bank.
pub(crate) const REF_MASK: u16 = 0x3fff;

/// A function.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) code: Vec<Inst>,
    /// Where each instruction stands in the stream.
    pub(crate) pcs: Vec<u32>,
    /// Where blocks begin in the stream.
    pub(crate) blocks: Vec<u32>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) moves: Vec<Move>,
    pub(crate) calls: Vec<CallSite>,
    pub(crate) lists: Vec<Span>,
    /// What `calls` and `lists` have spans of.
    pub(crate) slots: Vec<Slot>,
    /// How often groups of arguments are repeated.
    pub(crate) groups: Vec<u16>,
    /// Places of texts in the function's bytecode.
    pub(crate) texts: Vec<Span>,
    pub(crate) signature: Signature,
    /// The registers that arguments are put in.
    pub(crate) params: Vec<Slot>,
    /// Registers of the value bank.
    pub(crate) values: usize,
    /// Registers of the reference bank.
    pub(crate) refs: usize,
}

/// An instruction. Register operands are in `r`, in the order of the table, results behind; everything else is in
/// `imm`, in the same order: constants, numbers, and indices into the tables of the [`Body`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inst {
    pub(crate) op: Op,
    pub(crate) r: [u16; 6],
    pub(crate) imm: [u32; 2],
}

/// A branch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// Index of an instruction.
    pub(crate) target: u32,
    /// What is copied, one after the other.
    pub(crate) moves: Span,
}

/// Copies a register.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Value { from: u16, to: u16 },
    Ref { from: u16, to: u16 },
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite {
    pub(crate) callee: Callee,
    pub(crate) args: Span,
    pub(crate) groups: Span,
    pub(crate) results: Span,
    /// The instruction that comes after.
    pub(crate) next: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee {
    Function(u32),
    Import(u32),
}

/// A register and the kind of value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// With [`MOVE`] perhaps, if the kind is a reference.
    pub(crate) register: u16,
}

/// Part of a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Tables are no longer than a file of 4 GiB has room for.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: u32::try_from(start).expect("a function is shorter than 4 GiB"),
            end: u32::try_from(end).expect("a function is shorter than 4 GiB"),
        }
    }

    pub(crate) fn of<T>(self, table: &[T]) -> &[T] {
        &table[self.start as usize..self.end as usize]
    }
}

impl Body {
    pub(crate) fn list(&self, index: u32) -> &[Slot] {
        self.lists[index as usize].of(&self.slots)
    }
}

/// Gives the arguments of a function their registers, and says what they need of the two banks. Wide ones take even
/// pairs. A narrow one takes the next register, in bytecode 15.0 the lowest that is free: compilers of that time filled
/// the gaps that pairs left (and their own runtime did not, which gave such functions other arguments).
pub(crate) fn place(kinds: &[Kind], version: u16) -> Option<(Vec<Slot>, usize, usize)> {
    let (mut values, mut refs) = (0_u16, 0_u16);
    let mut gaps = VecDeque::new();
    let mut slots = Vec::with_capacity(kinds.len());
    for &kind in kinds {
        let register = match kind {
            Kind::I32 | Kind::F32 => match gaps.pop_front() {
                Some(gap) => gap,
                None => {
                    values = values.checked_add(1)?;
                    values - 1
                }
            },
            Kind::I64 | Kind::F64 => {
                let even = values.checked_next_multiple_of(2)?;
                if even != values && version < 16 {
                    gaps.push_back(values);
                }
                values = even.checked_add(2)?;
                even
            }
            Kind::Ref => {
                refs = refs.checked_add(1)?;
                refs - 1
            }
        };
        slots.push(Slot { kind, register });
    }
    Some((slots, usize::from(values), usize::from(refs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_arguments_take_even_pairs() {
        use Kind::{F32, F64, I32, I64, Ref};
        let (slots, values, refs) = place(&[I32, I64, Ref, F32, F64, Ref], 17).unwrap();
        let registers: Vec<_> = slots.iter().map(|slot| slot.register).collect();
        assert_eq!(registers, [0, 2, 0, 4, 6, 1]);
        assert_eq!((values, refs), (8, 2));
        assert!(place(&vec![Kind::I64; 40_000], 17).is_none());
    }

    #[test]
    fn narrow_arguments_fill_gaps_in_old_bytecode() {
        use Kind::{F32, F64, I32, I64};
        let kinds = [I32, I64, F32, I32, F64, I32, I32];
        let registers = |version| -> Vec<_> {
            let (slots, ..) = place(&kinds, version).unwrap();
            slots.iter().map(|slot| slot.register).collect()
        };
        assert_eq!(registers(15), [0, 2, 1, 4, 6, 5, 8]);
        assert_eq!(registers(17), [0, 2, 4, 5, 6, 8, 9]);
    }
}
