//! Every instruction, in every encoding: it can be lowered, or is listed here.

mod arithmetic;
mod backends;
mod cdna2;
mod cdna4;
mod control;
mod gfx12;
mod gfx9;
mod index_mode;
mod matrices;
mod memory;
mod native;

use super::lower::refusal;
use crate::isa::{Cdna, Generation, Instruction, Operand, WaveSize};
use crate::program::Target;

/// The golden encodings of the decoder's tests.
fn golden() -> impl Iterator<Item = (Target, Vec<u8>, &'static str)> {
    let of = |generation| {
        let file = match generation {
            Generation::Gfx9(Cdna::Cdna2) => include_str!("../../tests/isa_gfx90a.txt"),
            Generation::Gfx9(Cdna::Cdna3) => include_str!("../../tests/isa_gfx942.txt"),
            Generation::Gfx9(Cdna::Cdna4) => include_str!("../../tests/isa_gfx950.txt"),
            Generation::Gfx11 => include_str!("../../tests/isa_gfx1100.txt"),
            Generation::Gfx12 => include_str!("../../tests/isa_gfx1201.txt"),
        };
        file.lines().map(move |line| parse(generation, line))
    };
    Generation::ALL.into_iter().flat_map(of)
}

fn parse(generation: Generation, line: &'static str) -> (Target, Vec<u8>, &'static str) {
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
    let target = Target { generation, size };
    (target, fields.flat_map(dword).collect(), text)
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

/// The same of gfx9 alone.
fn listed_of_gfx9(name: &str, instruction: &Instruction, text: &str) -> Option<&'static str> {
    let m = &instruction.modifiers;
    let scalar = |parts: [&str; 4]| parts.iter().any(|part| name.starts_with(part));
    match name {
        // Branches of two ways, and what skips vector instructions: none of them
        // has been emitted for long.
        "s_cbranch_join" | "s_cbranch_g_fork" | "s_cbranch_i_fork" => Some("not implemented"),
        "s_setvskip" | "s_rfe_restore_b64" => Some("not implemented"),
        // Scalar memory is only read.
        _ if scalar(["s_store_", "s_buffer_store_", "s_scratch_", "s_atomic_"])
            || name.starts_with("s_buffer_atomic_") =>
        {
            Some("not implemented")
        }
        _ if name.starts_with("tbuffer_") => Some("not implemented"),
        _ if m.lds && name.starts_with("scratch_") => Some("to LDS"),
        _ if m.lds && name.contains("_format_") => Some("not implemented"),
        "buffer_store_lds_dword" => Some("not implemented"),
        _ if name.starts_with("scratch_load_lds_") => Some("not implemented"),
        _ if text.contains("src_lds_direct") => Some("LDS as an operand"),
        _ if name.starts_with("v_screen_partition_4se_b32") => Some("not implemented"),
        "v_cvt_pkaccum_u8_f32" | "v_mfma_ld_scale_b32" => Some("not implemented"),
        "v_cvt_pk_f16_f32" | "v_cvt_pk_bf16_f32" if m.clamp => Some("a clamp"),
        "v_pk_fmac_f16_sdwa" => Some("parts of packed halves"),
        "v_cvt_pk_f32_fp8_e64" | "v_cvt_pk_f32_bf8_e64" if m.clamp => Some("a clamp"),
        "v_cvt_pk_f32_fp8_sdwa" | "v_cvt_pk_f32_bf8_sdwa" if m.clamp => Some("a clamp"),
        _ if m.dpp.is_some() && (instruction.src[0].dwords() > 1 || name == "v_mov_b64_dpp") => {
            Some("a permutation of pairs")
        }
        "v_cvt_pk_f32_fp8_dpp" | "v_cvt_pk_f32_bf8_dpp" => Some("a permutation of pairs"),
        _ if name.starts_with("v_mfma_f64_4x4x4") && text.contains("src_") => Some("an aperture"),
        _ => None,
    }
}

/// The same of gfx12 alone.
fn listed_of_gfx12(name: &str, instruction: &Instruction) -> Option<&'static str> {
    match name {
        // Sparse matrices; matrices loaded in another order; blocks of registers.
        _ if name.starts_with("v_swmmac_") => Some("not implemented"),
        _ if name.starts_with("global_load_tr_") || name.ends_with("_block") => {
            Some("not implemented")
        }
        // Of shaders, and of chips whose waves get registers while they run.
        "global_atomic_ordered_add_b64" | "s_alloc_vgpr" => Some("not implemented"),
        _ if name.starts_with("ds_bvh_stack_push") => Some("not implemented"),
        // Barriers with numbers.
        "s_get_barrier_state" | "s_barrier_init" | "s_barrier_join" | "s_barrier_leave" => {
            Some("not implemented")
        }
        "s_barrier_signal" | "s_barrier_signal_isfirst" | "s_barrier_wait"
            if !matches!(instruction.src[0], Operand::Int(-1) | Operand::Imm(0xffff)) =>
        {
            Some("barrier of the workgroup")
        }
        _ => None,
    }
}

#[test]
fn everything_lowers_but_what_is_listed() {
    let mut wrong = Vec::new();
    for (target, bytes, text) in golden() {
        let instruction = target.decode(&bytes, 0).expect(text);
        let name = text.split(' ').next().unwrap_or_default();
        let own = match target.generation {
            Generation::Gfx9(_) => listed_of_gfx9(name, &instruction, text),
            Generation::Gfx11 => None,
            Generation::Gfx12 => listed_of_gfx12(name, &instruction),
        };
        let expected = own.or_else(|| listed(name, instruction.modifiers.gds));
        match (refusal(&instruction, target), expected) {
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
    let censuses = [
        include_str!("../../tests/isa_census.txt"),
        include_str!("../../tests/isa_census_gfx90a.txt"),
        include_str!("../../tests/isa_census_gfx942.txt"),
        include_str!("../../tests/isa_census_gfx1201.txt"),
        include_str!("../../tests/isa_census_gfx950.txt"),
    ];
    for name in censuses.into_iter().flat_map(str::lines) {
        let setreg = name.starts_with("s_setreg");
        assert!(setreg || listed(name, false).is_none(), "{name}");
    }
}
