//! What a handler may cost, in plain passes over rows.

use amdgpu::isa::Opcode;

/// The limit of everything that is not listed.
const LIMIT: f64 = 9.0;
/// The same of half floats, which are widened by passes of their own.
const LIMIT_OF_HALVES: f64 = 18.0;

/// Instructions that take longer by nature: how their names begin, how many
/// plain passes they may cost, and why. The first row that fits counts.
const SLOW: &[(&str, f64, &str)] = &[
    ("v_mfma_f32_32x32x64_f8", 90_000.0, MATRIX_OF_CHOICE),
    ("v_mfma_f32_16x16x128_f8", 90_000.0, MATRIX_OF_CHOICE),
    ("v_mfma", 5000.0, MATRIX),
    ("v_smfmac", 14_000.0, MATRIX),
    ("v_wmma", 800.0, MATRIX),
    ("v_cvt_scalef32", 130_000.0, SMALL_FLOATS),
    ("v_cvt_pk_fp8", 250.0, SMALL_FLOATS),
    ("v_cvt_pk_bf8", 250.0, SMALL_FLOATS),
    ("v_cvt_sr_", 120.0, SMALL_FLOATS),
    ("v_cvt_pk_f32_", 160.0, SMALL_FLOATS),
    ("v_cvt_f32_fp8", 80.0, SMALL_FLOATS),
    ("v_cvt_f32_bf8", 80.0, SMALL_FLOATS),
    ("v_dot4_f32_", 900.0, SMALL_FLOATS),
    ("ds_read_b96_tr", 1600.0, TRANSPOSE),
    ("ds_read_b64_tr", 800.0, TRANSPOSE),
    ("ds_permute", 35.0, LANES),
    ("ds_bpermute", 16.0, "looks in both halves of a wave of 64"),
    ("ds_load_2addr", 25.0, TWO_PLACES),
    ("ds_store_2addr", 25.0, TWO_PLACES),
    ("ds_read2", 25.0, TWO_PLACES),
    ("ds_write2", 30.0, TWO_PLACES),
    ("ds_load_u", 30.0, PARTS),
    ("ds_load_i", 30.0, PARTS),
    ("ds_read_u", 35.0, PARTS),
    ("ds_read_i", 35.0, PARTS),
    ("ds_store_b8", 30.0, PARTS),
    ("ds_store_b16", 30.0, PARTS),
    ("ds_write_b8", 35.0, PARTS),
    ("ds_write_b16", 35.0, PARTS),
    ("ds_load", 16.0, MEMORY),
    ("ds_read", 16.0, MEMORY),
    ("ds_store_b", 18.0, MEMORY),
    ("ds_store_addtid", 18.0, MEMORY),
    ("ds_write", 18.0, MEMORY),
    ("ds_storexchg_2", 220.0, ATOMIC),
    ("ds_wrxchg2", 240.0, ATOMIC),
    ("ds_pk_add", 280.0, ATOMIC),
    ("ds_", 170.0, ATOMIC),
    ("v_trig_preop", 1200.0, "takes bits out of a table of 1,200"),
    ("v_qsad", 190.0, SELDOM),
    ("v_mqsad", 240.0, SELDOM),
    ("v_dot2_f16_f16", 300.0, SELDOM),
    ("v_dot2_bf16_bf16", 35.0, SELDOM),
    ("v_cvt_pk_norm_i16_f16", 200.0, SELDOM),
    ("v_cvt_pk_norm_u16_f16", 200.0, SELDOM),
    ("v_cvt_norm", 110.0, SELDOM),
    ("v_msad", 50.0, SELDOM),
    ("v_cube", 40.0, SELDOM),
    ("v_lerp", 20.0, SELDOM),
    ("v_sad_hi", 16.0, SELDOM),
    ("v_s_", 120.0, "one lane of a vector function, for a scalar"),
    ("v_log", 34.0, DOUBLE),
    ("v_sin", 34.0, DOUBLE),
    ("v_cos", 34.0, DOUBLE),
    ("v_div_scale", 26.0, CASES),
    ("v_div_fixup", 20.0, CASES),
    ("v_ldexp", 24.0, DOUBLE),
    (
        "v_rsq_f64",
        22.0,
        "eight square roots and as many divisions",
    ),
    ("v_pk_fma", 36.0, HALVES),
    ("v_pk_m", 26.0, HALVES),
    ("v_pk_", 20.0, HALVES),
    ("v_dot2", 18.0, HALVES),
    ("v_med3", 20.0, HALVES),
    ("v_exp", 18.0, HALVES),
];

const MATRIX: &str = "a product of matrices of a whole wave";
const MATRIX_OF_CHOICE: &str = "a large product, of elements whose format the instruction chooses";
const SMALL_FLOATS: &str = "floats of a byte or less, of many formats, one by one";
const TRANSPOSE: &str = "moves single bits between lanes";
const LANES: &str = "writes lanes that each lane chooses";
const TWO_PLACES: &str = "two accesses";
const MEMORY: &str = "checks where the lanes go";
const PARTS: &str = "memory, and bytes and halves of dwords one by one";
const ATOMIC: &str = "lanes take turns";
const SELDOM: &str = "lane by lane; hardly any program has it";
const DOUBLE: &str = "computes in double precision";
const CASES: &str = "tells many cases apart";
const HALVES: &str = "several passes: both halves of a register are taken apart";

/// The limit of an instruction, and why it has one of its own.
pub(crate) fn of(op: Opcode, mnemonic: &str) -> (f64, Option<&'static str>) {
    let names = [op.name(), mnemonic];
    let fits = |start: &str| names.iter().any(|name| name.starts_with(start));
    let row = SLOW.iter().find(|(start, ..)| fits(start));
    let limit = match op.name().ends_with("_f16") {
        true => LIMIT_OF_HALVES,
        false => LIMIT,
    };
    row.map_or((limit, None), |&(_, limit, why)| (limit, Some(why)))
}
