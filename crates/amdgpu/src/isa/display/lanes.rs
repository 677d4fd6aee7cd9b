//! Text of lane permutations (DPP) and sub-dword addressing (SDWA).

use std::fmt::{self, Formatter};

use super::result_modifiers;
use crate::isa::opcode::{Encoding, Flags, Generation};
use crate::isa::operand::Type;
use crate::isa::{Dpp, DppControl, Instruction, Selection, Unused};

pub(super) fn dpp(f: &mut Formatter<'_>, dpp: Option<Dpp>, generation: Generation) -> fmt::Result {
    match dpp {
        None => Ok(()),
        Some(Dpp::Lanes8 {
            lanes,
            fetch_inactive,
        }) => {
            f.write_str(" dpp8:[")?;
            for (i, lane) in lanes.iter().enumerate() {
                write!(f, "{}{lane}", if i > 0 { "," } else { "" })?;
            }
            f.write_str(if fetch_inactive { "] fi:1" } else { "]" })
        }
        Some(Dpp::Row {
            control,
            row_mask,
            bank_mask,
            bound_control,
            fetch_inactive,
        }) => {
            control_text(f, control, generation)?;
            write!(f, " row_mask:{row_mask:#x} bank_mask:{bank_mask:#x}")?;
            f.write_str(if bound_control { " bound_ctrl:1" } else { "" })?;
            f.write_str(if fetch_inactive { " fi:1" } else { "" })
        }
    }
}

fn control_text(f: &mut Formatter<'_>, control: DppControl, generation: Generation) -> fmt::Result {
    match control {
        DppControl::QuadPerm([a, b, c, d]) => write!(f, " quad_perm:[{a},{b},{c},{d}]"),
        DppControl::RowShl(n) => write!(f, " row_shl:{n}"),
        DppControl::RowShr(n) => write!(f, " row_shr:{n}"),
        DppControl::RowRor(n) => write!(f, " row_ror:{n}"),
        DppControl::RowMirror => f.write_str(" row_mirror"),
        DppControl::RowHalfMirror => f.write_str(" row_half_mirror"),
        DppControl::RowShare(n) if generation.is_gfx9() => {
            write!(f, " row_newbcast:{n}")
        }
        DppControl::RowShare(n) => write!(f, " row_share:{n}"),
        DppControl::RowXmask(n) => write!(f, " row_xmask:{n}"),
        DppControl::WaveShl => f.write_str(" wave_shl:1"),
        DppControl::WaveRol => f.write_str(" wave_rol:1"),
        DppControl::WaveShr => f.write_str(" wave_shr:1"),
        DppControl::WaveRor => f.write_str(" wave_ror:1"),
        DppControl::RowBcast15 => f.write_str(" row_bcast:15"),
        DppControl::RowBcast31 => f.write_str(" row_bcast:31"),
    }
}

/// Writes clamp, output modifier and the parts of dwords.
pub(super) fn sub_dword(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let Some(sdwa) = &instruction.modifiers.sdwa else {
        return Ok(());
    };
    let info = instruction.info();
    if instruction.encoding != Encoding::Vopc {
        result_modifiers(f, &instruction.modifiers)?;
        if !info.flags.contains(Flags::WHOLE_DST) {
            f.write_str(" dst_sel:")?;
            selection(f, sdwa.dst)?;
            f.write_str(match sdwa.unused {
                Unused::Pad => " dst_unused:UNUSED_PAD",
                Unused::Sext => " dst_unused:UNUSED_SEXT",
                Unused::Preserve => " dst_unused:UNUSED_PRESERVE",
            })?;
        }
    }
    let selected = info.src.iter().filter(|&&ty| ty != Type::Mask).count();
    for (number, &part) in sdwa.src.iter().take(selected).enumerate() {
        write!(f, " src{number}_sel:")?;
        selection(f, part)?;
    }
    Ok(())
}

fn selection(f: &mut Formatter<'_>, selection: Selection) -> fmt::Result {
    match selection {
        Selection::Byte(number) => write!(f, "BYTE_{number}"),
        Selection::Word(number) => write!(f, "WORD_{number}"),
        Selection::Dword => f.write_str("DWORD"),
    }
}
