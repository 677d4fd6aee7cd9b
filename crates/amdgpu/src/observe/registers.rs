//! Which registers an instruction reads and writes.

use crate::isa::{Flags, Instruction, Operand, Special};
use crate::wave::slot;

/// Scalar registers by slot, then vector, then accumulation registers.
pub(crate) const VECTOR: u16 = 256;
pub(crate) const ACCUMULATION: u16 = VECTOR + 256;
/// How many there are.
pub(crate) const COUNT: usize = ACCUMULATION as usize + 256;

/// Some registers, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Registers(Vec<u16>);

impl Registers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }

    fn add(&mut self, operand: Operand) {
        if let Some((first, dwords)) = place(operand) {
            self.0.extend(first..first + dwords);
        }
    }
}

/// First register of an operand, and how many it covers.
fn place(operand: Operand) -> Option<(u16, u16)> {
    let dwords = u16::from(operand.dwords());
    let first = match operand {
        Operand::Sgpr { index, .. } => u16::from(index),
        Operand::Vgpr { index, .. } => VECTOR + u16::from(index),
        Operand::Agpr { index, .. } => ACCUMULATION + u16::from(index),
        Operand::Special { reg, .. } => match reg {
            Special::VccLo => slot::VCC,
            Special::VccHi => slot::VCC + 1,
            Special::Ttmp(number) => slot::TTMP0 + u16::from(number),
            Special::M0 => slot::M0,
            Special::ExecLo => slot::EXEC,
            Special::ExecHi => slot::EXEC + 1,
            _ => return None,
        },
        _ => return None,
    };
    Some((first, dwords))
}

/// What an instruction reads, and what it writes.
pub(crate) fn of(instruction: &Instruction) -> (Registers, Registers) {
    let (mut reads, mut writes) = (Registers::default(), Registers::default());
    add(instruction, &mut reads, &mut writes);
    (reads, writes)
}

fn add(instruction: &Instruction, reads: &mut Registers, writes: &mut Registers) {
    let flags = instruction.info().flags;
    let mask = u16::from(instruction.wave.mask_dwords());
    for &operand in &instruction.src {
        reads.add(operand);
    }
    for &operand in &instruction.dst {
        writes.add(operand);
        if flags.contains(Flags::READS_DST) {
            reads.add(operand);
        }
    }
    if flags.contains(Flags::WRITES_SRC) {
        writes.add(instruction.src[0]);
    }
    let implicit = [
        (Flags::READS_VCC, slot::VCC, mask),
        (Flags::READS_EXEC, slot::EXEC, mask),
        (Flags::READS_M0, slot::M0, 1),
    ];
    for (flag, first, dwords) in implicit {
        if flags.contains(flag) {
            reads.0.extend(first..first + dwords);
        }
    }
    if let Some(second) = &instruction.dual {
        add(second, reads, writes);
    }
}

/// The name of a register, as the text of instructions has it.
pub(crate) fn name(register: u16) -> String {
    match register {
        ACCUMULATION.. => format!("a{}", register - ACCUMULATION),
        VECTOR.. => format!("v{}", register - VECTOR),
        slot::VCC => "vcc_lo".to_owned(),
        107 => "vcc_hi".to_owned(),
        slot::M0 => "m0".to_owned(),
        slot::EXEC => "exec_lo".to_owned(),
        127 => "exec_hi".to_owned(),
        slot::TTMP0..=123 => format!("ttmp{}", register - slot::TTMP0),
        _ => format!("s{register}"),
    }
}
