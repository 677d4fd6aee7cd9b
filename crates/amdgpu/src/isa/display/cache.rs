//! Text of cache policies.

use std::fmt::{self, Formatter};

use crate::isa::opcode::{Cdna, Flags, Generation};
use crate::isa::{Instruction, Modifiers};

/// Writes the cache policy of a memory access.
pub(super) fn write(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let modifiers = &instruction.modifiers;
    let names = match instruction.generation {
        Generation::Gfx9(Cdna::Cdna2) => [" glc", " slc", " scc", ""],
        Generation::Gfx9(_) => [" sc0", " nt", " sc1", ""],
        Generation::Gfx11 => [" glc", " slc", "", " dlc"],
        Generation::Gfx12 => {
            hint(f, instruction)?;
            return scope(f, modifiers.scope);
        }
    };
    let set = [modifiers.glc, modifiers.slc, modifiers.sc1, modifiers.dlc];
    for (name, set) in names.into_iter().zip(set) {
        f.write_str(if set { name } else { "" })?;
    }
    Ok(())
}

/// How likely the data is used again.
fn hint(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let Modifiers { hint, scope, .. } = instruction.modifiers;
    if hint == 0 {
        return Ok(());
    }
    f.write_str(" th:")?;
    if info.flags.contains(Flags::ATOMIC) {
        return atomic_hint(f, hint, scope);
    }
    let store = info.dst.is_empty() && !info.src.is_empty();
    let text = match (hint, store) {
        (1, _) => "NT",
        (2, _) => "HT",
        (3, _) if scope == SYSTEM => "BYPASS",
        (3, true) => "WB",
        (3, false) => "LU",
        (4, _) => "NT_RT",
        (5, _) => "RT_NT",
        (6, _) => "NT_HT",
        (_, true) => "NT_WB",
        (_, false) => return write!(f, "{hint:#x}"),
    };
    f.write_str(if store { "TH_STORE_" } else { "TH_LOAD_" })?;
    f.write_str(text)
}

/// The scopes of the whole device and of the system.
const DEVICE: u8 = 2;
const SYSTEM: u8 = 3;

fn atomic_hint(f: &mut Formatter<'_>, hint: u8, scope: u8) -> fmt::Result {
    const RETURN: u8 = 1;
    const NOT_AGAIN: u8 = 2;
    const CASCADE: u8 = 4;
    f.write_str("TH_ATOMIC_")?;
    let again = hint & NOT_AGAIN == 0;
    if hint & CASCADE == 0 {
        return f.write_str(match (again, hint & RETURN != 0) {
            (true, _) => "RETURN",
            (false, false) => "NT",
            (false, true) => "NT_RETURN",
        });
    }
    if scope < DEVICE {
        return write!(f, "{hint:#x}");
    }
    f.write_str(if again { "CASCADE_RT" } else { "CASCADE_NT" })
}

/// How far the access is coherent; the compute unit is not mentioned.
fn scope(f: &mut Formatter<'_>, scope: u8) -> fmt::Result {
    f.write_str(match scope {
        0 => "",
        1 => " scope:SCOPE_SE",
        DEVICE => " scope:SCOPE_DEV",
        _ => " scope:SCOPE_SYS",
    })
}
