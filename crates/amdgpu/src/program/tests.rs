//! Every instruction, in every encoding: it can be lowered, or is listed here.

mod arithmetic;
mod backends;
mod control;
mod matrices;
mod memory;

use super::lower::refusal;
use crate::isa::{self, Generation, WaveSize};

/// The golden encodings of the decoder's tests.
fn golden() -> impl Iterator<Item = (WaveSize, Vec<u8>, &'static str)> {
    include_str!("../../tests/isa_gfx1100.txt")
        .lines()
        .map(|line| {
            let (encoding, text) = line.split_once('\t').expect("a tab before the text");
            let mut fields = encoding.split(' ');
            let size = match fields.next() {
                Some("64") => WaveSize::Wave64,
                _ => WaveSize::Wave32,
            };
            let dword = |field| {
                u32::from_str_radix(field, 16)
                    .expect("a dword")
                    .to_le_bytes()
            };
            (size, fields.flat_map(dword).collect(), text)
        })
}

/// What no compiler emits for compute kernels, and is refused: the reason.
fn listed(name: &str, gds: bool) -> Option<&'static str> {
    let dpp = name.ends_with("_dpp");
    match name {
        _ if gds || name.starts_with("ds_gws_") => Some("there is no global data share"),
        "ds_add_gs_reg_rtn" | "ds_sub_gs_reg_rtn" | "ds_ordered_count" => {
            Some("there is no global data share")
        }
        // Formats are converted for graphics; rays are traced by shaders.
        _ if name.starts_with("buffer_") && name.contains("_format_") => Some("not implemented"),
        "ds_bvh_stack_rtn_b32" => Some("not implemented"),
        // Of trap handlers, and of wave64 code before gfx10.3.
        "s_rfe_b64" | "s_subvector_loop_begin" | "s_subvector_loop_end" => Some("not implemented"),
        "s_setreg_b32" | "s_setreg_imm32_b32" => Some("cannot be written"),
        _ if dpp && name.starts_with("v_movrels") => Some("a register that M0 selects"),
        _ => None,
    }
}

#[test]
fn everything_lowers_but_what_is_listed() {
    let mut wrong = Vec::new();
    for (size, bytes, text) in golden() {
        let instruction = isa::decode(Generation::Gfx11, size, &bytes, 0).expect(text);
        let name = text.split(' ').next().unwrap_or_default();
        let expected = listed(name, instruction.modifiers.gds);
        match (refusal(&instruction, size), expected) {
            (None, None) => {}
            (Some(why), Some(part)) if why.contains(part) => {}
            // One of the two registers may be one that can be written.
            (None, Some(_)) if name.starts_with("s_setreg") => {}
            (why, _) => wrong.push(format!("{text}: {why:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_compilers_emit_is_not_listed() {
    for name in include_str!("../../tests/isa_census.txt").lines() {
        let setreg = name.starts_with("s_setreg");
        assert!(setreg || listed(name, false).is_none(), "{name}");
    }
}
