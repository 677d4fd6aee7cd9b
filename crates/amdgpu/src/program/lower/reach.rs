//! Which instructions code can come to.

use std::collections::BTreeSet;

use super::{Refused, Target};
use crate::isa::{Flags, Instruction, Opcode, Operand, Type};

/// Instructions that can be reached.
pub(super) struct Reach {
    /// Each with its byte offset, in order.
    pub(super) instructions: Vec<(usize, Instruction)>,
    /// For each dword, whether an instruction begins there that the kernel
    /// reaches without calls through registers.
    own: Vec<bool>,
    /// Code jumps to addresses in registers.
    pub(super) jumps_anywhere: bool,
    /// Where it goes wrong.
    pub(super) refused: Vec<Refused>,
}

impl Reach {
    /// Is the instruction reached without calls through registers?
    pub(super) fn is_own(&self, at: usize) -> bool {
        self.own.get(at / 4) == Some(&true)
    }
}

/// Decodes what can be reached from `start`. If the code jumps to addresses in
/// registers, that includes everything that decodes.
pub(super) fn reachable(code: &[u8], start: usize, target: Target) -> Reach {
    let mut instructions = Vec::with_capacity(code.len() / 6);
    let mut own = vec![false; code.len().div_ceil(4)];
    let mut refused = Vec::new();
    let mut refuse = |at, why| refused.push(Refused { at, why, own: true });
    let mut work = vec![start];
    let mut jumps_anywhere = false;
    while let Some(mut at) = work.pop() {
        while own.get(at / 4) != Some(&true) {
            let instruction = match target.decode(code, at) {
                Ok(instruction) => instruction,
                Err(error) => {
                    refuse(at, error.to_string());
                    break;
                }
            };
            let next = at + instruction.size_bytes as usize;
            let op = instruction.op;
            jumps_anywhere |= matches!(op, Opcode::SSetpcB64 | Opcode::SSwappcB64);
            if let Some(target) = branch_target(&instruction, at) {
                if target >= code.len() {
                    refuse(at, "it branches out of the code".to_owned());
                    break;
                }
                work.push(target);
            }
            let goes_on = !instruction.info().flags.contains(Flags::END)
                && !matches!(op, Opcode::SBranch | Opcode::SSetpcB64);
            instructions.push((at, instruction));
            own[at / 4] = true;
            if !goes_on {
                break;
            }
            at = next;
        }
    }
    if jumps_anywhere {
        let mut at = 0;
        while at + 4 <= code.len() {
            match target.decode(code, at) {
                Ok(instruction) => {
                    let bytes = instruction.size_bytes as usize;
                    if !own[at / 4] {
                        instructions.push((at, instruction));
                    }
                    at += bytes;
                }
                Err(_) => at += 4,
            }
        }
    }
    instructions.sort_unstable_by_key(|&(at, _)| at);
    Reach {
        instructions,
        own,
        jumps_anywhere,
        refused,
    }
}

/// Byte offset that a direct branch goes to.
pub(in crate::program) fn branch_target(instruction: &Instruction, at: usize) -> Option<usize> {
    let types = instruction.info().src;
    let place = types.iter().position(|&ty| ty == Type::Branch)?;
    let Operand::Imm(dwords) = instruction.src[place] else {
        return None;
    };
    let next = at as i64 + i64::from(instruction.size_bytes);
    usize::try_from(next + 4 * i64::from(dwords as i16)).ok()
}

pub(super) fn branch_targets<'a>(
    instructions: impl Iterator<Item = (usize, &'a Instruction)>,
) -> BTreeSet<usize> {
    instructions
        .filter_map(|(at, instruction)| branch_target(instruction, at))
        .collect()
}
